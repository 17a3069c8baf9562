package dev.gatepost.gateway.fragment;

import java.util.List;
import java.util.function.Consumer;

/// A place where fragments are kept. It delivers all of them whenever it was read, whole or not at all, from one thread of
/// its own; once in any case, if only to say after a while that it knows none.
interface FragmentSource extends AutoCloseable {
    /// @param rejected what lies among them and is none
    record Found(List<Fragment> fragments, List<RejectedFragment> rejected) {
        static final Found NOTHING = new Found(List.of(), List.of());

        public Found {
            fragments = List.copyOf(fragments);
            rejected = List.copyOf(rejected);
        }
    }

    void start(Consumer<Found> found);

    FragmentStatus status();

    @Override
    void close();
}
