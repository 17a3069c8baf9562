package dev.gatepost.dns;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;

/// Waits for the end of a handshake and ends the connection when the client wants to speak something else than DNS
/// (RFC 7301 section 3.2): what it would send is no query. Without ALPN it may be an older client. Removes itself.
final class TlsHandshake extends ChannelInboundHandlerAdapter {
    private static final String PROTOCOL = "dot";

    private final Desk desk;

    TlsHandshake(Desk desk) {
        this.desk = desk;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (!(event instanceof SslHandshakeCompletionEvent handshake)) {
            ctx.fireUserEventTriggered(event);
            return;
        }
        if (handshake.isSuccess() && speaksDns(ctx)) {
            // By Nagle's algorithm a client may keep its query until this is acknowledged, which the kernel would put off by 40 ms.
            ctx.channel().config().setOption(EpollChannelOption.TCP_QUICKACK, true);
            ctx.pipeline().remove(this);
            return;
        }
        desk.counters.add(DnsCounters.Loop.FAILED_HANDSHAKES, 1);
        var _ = ctx.close();
    }

    private static boolean speaksDns(ChannelHandlerContext ctx) {
        String chosen = ctx.pipeline().get(SslHandler.class).applicationProtocol();
        return chosen == null || chosen.equals(PROTOCOL);
    }
}
