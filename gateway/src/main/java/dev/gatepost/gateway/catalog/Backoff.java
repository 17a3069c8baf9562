package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// How long to wait after the n-th failure in a row: growing up to a limit, each time somewhere between half of that
/// and all of it, so that a fleet of gateways doesn't return to a recovering Consul in step. Confined to one thread.
final class Backoff {
    private final Duration first;
    private final Duration longest;
    private final double growth;
    private final RandomGenerator random;
    private int failures;

    /// Doubles.
    Backoff(Duration first, Duration longest, RandomGenerator random) {
        this(first, longest, 2, random);
    }

    /// @param growth from one wait to the next; the last one is `(growth - 1) / growth` of all
    Backoff(Duration first, Duration longest, double growth, RandomGenerator random) {
        this.first = first;
        this.longest = longest;
        this.growth = growth;
        this.random = random;
    }

    Duration next() {
        long limit = (long) Math.min((double) longest.toNanos(), (double) first.toNanos() * Math.pow(growth, failures++));
        return Duration.ofNanos(limit / 2 + random.nextLong(limit / 2 + 1));
    }

    void reset() {
        failures = 0;
    }
}
