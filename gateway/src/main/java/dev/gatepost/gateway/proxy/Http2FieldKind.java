package dev.gatepost.gateway.proxy;

import java.util.Arrays;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// What a field is to an HTTP/2 message (RFC 9113 sections 8.2 and 8.3): a number of [FieldName] when it is a regular one,
/// else one of these. Found once when a field is first seen; a table entry keeps it.
final class Http2FieldKind {
    static final int METHOD = -1;
    static final int SCHEME = -2;
    static final int PATH = -3;
    static final int AUTHORITY = -4;
    /// A pseudo-header field that nobody knows.
    static final int FOREIGN_PSEUDO = -5;
    static final int INVALID_NAME = -6;
    static final int INVALID_VALUE = -7;
    /// A response's only.
    static final int STATUS = -8;
    /// Of an extended CONNECT (RFC 8441).
    static final int PROTOCOL = -9;

    private static final byte[][] PSEUDO = {
        ":method".getBytes(ISO_8859_1), ":scheme".getBytes(ISO_8859_1), ":path".getBytes(ISO_8859_1), ":authority".getBytes(ISO_8859_1)
    };

    private static final byte[] STATUS_NAME = ":status".getBytes(ISO_8859_1);
    private static final byte[] PROTOCOL_NAME = ":protocol".getBytes(ISO_8859_1);

    private Http2FieldKind() {}

    static int ofName(byte[] bytes, int from, int to) {
        if (from == to) {
            return INVALID_NAME;
        }
        if (bytes[from] == ':') {
            return ofPseudo(bytes, from, to);
        }
        for (int i = from; i < to; i++) {
            byte b = bytes[i];
            if (!Syntax.isToken(b) || b != Syntax.lower(b)) {
                return INVALID_NAME;
            }
        }
        return FieldName.of(bytes, from, to);
    }

    private static int ofPseudo(byte[] bytes, int from, int to) {
        for (int i = 0; i < PSEUDO.length; i++) {
            if (Arrays.equals(bytes, from, to, PSEUDO[i], 0, PSEUDO[i].length)) {
                return -1 - i;
            }
        }
        if (Arrays.equals(bytes, from, to, STATUS_NAME, 0, STATUS_NAME.length)) {
            return STATUS;
        }
        return Arrays.equals(bytes, from, to, PROTOCOL_NAME, 0, PROTOCOL_NAME.length) ? PROTOCOL : FOREIGN_PSEUDO;
    }

    /// RFC 9113 section 8.2.1: no control characters, no blank at either end.
    static boolean isValue(byte[] bytes, int from, int to) {
        if (from == to) {
            return true;
        }
        if (isBlank(bytes[from]) || isBlank(bytes[to - 1])) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (!Syntax.isValue(bytes[i])) {
                return false;
            }
        }
        return true;
    }

    private static boolean isBlank(byte b) {
        return b == ' ' || b == '\t';
    }
}
