package dev.gatepost.gateway.accesslog;

import java.nio.charset.StandardCharsets;

/// A range of bytes that somebody else owns: valid only while its owner keeps them.
public final class Slice {
    private static final byte[] NONE = {};

    private byte[] array = NONE;
    private int from;
    private int to;

    public void set(byte[] array, int from, int to) {
        this.array = array;
        this.from = from;
        this.to = to;
    }

    public void clear() {
        set(NONE, 0, 0);
    }

    public boolean isEmpty() {
        return from == to;
    }

    public byte[] array() {
        return array;
    }

    public int from() {
        return from;
    }

    public int to() {
        return to;
    }

    public int length() {
        return to - from;
    }

    /// A copy as text, one character a byte.
    @Override
    public String toString() {
        return new String(array, from, to - from, StandardCharsets.ISO_8859_1);
    }
}
