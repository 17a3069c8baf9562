package dev.gatepost.gateway;

import java.time.Duration;
import java.util.function.LongSupplier;

/// Collects the whole heap while nobody waits: when nothing was asked for a while, once, and again only after something was. What the last
/// burst left behind goes back to the machine then. The JVM's own periodic collections look for quiet in the collector instead, which
/// a gate that makes little garbage has at any load, and their pauses are requests'.
///
/// Used by one thread.
final class QuietCollection {
    private static final Duration QUIET = Duration.ofSeconds(20);

    private final LongSupplier asked;
    private final Runnable collection;
    private long seen;
    private long sinceNanos;
    private boolean collected;

    /// @param asked how much was asked so far
    QuietCollection(LongSupplier asked, Runnable collection, long nowNanos) {
        this.asked = asked;
        this.collection = collection;
        this.seen = asked.getAsLong();
        this.sinceNanos = nowNanos;
        this.collected = true; // nothing was asked yet
    }

    /// To be called every now and then.
    ///
    /// @param nowNanos in the terms of [System#nanoTime()]
    void look(long nowNanos) {
        long now = asked.getAsLong();
        if (now != seen) {
            seen = now;
            sinceNanos = nowNanos;
            collected = false;
        } else if (!collected && nowNanos - sinceNanos >= QUIET.toNanos()) {
            collected = true;
            collection.run();
        }
    }
}
