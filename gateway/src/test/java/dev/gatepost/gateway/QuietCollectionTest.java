package dev.gatepost.gateway;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

final class QuietCollectionTest {
    private final AtomicLong asked = new AtomicLong();
    private final AtomicInteger collections = new AtomicInteger();
    private final AtomicBoolean waiting = new AtomicBoolean();
    private final QuietCollection quiet = new QuietCollection(asked::get, waiting::get, collections::incrementAndGet, 0);

    @Test
    void collectsOnceWhenNothingWasAskedForAWhile() {
        asked.incrementAndGet();
        for (int second = 1; second <= 60; second++) {
            look(second);
        }
        assertEquals(0, collections.get());
        for (int second = 61; second < 200; second++) {
            look(second);
        }
        assertEquals(1, collections.get());
    }

    @Test
    void neverCollectsWhileAnythingIsAsked() {
        for (int second = 1; second < 300; second++) {
            if (second % 30 == 0) {
                asked.incrementAndGet();
            }
            look(second);
        }
        assertEquals(0, collections.get());
    }

    @Test
    void neverCollectsWhileSomebodyWaits() {
        asked.incrementAndGet();
        waiting.set(true);
        look(100);
        look(200);
        assertEquals(0, collections.get());
        waiting.set(false);
        look(259);
        assertEquals(0, collections.get());
        look(260);
        assertEquals(1, collections.get());
    }

    @Test
    void collectsAgainAfterTheNextBurst() {
        for (int burst = 0; burst < 3; burst++) {
            asked.addAndGet(1000);
            look(burst * 100);
            look(burst * 100 + 60);
        }
        assertEquals(3, collections.get());
    }

    @Test
    void hasNothingToCollectBeforeAnythingWasAsked() {
        look(1000);
        assertEquals(0, collections.get());
    }

    private void look(int second) {
        quiet.look(Duration.ofSeconds(second).toNanos());
    }
}
