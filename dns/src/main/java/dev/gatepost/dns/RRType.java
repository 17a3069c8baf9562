package dev.gatepost.dns;

import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/// Record and query type numbers, as IANA lists them: plain ints, since a query may carry any.
public final class RRType {
    public static final int A = 1;
    public static final int NS = 2;
    public static final int CNAME = 5;
    public static final int SOA = 6;
    public static final int PTR = 12;
    public static final int MX = 15;
    public static final int TXT = 16;
    public static final int AAAA = 28;
    public static final int SRV = 33;
    public static final int OPT = 41;
    public static final int DS = 43;
    public static final int SVCB = 64;
    public static final int HTTPS = 65;
    public static final int IXFR = 251;
    public static final int AXFR = 252;
    public static final int ANY = 255;

    /// The lowest and highest of the types that ask for something other than records of that type (RFC 6895 section 3.1).
    static final int FIRST_META = 128;
    static final int LAST_META = 254;

    private static final Map<Integer, String> NAMES = Map.ofEntries(
            Map.entry(A, "A"),
            Map.entry(NS, "NS"),
            Map.entry(CNAME, "CNAME"),
            Map.entry(SOA, "SOA"),
            Map.entry(PTR, "PTR"),
            Map.entry(MX, "MX"),
            Map.entry(TXT, "TXT"),
            Map.entry(AAAA, "AAAA"),
            Map.entry(SRV, "SRV"),
            Map.entry(OPT, "OPT"),
            Map.entry(DS, "DS"),
            Map.entry(SVCB, "SVCB"),
            Map.entry(HTTPS, "HTTPS"),
            Map.entry(IXFR, "IXFR"),
            Map.entry(AXFR, "AXFR"),
            Map.entry(ANY, "ANY"));
    private static final Map<String, Integer> NUMBERS =
            NAMES.entrySet().stream().collect(Collectors.toMap(Map.Entry::getValue, Map.Entry::getKey));

    private RRType() {}

    /// The mnemonic, or `TYPE123` (RFC 3597 section 5).
    public static String name(int type) {
        String name = NAMES.get(type);
        return name == null ? "TYPE" + type : name;
    }

    /// The number of a mnemonic or of `TYPE123`, without regard to case.
    public static OptionalInt parse(String text) {
        String upper = text.toUpperCase(Locale.ROOT);
        Integer known = NUMBERS.get(upper);
        if (known != null) {
            return OptionalInt.of(known);
        }
        if (!upper.matches("TYPE[0-9]{1,5}")) {
            return OptionalInt.empty();
        }
        int number = Integer.parseInt(upper.substring(4));
        return number <= 0xffff ? OptionalInt.of(number) : OptionalInt.empty();
    }
}
