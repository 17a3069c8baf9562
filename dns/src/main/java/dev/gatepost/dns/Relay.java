package dev.gatepost.dns;

/// What is said of records that come from elsewhere: header fields, and words for log and EDE. Reusable scratch of one thread.
public final class Relay {
    /// When the query came, or the reply to it: [System#nanoTime].
    public long nowNanos;

    /// Where the records end.
    public int end;
    public int rcode;
    public int answers;
    public int authority;
    public int additional;
    /// Whoever says it is the one to say it: the AA bit.
    public boolean authoritative;
    /// Somebody trusted has validated it: the AD bit, for clients that asked to know.
    public boolean authenticated;
    public boolean truncated;
    /// One of [ErrorInfo].
    public int errorInfo = ErrorInfo.NONE;
    public byte[] errorText = {};
    public QueryRecord.Source source = QueryRecord.Source.NONE;
    /// Past its TTL (RFC 8767).
    public boolean stale;
    /// Who was asked, or nothing.
    public String upstream = "";

    static final byte[] NO_TEXT = {};

    Relay clear(long nowNanos) {
        this.nowNanos = nowNanos;
        end = 0;
        rcode = 0;
        answers = 0;
        authority = 0;
        additional = 0;
        authoritative = false;
        authenticated = false;
        truncated = false;
        errorInfo = ErrorInfo.NONE;
        errorText = NO_TEXT;
        source = QueryRecord.Source.NONE;
        stale = false;
        upstream = "";
        return this;
    }
}
