package dev.gatepost.dns;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.concurrent.ThreadLocalRandom;

/// A domain name folded to lower case and hashed, eight bytes at a time, for looking it up: reusable scratch of one thread.
/// The words beyond the name's end are zero, so names compare word by word.
final class NameKey {
    /// Per process, so that nobody can prepare names that collide.
    private static final long SEED = ThreadLocalRandom.current().nextLong();
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    final long[] words = new long[DomainName.MAX_LENGTH / 8 + 1];
    int wordCount;
    int length;
    long hash;

    NameKey of(DomainName name) {
        return read(name.wire(), 0, name.length());
    }

    /// Reads an uncompressed name, its root label included. Reads whole words where the array allows, so a caller with
    /// seven spare bytes behind the name saves the slow tail.
    NameKey read(byte[] bytes, int from, int length) {
        int count = (length + 7) >>> 3;
        long h = SEED ^ length;
        for (int i = 0; i < count; i++) {
            int at = from + (i << 3);
            int left = length - (i << 3);
            long word = at + 8 <= bytes.length ? (long) LONGS.get(bytes, at) : tail(bytes, at);
            if (left < 8) {
                word &= (1L << (left << 3)) - 1;
            }
            word = lower(word);
            words[i] = word;
            h = (h ^ word) * 0x9e3779b97f4a7c15L;
            h ^= h >>> 29;
        }
        this.wordCount = count;
        this.length = length;
        this.hash = h * 0xbf58476d1ce4e5b9L;
        return this;
    }

    boolean matches(Owner owner) {
        if (owner.hash != hash || owner.length != length) {
            return false;
        }
        long[] theirs = owner.words;
        for (int i = 0; i < wordCount; i++) {
            if (theirs[i] != words[i]) {
                return false;
            }
        }
        return true;
    }

    /// ASCII upper case to lower in each of eight bytes; length bytes are below 64 and so never taken for letters.
    private static long lower(long word) {
        long sevenBits = word & 0x7f7f7f7f7f7f7f7fL;
        long fromA = sevenBits + 0x3f3f3f3f3f3f3f3fL;
        long beyondZ = sevenBits + 0x2525252525252525L;
        long ascii = ~word & 0x8080808080808080L;
        return word | ((ascii & (fromA ^ beyondZ)) >>> 2);
    }

    private static long tail(byte[] bytes, int from) {
        long word = 0;
        for (int i = Math.min(bytes.length, from + 8) - 1; i >= from; i--) {
            word = word << 8 | (bytes[i] & 0xff);
        }
        return word;
    }
}
