package dev.gatepost.gateway.route;

import dev.gatepost.gateway.route.Expression.Malformed;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;

/// The paths that a route serves, matched case-sensitively against the normalised path (see [PathNormalizer]).
///
/// @param path begins with `/`, normalised itself, ASCII only
public record PathPattern(Kind kind, String path) {
    public static final PathPattern ROOT = new PathPattern(Kind.SEGMENTS, "/");

    /// In look-up order for equal paths.
    public enum Kind {
        /// This path alone, written with a trailing `$`.
        EXACT,
        /// The path and everything below it: `/foo` serves `/foo` and `/foo/bar`, not `/foobar`. `/foo/` serves not `/foo`.
        SEGMENTS,
        /// A plain string prefix, written with a trailing `*`: `/foo*` serves `/foobar`.
        STRING
    }

    static final Comparator<PathPattern> ORDER = Comparator.comparingInt((PathPattern p) -> -p.path().length())
            .thenComparing(PathPattern::path)
            .thenComparing(PathPattern::kind);

    public PathPattern {
        // After a slash both kinds of prefix serve the same paths: one spelling, so that they are one route.
        if (kind == Kind.STRING && path.endsWith("/")) {
            kind = Kind.SEGMENTS;
        }
    }

    /// Reads `/path` for whole segments, `/path*` for a plain prefix.
    ///
    /// @throws IllegalArgumentException with the value and what was expected
    public static PathPattern parse(String text) {
        return text.endsWith("*") ? of(Kind.STRING, text.substring(0, text.length() - 1)) : of(Kind.SEGMENTS, text);
    }

    /// @throws IllegalArgumentException with the value and what was expected
    static PathPattern of(Kind kind, String path) {
        if (!path.startsWith("/")) {
            throw new Malformed("path \"%s\" (expected: a path that begins with /)".formatted(path));
        }
        for (char forbidden : new char[] {'?', '#', '*', ' '}) {
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
        if (path.chars().allMatch(c -> c < 0x80)) {
            return path;
        }
        StringBuilder encoded = new StringBuilder();
        for (byte b : path.getBytes(StandardCharsets.UTF_8)) {
            if (b >= 0) {
                encoded.append((char) b);
            } else {
                encoded.append("%%%02X".formatted(b & 0xff));
            }
        }
        return encoded.toString();
    }

    /// Whether `path[from, to)`, whose first bytes up to `at` equal this pattern's path, is served.
    boolean admits(byte[] request, int at, int to) {
        return switch (kind) {
            case EXACT -> at == to;
            case SEGMENTS -> at == to || request[at] == '/' || request[at - 1] == '/';
            case STRING -> true;
        };
    }

    @Override
    public String toString() {
        return switch (kind) {
            case EXACT -> path + "$";
            case SEGMENTS -> path;
            case STRING -> path + "*";
        };
    }
}
