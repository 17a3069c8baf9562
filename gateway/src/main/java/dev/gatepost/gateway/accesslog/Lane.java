package dev.gatepost.gateway.accesslog;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;

/// The way of lines from one event loop to the writer: a ring of bytes with one producer and one consumer, so neither locks.
/// The producer owns `seenHead` and `next`; the consumer owns the reading of what lies between head and tail. `tail` moves
/// by whole lines only, so the consumer never sees half of one. Full, it refuses whole lines and counts them.
final class Lane {
    /// When the consumer has caught up beyond this point the producer begins again at the front, so that at an ordinary pace
    /// the same few kilobytes stay in the core's cache and the rest is reserve for a sink that hiccups.
    private static final int WARM_BYTES = 64 * 1024;

    private final int capacity;
    /// A line that runs over the end is continued in the margin, and its overhang then copied to the front.
    private final byte[] ring;

    private final AtomicLong head = new AtomicLong();
    private final AtomicLong tail = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    /// The position that lies at index 0. Changes only while the lane is empty, and is published by the next store to tail.
    private long base;
    private long next;
    private long seenHead;

    /// @param capacity a power of two, at least 64 KiB
    Lane(int capacity) {
        if (Integer.bitCount(capacity) != 1 || capacity < 4 * JsonLine.MAX_BYTES) {
            throw new IllegalArgumentException("lane of " + capacity + " bytes (expected: a power of two >= 65536)");
        }
        this.capacity = capacity;
        this.ring = new byte[capacity + JsonLine.MAX_BYTES];
    }

    // Producer

    byte[] ring() {
        return ring;
    }

    /// Index in [#ring] where the next line may be written; -1, and counted, when there is no room.
    int begin() {
        int index = index(next);
        if (index >= WARM_BYTES || next - seenHead > capacity - JsonLine.MAX_BYTES) {
            seenHead = head.get();
            if (seenHead == next) {
                base = next;
                return 0;
            }
            if (next - seenHead > capacity - JsonLine.MAX_BYTES) {
                drop();
                return -1;
            }
        }
        return index;
    }

    /// Publishes the line written from [#begin] to `end`.
    ///
    /// @return the consumer should be woken, since more than half of the lane waits for it
    boolean commit(int end) {
        int index = index(next);
        if (end > capacity) {
            System.arraycopy(ring, capacity, ring, 0, end - capacity);
        }
        next += end - index;
        // A full fence follows: the writer's state is read after it, see LogWriter.
        tail.set(next);
        return next - seenHead > capacity / 2;
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
        int length = (int) Math.min(available, batch.remaining());
        if (length < available) {
            while (length > 0 && ring[index(from + length - 1)] != '\n') {
                length--;
            }
        }
        if (length == 0) {
            return false;
        }
        int index = index(from);
        int straight = Math.min(length, capacity - index);
        batch.put(ring, index, straight);
        batch.put(ring, 0, length - straight);
        head.set(from + length);
        return true;
    }

    // Anyone

    long dropped() {
        return dropped.getOpaque();
    }

    private int index(long position) {
        return (int) (position - base) & (capacity - 1);
    }
}
