package dev.gatepost.gateway.proxy;

/// The methods whose meaning the gate knows (RFC 9110 section 9, RFC 5789); `OTHER` passes through.
enum Method {
    GET(true),
    HEAD(true),
    POST(false),
    PUT(true),
    DELETE(true),
    OPTIONS(true),
    TRACE(true),
    PATCH(false),
    CONNECT(false),
    OTHER(false);

    /// May be sent again when it is unknown whether it was processed (RFC 9110 section 9.2.2).
    final boolean idempotent;

    private static final Method[] ALL = values();

    Method(boolean idempotent) {
        this.idempotent = idempotent;
    }

    /// Methods are case-sensitive.
    static Method of(byte[] source, int from, int to) {
        for (Method method : ALL) {
            String name = method.name();
            if (method != OTHER && name.length() == to - from && matches(source, from, name)) {
                return method;
            }
        }
        return OTHER;
    }

    private static boolean matches(byte[] source, int from, String name) {
        for (int i = 0; i < name.length(); i++) {
            if (source[from + i] != name.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
