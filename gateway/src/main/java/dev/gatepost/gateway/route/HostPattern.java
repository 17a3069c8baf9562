package dev.gatepost.gateway.route;

import dev.gatepost.gateway.route.Expression.Malformed;
import io.netty.util.NetUtil;
import java.net.IDN;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The hosts that a route serves: exact, a glob or expression, `*.` and a suffix of any depth, or any. Lower case; a port
/// counts only where it is written.
///
/// @param name  the exact name, or the suffix after `*.`; of a glob or expression its text; empty for any host; an IPv6
///              address in its brackets
/// @param port  0 for any port
/// @param regex present for a glob or expression alone
public record HostPattern(Kind kind, String name, int port, Optional<Regex> regex) {
    public static final HostPattern ANY = new HostPattern(Kind.ANY, "", 0);

    /// In look-up order for suffixes of one length.
    public enum Kind { EXACT, PATTERN, WILDCARD, ANY }

    /// Most specific first: exact before pattern and wildcard before any; of these two a longer suffix before a shorter,
    /// pattern before wildcard, a longer pattern before a shorter; with port before without.
    static final Comparator<HostPattern> ORDER = Comparator.comparingInt(HostPattern::rank)
            .thenComparingInt(h -> -h.suffix().length())
            .thenComparing(HostPattern::kind)
            .thenComparingInt(h -> h.kind() == Kind.PATTERN ? -h.name().length() : 0)
            .thenComparing(HostPattern::name)
            .thenComparing(HostPattern::isAnyPort)
            .thenComparingInt(HostPattern::port);

    /// Literal characters at the end of an expression that ends in `$`, from one of its dots on.
    private static final Pattern LITERAL_END = Pattern.compile("\\\\\\.((?:[a-z0-9_-]|\\\\\\.)+)\\$$");

    private static final Pattern GLOB = Pattern.compile("[*?\\[{]");

    HostPattern(Kind kind, String name, int port) {
        this(kind, name, port, Optional.empty());
    }

    private int rank() {
        return switch (kind) {
            case EXACT -> 0;
            case PATTERN, WILDCARD -> 1;
            case ANY -> 2;
        };
    }

    /// What every host that it serves ends with, after a dot; empty where that is not known.
    String suffix() {
        return switch (kind) {
            case EXACT, ANY -> "";
            case WILDCARD -> name;
            case PATTERN -> name.startsWith("~") ? expressionSuffix(name) : globSuffix(name);
        };
    }

    private static String globSuffix(String glob) {
        int last = Math.max(Math.max(glob.lastIndexOf('*'), glob.lastIndexOf('?')), Math.max(glob.lastIndexOf(']'), glob.lastIndexOf('}')));
        int dot = glob.indexOf('.', last);
        return dot < 0 || glob.indexOf('\\') >= 0 ? "" : glob.substring(dot + 1);
    }

    private static String expressionSuffix(String expression) {
        Matcher literal = LITERAL_END.matcher(expression);
        return expression.indexOf('|') < 0 && expression.indexOf("(?") < 0 && literal.find() ? literal.group(1).replace("\\", "") : "";
    }

    /// Whether a host in lower case, without port and trailing dot, is served on some port.
    public boolean serves(String host) {
        return switch (kind) {
            case ANY -> true;
            case EXACT -> host.equals(name);
            case WILDCARD -> host.length() > name.length() + 1 && host.endsWith("." + name);
            case PATTERN -> regex.isPresent() && regex.get().find(host);
        };
    }

    /// Reads `example.com`, `*.example.com`, `[fd00::1]`, a glob such as `api-*.example.com`, an expression such as
    /// `~^api-\d+\.example\.com$`, each with `:PORT` or without, or nothing for any host.
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
        if (host.startsWith("~")) {
            return matching(host.substring(1), port);
        }
        if (host.startsWith("[") && (host.endsWith("]") || host.indexOf(':') >= 0)) {
            return new HostPattern(Kind.EXACT, readIpv6(text, host), port);
        }
        boolean wildcard = host.startsWith("*.");
        if (GLOB.matcher(wildcard ? host.substring(2) : host).find()) {
            return glob(text, host.toLowerCase(Locale.ROOT), port);
        }
        String name = readName(text, wildcard ? host.substring(2) : host);
        return new HostPattern(wildcard ? Kind.WILDCARD : Kind.EXACT, name, port);
    }

    /// @param expression matches anywhere in the host unless it is anchored
    static HostPattern matching(String expression, int port) {
        Regex regex = Regex.of(expression);
        return new HostPattern(Kind.PATTERN, "~" + expression, port, Optional.of(regex));
    }

    /// Its `*` is any text, dots included, as in fabio.
    private static HostPattern glob(String text, String glob, int port) {
        if (!glob.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '/' && c != ':')) {
            throw new Malformed("host \"%s\" (expected: a glob such as api-*.example.com)".formatted(text));
        }
        return new HostPattern(Kind.PATTERN, glob, port, Optional.of(Regex.glob(glob, "", "$")));
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
            case EXACT, PATTERN -> name;
            case WILDCARD -> "*." + name;
            case ANY -> "";
        };
        return port == 0 ? host : host + ":" + port;
    }
}
