package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Slice;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// The `traceparent` field (W3C Trace Context): `00-<trace-id, 32 hex>-<parent-id, 16 hex>-<flags, 2 hex>`.
final class TraceParent {
    static final int LENGTH = 55;
    static final byte[] NAME = "traceparent: ".getBytes(ISO_8859_1);

    private TraceParent() {}

    /// Begins a trace unless the request belongs to one. What is malformed is none.
    static void ensure(FieldSection fields, RequestIds ids, boolean sampled) {
        Slice id = new Slice();
        for (int i = 0; i < fields.count(); i++) {
            if (fields.id(i) == FieldName.TRACEPARENT && !fields.isDropped(i)) {
                traceId(fields.bytes, fields.valueFrom(i), fields.valueTo(i), id);
                if (!id.isEmpty()) {
                    return;
                }
                fields.drop(i);
            }
        }
        ids.addTraceParent(fields, sampled);
    }

    /// Points `slice` at the span behind that trace id, the parent of whatever comes next; leaves it where there is no trace.
    static void spanId(Slice trace, Slice slice) {
        if (!trace.isEmpty()) {
            slice.set(trace.array(), trace.to() + 1, trace.to() + 17);
        }
    }

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
