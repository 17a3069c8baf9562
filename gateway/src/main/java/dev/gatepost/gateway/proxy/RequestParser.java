package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.GatewayConfig.Limits;

/// Reads request heads of HTTP/1 (RFC 9112 section 3).
final class RequestParser extends HeadParser {
    private RequestHead head = new RequestHead();

    RequestParser(Limits limits) {
        super(limits.requestLine(), limits.header(), limits.headers());
    }

    void start(RequestHead head) {
        this.head = head;
        start(head.fields, true);
    }

    @Override
    boolean skipsEmptyLines() {
        return true;
    }

    /// `METHOD SP TARGET SP HTTP/1.1`, with exactly one blank between the parts: more lenient readers disagree on what the
    /// target is.
    @Override
    Refusal startLine(byte[] b, int from, int to) {
        int i = from;
        while (i < to && Syntax.isToken(b[i])) {
            i++;
        }
        if (i == from || i == to || b[i] != ' ') {
            return Refusal.METHOD;
        }
        head.methodFrom = from;
        head.methodTo = i;
        int targetFrom = i + 1;
        i = targetFrom;
        while (i < to && b[i] != ' ') {
            i++;
        }
        head.targetFrom = targetFrom;
        head.targetTo = i;
        if (i == targetFrom) {
            return Refusal.TARGET;
        }
        return version(b, i + 1, to);
    }

    private Refusal version(byte[] b, int from, int to) {
        if (to - from != 8
                || b[from] != 'H'
                || b[from + 1] != 'T'
                || b[from + 2] != 'T'
                || b[from + 3] != 'P'
                || b[from + 4] != '/'
                || !Syntax.isDigit(b[from + 5])
                || b[from + 6] != '.'
                || !Syntax.isDigit(b[from + 7])) {
            return Refusal.REQUEST_LINE;
        }
        if (b[from + 5] != '1') {
            return Refusal.VERSION;
        }
        // A higher minor version speaks 1.1 with us (RFC 9110 section 2.5).
        head.version = b[from + 7] == '0' ? 10 : 11;
        return Refusal.NONE;
    }
}
