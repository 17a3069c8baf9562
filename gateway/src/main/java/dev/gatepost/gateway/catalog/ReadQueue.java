package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// What to read next: first the services known to differ, then those whose read failed and is due again, then the next
/// slice of a search for what else may have changed. A search begins with the services that changed last, since a deployment
/// changes one service several times in a row. Then it asks each node for its services, or reads every service where that takes
/// fewer requests. Searches take a third of the agent's attention at most, by a budget that a few in a row may use up at once;
/// what arrives during one is never held up for longer than a slice takes. A search that took far longer than the one before
/// has waited for the agent to come back, and no later one has to make up for that. Beside all that a slow sweep reads one service
/// after the other for nothing.
///
/// Times are in nanoseconds of one clock. Confined to one thread.
final class ReadQueue {
    private static final int MOST_AT_ONCE = 256;
    private static final int SLICE = 64;
    private static final int SUSPECTS = 8;

    /// How long a slice may take: nodes with thousands of services are asked one after the other.
    private static final long SLICE_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /// Of all time, one part in so many may go to searches.
    private static final int SHARE = 3;

    /// How much time they may save up, to take a part of.
    private static final long MOST_BUDGET_NANOS = TimeUnit.SECONDS.toNanos(6);

    /// Services to read, and nodes to ask for theirs.
    record Batch(List<String> services, List<String> nodes) {}

    private static final class Failing {
        final Backoff backoff;
        long due;

        Failing(Backoff backoff) {
            this.backoff = backoff;
        }
    }

    private final long sweepNanos;
    private final long searchPause;
    private final Supplier<Backoff> backoffs;
    private final Set<String> urgent = new LinkedHashSet<>();
    private final Set<String> searchedServices = new LinkedHashSet<>();
    private final Set<String> searchedNodes = new LinkedHashSet<>();
    private final Map<String, Failing> failing = new HashMap<>();
    /// Those that changed last, the latest at the end.
    private final Set<String> suspects = new LinkedHashSet<>();
    private boolean searchWanted;
    private boolean nodesTell = true;
    private boolean goesBefore;
    private long searchStarted;
    private long searchNotBefore;
    private long lastSearchTook;
    private long budget = MOST_BUDGET_NANOS;
    private long budgetAt;
    private String lastSwept = "";
    private long nextSwept;

    /// @param sweepEvery  how long the slow sweep takes to read everything once
    /// @param searchPause shortest pause between two searches
    ReadQueue(Duration sweepEvery, Duration searchPause, Supplier<Backoff> backoffs, long now) {
        this.sweepNanos = sweepEvery.toNanos();
        this.searchPause = searchPause.toNanos();
        this.backoffs = backoffs;
        this.searchNotBefore = now;
        this.budgetAt = now;
        this.nextSwept = now + sweepNanos;
    }

    void differs(Collection<String> names) {
        urgent.addAll(names);
    }

    /// Something may have changed, and nobody said what.
    void search() {
        searchWanted = true;
        urgent.addAll(suspects);
    }

    /// It was registered in another way than before.
    void changed(String name) {
        suspects.remove(name);
        suspects.add(name);
        if (suspects.size() > SUSPECTS) {
            suspects.remove(suspects.iterator().next());
        }
    }

    /// As [#search()], and no node can be believed this time.
    void searchServices() {
        searchWanted = true;
        nodesTell = false;
    }

    void retain(Set<String> names) {
        urgent.retainAll(names);
        suspects.retainAll(names);
        searchedServices.retainAll(names);
        failing.keySet().retainAll(names);
    }

    void succeeded(String name) {
        failing.remove(name);
    }

    void failed(String name, long now) {
        Failing state = failing.computeIfAbsent(name, _ -> new Failing(backoffs.get()));
        state.due = now + state.backoff.next().toNanos();
    }

    /// The agent is back, and it wasn't their fault: all whose reads failed are due, as after a first failure.
    void retry(long now) {
        failing.values().forEach(state -> {
            state.due = now;
            state.backoff.reset();
        });
    }

    SortedSet<String> failing() {
        return new TreeSet<>(failing.keySet());
    }

    /// Takes what is to be read now; nothing when nothing is.
    ///
    /// @param names all services
    /// @param nodes all nodes, as far as we may see them
    Batch take(NavigableSet<String> names, Set<String> nodes, long now) {
        beginSearch(names, nodes, now);
        Set<String> batch = new LinkedHashSet<>();
        move(urgent, batch, MOST_AT_ONCE);
        failing.forEach((name, state) -> {
            if (now - state.due >= 0) {
                batch.add(name);
            }
        });
        sweep(names, batch, now);
        Set<String> asked = new LinkedHashSet<>();
        // What is known to differ is read and delivered before a search goes on; not twice in a row, so that it does go on.
        goesBefore = !batch.isEmpty() && searching() && !goesBefore;
        if (batch.size() < SLICE && !goesBefore) {
            move(searchedNodes, asked, nodesAtOnce(nodes.size()));
            move(searchedServices, batch, SLICE);
        }
        // A service whose read fails again and again is asked at its own pace only.
        batch.removeIf(name -> {
            Failing state = failing.get(name);
            return state != null && now - state.due < 0;
        });
        return new Batch(new ArrayList<>(batch), new ArrayList<>(asked));
    }

    private int nodesAtOnce(int nodes) {
        return Math.clamp(SLICE_NANOS * nodes / Math.max(1, lastSearchTook), 1, SLICE);
    }

    private boolean searching() {
        return !searchedServices.isEmpty() || !searchedNodes.isEmpty();
    }

    private void beginSearch(Set<String> names, Set<String> nodes, long now) {
        if (!searchWanted || searching() || now - searchNotBefore < 0) {
            return;
        }
        if (nodesTell && !nodes.isEmpty() && nodes.size() <= names.size()) {
            searchedNodes.addAll(nodes);
        } else {
            searchedServices.addAll(names);
        }
        searchWanted = false;
        nodesTell = true;
        searchStarted = now;
    }

    private void sweep(NavigableSet<String> names, Set<String> batch, long now) {
        long step = sweepNanos / Math.max(1, names.size());
        if (now - nextSwept < 0) {
            nextSwept = now + Math.min(nextSwept - now, step); // the catalog may have grown
            return;
        }
        nextSwept = now + step;
        if (!names.isEmpty()) {
            String next = names.higher(lastSwept);
            lastSwept = next == null ? names.first() : next;
            batch.add(lastSwept);
        }
    }

    /// To be called after each round: ends a search all of whose slices were taken.
    void roundDone(long now) {
        if (!searching() && searchStarted != 0) {
            lastSearchTook = Math.min(now - searchStarted, 2 * lastSearchTook + searchPause);
            long spent = Math.min(MOST_BUDGET_NANOS, budget + now - budgetAt) - SHARE * lastSearchTook;
            budget = Math.max(spent, -(SHARE - 1) * lastSearchTook); // no longer than its share asks for
            budgetAt = now;
            searchNotBefore = now + Math.max(searchPause, -budget);
            searchStarted = 0;
        }
    }

    /// Nanoseconds until there may be something to take; 0 for at once.
    long idle(long now) {
        if (!urgent.isEmpty() || searching()) {
            return 0;
        }
        long until = nextSwept - now;
        if (searchWanted) {
            until = Math.min(until, searchNotBefore - now);
        }
        for (Failing state : failing.values()) {
            until = Math.min(until, state.due - now);
        }
        return Math.max(0, until);
    }

    private static void move(Set<String> from, Set<String> to, int most) {
        for (Iterator<String> names = from.iterator(); names.hasNext() && to.size() < most; ) {
            to.add(names.next());
            names.remove();
        }
    }
}
