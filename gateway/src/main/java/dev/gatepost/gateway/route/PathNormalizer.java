package dev.gatepost.gateway.route;

/// The path as routes see it (RFC 3986 section 6.2.2): dot segments removed, unreserved characters decoded once, empty
/// segments kept. For matching only: what is forwarded is the raw target.
///
/// Only what means the same thing decoded is decoded, so `%2F` never becomes a separator and `%252F` never becomes
/// `%2F`: a path that a route admits can't turn into another one further down.
public final class PathNormalizer {
    private static final byte[] HEX = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'};

    private PathNormalizer() {}

    /// Whether `raw[from, to)` is its own normalised form, as nearly every path is: then it can be matched where it lies.
    /// May say no of a path that is, never yes of one that is not.
    public static boolean isNormal(byte[] raw, int from, int to) {
        if (from == to || raw[from] != '/') {
            return false;
        }
        for (int i = from; i < to; i++) {
            byte b = raw[i];
            if (b == '%' || (b == '.' && raw[i - 1] == '/')) {
                return false;
            }
        }
        return true;
    }

    /// Writes the normalised form of `raw[from, to)`, a path without its query, to `out` and returns its length,
    /// or -1 when the path is not acceptable: not beginning with `/`, a bad percent-encoding, an encoded NUL, a climb
    /// above the root. The result is never longer than the input.
    public static int normalize(byte[] raw, int from, int to, byte[] out) {
        if (isNormal(raw, from, to)) {
            System.arraycopy(raw, from, out, 0, to - from);
            return to - from;
        }
        if (from == to || raw[from] != '/') {
            return -1;
        }
        int length = 0;
        int segment = 0; // where the present segment begins in `out`, after its slash
        for (int i = from; i < to; i++) {
            byte b = raw[i];
            if (b == '/') {
                if (i > from) {
                    length = closeSegment(out, segment, length);
                    if (length < 0) {
                        return -1;
                    }
                }
                out[length++] = '/';
                segment = length;
                continue;
            }
            if (b != '%') {
                out[length++] = b;
                continue;
            }
            int octet = octet(raw, i + 1, to);
            if (octet <= 0) {
                return -1;
            }
            if (isUnreserved(octet)) {
                out[length++] = (byte) octet;
            } else {
                out[length++] = '%';
                out[length++] = HEX[octet >> 4];
                out[length++] = HEX[octet & 0xf];
            }
            i += 2;
        }
        int end = closeSegment(out, segment, length);
        // A last dot segment leaves a directory (RFC 3986 section 5.2.4): `/a/.` is `/a/`, `/a/b/..` is `/a/`.
        boolean dots = end >= 0 && end < length;
        if (dots) {
            out[end++] = '/';
        }
        return end;
    }

    /// Ends the segment `out[segment, length)` before the next slash: drops it, with the slash before it, if it is `.`, and
    /// its parent as well if it is `..`. Returns the new length, or -1 for a climb above the root.
    private static int closeSegment(byte[] out, int segment, int length) {
        int size = length - segment;
        if (size == 1 && out[segment] == '.') {
            return segment - 1;
        }
        if (size != 2 || out[segment] != '.' || out[segment + 1] != '.') {
            return length;
        }
        for (int i = segment - 2; i >= 0; i--) {
            if (out[i] == '/') {
                return i;
            }
        }
        return -1;
    }

    private static int octet(byte[] raw, int at, int to) {
        if (at + 2 > to) {
            return -1;
        }
        int high = Character.digit(raw[at], 16);
        int low = Character.digit(raw[at + 1], 16);
        return high < 0 || low < 0 ? -1 : (high << 4) | low;
    }

    /// RFC 3986 section 2.3.
    private static boolean isUnreserved(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    }
}
