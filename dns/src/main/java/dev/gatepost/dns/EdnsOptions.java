package dev.gatepost.dns;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// What the OPT record of an answer says beside its fixed fields, as far as the client asked for it and it fits. Reusable
/// scratch of one thread.
final class EdnsOptions {
    static final int COOKIE = 10;
    static final int KEEPALIVE = 11;
    static final int PADDING = 12;
    private static final int EXTENDED_ERROR = 15;
    private static final int HEADER = 4;
    private static final int KEEPALIVE_LENGTH = HEADER + 2;
    private static final int COOKIE_LENGTH = HEADER + Cookies.WHOLE;
    /// An answer is padded to a multiple of it (RFC 8467 section 4.1).
    private static final int PADDED_BLOCK = 468;
    private static final long TENTH_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final LongSupplier idleNanos;
    private final Cookies cookies;
    private final boolean cookiesRequired;
    private QueryRecord.Transport transport = QueryRecord.Transport.UDP;
    private byte[] address = {};
    private long epochSeconds;
    private Cookies.Standing standing = Cookies.Standing.NONE;

    /// @param idleNanos how long a connection may be idle at the moment
    EdnsOptions(LongSupplier idleNanos, DnsSettings settings) {
        this.idleNanos = idleNanos;
        this.cookies = new Cookies(settings.cookieSecrets());
        this.cookiesRequired = settings.cookiesRequired();
    }

    /// Turns to a query that came that way.
    void turnTo(QueryRecord.Transport way, byte[] client, long seconds) {
        transport = way;
        address = client;
        epochSeconds = seconds;
    }

    /// Reads those of the query.
    void read(Query query, byte[] in) {
        standing = query.cookieLength == 0 || address.length == 0
                ? Cookies.Standing.NONE
                : cookies.read(in, query.cookieAt, query.cookieLength, address, epochSeconds);
    }

    /// What the client's cookie says of its address.
    Cookies.Standing standing() {
        return standing;
    }

    /// Whether the client has to prove its address before it is answered: a connection proves it as well.
    boolean lacksProof() {
        return cookiesRequired && transport == QueryRecord.Transport.UDP && standing != Cookies.Standing.PROVEN;
    }

    /// Bytes to leave free for the options that have to be there.
    int reserved(Query query) {
        return (keepsAlive(query) ? KEEPALIVE_LENGTH : 0) + (standing == Cookies.Standing.NONE ? 0 : COOKIE_LENGTH);
    }

    /// Writes them where the draft ends: behind an OPT record's fixed fields.
    void write(Query query, Draft draft) {
        byte[] out = draft.out;
        int at = draft.at;
        if (standing != Cookies.Standing.NONE) {
            at = option(out, at, COOKIE, Cookies.WHOLE);
            System.arraycopy(cookies.cookie, 0, out, at, Cookies.WHOLE);
            at += Cookies.WHOLE;
        }
        if (keepsAlive(query)) {
            // In tenths of a second (RFC 7828 section 3.1).
            at = option(out, at, KEEPALIVE, 2);
            at = put16(out, at, (int) Math.min(0xffff, idleNanos.getAsLong() / TENTH_NANOS));
        }
        if (draft.errorInfo != ErrorInfo.NONE) {
            at = extendedError(draft, at);
        }
        if (query.padded && isEncrypted()) {
            at = padding(out, at, draft.longest);
        }
        draft.at = at;
    }

    /// The client must not take it for more than it is over UDP (RFC 7828 section 3.2.1), and HTTP has its own ways.
    private boolean keepsAlive(Query query) {
        return query.keepalive && (transport == QueryRecord.Transport.TCP || transport == QueryRecord.Transport.TLS);
    }

    /// Where somebody who listens sees nothing but lengths (RFC 7830 section 6).
    private boolean isEncrypted() {
        return transport == QueryRecord.Transport.TLS || transport == QueryRecord.Transport.HTTPS;
    }

    /// Why it is so (RFC 8914 section 2): with words where they fit.
    private static int extendedError(Draft draft, int from) {
        int room = draft.longest - from - HEADER - 2;
        if (room < 0) {
            return from;
        }
        byte[] words = draft.errorText.length <= room ? draft.errorText : Relay.NO_TEXT;
        int at = put16(draft.out, option(draft.out, from, EXTENDED_ERROR, 2 + words.length), draft.errorInfo);
        System.arraycopy(words, 0, draft.out, at, words.length);
        return at + words.length;
    }

    private static int padding(byte[] out, int from, int limit) {
        int at = from + HEADER;
        int end = Math.min(limit, Math.ceilDiv(at, PADDED_BLOCK) * PADDED_BLOCK);
        if (end < at) {
            return from;
        }
        option(out, from, PADDING, end - at);
        Arrays.fill(out, at, end, (byte) 0);
        return end;
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
