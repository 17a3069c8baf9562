package dev.gatepost.gateway.accesslog;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;

/// The way of lines from one event loop to the writer: a ring of bytes with one producer and one consumer, so neither locks.
/// The producer owns `seenHead` and `next`; the consumer owns the reading of what lies between head and tail. `tail` moves
/// by whole lines only, so the consumer never sees half of one. Full, it refuses whole lines and counts them.
final class Lane {
    /// When the consumer has caught up beyond this point the producer begins again at the front, so that at an ordinary pace
    /// the same few kilobytes stay in the core's cache.
    private static final int WARM_BYTES = 64 * 1024;
    /// The rest of what it may hold is a reserve for a sink that hiccups, and is not taken before one does.
    private static final int FIRST_BYTES = 4 * WARM_BYTES;
    private static final int GROWTH = 4;

    private final int most;
    /// As long as the capacity, a power of two, and a margin: a line that runs over the end is continued there, and its overhang then
    /// copied to the front. One that took its place holds all that was not consumed, at the index that fits its length.
    private volatile byte[] ring;

    private final AtomicLong head = new AtomicLong();
    private final AtomicLong tail = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    /// The position that lies at index 0. Changes only while the lane is empty, and is published by the next store to tail.
    private long base;
    private long next;
    private long seenHead;

    /// @param most that it holds: a power of two, at least 64 KiB
    Lane(int most) {
        if (Integer.bitCount(most) != 1 || most < 4 * JsonLine.MAX_BYTES) {
            throw new IllegalArgumentException("lane of " + most + " bytes (expected: a power of two >= 65536)");
        }
        this.most = most;
        this.ring = ring(Math.min(most, FIRST_BYTES));
    }

    private static byte[] ring(int capacity) {
        return new byte[capacity + JsonLine.MAX_BYTES];
    }

    private static int capacity(byte[] ring) {
        return ring.length - JsonLine.MAX_BYTES;
    }

    // Producer

    byte[] ring() {
        return ring;
    }

    /// Index in [#ring] where the next line may be written; -1, and counted, when there is no room.
    int begin() {
        int index = index(next, ring);
        if (index >= WARM_BYTES || !hasRoom()) {
            seenHead = head.get();
            if (seenHead == next) {
                base = next;
                return 0;
            }
            while (!hasRoom()) {
                if (capacity(ring) == most) {
                    drop();
                    return -1;
                }
                grow();
            }
            return index(next, ring);
        }
        return index;
    }

    private boolean hasRoom() {
        return next - seenHead <= capacity(ring) - JsonLine.MAX_BYTES;
    }

    /// What is not consumed goes along. The consumer may be reading it in the old ring meanwhile, where nothing is written any more.
    private void grow() {
        byte[] old = ring;
        byte[] grown = ring((int) Math.min(most, (long) capacity(old) * GROWTH));
        for (long at = seenHead; at < next; ) {
            int from = index(at, old);
            int to = index(at, grown);
            int length = (int) Math.min(next - at, Math.min(capacity(old) - from, capacity(grown) - to));
            System.arraycopy(old, from, grown, to, length);
            at += length;
        }
        ring = grown;
    }

    /// Publishes the line written from [#begin] to `end`.
    ///
    /// @return the consumer should be woken, since more than half of the lane waits for it
    boolean commit(int end) {
        byte[] bytes = ring;
        int capacity = capacity(bytes);
        int index = index(next, bytes);
        if (end > capacity) {
            System.arraycopy(bytes, capacity, bytes, 0, end - capacity);
        }
        next += end - index;
        // A full fence follows: the writer's state is read after it, see LogWriter.
        tail.set(next);
        return next - seenHead > most / 2;
    }

    void drop() {
        dropped.setOpaque(dropped.getPlain() + 1);
    }

    // Consumer

    boolean isEmpty() {
        return head.getPlain() == tail.get();
    }

    /// Moves as many whole lines as fit.
    ///
    /// @return any were moved
    boolean drainTo(ByteBuffer batch) {
        long from = head.getPlain();
        long available = tail.get() - from;
        byte[] bytes = ring; // the one that all of it is in, or one that took its place
        int length = (int) Math.min(available, batch.remaining());
        if (length < available) {
            while (length > 0 && bytes[index(from + length - 1, bytes)] != '\n') {
                length--;
            }
        }
        if (length == 0) {
            return false;
        }
        int index = index(from, bytes);
        int straight = Math.min(length, capacity(bytes) - index);
        batch.put(bytes, index, straight);
        batch.put(bytes, 0, length - straight);
        head.set(from + length);
        return true;
    }

    // Anyone

    long dropped() {
        return dropped.getOpaque();
    }

    private int index(long position, byte[] ring) {
        return (int) (position - base) & (capacity(ring) - 1);
    }
}
