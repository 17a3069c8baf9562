package dev.gatepost.gateway.proxy;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.TimeUnit;

/// Closes a connection in two steps: says that nothing more will be sent, reads on until the client closes as well or has
/// been silent for a while, and only then lets go. A close with unread bytes, such as a window update on its way, would be a reset,
/// which may destroy what the client has not read yet (RFC 9112 section 9.6).
final class LingeringClose extends ChannelDuplexHandler {
    private static final long SILENCE_SECONDS = 2;
    /// A client that is never silent is let go after so many rounds.
    private static final int MOST_ROUNDS = 10;

    private boolean closing;
    private boolean heard;
    private int rounds;

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
        if (closing || !ctx.channel().isActive()) {
            var _ = ctx.close(promise);
            return;
        }
        closing = true;
        ctx.flush();
        HalfClose.send(ctx.channel());
        ctx.channel().config().setAutoRead(true);
        awaitSilence(ctx, promise);
    }

    private void awaitSilence(ChannelHandlerContext ctx, ChannelPromise promise) {
        heard = false;
        Runnable round = () -> {
            if (heard && ++rounds < MOST_ROUNDS && ctx.channel().isActive()) {
                awaitSilence(ctx, promise);
            } else {
                var _ = ctx.close(promise);
            }
        };
        var _ = ctx.executor().schedule(round, SILENCE_SECONDS, TimeUnit.SECONDS);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (closing) {
            heard = true;
            ReferenceCountUtil.release(message);
        } else {
            ctx.fireChannelRead(message);
        }
    }
}
