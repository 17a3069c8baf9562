package dev.gatepost.gateway.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// Server-sent events (HTML, section 9.2): a response without an end in sight. It passes as any other; only the log gives it a name.
final class EventStream {
    private static final byte[] TYPE = "text/event-stream".getBytes(ISO_8859_1);

    private EventStream() {}

    /// Whether a Content-Type says so, whatever its parameters.
    static boolean is(byte[] b, int from, int to) {
        int end = from + TYPE.length;
        return end <= to && Syntax.equalsIgnoreCase(b, from, end, TYPE) && (end == to || b[end] == ';' || b[end] == ' ');
    }
}
