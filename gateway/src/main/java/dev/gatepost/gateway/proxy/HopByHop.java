package dev.gatepost.gateway.proxy;

/// The fields that concern one connection only and are not passed on (RFC 9110 section 7.6.1).
final class HopByHop {
    private HopByHop() {}

    /// Drops them.
    ///
    /// @param upgrading keep Upgrade, since this message switches protocols
    static void drop(FieldSection fields, boolean upgrading) {
        for (int i = 0; i < fields.count(); i++) {
            switch (fields.id(i)) {
                case FieldName.CONNECTION -> {
                    fields.drop(i);
                    dropNamed(fields, i);
                }
                case FieldName.KEEP_ALIVE,
                        FieldName.PROXY_CONNECTION,
                        FieldName.TE,
                        FieldName.TRANSFER_ENCODING,
                        FieldName.ALIAS -> fields.drop(i);
                case FieldName.UPGRADE -> {
                    if (!upgrading) {
                        fields.drop(i);
                    }
                }
                default -> {}
            }
        }
    }

    /// Drops the fields that Connection names. Those that the gate relies on are not a client's to remove: a request whose
    /// Host or length vanished on the way would be read differently behind us.
    private static void dropNamed(FieldSection fields, int connection) {
        byte[] b = fields.bytes;
        int to = fields.valueTo(connection);
        int at = fields.valueFrom(connection);
        while (at < to) {
            int start = ListField.elementStart(b, at, to);
            int end = start;
            while (end < to && Syntax.isToken(b[end])) {
                end++;
            }
            if (end > start) {
                dropNamed(fields, start, end);
            }
            at = ListField.next(b, end, to);
        }
    }

    private static void dropNamed(FieldSection fields, int from, int to) {
        byte[] b = fields.bytes;
        // "close" and "keep-alive" are nearly all there is.
        if (to - from == 5 && Syntax.lower(b[from]) == 'c' && Syntax.lower(b[from + 1]) == 'l') {
            return;
        }
        for (int i = 0; i < fields.count(); i++) {
            if (fields.id(i) == FieldName.OTHER
                    && Syntax.equalsIgnoreCase(b, from, to, b, fields.nameFrom(i), fields.nameTo(i))) {
                fields.drop(i);
            }
        }
    }
}
