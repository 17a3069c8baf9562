package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What is read when, with a clock of the test's own.
final class ReadQueueTest {
    private static final TreeSet<String> SERVICES = new TreeSet<>(Set.of("cart", "shop"));
    private static final Set<String> NODES = Set.of("n1");
    private static final Duration PAUSE = Duration.ofMillis(200);

    private long now = 1;
    private final ReadQueue queue = new ReadQueue(
            Duration.ofHours(1), PAUSE, () -> new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10), new Random(1)), now);

    private void pass(Duration time) {
        now += time.toNanos();
    }

    private ReadQueue.Batch take() {
        return queue.take(SERVICES, NODES, now);
    }

    private Duration idle() {
        return Duration.ofNanos(queue.idle(now));
    }

    private void search(Duration takes) {
        queue.search();
        pass(idle());
        assertEquals(List.of("n1"), take().nodes());
        pass(takes);
        queue.roundDone(now);
    }

    @Test
    void aSearchWaitsTwiceAsLongAsTheOneBeforeTook() {
        search(Duration.ofMillis(150));
        queue.search();
        assertEquals(Duration.ofMillis(300), idle());
        assertEquals(List.of(), take().nodes());
        search(Duration.ofMillis(400));
        queue.search();
        assertEquals(Duration.ofMillis(800), idle());
    }

    @Test
    void aSearchDoesNotWaitForTheTimeThatTheAgentWasAway() {
        search(Duration.ofMillis(10));
        search(Duration.ofSeconds(30));
        queue.search();
        assertEquals(Duration.ofMillis(2 * (2 * 10 + 200)), idle());
    }

    @Test
    void searchesThatTakeLongGetTheirPausesAfterAFew() {
        for (int i = 0; i < 8; i++) {
            search(Duration.ofSeconds(10));
        }
        queue.search();
        assertEquals(Duration.ofSeconds(20), idle());
    }

    @Test
    void whatFailedWhileTheAgentWasAwayIsReadOnceItIsBack() {
        for (int i = 0; i < 8; i++) {
            queue.failed("shop", now);
            pass(Duration.ofSeconds(10));
        }
        queue.failed("shop", now);
        queue.differs(List.of("shop"));
        assertEquals(List.of(), take().services());
        queue.retry(now);
        assertEquals(List.of("shop"), take().services());
        queue.failed("shop", now);
        assertTrue(queue.idle(now) <= TimeUnit.MILLISECONDS.toNanos(100), () -> "waits " + idle() + " as if it had failed before");
    }
}
