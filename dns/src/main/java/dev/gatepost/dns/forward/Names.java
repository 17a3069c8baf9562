package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import java.util.Arrays;

/// Names within a message, where they may be compressed (RFC 1035 section 4.1.4). All offsets are into untrusted bytes.
final class Names {
    private static final int POINTER = 0xc0;

    private Names() {}

    /// Where the name ends in the message, or -1 when it doesn't, or isn't one.
    static int end(byte[] message, int from, int length) {
        int at = from;
        while (at < length) {
            int label = message[at] & 0xff;
            if (label == 0) {
                return at + 1;
            }
            if (label >= POINTER) {
                return at + 2 <= length ? at + 2 : -1;
            }
            if (label > DomainName.MAX_LABEL) {
                return -1;
            }
            at += 1 + label;
        }
        return -1;
    }

    /// Writes the name without compression. A pointer must lead back, so the walk ends.
    ///
    /// @param into room for [DomainName#MAX_LENGTH]
    /// @return its length, or -1
    static int expand(byte[] message, int from, int length, byte[] into) {
        int at = from;
        int lowest = from;
        int size = 0;
        while (at < length) {
            int label = message[at] & 0xff;
            if (label >= POINTER) {
                if (at + 2 > length) {
                    return -1;
                }
                int target = (label & 0x3f) << 8 | (message[at + 1] & 0xff);
                if (target >= lowest) {
                    return -1;
                }
                lowest = target;
                at = target;
                continue;
            }
            if (label > DomainName.MAX_LABEL || at + 1 + label > length || size + 1 + label > DomainName.MAX_LENGTH) {
                return -1;
            }
            System.arraycopy(message, at, into, size, 1 + label);
            size += 1 + label;
            at += 1 + label;
            if (label == 0) {
                return size;
            }
        }
        return -1;
    }

    /// Whether two uncompressed names are the same but for case.
    static boolean same(byte[] a, int aFrom, int aLength, byte[] b, int bFrom, int bLength) {
        if (aLength != bLength) {
            return false;
        }
        if (Arrays.equals(a, aFrom, aFrom + aLength, b, bFrom, bFrom + bLength)) {
            return true;
        }
        for (int i = 0; i < aLength; i++) {
            if (lower(a[aFrom + i]) != lower(b[bFrom + i])) {
                return false;
            }
        }
        return true;
    }

    /// Whether one uncompressed name is another or lies below it.
    static boolean isWithin(byte[] name, int length, byte[] other, int otherLength) {
        int at = 0;
        while (length - at > otherLength) {
            at += 1 + name[at];
        }
        return length - at == otherLength && same(name, at, otherLength, other, 0, otherLength);
    }

    static int lower(byte b) {
        return b >= 'A' && b <= 'Z' ? b + 32 : b;
    }
}
