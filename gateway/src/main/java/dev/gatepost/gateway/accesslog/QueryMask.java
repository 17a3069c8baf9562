package dev.gatepost.gateway.accesslog;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// The query parameters whose values are not for the log, since whoever reads them could use them: tokens, signatures.
final class QueryMask {
    static final QueryMask NONE = new QueryMask(List.of());

    /// In lower case.
    private final byte[][] names;

    private QueryMask(List<String> names) {
        this.names = names.stream().map(name -> name.toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8)).toArray(byte[][]::new);
    }

    static QueryMask of(List<String> names) {
        return new QueryMask(names);
    }

    /// Overwrites their values in place, behind the first `?` of a URL.
    void applyToUrl(Slice url) {
        if (names.length == 0) {
            return;
        }
        byte[] bytes = url.array();
        for (int i = url.from(); i < url.to(); i++) {
            if (bytes[i] == '?') {
                apply(bytes, i + 1, url.to());
                return;
            }
        }
    }

    private void apply(byte[] bytes, int from, int to) {
        int name = from;
        while (name < to) {
            int end = name;
            int equals = -1;
            while (end < to && bytes[end] != '&') {
                if (bytes[end] == '=' && equals < 0) {
                    equals = end;
                }
                end++;
            }
            if (equals >= 0 && isMasked(bytes, name, equals)) {
                for (int i = equals + 1; i < end; i++) {
                    bytes[i] = '*';
                }
            }
            name = end + 1;
        }
    }

    private boolean isMasked(byte[] bytes, int from, int to) {
        for (byte[] name : names) {
            if (name.length == to - from && equalsIgnoreCase(bytes, from, name)) {
                return true;
            }
        }
        return false;
    }

    private static boolean equalsIgnoreCase(byte[] bytes, int from, byte[] lower) {
        for (int i = 0; i < lower.length; i++) {
            byte b = bytes[from + i];
            if ((b >= 'A' && b <= 'Z' ? b + 32 : b) != lower[i]) {
                return false;
            }
        }
        return true;
    }
}
