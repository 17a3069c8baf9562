package dev.gatepost.dns;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;

/// What server cookies are made with (RFC 9018 section 5): the first secret makes them, all others are still believed.
/// Either written down, so that several servers behind one address know each other's cookies, or of this process alone, a
/// new one every day.
public final class CookieSecrets {
    private static final int DAY_SECONDS = 86_400;

    private final long[] keys;
    private final boolean daily;

    private CookieSecrets(long[] keys, boolean daily) {
        this.keys = keys;
        this.daily = daily;
    }

    /// One that nobody else knows, from which each day's follows.
    public static CookieSecrets random() {
        var random = new SecureRandom();
        return new CookieSecrets(new long[] {random.nextLong(), random.nextLong()}, true);
    }

    /// @param secrets 32 hexadecimal digits each, the one to make cookies with first
    public static CookieSecrets of(List<String> secrets) {
        if (secrets.isEmpty()) {
            throw new IllegalArgumentException("no cookie secret (expected: at least one)");
        }
        long[] keys = new long[2 * secrets.size()];
        for (int i = 0; i < secrets.size(); i++) {
            ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(secrets.get(i))).order(ByteOrder.LITTLE_ENDIAN);
            keys[2 * i] = bytes.getLong();
            keys[2 * i + 1] = bytes.getLong();
        }
        return new CookieSecrets(keys, false);
    }

    /// Those in force at a moment, two words each.
    long[] at(long epochSeconds) {
        if (!daily) {
            return keys;
        }
        long day = epochSeconds / DAY_SECONDS;
        return new long[] {derived(2 * day), derived(2 * day + 1), derived(2 * day - 2), derived(2 * day - 1)};
    }

    /// Seconds since the epoch until which [#at] says the same.
    long unchangedUntil(long epochSeconds) {
        return daily ? (epochSeconds / DAY_SECONDS + 1) * DAY_SECONDS : Long.MAX_VALUE;
    }

    private long derived(long number) {
        byte[] message = ByteBuffer.allocate(2 * Long.BYTES).putLong(number).array();
        return SipHash.of(keys[0], keys[1], message, Long.BYTES);
    }
}
