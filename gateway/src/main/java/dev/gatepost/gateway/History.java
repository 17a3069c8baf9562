package dev.gatepost.gateway;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// The last published revisions and what changed with each. It remembers so many revisions, and so many changes in all,
/// whichever is reached first; what is older is forgotten. It begins with the first complete state, of which everything
/// was new.
final class History {
    private static final int MOST_REVISIONS = 256;
    private static final int MOST_CHANGES = 50_000;

    // Guarded by `this`: the catalog's thread adds, the admin API's threads read.
    private final Deque<Step> steps = new ArrayDeque<>();
    private int changes;

    /// One revision.
    ///
    /// @param index     Consul's index when it was derived; 0 where there is no Consul
    /// @param changeset empty where history begins
    record Step(long revision, Instant publishedAt, long index, Optional<Changeset> changeset) {}

    /// Everything before is forgotten: of this state it is only known that it was there.
    synchronized void begin(GatewayState state, long index) {
        steps.clear();
        changes = 0;
        steps.addLast(new Step(state.revision(), state.publishedAt(), index, Optional.empty()));
    }

    /// @param changeset what the state differs in from the one before
    synchronized void add(GatewayState state, long index, Changeset changeset) {
        if (changeset.size() > MOST_CHANGES) {
            begin(state, index);
            return;
        }
        steps.addLast(new Step(state.revision(), state.publishedAt(), index, Optional.of(changeset)));
        changes += changeset.size();
        while (steps.size() > MOST_REVISIONS || changes > MOST_CHANGES) {
            steps.removeFirst();
            Step first = steps.removeFirst();
            changes -= first.changeset().map(Changeset::size).orElse(0);
            steps.addFirst(new Step(first.revision(), first.publishedAt(), first.index(), Optional.empty()));
        }
    }

    /// Oldest first. The first one's changes are not known.
    synchronized List<Step> steps() {
        return List.copyOf(steps);
    }
}
