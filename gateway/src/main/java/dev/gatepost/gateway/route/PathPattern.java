package dev.gatepost.gateway.route;

import dev.gatepost.gateway.route.Expression.Malformed;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.Optional;

/// The paths that a route serves, matched case-sensitively against the normalised path (see [PathNormalizer]).
///
/// @param path begins with `/`, normalised itself, ASCII only; of a glob the part before its first wildcard
/// @param glob present for a glob alone
public record PathPattern(Kind kind, String path, Optional<Regex> glob) {
    public static final PathPattern ROOT = new PathPattern(Kind.SEGMENTS, "/");

    /// Reserved characters and the percent sign: encoded, they mean something else than as they are.
    private static final String RESERVED = ":/?#[]@!$&'()*+,;=%";

    /// In look-up order for equal paths.
    public enum Kind {
        /// This path alone, written with a trailing `$`.
        EXACT,
        /// Has wildcards: `/users/*/orders` serves `/users/7/orders` and everything below it.
        GLOB,
        /// The path and everything below it: `/foo` serves `/foo` and `/foo/bar`, not `/foobar`. `/foo/` serves not `/foo`.
        SEGMENTS,
        /// A plain string prefix, written with a trailing `*`: `/foo*` serves `/foobar`.
        STRING
    }

    static final Comparator<PathPattern> ORDER = Comparator.comparingInt((PathPattern p) -> -p.path().length())
            .thenComparing(PathPattern::path)
            .thenComparing(PathPattern::kind)
            .thenComparing(PathPattern::toString);

    PathPattern(Kind kind, String path) {
        this(kind, path, Optional.empty());
    }

    public PathPattern {
        // After a slash both kinds of prefix serve the same paths: one spelling, so that they are one route.
        if (kind == Kind.STRING && path.endsWith("/")) {
            kind = Kind.SEGMENTS;
        }
    }

    /// Reads `/path` for whole segments, `/path*` for a plain prefix, `/path$` for that path alone, and with a wildcard before
    /// its end a glob of whole segments: `*` within one of them, `**` over several.
    ///
    /// @throws IllegalArgumentException with the value and what was expected
    public static PathPattern parse(String text) {
        int wildcard = text.indexOf('*');
        if (wildcard >= 0 && !(wildcard == text.length() - 1 && text.endsWith("*"))) {
            boolean exact = text.endsWith("$");
            String glob = exact ? text.substring(0, text.length() - 1) : text;
            return glob(text, glob, exact || glob.endsWith("*") ? "$" : "(?:/.*)?$");
        }
        if (text.endsWith("$")) {
            return of(Kind.EXACT, text.substring(0, text.length() - 1));
        }
        return wildcard >= 0 ? of(Kind.STRING, text.substring(0, wildcard)) : of(Kind.SEGMENTS, text);
    }

    /// @param written as it stands in the route's id
    /// @param glob    what is matched; a `*` at its very end is any text
    /// @param end     an expression for what may follow
    static PathPattern glob(String written, String glob, String end) {
        String closed = glob.endsWith("*") && !glob.endsWith("**") ? glob + "*" : glob;
        String literal = of(Kind.STRING, glob.substring(0, glob.indexOf('*'))).path();
        Regex regex = Regex.glob(closed.replaceAll("([?\\[\\]{}\\\\])", "\\\\$1"), "/", end);
        return new PathPattern(Kind.GLOB, literal, Optional.of(regex.named(written)));
    }

    /// @throws IllegalArgumentException with the value and what was expected
    static PathPattern of(Kind kind, String path) {
        if (!path.startsWith("/")) {
            throw new Malformed("path \"%s\" (expected: a path that begins with /)".formatted(path));
        }
        for (char forbidden : new char[] {'?', '#', '*'}) {
            if (path.indexOf(forbidden) >= 0) {
                throw new Malformed("path \"%s\" holds '%c' (expected: a path prefix, with * only at its end)".formatted(path, forbidden));
            }
        }
        byte[] raw = encodeNonAscii(path).getBytes(StandardCharsets.US_ASCII);
        int length = PathNormalizer.normalize(raw, 0, raw.length, raw);
        if (length < 0) {
            throw new Malformed(
                    "path \"%s\" (expected: valid percent-encodings, no %%00, no climb above the root)".formatted(path));
        }
        return new PathPattern(kind, new String(raw, 0, length, StandardCharsets.US_ASCII));
    }

    /// As a client would send it: UTF-8, percent-encoded (RFC 3986 section 2.5).
    private static String encodeNonAscii(String path) {
        if (path.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            return path;
        }
        StringBuilder encoded = new StringBuilder();
        for (byte b : path.getBytes(StandardCharsets.UTF_8)) {
            if (b > ' ' && b < 0x7f) {
                encoded.append((char) b);
            } else {
                encoded.append("%%%02X".formatted(b & 0xff));
            }
        }
        return encoded.toString();
    }

    /// Whether `path[from, to)`, whose first bytes up to `at` equal this pattern's path, is served.
    boolean admits(byte[] bytes, int at, int to, RequestFacts request) {
        return switch (kind) {
            case EXACT -> at == to;
            case GLOB -> glob.isPresent() && glob.get().find(readable(request.path()));
            case SEGMENTS -> at == to || bytes[at] == '/' || bytes[at - 1] == '/';
            case STRING -> true;
        };
    }

    boolean serves(RequestFacts request) {
        byte[] bytes = request.path().getBytes(StandardCharsets.US_ASCII);
        return request.path().startsWith(path) && admits(bytes, path.length(), bytes.length, request);
    }

    /// A normalised path as expressions see it: decoded, except for reserved characters.
    static String readable(String path) {
        if (path.indexOf('%') < 0) {
            return path;
        }
        byte[] bytes = path.getBytes(StandardCharsets.ISO_8859_1);
        byte[] out = new byte[bytes.length];
        int length = 0;
        for (int i = 0; i < bytes.length; i++) {
            int octet = bytes[i] == '%' && i + 2 < bytes.length ? Character.digit(bytes[i + 1], 16) * 16 + Character.digit(bytes[i + 2], 16) : -1;
            if (octet < 0 || RESERVED.indexOf(octet) >= 0) {
                out[length++] = bytes[i];
            } else {
                out[length++] = (byte) octet;
                i += 2;
            }
        }
        return new String(out, 0, length, StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return switch (kind) {
            case EXACT -> path + "$";
            case GLOB -> glob.map(Regex::text).orElse(path);
            case SEGMENTS -> path;
            case STRING -> path + "*";
        };
    }
}
