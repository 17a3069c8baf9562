package dev.gatepost.gateway.catalog;

import com.ecwid.consul.transport.HttpRequest;
import com.ecwid.consul.transport.HttpResponse;
import com.ecwid.consul.transport.HttpTransport;
import com.ecwid.consul.transport.TransportException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.function.Consumer;

/// How consul-api's requests travel over [Http2Lines]. Only GET, which is all we ask.
final class Http2Transport implements HttpTransport {
    private final Http2Lines lines;
    private final Duration silence;
    private final ConsulToken token;
    private final Consumer<Boolean> filtered;

    /// @param silence  longest wait for the whole answer
    /// @param filtered told, before the answer is returned, whether it is short for want of rights
    Http2Transport(Http2Lines lines, Duration silence, ConsulToken token, Consumer<Boolean> filtered) {
        this.lines = lines;
        this.silence = silence;
        this.token = token;
        this.filtered = filtered;
    }

    @Override
    public HttpResponse makeGetRequest(HttpRequest request) {
        java.net.http.HttpRequest.Builder get = java.net.http.HttpRequest.newBuilder(URI.create(request.getUrl()))
                .timeout(silence)
                .header("User-Agent", "gatepost");
        String secret = token.current();
        if (!secret.isEmpty()) {
            get.header("X-Consul-Token", secret);
        }
        try {
            java.net.http.HttpResponse<String> response = send(get.build());
            HttpHeaders headers = response.headers();
            filtered.accept(headers.firstValue("X-Consul-Results-Filtered-By-ACLs").filter("true"::equals).isPresent());
            return new HttpResponse(
                    response.statusCode(),
                    "",
                    response.body(),
                    headers.firstValue("X-Consul-Index").map(Long::parseUnsignedLong).orElse(null),
                    headers.firstValue("X-Consul-Knownleader").map(Boolean::valueOf).orElse(null),
                    headers.firstValue("X-Consul-Lastcontact").map(Long::valueOf).orElse(null));
        } catch (IOException e) {
            throw new TransportException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TransportException(e);
        }
    }

    private java.net.http.HttpResponse<String> send(java.net.http.HttpRequest request) throws IOException, InterruptedException {
        while (true) {
            Http2Lines.Line line = lines.take();
            try {
                return line.client().send(request, java.net.http.HttpResponse.BodyHandlers.ofString());
            } catch (HttpTimeoutException e) {
                // Nothing came for longer than the agent may stay silent: whatever else waits on this connection waits in vain.
                lines.retire(line);
                throw e;
            } catch (IOException e) {
                if (!lines.isFull(line, e)) {
                    throw e;
                }
            } finally {
                lines.giveBack(line);
            }
        }
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
