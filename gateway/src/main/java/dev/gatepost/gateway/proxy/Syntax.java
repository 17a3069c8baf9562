package dev.gatepost.gateway.proxy;

/// Which bytes may stand where (RFC 9110 section 5, RFC 9112 sections 3 and 5, RFC 3986 section 3.2), as look-up tables,
/// and the comparisons that go with them. Bytes only: nothing here makes a String.
final class Syntax {
    private static final byte TOKEN = 1;
    private static final byte VALUE = 2;
    private static final byte TARGET = 4;
    private static final byte HOST = 8;
    private static final byte DIGIT = 16;

    private static final byte[] CLASSES = new byte[256];
    private static final byte[] LOWER = new byte[256];

    static {
        for (int b = 0; b < 256; b++) {
            boolean digit = b >= '0' && b <= '9';
            boolean alphanumeric = digit || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
            if (alphanumeric || (b != 0 && "!#$%&'*+-.^_`|~".indexOf(b) >= 0)) {
                CLASSES[b] |= TOKEN;
            }
            if (b == '\t' || (b >= ' ' && b != 0x7f)) {
                CLASSES[b] |= VALUE;
            }
            // Bytes above ASCII are no URI (RFC 3986), but browsers of old and many tools send them: opaque, passed on.
            // A '#' is refused: software behind us would cut the path at it, and we would have matched another.
            if (b > ' ' && b != 0x7f && b != '#') {
                CLASSES[b] |= TARGET;
            }
            if (alphanumeric || (b != 0 && "-._~%!$&'()*+,;=[]:".indexOf(b) >= 0)) {
                CLASSES[b] |= HOST;
            }
            if (digit) {
                CLASSES[b] |= DIGIT;
            }
            LOWER[b] = (byte) (b >= 'A' && b <= 'Z' ? b + 32 : b);
        }
    }

    private Syntax() {}

    static boolean isToken(byte b) {
        return (CLASSES[b & 0xff] & TOKEN) != 0;
    }

    /// A byte of a field value: visible, obs-text, blank or tab.
    static boolean isValue(byte b) {
        return (CLASSES[b & 0xff] & VALUE) != 0;
    }

    static boolean isTarget(byte b) {
        return (CLASSES[b & 0xff] & TARGET) != 0;
    }

    static boolean isHost(byte b) {
        return (CLASSES[b & 0xff] & HOST) != 0;
    }

    static boolean isDigit(byte b) {
        return (CLASSES[b & 0xff] & DIGIT) != 0;
    }

    static byte lower(byte b) {
        return LOWER[b & 0xff];
    }

    /// @param lower in lower case
    static boolean equalsIgnoreCase(byte[] bytes, int from, int to, byte[] lower) {
        if (to - from != lower.length) {
            return false;
        }
        for (int i = 0; i < lower.length; i++) {
            if (LOWER[bytes[from + i] & 0xff] != lower[i]) {
                return false;
            }
        }
        return true;
    }

    static boolean equalsIgnoreCase(byte[] a, int aFrom, int aTo, byte[] b, int bFrom, int bTo) {
        if (aTo - aFrom != bTo - bFrom) {
            return false;
        }
        for (int i = 0; i < aTo - aFrom; i++) {
            if (LOWER[a[aFrom + i] & 0xff] != LOWER[b[bFrom + i] & 0xff]) {
                return false;
            }
        }
        return true;
    }

    /// The decimal number in `bytes[from, to)`, or -1 unless it is digits only, at least one, and fits a long with room.
    static long decimal(byte[] bytes, int from, int to) {
        if (from == to || to - from > 18) {
            return -1;
        }
        long value = 0;
        for (int i = from; i < to; i++) {
            if (!isDigit(bytes[i])) {
                return -1;
            }
            value = value * 10 + (bytes[i] - '0');
        }
        return value;
    }
}
