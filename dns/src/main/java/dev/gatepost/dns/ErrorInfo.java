package dev.gatepost.dns;

/// Info codes of extended errors, as IANA lists them (RFC 8914 section 4).
public final class ErrorInfo {
    /// No extended error.
    public static final int NONE = -1;
    public static final int OTHER = 0;
    public static final int STALE_ANSWER = 3;
    public static final int CACHED_ERROR = 13;
    public static final int NOT_READY = 14;
    public static final int BLOCKED = 15;
    public static final int PROHIBITED = 18;
    public static final int STALE_NXDOMAIN = 19;
    public static final int NOT_AUTHORITATIVE = 20;
    public static final int NOT_SUPPORTED = 21;
    public static final int NO_REACHABLE_AUTHORITY = 22;

    private ErrorInfo() {}
}
