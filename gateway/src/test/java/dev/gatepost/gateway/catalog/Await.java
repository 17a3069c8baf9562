package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/// Waits for a condition that another thread or process brings about, and says what it waited for when it doesn't come.
public final class Await {
    private static final long POLL_MILLIS = 2;

    private Await() {}

    public static void until(String condition, Duration timeout, BooleanSupplier holds) {
        long start = System.nanoTime();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() - start > timeout.toNanos()) {
                throw new AssertionError("not within " + timeout.toMillis() + " ms: " + condition);
            }
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while waiting: " + condition, e);
            }
        }
    }
}
