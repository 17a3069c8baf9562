package dev.gatepost.gateway.route;

import dev.gatepost.gateway.route.Expression.Malformed;
import io.netty.util.NetUtil;
import java.net.IDN;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Comparator;
import java.util.Locale;

/// The hosts that a route serves: exact, `*.` and a suffix of any depth, or any. Lower case; a port counts only where it
/// is written.
///
/// @param name the exact name, or the suffix after `*.`; empty for any host; an IPv6 address in its brackets
/// @param port 0 for any port
public record HostPattern(Kind kind, String name, int port) {
    public static final HostPattern ANY = new HostPattern(Kind.ANY, "", 0);

    public enum Kind { EXACT, WILDCARD, ANY }

    /// Most specific first: exact before wildcard before any, a longer suffix before a shorter, with port before without.
    static final Comparator<HostPattern> ORDER = Comparator.comparing(HostPattern::kind)
            .thenComparingInt(h -> h.kind() == Kind.WILDCARD ? -h.name().length() : 0)
            .thenComparing(HostPattern::name)
            .thenComparing(HostPattern::isAnyPort)
            .thenComparingInt(HostPattern::port);

    /// Reads `example.com`, `*.example.com`, `[fd00::1]`, each with `:PORT` or without, or nothing for any host.
    ///
    /// @throws IllegalArgumentException with the value and what was expected
    public static HostPattern parse(String text) {
        if (text.isEmpty() || text.equals("*")) {
            return ANY;
        }
        int colon = text.lastIndexOf(':');
        boolean hasPort = colon >= 0 && colon > text.lastIndexOf(']');
        int port = hasPort ? readPort(text, text.substring(colon + 1)) : 0;
        String host = hasPort ? text.substring(0, colon) : text;
        if (host.isEmpty() || host.equals("*")) {
            return new HostPattern(Kind.ANY, "", port);
        }
        if (host.startsWith("[")) {
            return new HostPattern(Kind.EXACT, readIpv6(text, host), port);
        }
        boolean wildcard = host.startsWith("*.");
        String name = readName(text, wildcard ? host.substring(2) : host);
        return new HostPattern(wildcard ? Kind.WILDCARD : Kind.EXACT, name, port);
    }

    private static int readPort(String text, String digits) {
        if (!digits.isEmpty() && digits.length() <= 5 && digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
            int port = Integer.parseInt(digits);
            if (port >= 1 && port <= 65535) {
                return port;
            }
        }
        throw new Malformed("host \"%s\": port \"%s\" (expected: 1 to 65535)".formatted(text, digits));
    }

    /// In the form that clients send (RFC 5952).
    private static String readIpv6(String text, String host) {
        byte[] address = host.endsWith("]") ? NetUtil.createByteArrayFromIpAddressString(host.substring(1, host.length() - 1)) : null;
        if (address == null || address.length != 16) {
            throw new Malformed("host \"%s\" (expected: an IPv6 address in brackets, such as [fd00::1])".formatted(text));
        }
        try {
            InetAddress parsed = Inet6Address.getByAddress("", address, -1);
            return "[" + NetUtil.toAddressString(parsed) + "]";
        } catch (UnknownHostException _) {
            throw new Malformed("host \"%s\" (expected: an IPv6 address)".formatted(text));
        }
    }

    private static String readName(String text, String host) {
        String ascii = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
        try {
            ascii = IDN.toASCII(ascii, 0).toLowerCase(Locale.ROOT);
        } catch (IllegalArgumentException e) {
            ascii = "";
        }
        boolean valid = !ascii.isEmpty()
                && ascii.length() <= 253
                && !ascii.startsWith(".")
                && !ascii.contains("..")
                && ascii.chars().allMatch(c -> (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.');
        if (!valid) {
            throw new Malformed(
                    "host \"%s\" (expected: a name such as example.com, *.example.com, or nothing for any host)".formatted(text));
        }
        return ascii;
    }

    private boolean isAnyPort() {
        return port == 0;
    }

    @Override
    public String toString() {
        String host = switch (kind) {
            case EXACT -> name;
            case WILDCARD -> "*." + name;
            case ANY -> "";
        };
        return port == 0 ? host : host + ":" + port;
    }
}
