package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.tls.UpstreamTls.Offer;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import org.jspecify.annotations.Nullable;

/// The beginning of a connection to an endpoint by TLS or HTTP/2: the handshake, then the protocol that it chose, which
/// takes this handler's place.
final class Opening extends ChannelInboundHandlerAdapter implements Connecting {
    private final GateLoop loop;
    private final Http2Pool pool;
    private final @Nullable Offer offer;
    /// The one request that this connection is for; null when any may have it.
    private final @Nullable Http2Upstream sole;
    private long connectedAt;
    private long securedAt;
    private boolean over;

    /// @param offer null without TLS
    Opening(GateLoop loop, Http2Pool pool, @Nullable Offer offer, @Nullable Http2Upstream sole) {
        this.loop = loop;
        this.pool = pool;
        this.offer = offer;
        this.sole = sole;
    }

    @Nullable Offer offer() {
        return offer;
    }

    @Nullable Http2Upstream sole() {
        return sole;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        if (offer != null) {
            SslHandler tls = pool.tls(ctx.alloc(), offer);
            tls.setHandshakeTimeoutMillis(loop.connectNanos / 1_000_000);
            ctx.pipeline().addBefore(ctx.name(), "tls", tls);
        }
    }

    /// To those attempts that are about to get what was opened.
    void tellHandshake(Attempts attempts) {
        if (offer != null) {
            attempts.secured(connectedAt, securedAt);
        }
    }

    @Override
    public void connected() {}

    @Override
    public void connectFailed(Cause cause, String detail) {
        if (!over) {
            over = true;
            pool.failed(this, cause, detail);
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        loop.touch();
        connectedAt = loop.now();
        if (offer == null) {
            http2(ctx, false);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (!(event instanceof SslHandshakeCompletionEvent handshake) || over) {
            ctx.fireUserEventTriggered(event);
            return;
        }
        loop.touch();
        if (!handshake.isSuccess()) {
            lost(ctx, FailedHandshake.describe(handshake.cause()));
            return;
        }
        securedAt = loop.now();
        SslHandler tls = ctx.pipeline().get(SslHandler.class);
        // While the handshake's last task is at work, the TLS handler does not listen to a flush.
        ctx.executor().execute(ctx.channel()::flush);
        boolean http2 = ApplicationProtocolNames.HTTP_2.equals(tls.applicationProtocol());
        if (http2) {
            http2(ctx, true);
        } else if (offer == Offer.HTTP_2) {
            lost(ctx, "endpoint did not choose h2 (expected: HTTP/2 over TLS, by ALPN)");
        } else {
            over = true;
            Http1Upstream connection = pool.http1(this);
            ctx.pipeline().addLast(connection);
            ctx.pipeline().remove(this);
            connection.connected();
            pool.advance();
        }
    }

    private void http2(ChannelHandlerContext ctx, boolean secure) {
        over = true;
        ctx.pipeline().addLast(new Http2UpstreamConnection(loop, pool, this, secure));
        ctx.pipeline().remove(this);
    }

    private void lost(ChannelHandlerContext ctx, String detail) {
        if (!over) {
            over = true;
            pool.lost(this, Cause.UPSTREAM_TLS, detail);
            var _ = ctx.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        loop.touch();
        lost(ctx, "handshake: connection closed by the endpoint");
    }

    /// The handshake's event tells it.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable problem) {
        loop.touch();
        lost(ctx, FailedHandshake.describe(problem));
    }
}
