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
    private static final TreeSet<String> SERVICES = new TreeSet<>(Set.of("cart", "shop", "web"));
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
    void aFewSearchesInARowWaitForNothingButThePause() {
        for (int i = 0; i < 4; i++) {
            search(Duration.ofMillis(150));
            queue.search();
            assertEquals(PAUSE, idle());
        }
    }

    @Test
    void inTheLongRunSearchesTakeAThirdOfTheTime() {
        long began = now;
        for (int i = 0; i < 100; i++) {
            search(Duration.ofSeconds(1));
        }
        queue.search();
        assertEquals(Duration.ofSeconds(2), idle());
        assertEquals(List.of(), take().nodes());
        assertTrue(now - began > TimeUnit.SECONDS.toNanos(280), () -> "100 searches of a second in " + Duration.ofNanos(now - began));
    }

    @Test
    void aSearchDoesNotWaitForTheTimeThatTheAgentWasAway() {
        search(Duration.ofMillis(10));
        search(Duration.ofSeconds(30));
        queue.search();
        assertEquals(PAUSE, idle());
    }

    @Test
    void aSearchBeginsWithWhatChangedLast() {
        queue.changed("shop");
        queue.search();
        assertEquals(new ReadQueue.Batch(List.of("shop"), List.of()), take());
        queue.roundDone(now);
        assertEquals(Duration.ZERO, idle());
        assertEquals(new ReadQueue.Batch(List.of(), List.of("n1")), take());
        queue.roundDone(now);
        queue.retain(Set.of("cart"));
        queue.search();
        pass(idle());
        assertEquals(new ReadQueue.Batch(List.of(), List.of("n1")), take());
    }

    @Test
    void whatDiffersGoesBeforeASearchButDoesNotStopIt() {
        queue.search();
        queue.differs(List.of("cart"));
        assertEquals(new ReadQueue.Batch(List.of("cart"), List.of()), take());
        queue.differs(List.of("shop"));
        assertEquals(new ReadQueue.Batch(List.of("shop"), List.of("n1")), take());
    }

    @Test
    void asksLargeNodesOneAfterTheOther() {
        Set<String> nodes = new TreeSet<>(Set.of("n1", "n2"));
        for (int i = 0; i < 4; i++) {
            queue.search();
            pass(idle());
            assertEquals(2, queue.take(SERVICES, nodes, now).nodes().size() + queue.take(SERVICES, nodes, now).nodes().size());
            pass(Duration.ofMillis(300));
            queue.roundDone(now);
        }
        queue.search();
        pass(idle());
        assertEquals(List.of("n1"), queue.take(SERVICES, nodes, now).nodes());
        assertEquals(List.of("n2"), queue.take(SERVICES, nodes, now).nodes());
    }

    @Test
    void suspectsTheLatestFew() {
        for (int i = 0; i < 100; i++) {
            queue.changed("svc-" + i % 20);
        }
        queue.search();
        assertEquals(List.of("svc-12", "svc-13", "svc-14", "svc-15", "svc-16", "svc-17", "svc-18", "svc-19"), take().services());
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
