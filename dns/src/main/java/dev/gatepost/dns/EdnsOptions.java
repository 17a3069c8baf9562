package dev.gatepost.dns;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// What the OPT record of an answer says beside its fixed fields, as far as the client asked for it and it fits. Reusable
/// scratch of one thread.
final class EdnsOptions {
    static final int KEEPALIVE = 11;
    private static final int EXTENDED_ERROR = 15;
    private static final int HEADER = 4;
    private static final int KEEPALIVE_LENGTH = HEADER + 2;
    private static final long TENTH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final LongSupplier idleNanos;
    private QueryRecord.Transport transport = QueryRecord.Transport.UDP;

    /// @param idleNanos how long a connection may be idle at the moment
    EdnsOptions(LongSupplier idleNanos) {
        this.idleNanos = idleNanos;
    }

    /// Turns to a query that came that way.
    void turnTo(QueryRecord.Transport way) {
        transport = way;
    }

    /// Bytes to leave free for the options that have to be there.
    int reserved(Query query) {
        return keepsAlive(query) ? KEEPALIVE_LENGTH : 0;
    }

    /// Writes them behind an OPT record's fixed fields.
    ///
    /// @param limit where the message has to end
    /// @return where they end
    int write(Query query, Relay relay, byte[] out, int from, int limit) {
        int at = from;
        if (keepsAlive(query)) {
            // In tenths of a second (RFC 7828 section 3.1).
            at = option(out, at, KEEPALIVE, 2);
            at = put16(out, at, (int) Math.min(0xffff, idleNanos.getAsLong() / TENTH_NANOS));
        }
        if (relay.errorInfo != Relay.NO_ERROR_INFO) {
            at = extendedError(relay, out, at, limit);
        }
        return at;
    }

    /// The client must not take it for more than it is over UDP (RFC 7828 section 3.2.1), and HTTP has its own ways.
    private boolean keepsAlive(Query query) {
        return query.keepalive && (transport == QueryRecord.Transport.TCP || transport == QueryRecord.Transport.TLS);
    }

    /// Why it is so (RFC 8914 section 2): with words where they fit.
    private static int extendedError(Relay relay, byte[] out, int from, int limit) {
        int room = limit - from - HEADER - 2;
        if (room < 0) {
            return from;
        }
        byte[] words = relay.errorText.length <= room ? relay.errorText : Relay.NO_TEXT;
        int at = put16(out, option(out, from, EXTENDED_ERROR, 2 + words.length), relay.errorInfo);
        System.arraycopy(words, 0, out, at, words.length);
        return at + words.length;
    }

    private static int option(byte[] out, int at, int code, int length) {
        return put16(out, put16(out, at, code), length);
    }

    private static int put16(byte[] out, int at, int value) {
        out[at] = (byte) (value >> 8);
        out[at + 1] = (byte) value;
        return at + 2;
    }
}
