package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;

/// Reads a start line and field lines from an HTTP/1 connection into a [FieldSection] (RFC 9112 sections 2 to 5), strictly:
/// lines end in CR LF and nothing else, no field line is folded, no blank stands before a colon. The bytes are copied once
/// and looked at once; a line that is not complete yet is looked at again when more has come.
abstract class HeadParser {
    /// How much is copied at a time: more than most heads have, little enough when a body follows.
    private static final int STEP = 4096;
    /// More fields than any client needs; each costs index space and a look in every search.
    private static final int MOST_FIELDS = 256;

    private final int lineLimit;
    private final int fieldLimit;
    private final int sectionLimit;

    private FieldSection fields = new FieldSection(0);
    /// Where the next line begins that is not parsed yet.
    private int position;
    /// How far `fields.bytes` is filled.
    private int filled;
    private int sectionFrom;
    private boolean startLineRead;
    private boolean complete;

    HeadParser(int lineLimit, int fieldLimit, int sectionLimit) {
        this.lineLimit = lineLimit;
        this.fieldLimit = fieldLimit;
        this.sectionLimit = sectionLimit;
    }

    /// Begins anew.
    ///
    /// @param startLine whether a start line comes before the fields
    final void start(FieldSection fields, boolean startLine) {
        this.fields = fields;
        position = 0;
        filled = 0;
        sectionFrom = 0;
        startLineRead = !startLine;
        complete = false;
    }

    /// Whether the empty line that ends the section has been read.
    final boolean isComplete() {
        return complete;
    }

    /// How many bytes have been taken in: the size of the head once it is complete.
    final int size() {
        return position;
    }

    /// Whether not even an empty line before the start line has come.
    final boolean isUntouched() {
        return filled == 0;
    }

    /// Takes bytes in until the section is complete or there are no more. What follows the section stays in `in`.
    final Refusal read(ByteBuf in) {
        while (true) {
            int n = Math.min(in.readableBytes(), STEP);
            if (n == 0) {
                return Refusal.NONE;
            }
            fields.reserve(n);
            in.readBytes(fields.bytes, filled, n);
            filled += n;
            fields.end = filled;
            Refusal refusal = readLines();
            if (refusal != Refusal.NONE) {
                return refusal;
            }
            if (complete) {
                in.readerIndex(in.readerIndex() - (filled - position));
                // What is added goes where the empty line was.
                fields.end = position - 2;
                return Refusal.NONE;
            }
        }
    }

    /// The start line is in `bytes[from, to)`, without its CR LF.
    abstract Refusal startLine(byte[] bytes, int from, int to);

    /// The empty lines that may come before a start line; each is skipped.
    abstract boolean skipsEmptyLines();

    private Refusal readLines() {
        while (!complete) {
            int before = position;
            Refusal refusal = startLineRead ? readField() : readStartLine();
            if (refusal != Refusal.NONE || position == before) {
                return refusal;
            }
        }
        return Refusal.NONE;
    }

    private Refusal readStartLine() {
        byte[] b = fields.bytes;
        int i = position;
        while (i < filled && Syntax.isValue(b[i])) {
            i++;
        }
        if (i - position > lineLimit) {
            return Refusal.REQUEST_LINE_TOO_LONG;
        }
        if (i + 1 >= filled) {
            return i < filled && b[i] != '\r' ? lineBreak(b[i]) : Refusal.NONE;
        }
        if (b[i] != '\r' || b[i + 1] != '\n') {
            return lineBreak(b[i]);
        }
        if (i == position && skipsEmptyLines()) {
            // RFC 9112 section 2.2: an empty line or two from a client that ended its last body with one.
            position = i + 2;
            return position > lineLimit ? Refusal.REQUEST_LINE_TOO_LONG : Refusal.NONE;
        }
        Refusal refusal = startLine(b, position, i);
        position = i + 2;
        sectionFrom = position;
        startLineRead = true;
        return refusal;
    }

    private Refusal readField() {
        byte[] b = fields.bytes;
        int i = position;
        while (i < filled && Syntax.isToken(b[i])) {
            i++;
        }
        int nameTo = i;
        if (i == filled) {
            return unfinished();
        }
        if (b[i] != ':') {
            return i == position ? readEnd(b) : i - position > fieldLimit ? Refusal.FIELD_TOO_LARGE : noColon(b[i]);
        }
        if (i == position) {
            return Refusal.FIELD_NAME;
        }
        i++;
        while (i < filled && (b[i] == ' ' || b[i] == '\t')) {
            i++;
        }
        int valueFrom = i;
        while (i < filled && Syntax.isValue(b[i])) {
            i++;
        }
        if (i + 1 >= filled) {
            return i < filled && b[i] != '\r' ? valueBreak(b[i]) : unfinished();
        }
        if (b[i] != '\r' || b[i + 1] != '\n') {
            return valueBreak(b[i]);
        }
        int valueTo = i;
        while (valueTo > valueFrom && (b[valueTo - 1] == ' ' || b[valueTo - 1] == '\t')) {
            valueTo--;
        }
        if (i - position > fieldLimit) {
            return Refusal.FIELD_TOO_LARGE;
        }
        if (i + 2 - sectionFrom > sectionLimit || fields.count() == MOST_FIELDS) {
            return Refusal.FIELDS_TOO_LARGE;
        }
        fields.index(position, nameTo, valueFrom, valueTo, i + 2, FieldName.of(b, position, nameTo));
        position = i + 2;
        return Refusal.NONE;
    }

    /// A line that begins with no token: the empty line that ends the section, or an error.
    private Refusal readEnd(byte[] b) {
        if (b[position] != '\r') {
            return noColon(b[position]);
        }
        if (position + 1 == filled) {
            return Refusal.NONE;
        }
        if (b[position + 1] != '\n') {
            return Refusal.BARE_CR;
        }
        position += 2;
        complete = true;
        return Refusal.NONE;
    }

    private Refusal unfinished() {
        if (filled - position > fieldLimit) {
            return Refusal.FIELD_TOO_LARGE;
        }
        return filled - sectionFrom > sectionLimit ? Refusal.FIELDS_TOO_LARGE : Refusal.NONE;
    }

    private Refusal noColon(byte b) {
        boolean first = fields.bytes[position] == ' ' || fields.bytes[position] == '\t';
        return switch (b) {
            case ' ', '\t' -> first ? Refusal.FOLDED_LINE : Refusal.BLANK_BEFORE_COLON;
            case '\n' -> Refusal.BARE_LF;
            default -> Refusal.FIELD_NAME;
        };
    }

    private static Refusal valueBreak(byte b) {
        return b == '\n' ? Refusal.BARE_LF : b == '\r' ? Refusal.BARE_CR : Refusal.FIELD_VALUE;
    }

    private static Refusal lineBreak(byte b) {
        return b == '\n' ? Refusal.BARE_LF : b == '\r' ? Refusal.BARE_CR : Refusal.REQUEST_LINE;
    }
}
