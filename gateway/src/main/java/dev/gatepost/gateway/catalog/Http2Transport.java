package dev.gatepost.gateway.catalog;

import com.ecwid.consul.transport.HttpRequest;
import com.ecwid.consul.transport.HttpResponse;
import com.ecwid.consul.transport.HttpTransport;
import com.ecwid.consul.transport.TransportException;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// How consul-api's requests travel over [Http2Lines]. Only GET, which is all we ask.
final class Http2Transport implements HttpTransport {
    private final Http2Lines lines;
    private final String address;
    private final Duration silence;
    private final ConsulToken token;
    private final Consumer<Boolean> filtered;

    /// @param address  with which every URL begins
    /// @param silence  longest wait for the whole answer
    /// @param filtered told, before the answer is returned, whether it is short for want of rights
    Http2Transport(Http2Lines lines, String address, Duration silence, ConsulToken token, Consumer<Boolean> filtered) {
        this.lines = lines;
        this.address = address;
        this.silence = silence;
        this.token = token;
        this.filtered = filtered;
    }

    @Override
    public HttpResponse makeGetRequest(HttpRequest request) {
        try {
            Http2Line.Reply reply = lines.ask(request.getUrl().substring(address.length()), token.current(), silence);
            filtered.accept(reply.header("x-consul-results-filtered-by-acls").equals("true"));
            return new HttpResponse(
                    reply.status(),
                    "",
                    reply.body(),
                    value(reply, "x-consul-index", Long::parseUnsignedLong),
                    value(reply, "x-consul-knownleader", Boolean::valueOf),
                    value(reply, "x-consul-lastcontact", Long::valueOf));
        } catch (IOException e) {
            throw new TransportException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TransportException(e);
        }
    }

    private static <T> @Nullable T value(Http2Line.Reply reply, String header, Function<String, T> reading) {
        String value = reply.header(header);
        return value.isEmpty() ? null : reading.apply(value);
    }

    @Override
    public HttpResponse makePutRequest(HttpRequest request) {
        throw new UnsupportedOperationException("only GET: " + request.getUrl());
    }

    @Override
    public HttpResponse makeDeleteRequest(HttpRequest request) {
        throw new UnsupportedOperationException("only GET: " + request.getUrl());
    }
}
