package dev.gatepost.dns.forward;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/// Waits for a condition that another thread or process brings about, and says what it waited for when it doesn't come.
public final class Await {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long POLL_MILLIS = 2;

    private Await() {}

    public static void until(String condition, BooleanSupplier holds) {
        long start = System.nanoTime();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE.toNanos()) {
                throw new AssertionError("not within " + PATIENCE.toMillis() + " ms: " + condition);
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
