package dev.gatepost.gateway.proxy;

import java.util.HexFormat;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// The cookie that keeps a client at its endpoint, as long as that is served and not ejected. Its value is a hash of the
/// instance and its address: it says nothing about them, and means the same to every gateway.
final class StickyCookie {
    private static final byte[] SET_COOKIE = "Set-Cookie: ".getBytes(ISO_8859_1);
    private static final byte[] COOKIE = "cookie".getBytes(ISO_8859_1);
    private static final int DIGITS = 16;

    private final byte[] name;
    private final byte[][] values;
    private final byte[][] plain;
    private final byte[][] secure;

    StickyCookie(String name, EndpointPool[] pools) {
        this.name = name.getBytes(ISO_8859_1);
        values = new byte[pools.length][];
        plain = new byte[pools.length][];
        secure = new byte[pools.length][];
        for (int i = 0; i < pools.length; i++) {
            String value = HexFormat.of().toHexDigits(pools[i].id);
            String cookie = name + "=" + value + "; Path=/; HttpOnly; SameSite=Lax";
            values[i] = value.getBytes(ISO_8859_1);
            plain[i] = cookie.getBytes(ISO_8859_1);
            secure[i] = (cookie + "; Secure").getBytes(ISO_8859_1);
        }
    }

    /// The number of the endpoint that the client's cookie names; -1 when it names none that is served.
    int find(FieldSection request) {
        long range = range(request, name);
        int from = (int) (range >>> 32);
        int to = (int) range;
        if (range < 0 || to - from != DIGITS) {
            return -1;
        }
        for (int i = 0; i < values.length; i++) {
            if (Syntax.equalsIgnoreCase(request.bytes, from, to, values[i])) {
                return i;
            }
        }
        return -1;
    }

    /// Tells the client its endpoint.
    void set(FieldSection response, int endpoint, boolean overTls) {
        byte[] cookie = overTls ? secure[endpoint] : plain[endpoint];
        response.add(FieldName.OTHER, SET_COOKIE, cookie, 0, cookie.length);
    }

    /// Where the value of a cookie stands, its start in the upper half; -1 when there is no such cookie (RFC 6265 section 4.2.1).
    static long range(FieldSection fields, byte[] name) {
        byte[] b = fields.bytes;
        for (int i = 0; i < fields.count(); i++) {
            if (fields.isDropped(i) || !Syntax.equalsIgnoreCase(b, fields.nameFrom(i), fields.nameTo(i), COOKIE)) {
                continue;
            }
            int at = fields.valueFrom(i);
            int end = fields.valueTo(i);
            while (at < end) {
                int pairEnd = at;
                while (pairEnd < end && b[pairEnd] != ';') {
                    pairEnd++;
                }
                int valueAt = at + name.length + 1;
                if (valueAt <= pairEnd && b[valueAt - 1] == '=' && isAt(b, at, name)) {
                    return (long) valueAt << 32 | pairEnd;
                }
                at = pairEnd + 1;
                while (at < end && b[at] == ' ') {
                    at++;
                }
            }
        }
        return -1;
    }

    private static boolean isAt(byte[] bytes, int at, byte[] name) {
        for (int i = 0; i < name.length; i++) {
            if (bytes[at + i] != name[i]) {
                return false;
            }
        }
        return true;
    }
}
