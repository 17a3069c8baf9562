package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Supplier;

/// Which services to read next: first those known to differ, then those whose read failed and is due again, then the
/// next slice of a sweep over all of them. A sweep waits twice as long as the one before took, so that sweeps take a
/// third of the agent's attention at most; what arrives during one is never held up for longer than a slice takes.
/// Times are in nanoseconds of one clock. Confined to one thread.
final class ReadQueue {
    private static final int MOST_AT_ONCE = 256;
    private static final int SLICE = 64;

    private static final class Failing {
        final Backoff backoff;
        long due;

        Failing(Backoff backoff) {
            this.backoff = backoff;
        }
    }

    private final Duration sweepEvery;
    private final long sweepPause;
    private final Supplier<Backoff> backoffs;
    private final Set<String> urgent = new LinkedHashSet<>();
    private final Set<String> sweeping = new LinkedHashSet<>();
    private final Map<String, Failing> failing = new HashMap<>();
    private boolean sweepWanted;
    private long sweepStarted;
    private long sweepNotBefore;
    private long nextRegularSweep;

    /// @param sweepEvery how often everything is read again although nothing asks for it
    /// @param sweepPause shortest pause between two sweeps
    ReadQueue(Duration sweepEvery, Duration sweepPause, Supplier<Backoff> backoffs, long now) {
        this.sweepEvery = sweepEvery;
        this.sweepPause = sweepPause.toNanos();
        this.backoffs = backoffs;
        this.sweepNotBefore = now;
        this.nextRegularSweep = now + sweepEvery.toNanos();
    }

    void differs(Collection<String> names) {
        urgent.addAll(names);
    }

    /// Anything may have changed: all is read again, soon.
    void sweep() {
        sweepWanted = true;
    }

    void retain(Set<String> names) {
        urgent.retainAll(names);
        sweeping.retainAll(names);
        failing.keySet().retainAll(names);
    }

    void succeeded(String name) {
        failing.remove(name);
    }

    void failed(String name, long now) {
        Failing state = failing.computeIfAbsent(name, _ -> new Failing(backoffs.get()));
        state.due = now + state.backoff.next().toNanos();
    }

    SortedSet<String> failing() {
        return new TreeSet<>(failing.keySet());
    }

    /// Takes what is to be read now; empty when nothing is.
    ///
    /// @param names all there are
    List<String> take(Set<String> names, long now) {
        if (now - nextRegularSweep >= 0) {
            sweepWanted = true;
        }
        if (sweepWanted && sweeping.isEmpty() && now - sweepNotBefore >= 0) {
            sweepWanted = false;
            sweeping.addAll(names);
            sweepStarted = now;
            nextRegularSweep = now + sweepEvery.toNanos();
        }
        Set<String> batch = new LinkedHashSet<>();
        move(urgent, batch, MOST_AT_ONCE);
        failing.forEach((name, state) -> {
            if (now - state.due >= 0) {
                batch.add(name);
            }
        });
        if (batch.size() < SLICE) {
            move(sweeping, batch, SLICE);
        }
        // A service whose read fails again and again is asked at its own pace only.
        batch.removeIf(name -> {
            Failing state = failing.get(name);
            return state != null && now - state.due < 0;
        });
        return new ArrayList<>(batch);
    }

    /// To be called after each round: ends a sweep all of whose services were taken.
    void roundDone(long now) {
        if (sweeping.isEmpty() && sweepStarted != 0) {
            sweepNotBefore = now + Math.max(sweepPause, 2 * (now - sweepStarted));
            sweepStarted = 0;
        }
    }

    /// Nanoseconds until there may be something to take; 0 for at once.
    long idle(long now) {
        if (!urgent.isEmpty() || !sweeping.isEmpty()) {
            return 0;
        }
        long until = nextRegularSweep - now;
        if (sweepWanted) {
            until = Math.min(until, sweepNotBefore - now);
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
