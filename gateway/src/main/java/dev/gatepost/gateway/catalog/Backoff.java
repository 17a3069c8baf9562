package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// How long to wait after the n-th failure in a row: doubling up to a limit, each time somewhere between half of that
/// and all of it, so that a fleet of gateways doesn't return to a recovering Consul in step. Confined to one thread.
final class Backoff {
    private final Duration first;
    private final Duration longest;
    private final RandomGenerator random;
    private int failures;

    Backoff(Duration first, Duration longest, RandomGenerator random) {
        this.first = first;
        this.longest = longest;
        this.random = random;
    }

    Duration next() {
        int doublings = Math.min(failures++, 20);
        long limit = Math.min(longest.toNanos(), first.toNanos() << doublings);
        return Duration.ofNanos(limit / 2 + random.nextLong(limit / 2 + 1));
    }

    void reset() {
        failures = 0;
    }
}
