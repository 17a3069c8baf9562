package dev.gatepost.gateway.catalog;

import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;

/// What differs between two lists in name order, told by reference: what did not change is the same object in both, so
/// that nothing else of it is looked at.
final class Changes {
    private Changes() {}

    /// Calls back with old and new of every name that differs; one of them is empty where it was added or removed.
    @SuppressWarnings("ReferenceEquality") // the contract of Snapshot
    static <T> void between(List<T> before, List<T> after, Function<T, String> name, BiConsumer<Optional<T>, Optional<T>> changed) {
        int old = 0;
        int fresh = 0;
        while (old < before.size() && fresh < after.size()) {
            T was = before.get(old);
            T is = after.get(fresh);
            if (was == is) {
                old++;
                fresh++;
                continue;
            }
            int order = name.apply(was).compareTo(name.apply(is));
            changed.accept(order <= 0 ? Optional.of(was) : Optional.empty(), order >= 0 ? Optional.of(is) : Optional.empty());
            old += order <= 0 ? 1 : 0;
            fresh += order >= 0 ? 1 : 0;
        }
        before.subList(old, before.size()).forEach(was -> changed.accept(Optional.of(was), Optional.empty()));
        after.subList(fresh, after.size()).forEach(is -> changed.accept(Optional.empty(), Optional.of(is)));
    }
}
