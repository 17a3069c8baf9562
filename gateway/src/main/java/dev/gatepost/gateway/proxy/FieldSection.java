package dev.gatepost.gateway.proxy;

import io.netty.util.AsciiString;
import java.util.Arrays;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// A header or trailer section as bytes with an index of its fields, reused from message to message. Every field stands in
/// [#bytes] as an HTTP/1 field line, `name: value CRLF`, so a run of fields that are passed on is one array copy. Fields
/// that are dropped stay in place and are skipped; fields that are added are appended.
///
/// The HTTP/1 parser indexes lines that it finds; HTTP/2 appends lines by [#add(CharSequence, CharSequence)], and reads
/// fields by their ranges. Confined to one event loop.
final class FieldSection {
    /// No fields; never written to.
    static final FieldSection NONE = new FieldSection(0);

    private static final int STRIDE = 6;
    private static final int DROPPED = 1 << 16;
    /// Above this, storage is given back between messages.
    private static final int KEPT = 16 * 1024;

    byte[] bytes;
    private final int initial;
    /// Where the last line ends, and an added one begins.
    int end;
    private int[] index = new int[16 * STRIDE];
    private int count;

    FieldSection(int capacity) {
        initial = capacity;
        bytes = new byte[capacity];
    }

    void clear() {
        if (bytes.length > KEPT) {
            bytes = new byte[initial];
        }
        end = 0;
        count = 0;
    }

    /// Exchanges contents with another section, without copying them.
    void swap(FieldSection other) {
        byte[] otherBytes = other.bytes;
        int otherEnd = other.end;
        int[] otherIndex = other.index;
        int otherCount = other.count;
        other.bytes = bytes;
        other.end = end;
        other.index = index;
        other.count = count;
        bytes = otherBytes;
        end = otherEnd;
        index = otherIndex;
        count = otherCount;
    }

    int count() {
        return count;
    }

    int nameFrom(int i) {
        return index[i * STRIDE];
    }

    int nameTo(int i) {
        return index[i * STRIDE + 1];
    }

    int valueFrom(int i) {
        return index[i * STRIDE + 2];
    }

    int valueTo(int i) {
        return index[i * STRIDE + 3];
    }

    /// One of [FieldName].
    int id(int i) {
        return index[i * STRIDE + 5] & ~DROPPED;
    }

    boolean isDropped(int i) {
        return (index[i * STRIDE + 5] & DROPPED) != 0;
    }

    void drop(int i) {
        index[i * STRIDE + 5] |= DROPPED;
    }

    /// Where the line of a field ends, its CRLF included.
    int lineEnd(int i) {
        return index[i * STRIDE + 4];
    }

    /// The first field of that name from `start` on, dropped or not; -1 when there is none.
    int find(int id, int start) {
        for (int i = start; i < count; i++) {
            if (id(i) == id) {
                return i;
            }
        }
        return -1;
    }

    /// The first field of that name that is not dropped; -1 when there is none.
    ///
    /// @param name in lower case
    int find(String name) {
        for (int i = 0; i < count; i++) {
            if (!isDropped(i) && isNamed(i, name)) {
                return i;
            }
        }
        return -1;
    }

    /// @param name in lower case
    boolean isNamed(int i, String name) {
        int from = nameFrom(i);
        if (nameTo(i) - from != name.length()) {
            return false;
        }
        for (int at = 0; at < name.length(); at++) {
            if (Syntax.lower(bytes[from + at]) != name.charAt(at)) {
                return false;
            }
        }
        return true;
    }

    String value(int i) {
        return new String(bytes, valueFrom(i), valueTo(i) - valueFrom(i), ISO_8859_1);
    }

    /// Takes up a field whose line is in [#bytes] already.
    void index(int nameFrom, int nameTo, int valueFrom, int valueTo, int lineEnd, int id) {
        int at = count * STRIDE;
        if (at == index.length) {
            index = Arrays.copyOf(index, at * 2);
        }
        index[at] = nameFrom;
        index[at + 1] = nameTo;
        index[at + 2] = valueFrom;
        index[at + 3] = valueTo;
        index[at + 4] = lineEnd;
        index[at + 5] = id;
        count++;
    }

    /// Appends a field that comes from outside; false, with nothing appended, when its name or value holds a byte that
    /// RFC 9110 section 5 does not allow.
    boolean add(CharSequence name, CharSequence value) {
        int start = end;
        int nameTo = append(name);
        if (nameTo == start || !all(start, nameTo, true)) {
            end = start;
            return false;
        }
        appendColon();
        int valueFrom = end;
        int valueTo = append(value);
        if (!all(valueFrom, valueTo, false)) {
            end = start;
            return false;
        }
        appendLineEnd();
        index(start, nameTo, valueFrom, valueTo, end, FieldName.of(bytes, start, nameTo));
        return true;
    }

    /// Appends a field of our own making. The value may be a range of this section's own bytes.
    ///
    /// @param line `Name: `
    void add(int id, byte[] line, byte[] value, int from, int to) {
        int start = end;
        reserve(line.length + to - from + 2);
        System.arraycopy(line, 0, bytes, end, line.length);
        end += line.length;
        int valueFrom = end;
        System.arraycopy(value, from, bytes, end, to - from);
        end += to - from;
        int valueTo = end;
        appendLineEnd();
        index(start, start + line.length - 2, valueFrom, valueTo, end, id);
    }

    /// Appends bytes that belong to no field yet and returns where they end.
    int append(CharSequence text) {
        int length = text.length();
        reserve(length + 4);
        if (text instanceof AsciiString ascii) {
            System.arraycopy(ascii.array(), ascii.arrayOffset(), bytes, end, length);
        } else {
            for (int i = 0; i < length; i++) {
                char c = text.charAt(i);
                // Outside of Latin-1 there is nothing to send: a byte that no check lets pass.
                bytes[end + i] = c < 256 ? (byte) c : 0;
            }
        }
        end += length;
        return end;
    }

    void append(byte[] source, int from, int to) {
        reserve(to - from);
        System.arraycopy(source, from, bytes, end, to - from);
        end += to - from;
    }

    void append(int b) {
        reserve(1);
        bytes[end++] = (byte) b;
    }

    /// Makes room for that many bytes after [#end].
    void reserve(int length) {
        if (end + length > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, end + length));
        }
    }

    private void appendColon() {
        reserve(2);
        bytes[end++] = ':';
        bytes[end++] = ' ';
    }

    private void appendLineEnd() {
        reserve(2);
        bytes[end++] = '\r';
        bytes[end++] = '\n';
    }

    private boolean all(int from, int to, boolean token) {
        for (int i = from; i < to; i++) {
            if (!(token ? Syntax.isToken(bytes[i]) : Syntax.isValue(bytes[i]))) {
                return false;
            }
        }
        return true;
    }
}
