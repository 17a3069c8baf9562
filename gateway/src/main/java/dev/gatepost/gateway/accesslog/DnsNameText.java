package dev.gatepost.gateway.accesslog;

/// A name in wire format, written as text inside a JSON string: lower case, so that one name is one term in an index whatever
/// case the resolver rolled, and without its final dot. `.` and `\` inside a label are escaped as RFC 4343 section 2.1
/// has it, other bytes that don't print as `\DDD`. A name that stops short is written as far as it goes.
final class DnsNameText {
    private DnsNameText() {}

    static void write(byte[] query, int from, int to, JsonLine line) {
        int i = from;
        boolean empty = true;
        while (i < to) {
            int length = query[i++] & 0xff;
            if (length == 0 || length > 63 || length > to - i) {
                break;
            }
            if (!empty) {
                line.raw('.');
            }
            empty = false;
            for (int end = i + length; i < end; i++) {
                character(query[i] & 0xff, line);
            }
        }
        if (empty) {
            line.raw('.');
        }
    }

    private static void character(int c, JsonLine line) {
        if (c >= 'A' && c <= 'Z') {
            line.raw((char) (c | 0x20));
        } else if (c == '.' || c == '\\') {
            line.raw('\\');
            line.raw('\\');
            if (c == '\\') {
                line.raw('\\');
            }
            line.raw((char) c);
        } else if (c == '"') {
            line.raw('\\');
            line.raw('"');
        } else if (c > 0x20 && c < 0x7f) {
            line.raw((char) c);
        } else {
            line.raw('\\');
            line.raw('\\');
            line.raw((char) ('0' + c / 100));
            line.twoDigits(c % 100);
        }
    }
}
