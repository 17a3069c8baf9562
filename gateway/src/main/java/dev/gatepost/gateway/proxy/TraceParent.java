package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Slice;

/// The `traceparent` field (W3C Trace Context): `00-<trace-id, 32 hex>-<parent-id, 16 hex>-<flags, 2 hex>`.
final class TraceParent {
    private static final int LENGTH = 55;

    private TraceParent() {}

    /// Points `slice` at the trace id, if there is a valid one.
    static void traceId(byte[] b, int from, int to, Slice slice) {
        if (to - from < LENGTH || b[from + 2] != '-' || b[from + 35] != '-' || b[from + 52] != '-') {
            return;
        }
        boolean zero = true;
        for (int i = from + 3; i < from + 35; i++) {
            boolean hex = Syntax.isDigit(b[i]) || (b[i] >= 'a' && b[i] <= 'f');
            if (!hex) {
                return;
            }
            zero &= b[i] == '0';
        }
        if (!zero) {
            slice.set(b, from + 3, from + 35);
        }
    }
}
