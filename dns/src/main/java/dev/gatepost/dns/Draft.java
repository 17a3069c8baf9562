package dev.gatepost.dns;

/// The answer in the making: its bytes so far, its records in each section, and what its header and OPT record are to say.
/// Reusable scratch of one thread.
final class Draft {
    /// Pointers reach no further (RFC 1035 section 4.1.4).
    static final int POINTER_REACH = 0x3fff;

    byte[] out = {};
    int at;
    /// Where the records have to end, and where the message has to.
    int limit;
    int longest;
    int answers;
    int authority;
    int additional;
    boolean authoritative;
    boolean truncated;
    /// Somebody trusted has validated it.
    boolean authentic;
    QueryRecord.Source source = QueryRecord.Source.NONE;
    /// Index of the origin that the question belongs to, or [Owner#ISLAND].
    int origin = Owner.ISLAND;
    /// Of an extended error.
    int errorInfo = ErrorInfo.NONE;
    byte[] errorText = Relay.NO_TEXT;

    /// @param longest  bytes of the message
    /// @param reserved of them for what comes behind the records
    void begin(byte[] out, int longest, int reserved) {
        this.out = out;
        this.longest = longest;
        limit = longest - reserved;
        errorInfo = ErrorInfo.NONE;
        origin = Owner.ISLAND;
        clear();
    }

    /// What it says is not so.
    void clear() {
        answers = 0;
        authority = 0;
        additional = 0;
        authoritative = false;
        truncated = false;
        authentic = false;
        source = QueryRecord.Source.NONE;
    }

    /// The whole question as it came, with the client's case, which resolvers use as a nonce.
    void question(byte[] in, int end) {
        System.arraycopy(in, Query.HEADER, out, Query.HEADER, end - Query.HEADER);
        at = end;
    }

    /// Bytes that the records may still take.
    int room() {
        return limit - at;
    }

    /// Why it is so, in words for whoever wonders.
    void explain(int info, byte[] words) {
        errorInfo = info;
        errorText = words;
    }

    void copy(byte[] from, int offset, int length) {
        System.arraycopy(from, offset, out, at, length);
        at += length;
    }

    /// A record up to its rdata.
    void record(int ownerAt, int type, int ttlSeconds, int rdataLength) {
        pointer(at, ownerAt);
        put16(at + 2, type);
        put16(at + 4, Query.CLASS_IN);
        put16(at + 6, ttlSeconds >>> 16);
        put16(at + 8, ttlSeconds);
        put16(at + 10, rdataLength);
        at += RRset.RECORD_HEADER;
    }

    void pointer(int where, int target) {
        put16(where, 0xc000 | target);
    }

    void put16(int where, int value) {
        out[where] = (byte) (value >> 8);
        out[where + 1] = (byte) value;
    }
}
