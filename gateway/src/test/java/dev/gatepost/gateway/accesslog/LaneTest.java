package dev.gatepost.gateway.accesslog;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class LaneTest {
    private final Lane lane = new Lane(128 * 1024);

    @Test
    void givesBackWholeLinesInOrderHoweverTheyLieInTheRing() {
        Random random = new Random(7);
        List<String> sent = new ArrayList<>();
        StringBuilder received = new StringBuilder();
        ByteBuffer batch = ByteBuffer.allocate(40_000);
        for (int i = 0; i < 20_000; i++) {
            String line = i + "x".repeat(random.nextInt(i % 50 == 0 ? 16_000 : 900)) + "\n";
            if (write(line)) {
                sent.add(line);
            }
            if (random.nextInt(60) == 0) {
                int batches = random.nextInt(4);
                while (batches-- > 0 && lane.drainTo(batch)) {
                    received.append(take(batch));
                }
            }
        }
        while (lane.drainTo(batch)) {
            received.append(take(batch));
        }
        assertTrue(lane.isEmpty());
        assertEquals(String.join("", sent), received.toString());
        assertTrue(lane.dropped() > 0, "the ring was never full");
        assertEquals(20_000 - sent.size(), lane.dropped());
    }

    @Test
    void refusesLinesWhileFullAndTakesThemAgainAfterwards() {
        String line = "y".repeat(9_999) + "\n";
        int taken = 0;
        while (write(line)) {
            taken++;
        }
        assertEquals(1, lane.dropped());
        assertFalse(write(line));
        assertEquals(2, lane.dropped());
        ByteBuffer batch = ByteBuffer.allocate(taken * line.length());
        assertTrue(lane.drainTo(batch));
        assertEquals(line.repeat(taken), take(batch));
        assertTrue(write(line));
    }

    @Test
    void staysAtTheFrontOfTheRingWhileTheConsumerKeepsUp() {
        ByteBuffer batch = ByteBuffer.allocate(20_000);
        int furthest = 0;
        for (int i = 0; i < 1000; i++) {
            furthest = Math.max(furthest, lane.begin());
            assertTrue(write("z".repeat(9_999) + "\n"));
            assertTrue(lane.drainTo(batch));
            batch.clear();
        }
        assertTrue(furthest < 80_000, "reached index " + furthest);
    }

    @Test
    void saysWhenMoreThanHalfWaits() {
        boolean pressing = false;
        int bytes = 0;
        while (!pressing) {
            int at = lane.begin();
            int end = at + 1000;
            lane.ring()[end - 1] = '\n';
            pressing = lane.commit(end);
            bytes += 1000;
        }
        assertTrue(bytes > 64 * 1024 && bytes <= 66 * 1024, "pressing at " + bytes);
    }

    @Test
    void takesMoreMemoryOnlyOnceItMust() {
        Lane roomy = new Lane(4 * 1024 * 1024);
        int first = roomy.ring().length;
        assertTrue(first < 512 * 1024, "begins with " + first);
        List<String> sent = new ArrayList<>();
        ByteBuffer batch = ByteBuffer.allocate(8 * 1024 * 1024);
        for (int i = 0; write(roomy, i + "g".repeat(i % 3_000) + "\n"); i++) {
            sent.add(i + "g".repeat(i % 3_000) + "\n");
        }
        assertEquals(4 * 1024 * 1024, roomy.ring().length - JsonLine.MAX_BYTES);
        assertTrue(roomy.drainTo(batch));
        assertEquals(String.join("", sent), take(batch));
    }

    @Test
    void losesNothingWhenItGrowsUnderItsReader() throws InterruptedException {
        String line = "h".repeat(500) + "\n";
        for (int round = 0; round < 100; round++) {
            Lane shared = new Lane(1024 * 1024);
            Thread writer = Thread.ofPlatform().start(() -> {
                for (int i = 0; i < 1_500; i++) {
                    write(shared, i + line); // refused: seen below
                }
            });
            StringBuilder received = new StringBuilder();
            ByteBuffer batch = ByteBuffer.allocate(50_000);
            while (writer.isAlive() || !shared.isEmpty()) {
                if (shared.drainTo(batch)) {
                    received.append(take(batch));
                }
            }
            writer.join();
            List<String> lines = received.toString().lines().toList();
            assertEquals(1_500, lines.size());
            for (int i = 0; i < lines.size(); i++) {
                assertEquals(i + line.strip(), lines.get(i));
            }
        }
    }

    @Test
    void isAPowerOfTwo() {
        assertThrows(IllegalArgumentException.class, () -> new Lane(100_000));
    }

    private boolean write(String line) {
        return write(lane, line);
    }

    private static boolean write(Lane lane, String line) {
        int at = lane.begin();
        if (at < 0) {
            return false;
        }
        byte[] bytes = line.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, lane.ring(), at, bytes.length);
        lane.commit(at + bytes.length);
        return true;
    }

    private static String take(ByteBuffer batch) {
        String text = StandardCharsets.US_ASCII.decode(batch.flip()).toString();
        batch.clear();
        assertTrue(text.endsWith("\n"));
        return text;
    }
}
