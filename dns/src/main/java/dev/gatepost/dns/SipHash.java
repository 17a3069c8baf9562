package dev.gatepost.dns;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// SipHash-2-4 (Aumasson and Bernstein): 64 bits that nobody can foretell without the key of 128.
final class SipHash {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private SipHash() {}

    /// @param message room for 8 bytes behind `length`
    static long of(long key0, long key1, byte[] message, int length) {
        long v0 = key0 ^ 0x736f6d6570736575L;
        long v1 = key1 ^ 0x646f72616e646f6dL;
        long v2 = key0 ^ 0x6c7967656e657261L;
        long v3 = key1 ^ 0x7465646279746573L;
        int whole = length & ~7;
        for (int at = 0; ; at += 8) {
            // In the end no word, and twice the rounds.
            boolean end = at > whole;
            long word = end ? 0 : (long) LONGS.get(message, at);
            if (at == whole) {
                // What is left, and the length in the last byte.
                word = (word & ~(-1L << (8 * (length & 7)))) | (long) length << 56;
            }
            v2 ^= end ? 0xff : 0;
            v3 ^= word;
            for (int round = end ? 4 : 2; round > 0; round--) {
                v0 += v1;
                v2 += v3;
                v1 = Long.rotateLeft(v1, 13) ^ v0;
                v3 = Long.rotateLeft(v3, 16) ^ v2;
                v0 = Long.rotateLeft(v0, 32);
                v2 += v1;
                v0 += v3;
                v1 = Long.rotateLeft(v1, 17) ^ v2;
                v3 = Long.rotateLeft(v3, 21) ^ v0;
                v2 = Long.rotateLeft(v2, 32);
            }
            v0 ^= word;
            if (end) {
                return v0 ^ v1 ^ v2 ^ v3;
            }
        }
    }
}
