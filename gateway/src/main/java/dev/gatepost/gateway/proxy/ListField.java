package dev.gatepost.gateway.proxy;

/// A comma-separated list in a field value (RFC 9110 section 5.6.1).
final class ListField {
    private ListField() {}

    /// Whether the list holds that token, in any case; parameters after `;` don't count.
    static boolean contains(byte[] bytes, int from, int to, byte[] lower) {
        int at = from;
        while (at < to) {
            int start = elementStart(bytes, at, to);
            int end = start;
            while (end < to && Syntax.isToken(bytes[end])) {
                end++;
            }
            if (Syntax.equalsIgnoreCase(bytes, start, end, lower)) {
                return true;
            }
            at = next(bytes, end, to);
        }
        return false;
    }

    /// Where the element begins that stands at or after `at`, behind blanks and commas; `to` when there is none.
    static int elementStart(byte[] bytes, int at, int to) {
        int i = at;
        while (i < to && (bytes[i] == ' ' || bytes[i] == '\t' || bytes[i] == ',')) {
            i++;
        }
        return i;
    }

    /// The place after the next comma; `to` when there is none.
    static int next(byte[] bytes, int at, int to) {
        int i = at;
        while (i < to && bytes[i] != ',') {
            i++;
        }
        return Math.min(i + 1, to);
    }
}
