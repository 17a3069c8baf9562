package dev.gatepost.dns.forward;

import java.util.Arrays;

/// Writes records behind a question, names compressed against what is written already. Reusable scratch of one thread.
final class MessageWriter {
    static final int HEADER = 12;
    private static final int POINTER_REACH = 0x3fff;
    private static final int MOST_LABELS = 64;
    private static final int MOST_RECORDS = 4096;

    private final byte[] out = new byte[65535];
    private final int[] labels = new int[MOST_LABELS];
    private final short[] ttls = new short[MOST_RECORDS];
    private int labelCount;
    private int ttlCount;
    private int base;
    private int at;
    /// Something didn't fit: the result is of no use.
    private boolean full;

    void start(QuestionKey question) {
        full = false;
        labelCount = 0;
        ttlCount = 0;
        System.arraycopy(question.name(), 0, out, HEADER, question.nameLength());
        for (int label = HEADER; out[label] != 0; label += 1 + out[label]) {
            remember(label);
        }
        base = HEADER + question.nameLength() + 4;
        at = base;
    }

    boolean isFull() {
        return full;
    }

    int at() {
        return at;
    }

    byte[] records() {
        return Arrays.copyOfRange(out, base, at);
    }

    short[] ttls() {
        return Arrays.copyOf(ttls, ttlCount);
    }

    /// Everything in front of the rdata's length, whose place it returns: [#endRdata] fills it in.
    int startRecord(byte[] owner, int ownerLength, int type, int ttl) {
        name(owner, ownerLength, true);
        if (!fits(10) || ttlCount == MOST_RECORDS) {
            full = true;
            return at;
        }
        put16(type);
        put16(1);
        ttls[ttlCount++] = (short) (at - base);
        put16(ttl >>> 16);
        put16(ttl);
        at += 2;
        return at - 2;
    }

    void endRdata(int lengthAt) {
        if (full) {
            return;
        }
        int size = at - lengthAt - 2;
        out[lengthAt] = (byte) (size >> 8);
        out[lengthAt + 1] = (byte) size;
    }

    void bytes(byte[] from, int offset, int length) {
        if (fits(length)) {
            System.arraycopy(from, offset, out, at, length);
            at += length;
        }
    }

    /// @param name uncompressed
    void name(byte[] name, int length, boolean compress) {
        int label = 0;
        while (name[label] != 0) {
            int known = compress ? find(name, label, length) : -1;
            if (known >= 0) {
                if (fits(2)) {
                    put16(0xc000 | known);
                }
                return;
            }
            int size = 1 + name[label];
            if (!fits(size)) {
                return;
            }
            remember(at);
            System.arraycopy(name, label, out, at, size);
            at += size;
            label += size;
        }
        if (fits(1)) {
            out[at++] = 0;
        }
    }

    private void remember(int labelAt) {
        if (labelCount < MOST_LABELS && labelAt <= POINTER_REACH) {
            labels[labelCount++] = labelAt;
        }
    }

    /// Where the rest of a name is written already, or -1.
    private int find(byte[] name, int from, int length) {
        for (int i = 0; i < labelCount; i++) {
            if (isAt(labels[i], name, from, length)) {
                return labels[i];
            }
        }
        return -1;
    }

    private boolean isAt(int where, byte[] name, int from, int length) {
        int there = where;
        int label = from;
        while (true) {
            if (there >= at && there >= base) {
                // A name that is just being written.
                return false;
            }
            int size = out[there] & 0xff;
            if (size >= 0xc0) {
                there = (size & 0x3f) << 8 | (out[there + 1] & 0xff);
                continue;
            }
            if (size != name[label] || !Names.same(out, there + 1, size, name, label + 1, size)) {
                return false;
            }
            if (size == 0) {
                return label == length - 1;
            }
            there += 1 + size;
            label += 1 + size;
        }
    }

    private boolean fits(int size) {
        if (full || size > out.length - at) {
            full = true;
            return false;
        }
        return true;
    }

    private void put16(int value) {
        out[at++] = (byte) (value >> 8);
        out[at++] = (byte) value;
    }
}
