package dev.gatepost.dns;

/// One query, read from untrusted bytes without allocating: reusable scratch of one thread. The question's name stays
/// where it came, in the client's case.
public final class Query {
    /// Bytes in front of the question.
    public static final int HEADER = 12;
    static final int CLASS_IN = 1;
    static final int CLASS_ANY = 255;
    static final int PLAIN_UDP_SIZE = 512;

    private static final int FLAG_RESPONSE = 0x8000;
    private static final int FLAG_RECURSION_DESIRED = 0x0100;
    private static final int FLAG_AUTHENTIC_DATA = 0x0020;
    private static final int FLAG_CHECKING_DISABLED = 0x0010;
    private static final int EDNS_DO = 0x8000;
    private static final int SHORTEST_WHOLE_COOKIE = 16;
    private static final int LONGEST_WHOLE_COOKIE = 40;

    /// What became of reading it.
    enum Verdict {
        /// Answer it.
        GOOD,
        /// Say nothing: no query, or one whose answer could go in circles.
        DROP,
        /// An answer of the header alone: the question can't be told.
        UNREADABLE,
        /// The question is good and something behind it isn't.
        MALFORMED,
        /// An operation other than QUERY.
        OTHER_OPERATION
    }

    int id;
    int flags;
    int opcode;
    /// The name is at [HEADER, nameTo), its root label included.
    int nameTo;
    int type;
    int queryClass;
    boolean edns;
    int ednsVersion;
    boolean dnssecOk;
    /// The client's own limit for an answer by UDP.
    int udpSize;
    /// It asks how long its connection may be idle (RFC 7828).
    boolean keepalive;
    /// It is padded, and so may its answer be (RFC 7830).
    boolean padded;
    /// The client's cookie, perhaps with one of ours (RFC 7873); length 0 for none.
    int cookieAt;
    int cookieLength;

    Verdict read(byte[] in, int length) {
        nameTo = HEADER;
        type = 0;
        queryClass = 0;
        edns = false;
        ednsVersion = 0;
        dnssecOk = false;
        udpSize = PLAIN_UDP_SIZE;
        keepalive = false;
        padded = false;
        cookieLength = 0;
        if (length < HEADER) {
            return Verdict.DROP;
        }
        id = u16(in, 0);
        flags = u16(in, 2);
        opcode = flags >> 11 & 15;
        if ((flags & FLAG_RESPONSE) != 0) {
            return Verdict.DROP;
        }
        if (opcode != 0) {
            return Verdict.OTHER_OPERATION;
        }
        if (u16(in, 4) != 1) {
            // RFC 9619: a query has one question.
            return Verdict.UNREADABLE;
        }
        int at = skipQuestionName(in, length);
        if (at < 0 || at + 4 > length) {
            return Verdict.UNREADABLE;
        }
        nameTo = at;
        type = u16(in, at);
        queryClass = u16(in, at + 2);
        if (u16(in, 6) != 0 || (u16(in, 8) != 0 && type != RRType.IXFR)) {
            return Verdict.MALFORMED;
        }
        // Bytes behind the last counted record are nobody's: ignored, as the servers that clients know do.
        return additional(in, at + 4, length, u16(in, 8) + u16(in, 10)) ? Verdict.GOOD : Verdict.MALFORMED;
    }

    Query() {}

    public int type() {
        return type;
    }

    public int queryClass() {
        return queryClass;
    }

    public boolean recursionDesired() {
        return (flags & FLAG_RECURSION_DESIRED) != 0;
    }

    /// Wants signatures (RFC 3225).
    public boolean dnssecOk() {
        return dnssecOk;
    }

    /// Wants what does not validate as well (RFC 4035 section 3.2.2).
    public boolean checkingDisabled() {
        return (flags & FLAG_CHECKING_DISABLED) != 0;
    }

    /// Understands the AD bit (RFC 6840 section 5.7).
    boolean wantsAuthenticity() {
        return dnssecOk || (flags & FLAG_AUTHENTIC_DATA) != 0;
    }

    /// The bits of the query's flags that an answer repeats: opcode, RD and CD (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6).
    int repeatedFlags() {
        return flags & (0x7800 | FLAG_RECURSION_DESIRED | FLAG_CHECKING_DISABLED);
    }

    public int nameLength() {
        return nameTo - HEADER;
    }

    /// Header, name, type and class.
    int questionEnd() {
        return nameTo + 4;
    }

    /// Where the name ends, or -1. A question comes first, so a compression pointer in it has nothing to point at.
    private static int skipQuestionName(byte[] in, int length) {
        int at = HEADER;
        while (at < length) {
            int label = in[at] & 0xff;
            if (label == 0) {
                return at + 1 - HEADER > DomainName.MAX_LENGTH ? -1 : at + 1;
            }
            if (label > DomainName.MAX_LABEL) {
                return -1;
            }
            at += 1 + label;
        }
        return -1;
    }

    /// Walks over the records behind the question for the one OPT (RFC 6891 section 6.1.1).
    private boolean additional(byte[] in, int from, int length, int records) {
        int at = from;
        for (int i = 0; i < records; i++) {
            int owner = at;
            at = skipName(in, at, length);
            if (at < 0 || at + 10 > length) {
                return false;
            }
            int recordType = u16(in, at);
            int size = u16(in, at + 8);
            int rdata = at + 10;
            if (rdata + size > length) {
                return false;
            }
            if (recordType == RRType.OPT) {
                if (edns || in[owner] != 0) {
                    return false;
                }
                edns = true;
                udpSize = Math.max(PLAIN_UDP_SIZE, u16(in, at + 2));
                ednsVersion = in[at + 5] & 0xff;
                dnssecOk = (u16(in, at + 6) & EDNS_DO) != 0;
                if (!readOptions(in, rdata, rdata + size)) {
                    return false;
                }
            }
            at = rdata + size;
        }
        return true;
    }

    private static int skipName(byte[] in, int from, int length) {
        int at = from;
        while (at < length) {
            int label = in[at] & 0xff;
            if (label == 0) {
                return at + 1;
            }
            if (label >= 0xc0) {
                return at + 2;
            }
            if (label > DomainName.MAX_LABEL) {
                return -1;
            }
            at += 1 + label;
        }
        return -1;
    }

    /// False when one runs out of its bounds, or has a length that it can't have.
    private boolean readOptions(byte[] in, int from, int to) {
        int at = from;
        while (at < to) {
            if (at + 4 > to) {
                return false;
            }
            int code = u16(in, at);
            int size = u16(in, at + 2);
            keepalive |= code == EdnsOptions.KEEPALIVE;
            padded |= code == EdnsOptions.PADDING;
            // The first counts (RFC 7873 section 5.2).
            if (code == EdnsOptions.COOKIE && ednsVersion == 0 && cookieLength == 0) {
                if (!isCookie(size)) {
                    return false;
                }
                cookieAt = at + 4;
                cookieLength = size;
            }
            at += 4 + size;
        }
        return at == to;
    }

    /// RFC 7873 section 5.2.2.
    private static boolean isCookie(int size) {
        return size == Cookies.CLIENT || (size >= SHORTEST_WHOLE_COOKIE && size <= LONGEST_WHOLE_COOKIE);
    }

    static int u16(byte[] in, int at) {
        return (in[at] & 0xff) << 8 | (in[at + 1] & 0xff);
    }
}
