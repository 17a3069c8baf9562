package dev.gatepost.gateway.accesslog;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// One JSON line under construction in somebody else's byte array. It knows how values look in JSON, nothing of what they
/// mean. The caller leaves room for [#MAX_BYTES]; every text has a cap of its own, so a line can't outgrow it.
///
/// Text from the network need not be UTF-8: well-formed UTF-8 is kept, any other byte is read as ISO-8859-1, which is what
/// it most likely is, and escaped (`\u00e9`). Control characters are escaped. So every line is valid UTF-8 and valid JSON.
final class JsonLine {
    /// Docker and the kubelet cut a line at 16 KiB; a cut JSON line is lost.
    static final int MAX_BYTES = 16 * 1024 - 1;

    private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final byte[] HEX = ascii("0123456789abcdef");
    private static final byte[] PAIRS = pairs();
    private static final long ONES = 0x0101010101010101L;
    private static final long HIGH = 0x8080808080808080L;

    private byte[] out = {};
    private int at;
    private boolean truncated;

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    void start(byte[] out, int at) {
        this.out = out;
        this.at = at;
        this.truncated = false;
    }

    int end() {
        return at;
    }

    /// A text had to be cut since [#start].
    boolean truncated() {
        return truncated;
    }

    /// JSON that is ready to be copied.
    void raw(byte[] json) {
        int length = json.length;
        System.arraycopy(json, 0, out, at, length);
        at += length;
    }

    void raw(char ascii) {
        out[at++] = (byte) ascii;
    }

    void number(long value) {
        long rest = value;
        if (rest < 0) {
            raw('-');
            rest = rest == Long.MIN_VALUE ? Long.MAX_VALUE : -rest;
        }
        int end = at + digits(rest);
        at = end;
        while (rest >= 100) {
            long quotient = rest / 100;
            end -= 2;
            pair(end, (int) (rest - quotient * 100));
            rest = quotient;
        }
        if (rest >= 10) {
            pair(end - 2, (int) rest);
        } else {
            out[end - 1] = (byte) ('0' + rest);
        }
    }

    /// Exactly two digits.
    void twoDigits(int value) {
        pair(at, value);
        at += 2;
    }

    void hex(long value, int digits) {
        for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
            out[at++] = HEX[(int) (value >>> shift) & 15];
        }
    }

    void text(Slice slice, int cap) {
        text(slice.array(), slice.from(), slice.to(), cap);
    }

    /// The inside of a JSON string: at most `cap` bytes, cut at a whole character.
    void text(byte[] in, int from, int to, int cap) {
        byte[] out = this.out;
        int limit = at + cap;
        int to8 = to - 8;
        int limit8 = limit - 8;
        int i = from;
        int o = at;
        while (i < to) {
            while (i <= to8 && o <= limit8) {
                long word = (long) WORD.get(in, i);
                if (!clean(word)) {
                    break;
                }
                WORD.set(out, o, word);
                i += 8;
                o += 8;
            }
            if (i == to) {
                break;
            }
            int b = in[i];
            if (b >= 0x20 && b != '"' && b != '\\') {
                if (o == limit) {
                    truncated = true;
                    break;
                }
                out[o++] = (byte) b;
                i++;
                continue;
            }
            int sequence = b < 0 ? utf8Sequence(in, i, to) : 0;
            int needed = sequence > 0 ? sequence : escapeLength(b);
            if (limit - o < needed) {
                truncated = true;
                break;
            }
            if (sequence > 0) {
                System.arraycopy(in, i, out, o, sequence);
                o += sequence;
                i += sequence;
            } else {
                o = escape(b & 0xff, o);
                i++;
            }
        }
        at = o;
    }

    /// The inside of a JSON string, from text of our own; what is not ASCII is escaped, so nothing is allocated.
    void text(String text, int cap) {
        int limit = at + cap;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            int needed = c >= 0x80 ? 6 : c >= 0x20 && c != '"' && c != '\\' ? 1 : escapeLength(c);
            if (limit - at < needed) {
                truncated = true;
                return;
            }
            if (needed == 1) {
                raw(c);
            } else if (c >= 0x80) {
                raw('\\');
                raw('u');
                hex(c, 4);
            } else {
                at = escape(c, at);
            }
        }
    }

    /// An IP address of 4 or 16 bytes; IPv6 as RFC 5952 writes it, an IPv4-mapped one as the IPv4 address it is.
    void address(byte[] address) {
        if (address.length == 4) {
            dotted(address, 0);
        } else if (mapped(address)) {
            dotted(address, 12);
        } else {
            colons(address);
        }
    }

    private void dotted(byte[] address, int from) {
        for (int i = 0; i < 4; i++) {
            if (i > 0) {
                raw('.');
            }
            number(address[from + i] & 0xff);
        }
    }

    private static boolean mapped(byte[] address) {
        for (int i = 0; i < 10; i++) {
            if (address[i] != 0) {
                return false;
            }
        }
        return address[10] == -1 && address[11] == -1;
    }

    /// RFC 5952 section 4.2: `::` stands for the longest run of at least two zero groups, the first of equal ones.
    private void colons(byte[] address) {
        int runFrom = -1;
        int runLength = 1;
        for (int i = 0; i < 8; ) {
            int j = i;
            while (j < 8 && group(address, j) == 0) {
                j++;
            }
            if (j - i > runLength) {
                runFrom = i;
                runLength = j - i;
            }
            i = Math.max(j, i + 1);
        }
        for (int i = 0; i < 8; i++) {
            if (i == runFrom) {
                raw(':');
                raw(':');
                i += runLength - 1;
                continue;
            }
            if (i > 0 && i != runFrom + runLength) {
                raw(':');
            }
            int group = group(address, i);
            hex(group, group > 0xfff ? 4 : group > 0xff ? 3 : group > 0xf ? 2 : 1);
        }
    }

    private static int group(byte[] address, int index) {
        return ((address[2 * index] & 0xff) << 8) | (address[2 * index + 1] & 0xff);
    }

    /// No byte of the word is a control character, a quote, a backslash or beyond ASCII.
    private static boolean clean(long word) {
        long quote = word ^ ONES * '"';
        long backslash = word ^ ONES * '\\';
        return (((word - ONES * 0x20) | (quote - ONES) | (backslash - ONES) | word) & HIGH) == 0;
    }

    private static int escapeLength(int b) {
        return switch (b) {
            case '"', '\\', '\n', '\r', '\t' -> 2;
            default -> 6;
        };
    }

    private int escape(int b, int o) {
        out[o++] = '\\';
        switch (b) {
            case '"', '\\' -> out[o++] = (byte) b;
            case '\n' -> out[o++] = 'n';
            case '\r' -> out[o++] = 'r';
            case '\t' -> out[o++] = 't';
            default -> {
                out[o++] = 'u';
                out[o++] = '0';
                out[o++] = '0';
                out[o++] = HEX[b >> 4];
                out[o++] = HEX[b & 15];
            }
        }
        return o;
    }

    /// Length of the well-formed sequence (Unicode table 3-7) at `i`; 0 when there is none.
    private static int utf8Sequence(byte[] in, int i, int to) {
        int first = in[i] & 0xff;
        int length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
        if (length == 0 || to - i < length) {
            return 0;
        }
        int second = in[i + 1] & 0xff;
        int lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
        int highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
        if (second < lowest || second > highest) {
            return 0;
        }
        for (int k = 2; k < length; k++) {
            if ((in[i + k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return length;
    }

    private void pair(int index, int value) {
        out[index] = PAIRS[2 * value];
        out[index + 1] = PAIRS[2 * value + 1];
    }

    private static int digits(long value) {
        int digits = 1;
        for (long bound = 10; value >= bound && digits < 19; bound *= 10) {
            digits++;
        }
        return digits;
    }

    private static byte[] pairs() {
        byte[] pairs = new byte[200];
        for (int i = 0; i < 100; i++) {
            pairs[2 * i] = (byte) ('0' + i / 10);
            pairs[2 * i + 1] = (byte) ('0' + i % 10);
        }
        return pairs;
    }
}
