package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// A token bucket for a loop: a few rounds at once, then one an interval. A busy catalog thus costs a bounded share of
/// the agent and of us, and an index that never sleeps can't spin. Confined to one thread.
final class Pace {
    private final int burst;
    private final long intervalNanos;
    private final LongSupplier nanoTime;
    private double tokens;
    private long filledAt;

    Pace(int burst, Duration interval, LongSupplier nanoTime) {
        this.burst = burst;
        this.intervalNanos = interval.toNanos();
        this.nanoTime = nanoTime;
        this.tokens = burst;
        this.filledAt = nanoTime.getAsLong();
    }

    void await() throws InterruptedException {
        long delay = take();
        if (delay > 0) {
            TimeUnit.NANOSECONDS.sleep(delay);
        }
    }

    /// Takes one token, in debt if need be.
    ///
    /// @return how many nanoseconds to wait before going on
    long take() {
        long now = nanoTime.getAsLong();
        tokens = Math.min(burst, tokens + (double) (now - filledAt) / intervalNanos);
        filledAt = now;
        tokens -= 1;
        return tokens >= 0 ? 0 : (long) (-tokens * intervalNanos);
    }
}
