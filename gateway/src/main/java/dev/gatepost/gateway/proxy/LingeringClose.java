package dev.gatepost.gateway.proxy;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;

/// Closes a connection in two steps: says that nothing more will be sent, reads on until the client closes as well, for a
/// bounded time, and only then lets go. A close with unread bytes, such as a window update on its way, would be a reset,
/// which may destroy what the client has not read yet (RFC 9112 section 9.6).
final class LingeringClose extends ChannelDuplexHandler {
    private static final long LONGEST_SECONDS = 10;

    private boolean closing;

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
        if (closing || !ctx.channel().isActive()) {
            var _ = ctx.close(promise);
            return;
        }
        closing = true;
        ctx.flush();
        SslHandler tls = ctx.pipeline().get(SslHandler.class);
        if (tls != null) {
            var _ = tls.closeOutbound();
        } else if (ctx.channel() instanceof DuplexChannel duplex) {
            var _ = duplex.shutdownOutput();
        }
        ctx.channel().config().setAutoRead(true);
        Runnable letGo = () -> {
            var _ = ctx.close(promise);
        };
        var _ = ctx.executor().schedule(letGo, LONGEST_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (closing) {
            ReferenceCountUtil.release(message);
        } else {
            ctx.fireChannelRead(message);
        }
    }
}
