package dev.gatepost.gateway.proxy;

import java.util.stream.IntStream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// The field names that the gate itself reads, as small numbers. Recognised once, while a header section is scanned;
/// afterwards a field is found and compared by number.
final class FieldName {
    static final int OTHER = 0;
    static final int HOST = 1;
    static final int CONTENT_LENGTH = 2;
    static final int TRANSFER_ENCODING = 3;
    static final int CONNECTION = 4;
    static final int KEEP_ALIVE = 5;
    static final int PROXY_CONNECTION = 6;
    static final int TE = 7;
    static final int UPGRADE = 8;
    static final int EXPECT = 9;
    static final int X_FORWARDED_FOR = 10;
    static final int X_FORWARDED_PROTO = 11;
    static final int X_FORWARDED_HOST = 12;
    static final int X_FORWARDED_PORT = 13;
    static final int FORWARDED = 14;
    static final int X_REAL_IP = 15;
    static final int X_REQUEST_ID = 16;
    static final int TRACEPARENT = 17;
    static final int USER_AGENT = 18;
    static final int REFERER = 19;
    static final int CONTENT_TYPE = 20;
    static final int X_FORWARDED_PREFIX = 21;
    static final int TRAILER = 22;
    static final int X_FORWARDED_SERVER = 23;
    /// A known name spelt with `_` for `-`. Software behind us (CGI, WSGI, Rack) can't tell `X_Forwarded_For` from
    /// `X-Forwarded-For`; the gate can, so it reads neither as the other, and never passes the alias on.
    static final int ALIAS = 24;

    private static final String[] NAMES = {
        "", "host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "upgrade",
        "expect", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "forwarded", "x-real-ip",
        "x-request-id", "traceparent", "user-agent", "referer", "content-type", "x-forwarded-prefix", "trailer",
        "x-forwarded-server"
    };
    private static final byte[][] BYTES = new byte[NAMES.length][];
    private static final int LONGEST = 18;
    /// Numbers of the known names by their length.
    private static final int[][] BY_LENGTH = new int[LONGEST + 1][];

    static {
        for (int length = 0; length <= LONGEST; length++) {
            int wanted = length;
            BY_LENGTH[length] = IntStream.range(1, NAMES.length)
                    .filter(id -> NAMES[id].length() == wanted)
                    .toArray();
        }
        for (int id = 0; id < NAMES.length; id++) {
            BYTES[id] = NAMES[id].getBytes(ISO_8859_1);
        }
    }

    private FieldName() {}

    static int of(byte[] bytes, int from, int to) {
        int length = to - from;
        if (length > LONGEST) {
            return OTHER;
        }
        byte last = Syntax.lower(bytes[to - 1]);
        for (int id : BY_LENGTH[length]) {
            byte[] name = BYTES[id];
            if (name[length - 1] == last) {
                int found = compare(bytes, from, name, id);
                if (found != OTHER) {
                    return found;
                }
            }
        }
        return OTHER;
    }

    private static int compare(byte[] bytes, int from, byte[] name, int id) {
        int found = id;
        for (int i = 0; i < name.length; i++) {
            byte b = bytes[from + i];
            if (b == '_' && name[i] == '-') {
                found = ALIAS;
            } else if (Syntax.lower(b) != name[i]) {
                return OTHER;
            }
        }
        return found;
    }

    /// Lower case.
    static byte[] bytes(int id) {
        return BYTES[id];
    }
}
