package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import java.util.stream.IntStream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// Encodes message heads and trailers (HPACK, RFC 7541) from the bytes they stand in. It refers to the static table only
/// and adds nothing to the peer's: most fields of a message differ from the last one's, and a table of our own would
/// cost more per message than the bytes it saves.
final class Http2FieldEncoder implements Http2HeadersEncoder, Http2HeadersEncoder.Configuration {
    private static final int AUTHORITY = 1;
    private static final int METHOD = 2;
    private static final int PATH = 4;
    private static final int STATUS = 8;
    private static final byte[] CONNECT = "CONNECT".getBytes(ISO_8859_1);
    private static final byte[] PROTOCOL = ":protocol".getBytes(ISO_8859_1);
    private static final byte[] TE = "te: trailers".getBytes(ISO_8859_1);
    /// Indexes of the static table's fields with exactly that status; 0 for none.
    private static final int[] STATUS_INDEX = new int[600];
    /// Static table indexes of regular names by the name's length.
    private static final int[][] BY_LENGTH = new int[28][];

    static {
        for (int index = STATUS; index < STATUS + 7; index++) {
            byte[] line = Http2FieldTable.fixed(index).line();
            int from = Http2FieldTable.fixed(index).nameLength();
            STATUS_INDEX[(int) Syntax.decimal(line, from, line.length)] = index;
        }
        for (int length = 0; length < BY_LENGTH.length; length++) {
            int wanted = length;
            BY_LENGTH[length] = IntStream.rangeClosed(15, Http2FieldTable.STATIC_ENTRIES)
                    .filter(index -> Http2FieldTable.fixed(index).nameLength() == wanted)
                    .toArray();
        }
    }

    /// A client that allows less than the table's initial size must be told that we keep to it (RFC 7541 section 4.2).
    private boolean announceEmptyTable;
    private long tableSize = Http2FieldTable.LARGEST;

    @Override
    public void encodeHeaders(int streamId, Http2Headers headers, ByteBuf out) {
        if (announceEmptyTable) {
            out.writeByte(0x20);
            announceEmptyTable = false;
        }
        ((Http2SentFields) headers).encode(this, out);
    }

    void status(int status, ByteBuf out) {
        int index = status < STATUS_INDEX.length ? STATUS_INDEX[status] : 0;
        if (index > 0) {
            out.writeByte(0x80 | index);
            return;
        }
        out.writeByte(STATUS);
        out.writeByte(3);
        out.writeByte('0' + status / 100);
        out.writeByte('0' + status / 10 % 10);
        out.writeByte('0' + status % 10);
    }

    /// The pseudo-header fields of a request but for `:authority`. An upgrade is an extended CONNECT (RFC 8441).
    void request(RequestHead head, boolean secure, Scratch target, ByteBuf out) {
        if (head.upgrade) {
            literal(METHOD, CONNECT, 0, CONNECT.length, out);
            FieldSection fields = head.fields;
            int offer = fields.find(FieldName.UPGRADE, 0);
            out.writeByte(0);
            integer(PROTOCOL.length, 7, out);
            out.writeBytes(PROTOCOL);
            integer(fields.valueTo(offer) - fields.valueFrom(offer), 7, out);
            out.writeBytes(fields.bytes, fields.valueFrom(offer), fields.valueTo(offer) - fields.valueFrom(offer));
        } else if (head.method == Method.GET) {
            out.writeByte(0x80 | METHOD);
        } else if (head.method == Method.POST) {
            out.writeByte(0x80 | METHOD + 1);
        } else {
            literal(METHOD, head.bytes(), head.methodFrom, head.methodTo, out);
        }
        out.writeByte(secure ? 0x87 : 0x86);
        if (target.end == 1 && target.bytes[0] == '/') {
            out.writeByte(0x80 | PATH);
        } else {
            literal(PATH, target.bytes, 0, target.end, out);
        }
    }

    void authority(byte[] bytes, int from, int to, ByteBuf out) {
        if (from < to) {
            literal(AUTHORITY, bytes, from, to, out);
        }
    }

    /// The fields for an endpoint. Host is said by `:authority` already.
    void requestFields(RequestHead head, ByteBuf out) {
        FieldSection section = head.fields;
        for (int i = 0; i < section.count(); i++) {
            boolean elsewhere = section.isDropped(i) || section.id(i) == FieldName.HOST || (head.upgrade && ExtendedConnect.isOfUpgrade(section, i));
            if (!elsewhere) {
                field(section.bytes, section.nameFrom(i), section.nameTo(i), section.valueFrom(i), section.valueTo(i), out);
            }
        }
        if (head.acceptsTrailers) {
            field(TE, 0, 2, 4, TE.length, out);
        }
    }

    /// Not indexed, with a name of the static table.
    private static void literal(int name, byte[] bytes, int from, int to, ByteBuf out) {
        out.ensureWritable(to - from + 12);
        integer(name, 4, out);
        integer(to - from, 7, out);
        out.writeBytes(bytes, from, to - from);
    }

    /// Every field that is not dropped, names in lower case (RFC 9113 section 8.2).
    void fields(FieldSection section, ByteBuf out) {
        for (int i = 0; i < section.count(); i++) {
            if (!section.isDropped(i)) {
                field(section.bytes, section.nameFrom(i), section.nameTo(i), section.valueFrom(i), section.valueTo(i), out);
            }
        }
    }

    private static void field(byte[] bytes, int nameFrom, int nameTo, int valueFrom, int valueTo, ByteBuf out) {
        out.ensureWritable(nameTo - nameFrom + valueTo - valueFrom + 12);
        int index = nameIndex(bytes, nameFrom, nameTo);
        if (index > 0) {
            integer(index, 4, out);
        } else {
            out.writeByte(0);
            integer(nameTo - nameFrom, 7, out);
            for (int i = nameFrom; i < nameTo; i++) {
                out.writeByte(Syntax.lower(bytes[i]));
            }
        }
        integer(valueTo - valueFrom, 7, out);
        out.writeBytes(bytes, valueFrom, valueTo - valueFrom);
    }

    private static int nameIndex(byte[] bytes, int from, int to) {
        int length = to - from;
        if (length >= BY_LENGTH.length) {
            return 0;
        }
        byte first = Syntax.lower(bytes[from]);
        byte last = Syntax.lower(bytes[to - 1]);
        for (int index : BY_LENGTH[length]) {
            byte[] line = Http2FieldTable.fixed(index).line();
            if (line[0] == first && line[length - 1] == last && Syntax.equalsIgnoreCase(bytes, from, to, line, 0, length)) {
                return index;
            }
        }
        return 0;
    }

    /// RFC 7541 section 5.1.
    private static void integer(int value, int prefixBits, ByteBuf out) {
        int mask = (1 << prefixBits) - 1;
        if (value < mask) {
            out.writeByte(value);
            return;
        }
        out.writeByte(mask);
        int rest = value - mask;
        while (rest >= 0x80) {
            out.writeByte((rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        out.writeByte(rest);
    }

    @Override
    public Http2HeadersEncoder.Configuration configuration() {
        return this;
    }

    @Override
    public void maxHeaderTableSize(long max) {
        announceEmptyTable |= max < tableSize;
        tableSize = Math.min(max, Http2FieldTable.LARGEST);
    }

    @Override
    public long maxHeaderTableSize() {
        return tableSize;
    }

    /// Advice that a proxy can't follow: the response is as large as it is.
    @Override
    public void maxHeaderListSize(long max) {}

    @Override
    public long maxHeaderListSize() {
        return Long.MAX_VALUE;
    }
}
