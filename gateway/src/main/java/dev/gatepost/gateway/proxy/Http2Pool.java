package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.route.EndpointProtocol;
import dev.gatepost.gateway.tls.UpstreamTls.Offer;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The HTTP/2 connections of one event loop to one endpoint, and the requests that wait for one to open. Few are opened:
/// another one only when all have as many streams as the endpoint takes. Where ALPN chooses HTTP/1, it opens one a request,
/// which [EndpointPool] keeps afterwards.
final class Http2Pool {
    /// Before an endpoint has said how many streams it takes. RFC 9113 section 6.5.2 asks for 100 at least.
    private static final int EXPECTED_STREAMS = 100;

    private final GateLoop loop;
    private final EndpointPool pool;
    private final EndpointProtocol protocol;
    private final List<Http2UpstreamConnection> connections = new ArrayList<>();
    private final ArrayDeque<Http2Upstream> waiting = new ArrayDeque<>();
    /// Connections that are being opened, but for those that are meant for one request.
    private int opening;
    /// What ALPN chose last.
    private boolean http1;
    private boolean advancing;
    private boolean retired;

    Http2Pool(GateLoop loop, EndpointPool pool, EndpointProtocol protocol) {
        this.loop = loop;
        this.pool = pool;
        this.protocol = protocol;
    }

    EndpointPool endpoint() {
        return pool;
    }

    SslHandler tls(ByteBufAllocator allocator, Offer offer) {
        String name = protocol.serverName().isEmpty() ? pool.host : protocol.serverName();
        return loop.settings.upstreamTls().handler(allocator, name, pool.port, protocol.verified(), offer);
    }

    // ---- requests ----

    /// A stream on a connection that is there; null when none has room.
    ///
    /// @param tunnel the request asks to switch protocols
    @Nullable Http2Upstream take(boolean tunnel) {
        Http2UpstreamConnection connection = withRoom(tunnel);
        return connection == null ? null : new Http2Upstream(this, connection);
    }

    private @Nullable Http2UpstreamConnection withRoom(boolean tunnel) {
        for (int i = 0; i < connections.size(); i++) {
            Http2UpstreamConnection connection = connections.get(i);
            if (connection.hasRoom() && (!tunnel || connection.takesTunnels())) {
                return connection;
            }
        }
        return null;
    }

    /// Opens a connection for those attempts unless enough are being opened, and tells them.
    void connect(Attempts attempts, boolean tunnel) {
        Http2Upstream stream = new Http2Upstream(this, attempts, tunnel);
        attempts.connecting(stream);
        if (tunnel && protocol.scheme() == EndpointProtocol.Scheme.HTTPS) {
            // HTTP/1 is the protocol that surely can do it.
            pool.open(new Opening(loop, this, Offer.HTTP_1, stream), protocol.verified());
            return;
        }
        waiting.addLast(stream);
        openAsNeeded();
    }

    private int perConnection() {
        return http1 ? 1 : EXPECTED_STREAMS;
    }

    private void openAsNeeded() {
        while (opening * perConnection() < waiting.size()) {
            opening++;
            Offer offer = !protocol.scheme().isSecure() ? null : protocol.scheme().isHttp2() ? Offer.HTTP_2 : Offer.BOTH;
            pool.open(new Opening(loop, this, offer, null), protocol.verified());
        }
    }

    void leave(Http2Upstream stream) {
        waiting.remove(stream);
    }

    /// A stream has ended: there may be room. Whoever ended it is not done yet, so who waits goes on in the loop's next turn.
    void roomMade() {
        if (!waiting.isEmpty() && !advancing) {
            advancing = true;
            loop.eventLoop.execute(() -> {
                loop.touch();
                advancing = false;
                advance();
            });
        }
    }

    /// Gives those that wait the streams there are.
    void advance() {
        for (Http2Upstream first = waiting.peekFirst(); first != null; first = waiting.peekFirst()) {
            Http2UpstreamConnection connection = withRoom(first.isTunnel());
            if (connection != null) {
                waiting.removeFirst();
                first.open(connection);
            } else if (first.isTunnel() && withRoom(false) != null) {
                waiting.removeFirst();
                first.connectFailed(Cause.UPSTREAM_PROTOCOL_ERROR, "endpoint takes no WebSockets over HTTP/2 (RFC 8441), and speaks nothing else");
            } else {
                openAsNeeded();
                return;
            }
        }
    }

    // ---- connections ----

    /// One is there, and its endpoint has said what it takes.
    void ready(Http2UpstreamConnection connection) {
        opening--;
        http1 = false;
        connections.add(connection);
        if (retired) {
            connection.drain();
        }
        advance();
    }

    /// Takes no new stream, or is gone.
    void remove(Http2UpstreamConnection connection) {
        connections.remove(connection);
    }

    /// The endpoint prefers HTTP/1. Returns what is to speak it, for the request that waits longest.
    Http1Upstream http1(Opening opened) {
        Http2Upstream first = opened.sole();
        if (first == null) {
            opening--;
            http1 = true;
            first = waiting.pollFirst();
        }
        Attempts attempts = first == null ? null : first.takeAttempts();
        if (attempts != null) {
            opened.tellHandshake(attempts);
        }
        return new Http1Upstream(loop, pool, attempts);
    }

    /// TCP was there, but no more.
    void lost(Opening lost, Cause cause, String detail) {
        pool.openingFailed();
        failed(lost, cause, detail);
    }

    /// Those for which no connection is being opened any more learn that it failed.
    void failed(Opening failed, Cause cause, String detail) {
        Http2Upstream sole = failed.sole();
        if (sole != null) {
            sole.connectFailed(cause, detail);
            return;
        }
        opening--;
        List<Http2Upstream> hopeless = new ArrayList<>();
        while (waiting.size() > opening * perConnection()) {
            hopeless.add(waiting.removeFirst());
        }
        // Each may come back at once, to wait again.
        hopeless.forEach(stream -> stream.connectFailed(cause, detail));
    }

    /// Nothing is routed here any more: idle connections close, busy ones finish.
    void retire() {
        retired = true;
        List.copyOf(connections).forEach(Http2UpstreamConnection::drain);
    }
}
