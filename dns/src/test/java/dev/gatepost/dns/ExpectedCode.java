package dev.gatepost.dns;

/// What a server has to say to the bytes of a message: RFC 8906, RFC 9619, RFC 6891 and RFC 1035 read anew, by nothing
/// that the server itself uses.
final class ExpectedCode {
    /// Nothing at all.
    static final int SILENCE = -1;
    /// Whatever the data says: NOERROR, NXDOMAIN, REFUSED or SERVFAIL.
    static final int BY_DATA = -2;

    /// Behind the question; 0 when it can't be read.
    final int questionEnd;
    /// There is one OPT record, and all around it is in order.
    final boolean edns;
    final int udpSize;
    final int code;

    private ExpectedCode(int code, int questionEnd, boolean edns, int udpSize) {
        this.code = code;
        this.questionEnd = questionEnd;
        this.edns = edns;
        this.udpSize = udpSize;
    }

    private static ExpectedCode bare(int code) {
        return new ExpectedCode(code, 0, false, 512);
    }

    static ExpectedCode of(byte[] message) {
        if (message.length < 12 || (message[2] & 0x80) != 0) {
            return bare(SILENCE);
        }
        if ((message[2] & 0x78) != 0) {
            return bare(Rcode.NOTIMP);
        }
        if (u16(message, 4) != 1) {
            return bare(Rcode.FORMERR);
        }
        int at = 12;
        while (at < message.length && message[at] != 0) {
            if (message[at] < 0 || message[at] > 63) {
                return bare(Rcode.FORMERR);
            }
            at += message[at] + 1;
        }
        if (at + 5 > message.length || at + 1 - 12 > 255) {
            return bare(Rcode.FORMERR);
        }
        int type = u16(message, at + 1);
        int queryClass = u16(message, at + 3);
        int questionEnd = at + 5;
        if (u16(message, 6) > 0 || (u16(message, 8) > 0 && type != 251)) {
            return new ExpectedCode(Rcode.FORMERR, questionEnd, false, 512);
        }
        int options = 0;
        int version = 0;
        int udpSize = 512;
        at = questionEnd;
        for (int records = u16(message, 8) + u16(message, 10); records > 0; records--) {
            int owner = at;
            at = behindName(message, at);
            if (at < 0 || at + 10 > message.length || at + 10 + u16(message, at + 8) > message.length) {
                return new ExpectedCode(Rcode.FORMERR, questionEnd, false, udpSize);
            }
            int end = at + 10 + u16(message, at + 8);
            if (u16(message, at) == 41) {
                if (++options > 1 || message[owner] != 0 || !optionsFit(message, at + 10, end, message[at + 5] == 0)) {
                    return new ExpectedCode(Rcode.FORMERR, questionEnd, false, udpSize);
                }
                udpSize = Math.max(512, u16(message, at + 2));
                version = message[at + 5];
            }
            at = end;
        }
        return new ExpectedCode(code(version, queryClass, type), questionEnd, options == 1, udpSize);
    }

    private static int code(int version, int queryClass, int type) {
        if (version != 0) {
            return Rcode.BADVERS;
        }
        if ((queryClass != 1 && queryClass != 255) || type == 251 || type == 252) {
            return Rcode.REFUSED;
        }
        if (type == 0 || type == 41) {
            return Rcode.FORMERR;
        }
        return type >= 128 && type <= 254 ? Rcode.NOTIMP : BY_DATA;
    }

    private static int behindName(byte[] message, int from) {
        int at = from;
        while (at < message.length) {
            int length = message[at] & 0xff;
            if (length >= 192) {
                return at + 2;
            }
            if (length > 63) {
                return -1;
            }
            at += length + 1;
            if (length == 0) {
                return at;
            }
        }
        return -1;
    }

    /// RFC 6891 section 6.1.2; the length of the first cookie is that of RFC 7873 section 4.
    private static boolean optionsFit(byte[] message, int from, int end, boolean cookies) {
        int at = from;
        boolean lookForCookie = cookies;
        while (at + 4 <= end) {
            int size = u16(message, at + 2);
            if (u16(message, at) == 10 && lookForCookie) {
                lookForCookie = false;
                if (size != 8 && (size < 16 || size > 40)) {
                    return false;
                }
            }
            at += 4 + size;
        }
        return at == end;
    }

    static int u16(byte[] message, int at) {
        return (message[at] & 0xff) * 256 + (message[at + 1] & 0xff);
    }
}
