package dev.gatepost.dns.forward;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DatagramPacket;
import java.util.Optional;

/// Asks by UDP, from a socket of its own: the kernel picks its port at random and drops what comes from another address, so a
/// forger has to guess port, id and spelling, once per question (RFC 5452 section 9.2).
final class UdpAttempt extends Attempt {
    /// Wrong answers after which somebody is probably guessing.
    private static final int MOST_FORGED = 8;

    private final byte[] scratch;
    private final Runnable forged;
    private Optional<Channel> channel = Optional.empty();
    private int strays;

    /// @param scratch for what is received
    /// @param forged  told of each message that doesn't fit
    UdpAttempt(Asking asking, Standing standing, Sent sent, long startedNanos, byte[] scratch, Runnable forged) {
        super(asking, standing, sent, startedNanos);
        this.scratch = scratch;
        this.forged = forged;
    }

    void start(Bootstrap sockets) {
        ChannelFuture connecting = sockets.clone().handler(new Receiver()).connect(standing.upstream().address());
        channel = Optional.of(connecting.channel());
        connecting.addListener(done -> {
            if (isOver()) {
                var _ = connecting.channel().close();
            } else if (!done.isSuccess()) {
                lost(String.valueOf(done.cause().getMessage()));
            } else {
                connecting.channel().writeAndFlush(Unpooled.wrappedBuffer(sent.message())).addListener(written -> {
                    if (!written.isSuccess()) {
                        lost(String.valueOf(written.cause().getMessage()));
                    }
                });
            }
        });
    }

    @Override
    boolean isStream() {
        return false;
    }

    @Override
    void release() {
        channel.ifPresent(open -> {
            var _ = open.close();
        });
    }

    private final class Receiver extends SimpleChannelInboundHandler<DatagramPacket> {
        @Override
        protected void channelRead0(ChannelHandlerContext ctx, DatagramPacket packet) {
            ByteBuf content = packet.content();
            int length = Math.min(content.readableBytes(), scratch.length);
            content.getBytes(content.readerIndex(), scratch, 0, length);
            if (sent.isAnsweredBy(scratch, length)) {
                received(scratch, length);
                return;
            }
            forged.run();
            if (++strays == MOST_FORGED) {
                lost("answers that don't fit the question");
            }
        }

        /// Nobody listens there.
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            lost(String.valueOf(cause.getMessage()));
        }
    }
}
