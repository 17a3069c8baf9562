package dev.gatepost.gateway.proxy;

import java.util.Arrays;

/// Bytes in the making, one per event loop: a head is put together here and leaves by one copy. Never kept from one use to
/// the next.
final class Scratch {
    byte[] bytes = new byte[4096];
    int end;

    void clear() {
        end = 0;
    }

    void append(byte[] source) {
        append(source, 0, source.length);
    }

    void append(byte[] source, int from, int to) {
        int length = to - from;
        reserve(length);
        System.arraycopy(source, from, bytes, end, length);
        end += length;
    }

    void append(int b) {
        reserve(1);
        bytes[end++] = (byte) b;
    }

    /// The lines of all fields that are not dropped, neighbours by one copy.
    void appendFields(FieldSection fields) {
        int count = fields.count();
        int i = 0;
        while (i < count) {
            if (fields.isDropped(i)) {
                i++;
                continue;
            }
            int from = fields.nameFrom(i);
            int to = fields.lineEnd(i);
            i++;
            while (i < count && !fields.isDropped(i) && fields.nameFrom(i) == to) {
                to = fields.lineEnd(i);
                i++;
            }
            append(fields.bytes, from, to);
        }
    }

    void reserve(int length) {
        if (end + length > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, end + length));
        }
    }
}
