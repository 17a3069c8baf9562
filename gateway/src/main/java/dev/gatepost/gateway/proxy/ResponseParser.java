package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.GatewayConfig.Limits;

/// Reads response heads of HTTP/1 (RFC 9112 section 4).
final class ResponseParser extends HeadParser {
    private ResponseHead head = new ResponseHead();

    ResponseParser(Limits limits) {
        super(limits.header(), limits.header(), limits.headers());
    }

    void start(ResponseHead head) {
        this.head = head;
        head.clear();
        start(head.fields, true);
    }

    @Override
    boolean skipsEmptyLines() {
        return false;
    }

    /// `HTTP/1.1 SP 200 [SP reason]`: the blank after the status may be missing with the reason, as many servers do it.
    @Override
    Refusal startLine(byte[] b, int from, int to) {
        if (to - from < 12
                || b[from] != 'H'
                || b[from + 1] != 'T'
                || b[from + 2] != 'T'
                || b[from + 3] != 'P'
                || b[from + 4] != '/'
                || b[from + 5] != '1'
                || b[from + 6] != '.'
                || !Syntax.isDigit(b[from + 7])
                || b[from + 8] != ' '
                || (to - from > 12 && b[from + 12] != ' ')) {
            return Refusal.STATUS_LINE;
        }
        head.version = b[from + 7] == '0' ? 10 : 11;
        head.status = (int) Syntax.decimal(b, from + 9, from + 12);
        head.reasonFrom = Math.min(from + 13, to);
        head.reasonTo = to;
        head.fieldsFrom = to + 2;
        return head.status < 100 ? Refusal.STATUS_LINE : Refusal.NONE;
    }
}
