package dev.gatepost.dns;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Reads and makes DNS cookies (RFC 7873), the server's part as RFC 9018 section 4 says: version, time, and SipHash-2-4 of
/// both, the client's part and its address. A client that brings back ours has its address. Reusable scratch of one thread,
/// free of garbage.
final class Cookies {
    static final int CLIENT = 8;
    /// The client's part and ours.
    static final int WHOLE = 24;

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final byte VERSION = 1;
    private static final int TIME = CLIENT + 4;
    private static final int HASH = CLIENT + 8;
    // RFC 9018 section 4.3.
    private static final int LIFETIME_SECONDS = 3600;
    private static final int RENEWED_AFTER_SECONDS = 1800;
    private static final int AHEAD_SECONDS = 300;

    enum Standing {
        /// No cookie at all.
        NONE,
        /// The client's part, with nothing of ours that is good.
        UNPROVEN,
        PROVEN
    }

    private final CookieSecrets secrets;
    private long[] keys = {};
    private long keysUntil = Long.MIN_VALUE;
    /// The client's part, then ours up to the hash, then the client's address in its place.
    private final byte[] hashed = new byte[HASH + 16 + 8];
    /// To send back.
    final byte[] cookie = new byte[WHOLE];

    Cookies(CookieSecrets secrets) {
        this.secrets = secrets;
    }

    /// Reads what a client sent, and makes what it gets back.
    ///
    /// @param length of a cookie that is neither too short nor too long
    Standing read(byte[] in, int at, int length, byte[] address, long epochSeconds) {
        if (epochSeconds >= keysUntil) {
            keys = secrets.at(epochSeconds);
            keysUntil = secrets.unchangedUntil(epochSeconds);
        }
        System.arraycopy(in, at, hashed, 0, CLIENT);
        System.arraycopy(in, at, cookie, 0, CLIENT);
        System.arraycopy(address, 0, hashed, HASH, address.length);
        int hashedLength = HASH + address.length;
        if (length == WHOLE && in[at + CLIENT] == VERSION) {
            // Serial arithmetic: the time is cut to 32 bits.
            int age = (int) epochSeconds - (int) INTS.get(in, at + TIME);
            if (age <= LIFETIME_SECONDS && age >= -AHEAD_SECONDS) {
                System.arraycopy(in, at + CLIENT, hashed, CLIENT, HASH - CLIENT);
                long hash = (long) LONGS.get(in, at + HASH);
                for (int key = 0; key < keys.length; key += 2) {
                    if (SipHash.of(keys[key], keys[key + 1], hashed, hashedLength) != hash) {
                        continue;
                    }
                    if (key == 0 && age < RENEWED_AFTER_SECONDS) {
                        System.arraycopy(in, at, cookie, 0, WHOLE);
                    } else {
                        make(hashedLength, epochSeconds);
                    }
                    return Standing.PROVEN;
                }
            }
        }
        make(hashedLength, epochSeconds);
        return Standing.UNPROVEN;
    }

    private void make(int hashedLength, long epochSeconds) {
        hashed[CLIENT] = VERSION;
        hashed[CLIENT + 1] = 0;
        hashed[CLIENT + 2] = 0;
        hashed[CLIENT + 3] = 0;
        INTS.set(hashed, TIME, (int) epochSeconds);
        System.arraycopy(hashed, CLIENT, cookie, CLIENT, HASH - CLIENT);
        LONGS.set(cookie, HASH, SipHash.of(keys[0], keys[1], hashed, hashedLength));
    }
}
