package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.GatewayConfig.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersDecoder;
import io.netty.util.concurrent.FastThreadLocal;

/// Decodes the header blocks of one client connection (HPACK, RFC 7541) straight into the bytes that an exchange works on:
/// no object a field. A list that is malformed or over its limits is decoded to its end all the same, so that the table
/// stays in step and the request can be refused, and logged, like any other.
final class Http2FieldDecoder implements Http2HeadersDecoder, Http2HeadersDecoder.Configuration {
    private static final FastThreadLocal<Http2Fields> FIELDS = new FastThreadLocal<>() {
        @Override
        protected Http2Fields initialValue() {
            return new Http2Fields();
        }
    };
    private static final FastThreadLocal<byte[]> BLOCK = new FastThreadLocal<>() {
        @Override
        protected byte[] initialValue() {
            return new byte[1024];
        }
    };

    private final Limits limits;
    private final Http2FieldTable table = new Http2FieldTable();
    private byte[] block = {};
    private int at;
    private int end;

    Http2FieldDecoder(Limits limits) {
        this.limits = limits;
    }

    @Override
    public Http2Headers decodeHeaders(int streamId, ByteBuf headerBlock) throws Http2Exception {
        Http2Fields fields = FIELDS.get();
        fields.begin(limits);
        take(headerBlock);
        fields.encodedLength = end;
        boolean mayResize = true;
        while (at < end) {
            int first = block[at];
            if (first < 0) {
                indexed(fields, integer(7));
                mayResize = false;
            } else if ((first & 0xc0) == 0x40) {
                literal(fields, integer(6), true);
                mayResize = false;
            } else if ((first & 0xe0) == 0x20) {
                resize(integer(5), mayResize);
            } else {
                literal(fields, integer(4), false);
                mayResize = false;
            }
        }
        block = EMPTY;
        return fields;
    }

    private static final byte[] EMPTY = {};

    private void take(ByteBuf headerBlock) {
        int length = headerBlock.readableBytes();
        byte[] scratch = BLOCK.get();
        if (scratch.length < length) {
            scratch = new byte[Math.max(length, scratch.length * 2)];
            BLOCK.set(scratch);
        }
        headerBlock.readBytes(scratch, 0, length);
        block = scratch;
        at = 0;
        end = length;
    }

    /// RFC 7541 section 5.1. Nothing in a header block needs more than 28 bits.
    private int integer(int prefixBits) throws Http2Exception {
        int mask = (1 << prefixBits) - 1;
        int value = block[at++] & mask;
        if (value < mask) {
            return value;
        }
        for (int shift = 0; shift < 28; shift += 7) {
            if (at == end) {
                throw malformed("integer is cut off");
            }
            int b = block[at++];
            value += (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw malformed("integer too large");
    }

    private void resize(int size, boolean mayResize) throws Http2Exception {
        if (!mayResize || size > Http2FieldTable.LARGEST) {
            throw malformed("table size update to " + size + (mayResize ? " (expected: at most 4096)" : " behind a field"));
        }
        table.resize(size);
    }

    private void indexed(Http2Fields fields, int index) throws Http2Exception {
        Http2FieldTable.Entry entry = entry(index);
        byte[] line = entry.line();
        int nameLength = entry.nameLength();
        if (!fields.admit(nameLength, line.length - nameLength, entry.kind())) {
            return;
        }
        FieldSection section = fields.section;
        section.reserve(line.length + 4);
        int nameFrom = section.end;
        System.arraycopy(line, 0, section.bytes, nameFrom, nameLength);
        int valueFrom = appendColon(section, nameFrom + nameLength);
        System.arraycopy(line, nameLength, section.bytes, valueFrom, line.length - nameLength);
        int valueTo = valueFrom + line.length - nameLength;
        appendLineEnd(section, valueTo);
        fields.index(nameFrom, nameFrom + nameLength, valueFrom, valueTo, entry.kind());
    }

    private void literal(Http2Fields fields, int nameIndex, boolean add) throws Http2Exception {
        FieldSection section = fields.section;
        int nameFrom = section.end;
        int kind;
        int nameTo;
        if (nameIndex == 0) {
            nameTo = string(section, nameFrom);
            kind = Http2FieldKind.ofName(section.bytes, nameFrom, nameTo);
        } else {
            Http2FieldTable.Entry entry = entry(nameIndex);
            section.reserve(entry.nameLength() + 4);
            System.arraycopy(entry.line(), 0, section.bytes, nameFrom, entry.nameLength());
            nameTo = nameFrom + entry.nameLength();
            kind = entry.kind() == Http2FieldKind.INVALID_VALUE ? Http2FieldKind.ofName(section.bytes, nameFrom, nameTo) : entry.kind();
        }
        section.end = nameTo;
        section.reserve(2);
        int valueFrom = appendColon(section, nameTo);
        int valueTo = string(section, valueFrom);
        if (kind != Http2FieldKind.INVALID_NAME && !Http2FieldKind.isValue(section.bytes, valueFrom, valueTo)) {
            kind = Http2FieldKind.INVALID_VALUE;
        }
        if (add) {
            table.add(entryOf(section.bytes, nameFrom, nameTo, valueFrom, valueTo, kind));
        }
        if (!fields.admit(nameTo - nameFrom, valueTo - valueFrom, kind)) {
            section.end = nameFrom;
            return;
        }
        section.end = valueTo;
        section.reserve(2);
        appendLineEnd(section, valueTo);
        fields.index(nameFrom, nameTo, valueFrom, valueTo, kind);
    }

    private static Http2FieldTable.Entry entryOf(byte[] bytes, int nameFrom, int nameTo, int valueFrom, int valueTo, int kind) {
        int nameLength = nameTo - nameFrom;
        byte[] line = new byte[nameLength + valueTo - valueFrom];
        System.arraycopy(bytes, nameFrom, line, 0, nameLength);
        System.arraycopy(bytes, valueFrom, line, nameLength, valueTo - valueFrom);
        return new Http2FieldTable.Entry(line, nameLength, kind);
    }

    private Http2FieldTable.Entry entry(int index) throws Http2Exception {
        Http2FieldTable.Entry entry = table.get(index);
        if (entry == null) {
            throw malformed("no table entry " + index);
        }
        return entry;
    }

    /// Decodes a string (RFC 7541 section 5.2) to the section's bytes at `target` and returns where it ends.
    private int string(FieldSection section, int target) throws Http2Exception {
        if (at == end) {
            throw malformed("string is missing");
        }
        boolean huffman = block[at] < 0;
        int length = integer(7);
        if (length > end - at) {
            throw malformed("string is cut off");
        }
        int from = at;
        at += length;
        section.end = target;
        if (!huffman) {
            section.reserve(length);
            System.arraycopy(block, from, section.bytes, target, length);
            return target + length;
        }
        section.reserve(Http2Huffman.mostDecoded(length));
        int decoded = Http2Huffman.decode(block, from, at, section.bytes, target);
        if (decoded < 0) {
            throw malformed("Huffman code");
        }
        return decoded;
    }

    private static int appendColon(FieldSection section, int at) {
        section.bytes[at] = ':';
        section.bytes[at + 1] = ' ';
        return at + 2;
    }

    private static void appendLineEnd(FieldSection section, int at) {
        section.bytes[at] = '\r';
        section.bytes[at + 1] = '\n';
        section.end = at + 2;
    }

    /// The table is out of step afterwards, and so is the connection (RFC 7541 section 2.3.3, RFC 9113 section 4.3).
    private static Http2Exception malformed(String what) {
        return Http2Exception.connectionError(Http2Error.COMPRESSION_ERROR, "HPACK: %s", what);
    }

    @Override
    public Http2HeadersDecoder.Configuration configuration() {
        return this;
    }

    @Override
    public void maxHeaderTableSize(long max) {}

    @Override
    public long maxHeaderTableSize() {
        return Http2FieldTable.LARGEST;
    }

    /// Fixed by the configuration, like the table's size.
    @Override
    public void maxHeaderListSize(long max, long goAwayMax) {}

    @Override
    public long maxHeaderListSize() {
        return limits.headers();
    }

    /// The longest header block that is collected from HEADERS and CONTINUATION; above it the connection ends.
    @Override
    public long maxHeaderListSizeGoAway() {
        return limits.headers() + limits.headers() / 4L;
    }
}
