package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertTrue;

class BackoffTest {
    private final Backoff backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(1), new Random(5));

    @Test
    void waitsUpToTwiceAsLongEachTimeAndNeverLongerThanItsLimit() {
        for (int limit : new int[] {100, 200, 400, 800, 1000, 1000, 1000}) {
            assertWithin(limit, backoff.next());
        }
    }

    @Test
    void beginsAnewAfterASuccess() {
        backoff.next();
        backoff.next();
        backoff.reset();
        assertWithin(100, backoff.next());
    }

    @Test
    void neverOverflowsHoweverLongTheOutage() {
        for (int i = 0; i < 10_000; i++) {
            backoff.next();
        }
        assertWithin(1000, backoff.next());
    }

    @Test
    void growsAsSlowlyAsItIsTold() {
        Backoff slow = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10), 1.25, new Random(5));
        for (double limit = 100; limit < 1000; limit *= 1.25) {
            assertWithin(limit, slow.next());
        }
    }

    /// Half of it at least, so that a fleet spreads, and it is still a wait.
    private static void assertWithin(double limitMillis, Duration wait) {
        double millis = wait.toNanos() / 1e6;
        assertTrue(millis >= limitMillis / 2 - 0.001 && millis <= limitMillis + 0.001, () -> wait + " for a limit of " + limitMillis + " ms");
    }
}
