package dev.gatepost.gateway;

import dev.gatepost.dns.DnsServer;
import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.proxy.LocalService;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/// DNS queries by GET and POST (RFC 8484), answered by the post on the event loop that the request came to.
final class DnsOverHttps implements LocalService {
    /// In place of a route's, in the access log and in explanations.
    static final String ID = "dns-over-https";
    private static final String MESSAGE = "application/dns-message";
    private static final String PARAMETER = "dns=";
    /// As by TCP: no query of any use is longer.
    private static final int LONGEST_QUERY = 4096;

    private final Supplier<Optional<DnsServer>> server;

    /// @param server the one that answers; none while the gateway starts
    DnsOverHttps(Supplier<Optional<DnsServer>> server) {
        this.server = server;
    }

    @Override
    public int longestBody() {
        return LONGEST_QUERY;
    }

    @Override
    public void serve(Asked asked, ByteBuf body, Reply reply) {
        switch (asked.method()) {
            case "GET" -> get(asked, reply);
            case "POST" -> {
                // Parameters of the type mean nothing.
                if (!asked.contentType().split(";", 2)[0].strip().toLowerCase(Locale.ROOT).equals(MESSAGE)) {
                    reply.refusal(415, Cause.REQUEST_MALFORMED, "", "content type (expected: " + MESSAGE + ")");
                } else {
                    answer(asked, body, reply);
                }
            }
            default -> reply.refusal(405, Cause.METHOD_NOT_ALLOWED, "Allow: GET, POST\r\n", "");
        }
    }

    private void get(Asked asked, Reply reply) {
        for (String parameter : asked.query().split("&", -1)) {
            if (!parameter.startsWith(PARAMETER)) {
                continue;
            }
            byte[] message;
            try {
                message = Base64.getUrlDecoder().decode(parameter.substring(PARAMETER.length()));
            } catch (IllegalArgumentException _) {
                break;
            }
            if (message.length > LONGEST_QUERY) {
                reply.refusal(413, Cause.BODY_TOO_LARGE, "", "DNS message over " + LONGEST_QUERY + " bytes");
            } else {
                answer(asked, Unpooled.wrappedBuffer(message), reply);
            }
            return;
        }
        reply.refusal(400, Cause.REQUEST_MALFORMED, "", "target (expected: ?dns= with a message in base64url)");
    }

    private void answer(Asked asked, ByteBuf message, Reply reply) {
        Optional<DnsServer> answering = server.get();
        if (answering.isEmpty()) {
            reply.refusal(503, Cause.NO_CATALOG, "Retry-After: 1\r\n", "");
            return;
        }
        answering.get().answerHttps(asked.loop(), message, asked.client(), asked.port(), (answer, length, maxAgeSeconds) -> {
            if (length == 0) {
                reply.refusal(400, Cause.REQUEST_MALFORMED, "", "DNS message (expected: a query)");
                return;
            }
            ByteBuf content = PooledByteBufAllocator.DEFAULT.directBuffer(length).writeBytes(answer, 0, length);
            reply.content(MESSAGE, "Cache-Control: " + (maxAgeSeconds > 0 ? "max-age=" + maxAgeSeconds : "no-store") + "\r\n", content);
        });
    }
}
