package dev.gatepost.gateway.proxy;

import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/// Makes request ids: 32 hexadecimal digits, unique without being secret. One per event loop.
final class RequestIds {
    private static final byte[] HEX = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

    private final RandomGenerator random;
    private final byte[] text = new byte[32];

    RequestIds(RandomGenerator random) {
        this.random = random;
    }

    static RequestIds create() {
        return new RequestIds(new SplittableRandom());
    }

    /// The one that counts: not one that was dropped because its sender is not trusted; -1 when there is none.
    private static int find(FieldSection fields) {
        for (int i = fields.count() - 1; i >= 0; i--) {
            if (fields.id(i) == FieldName.X_REQUEST_ID && !fields.isDropped(i)) {
                return i;
            }
        }
        return -1;
    }

    /// The client learns the id under which its request is logged.
    static void answer(FieldSection request, FieldSection response) {
        int id = find(request);
        if (id < 0) {
            return;
        }
        int theirs = response.find(FieldName.X_REQUEST_ID, 0);
        if (theirs >= 0) {
            response.drop(theirs);
        }
        response.add(FieldName.X_REQUEST_ID, ForwardedFields.REQUEST_ID, request.bytes, request.valueFrom(id), request.valueTo(id));
    }

    void ensure(FieldSection request) {
        if (find(request) < 0) {
            addTo(request);
        }
    }

    void addTo(FieldSection fields) {
        write(random.nextLong(), 0);
        write(random.nextLong(), 16);
        fields.add(FieldName.X_REQUEST_ID, ForwardedFields.REQUEST_ID, text, 0, text.length);
    }

    /// Begins a trace (W3C Trace Context section 3.2).
    void addTraceParent(FieldSection fields, boolean sampled) {
        byte[] trace = new byte[TraceParent.LENGTH];
        write(random.nextLong(), 0);
        // Not all zeros, whatever the numbers.
        write(random.nextLong() | 1, 16);
        trace[0] = trace[1] = '0';
        trace[2] = trace[35] = trace[52] = '-';
        System.arraycopy(text, 0, trace, 3, 32);
        write(random.nextLong() | 1, 0);
        System.arraycopy(text, 0, trace, 36, 16);
        trace[53] = '0';
        trace[54] = (byte) (sampled ? '1' : '0');
        fields.add(FieldName.TRACEPARENT, TraceParent.NAME, trace, 0, trace.length);
    }

    private void write(long value, int at) {
        for (int i = 0; i < 16; i++) {
            text[at + i] = HEX[(int) (value >>> (60 - 4 * i)) & 15];
        }
    }
}
