package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.GatewayConfig.Limits;

/// Reads the trailer section of a chunked body (RFC 9112 section 7.1.2), and drops from it what may not stand there: fields
/// that frame, address or control the message (RFC 9110 section 6.5.1).
final class TrailerParser extends HeadParser {
    TrailerParser(Limits limits) {
        super(0, limits.header(), limits.headers());
    }

    void start(FieldSection trailers) {
        trailers.clear();
        start(trailers, false);
    }

    @Override
    boolean skipsEmptyLines() {
        return false;
    }

    @Override
    Refusal startLine(byte[] bytes, int from, int to) {
        return Refusal.TRAILER;
    }

    static void dropForbidden(FieldSection trailers) {
        for (int i = 0; i < trailers.count(); i++) {
            if (trailers.id(i) != FieldName.OTHER) {
                trailers.drop(i);
            }
        }
    }
}
