package dev.gatepost.gateway.accesslog;

/// How the numbers of a DNS message are written in a log line, quotes included; each text is made once.
final class DnsWords {
    private static final byte[][] TYPES = new byte[65_536][];
    private static final byte[][] RCODES = new byte[4096][];
    private static final byte[][] OPCODES = new byte[16][];

    static {
        String[] types = {
            "1 A", "2 NS", "5 CNAME", "6 SOA", "12 PTR", "13 HINFO", "15 MX", "16 TXT", "28 AAAA", "33 SRV", "35 NAPTR", "39 DNAME",
            "43 DS", "46 RRSIG", "47 NSEC", "48 DNSKEY", "50 NSEC3", "52 TLSA", "64 SVCB", "65 HTTPS", "249 TKEY", "250 TSIG",
            "251 IXFR", "252 AXFR", "255 ANY", "256 URI", "257 CAA"
        };
        fill(TYPES, types);
        fill(RCODES, new String[] {
            "0 NOERROR", "1 FORMERR", "2 SERVFAIL", "3 NXDOMAIN", "4 NOTIMP", "5 REFUSED", "6 YXDOMAIN", "7 YXRRSET", "8 NXRRSET",
            "9 NOTAUTH", "10 NOTZONE", "16 BADVERS", "23 BADCOOKIE"
        });
        fill(OPCODES, new String[] {"0 QUERY", "1 IQUERY", "2 STATUS", "4 NOTIFY", "5 UPDATE"});
    }

    private DnsWords() {}

    static byte[] type(int type) {
        return word(TYPES, type & 0xffff, "TYPE");
    }

    static byte[] rcode(int rcode) {
        return word(RCODES, rcode & 0xfff, "RCODE");
    }

    static byte[] opcode(int opcode) {
        return word(OPCODES, opcode & 15, "OPCODE");
    }

    /// RFC 3597 section 5 for the nameless: `TYPE731`. Made on first sight; two threads may make the same, which is harmless
    /// since only one log line in a million is about it, so it isn't kept.
    private static byte[] word(byte[][] words, int number, String prefix) {
        byte[] word = words[number];
        return word != null ? word : JsonLine.ascii('"' + prefix + number + '"');
    }

    private static void fill(byte[][] words, String[] entries) {
        for (String entry : entries) {
            int blank = entry.indexOf(' ');
            words[Integer.parseInt(entry.substring(0, blank))] = JsonLine.ascii('"' + entry.substring(blank + 1) + '"');
        }
    }
}
