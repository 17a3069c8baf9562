package dev.gatepost.dns;

/// How long an answer holds, for caches that know HTTP and not DNS (RFC 8484 section 5.1).
final class Freshness {
    private Freshness() {}

    /// The smallest TTL among the answers; without any, that of the negative answer (RFC 2308 section 5). 0 for a failure.
    ///
    /// @param answer one of our own, or of a forwarder of ours: well-formed
    static int seconds(byte[] answer, int length) {
        int rcode = answer[3] & 15;
        if ((rcode != Rcode.NOERROR && rcode != Rcode.NXDOMAIN) || Query.u16(answer, 4) != 1) {
            return 0;
        }
        int answers = Query.u16(answer, 6);
        int records = answers + Query.u16(answer, 8);
        int at = nameEnd(answer, Query.HEADER) + 4;
        long least = Long.MAX_VALUE;
        for (int i = 0; i < records && at < length; i++) {
            int fields = nameEnd(answer, at);
            int rdata = fields + 10;
            int end = rdata + Query.u16(answer, fields + 8);
            boolean soa = Query.u16(answer, fields) == RRType.SOA;
            if (i < answers) {
                least = Math.min(least, u32(answer, fields + 4));
            } else if (answers == 0 && soa) {
                least = Math.min(u32(answer, fields + 4), u32(answer, end - 4));
            }
            at = end;
        }
        return least == Long.MAX_VALUE ? 0 : (int) Math.min(least, Integer.MAX_VALUE);
    }

    private static int nameEnd(byte[] bytes, int from) {
        int at = from;
        while (bytes[at] > 0) {
            at += 1 + bytes[at];
        }
        return bytes[at] == 0 ? at + 1 : at + 2;
    }

    private static long u32(byte[] bytes, int at) {
        return (long) Query.u16(bytes, at) << 16 | Query.u16(bytes, at + 2);
    }
}
