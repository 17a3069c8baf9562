package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/// A question that one answer fits: the name in lower case, the type, and the DO and CD bits, since answers differ by them.
/// A scratch key, which is read anew for every query, finds what a kept one was stored under.
final class QuestionKey {
    /// Per process, so that nobody can prepare names that collide.
    private static final long SEED = ThreadLocalRandom.current().nextLong();
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final int DO = 1 << 16;
    private static final int CD = 1 << 17;

    private byte[] name;
    private int length;
    private int traits;
    private int hash;

    private QuestionKey(byte[] name) {
        this.name = name;
    }

    static QuestionKey scratch() {
        return new QuestionKey(new byte[DomainName.MAX_LENGTH + 8]);
    }

    static QuestionKey of(byte[] wireName, int type, boolean dnssecOk, boolean checkingDisabled) {
        return scratch().read(wireName, 0, wireName.length, type, dnssecOk, checkingDisabled).kept();
    }

    /// Reads an uncompressed name, root label included.
    QuestionKey read(byte[] bytes, int from, int nameLength, int type, boolean dnssecOk, boolean checkingDisabled) {
        for (int i = 0; i < nameLength; i++) {
            byte b = bytes[from + i];
            // Length bytes are below 64 and no letters.
            name[i] = b >= 'A' && b <= 'Z' ? (byte) (b | 0x20) : b;
        }
        length = nameLength;
        traits = type | (dnssecOk ? DO : 0) | (checkingDisabled ? CD : 0);
        hash = hash();
        return this;
    }

    private int hash() {
        Arrays.fill(name, length, (length + 7) & ~7, (byte) 0);
        long h = SEED ^ ((long) traits << 32 | length);
        for (int at = 0; at < length; at += 8) {
            h = (h ^ (long) LONGS.get(name, at)) * 0x9e3779b97f4a7c15L;
            h ^= h >>> 29;
        }
        h *= 0xbf58476d1ce4e5b9L;
        return (int) (h >>> 32);
    }

    /// What is stored for all types alike: that the name doesn't exist.
    QuestionKey ofAnyType() {
        return of(Arrays.copyOf(name, length), 0, dnssecOk(), checkingDisabled());
    }

    /// A copy that stays as it is.
    QuestionKey kept() {
        QuestionKey kept = new QuestionKey(Arrays.copyOf(name, length));
        kept.length = length;
        kept.traits = traits;
        kept.hash = hash;
        return kept;
    }

    /// The name in lower case: the first [#nameLength] bytes.
    byte[] name() {
        return name;
    }

    int nameLength() {
        return length;
    }

    int type() {
        return traits & 0xffff;
    }

    boolean dnssecOk() {
        return (traits & DO) != 0;
    }

    boolean checkingDisabled() {
        return (traits & CD) != 0;
    }

    boolean isFor(DomainName other) {
        return other.length() == length && Names.same(name, 0, length, other.wire(), 0, length);
    }

    DomainName domainName() {
        return DomainName.copyOf(name, 0, length);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof QuestionKey that
                && that.hash == hash
                && that.traits == traits
                && Arrays.equals(that.name, 0, that.length, name, 0, length);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
