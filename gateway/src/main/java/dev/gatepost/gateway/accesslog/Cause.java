package dev.gatepost.gateway.accesslog;

import java.util.Locale;

/// The machine-readable reason of an outcome: the same word in the access log, the metrics and explain.
public enum Cause {
    OK(Side.NONE),
    REDIRECT(Side.GATEWAY),
    NO_ROUTE(Side.GATEWAY),
    /// Nothing is known yet: the first complete catalog is still awaited.
    NO_CATALOG(Side.GATEWAY),
    NO_HEALTHY_INSTANCE(Side.UPSTREAM),
    /// Nothing has been answered for a while: not even tried.
    CIRCUIT_OPEN(Side.UPSTREAM),
    UPSTREAM_CONNECT_REFUSED(Side.UPSTREAM),
    UPSTREAM_CONNECT_TIMEOUT(Side.UPSTREAM),
    UPSTREAM_CONNECT_FAILED(Side.UPSTREAM),
    /// The handshake failed: its certificate, its name, or no TLS at all.
    UPSTREAM_TLS(Side.UPSTREAM),
    UPSTREAM_HEADER_TIMEOUT(Side.UPSTREAM),
    UPSTREAM_BODY_TIMEOUT(Side.UPSTREAM),
    UPSTREAM_RESET_BEFORE_RESPONSE(Side.UPSTREAM),
    UPSTREAM_RESET_AFTER_RESPONSE(Side.UPSTREAM),
    UPSTREAM_PROTOCOL_ERROR(Side.UPSTREAM),
    UPSTREAM_HEADER_TOO_LARGE(Side.UPSTREAM),
    /// Of an attempt: the route repeats requests after the status that was answered.
    UPSTREAM_STATUS(Side.UPSTREAM),
    CLIENT_CLOSED(Side.CLIENT),
    CLIENT_TIMEOUT(Side.CLIENT),
    /// The handshake failed: no version in common, our certificate not trusted, no TLS at all.
    CLIENT_TLS(Side.CLIENT),
    /// Frames that cost us work and get the client nothing: resets, pings, settings, empty frames without end.
    CLIENT_FLOOD(Side.CLIENT),
    REQUEST_MALFORMED(Side.CLIENT),
    REQUEST_LINE_TOO_LONG(Side.CLIENT),
    HEADER_TOO_LARGE(Side.CLIENT),
    BODY_TOO_LARGE(Side.CLIENT),
    METHOD_NOT_ALLOWED(Side.CLIENT),
    DENIED_IP(Side.GATEWAY),
    TOTAL_TIMEOUT(Side.GATEWAY),
    OVERLOAD(Side.GATEWAY),
    DRAINING(Side.GATEWAY),
    INTERNAL(Side.GATEWAY);

    /// Whose doing an outcome is.
    public enum Side {
        NONE,
        CLIENT,
        GATEWAY,
        UPSTREAM;

        private final String word = name().toLowerCase(Locale.ROOT);

        public String word() {
            return word;
        }
    }

    private final Side side;
    private final String word = name().toLowerCase(Locale.ROOT);
    @SuppressWarnings("ImmutableEnumChecker") // Never written to, and not seen outside the package.
    private final byte[] json;

    Cause(Side side) {
        this.side = side;
        this.json = new Json().member("cause", word).member("side", side == Side.NONE ? "" : side.word()).bytes();
    }

    public Side side() {
        return side;
    }

    /// As it stands in log, metric and explain: `no_route`.
    public String word() {
        return word;
    }

    /// `cause` and `side`, the latter unless nobody is to blame.
    byte[] json() {
        return json;
    }
}
