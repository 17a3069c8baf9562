package dev.gatepost.dns.forward;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// One event loop's connection to an upstream by TCP or TLS, opened when there is something to ask and closed when there was
/// nothing for a while. Questions share it and are answered in any order (RFC 7766 section 6.2.1). Confined to the loop.
final class UpstreamStream {
    private static final int MOST_WAITING = 1024;
    private static final int LENGTH = 2;
    private static final int LONGEST = 65535;

    private final Standing standing;
    private final Optional<SslContext> tls;
    private final Bootstrap sockets;
    private final byte[] scratch;
    private final long idleNanos;
    private final Runnable forged;
    /// By id. What is sent before the connection is up waits here too.
    private final Map<Integer, StreamAttempt> waiting = new HashMap<>();
    private Optional<Channel> channel = Optional.empty();
    private boolean ready;
    private long usedNanos;

    UpstreamStream(Standing standing, Optional<SslContext> tls, Bootstrap sockets, byte[] scratch, long idleNanos, Runnable forged) {
        this.standing = standing;
        this.tls = tls;
        this.sockets = sockets;
        this.scratch = scratch;
        this.idleNanos = idleNanos;
        this.forged = forged;
    }

    void send(StreamAttempt attempt) {
        if (waiting.size() >= MOST_WAITING || waiting.putIfAbsent(attempt.sent.id(), attempt) != null) {
            attempt.lost("too many questions on one connection");
            return;
        }
        usedNanos = System.nanoTime();
        if (channel.isEmpty()) {
            connect();
        } else if (ready) {
            channel.ifPresent(open -> {
                write(open, attempt);
                open.flush();
            });
        }
    }

    void forget(StreamAttempt attempt) {
        waiting.remove(attempt.sent.id(), attempt);
    }

    void close() {
        channel.ifPresent(open -> {
            var _ = open.close();
        });
    }

    private void connect() {
        ChannelFuture connecting = sockets.clone()
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel opened) {
                        tls.ifPresent(context -> opened.pipeline().addLast(handshake(context, opened)));
                        opened.pipeline().addLast(new LengthFieldBasedFrameDecoder(LONGEST + LENGTH, 0, LENGTH, 0, LENGTH), new Receiver());
                    }
                })
                .connect(standing.upstream().address());
        Channel opening = connecting.channel();
        channel = Optional.of(opening);
        ready = false;
        opening.closeFuture().addListener(_ -> closed(opening, "the connection was closed"));
        connecting.addListener(done -> {
            if (!done.isSuccess()) {
                closed(opening, String.valueOf(done.cause().getMessage()));
            } else if (tls.isEmpty()) {
                opened(opening);
            }
        });
    }

    private SslHandler handshake(SslContext context, Channel opened) {
        InetSocketAddress address = standing.upstream().address();
        String expected = standing.upstream().tls().map(Upstream.Tls::serverName).filter(name -> !name.isEmpty())
                .orElseGet(() -> address.getAddress().getHostAddress());
        SslHandler handler = context.newHandler(opened.alloc(), expected, address.getPort());
        handler.setHandshakeTimeoutMillis(TimeUnit.SECONDS.toMillis(3));
        return handler;
    }

    private void opened(Channel open) {
        ready = true;
        for (StreamAttempt each : waiting.values()) {
            write(open, each);
        }
        open.flush();
        closeWhenIdle(open);
    }

    private static void write(Channel open, StreamAttempt attempt) {
        byte[] message = attempt.sent.message();
        ByteBuf framed = open.alloc().buffer(LENGTH + message.length).writeShort(message.length).writeBytes(message);
        var _ = open.write(framed, open.voidPromise());
    }

    private void closed(Channel which, String reason) {
        if (channel.filter(which::equals).isEmpty()) {
            return;
        }
        channel = Optional.empty();
        ready = false;
        List<StreamAttempt> left = new ArrayList<>(waiting.values());
        waiting.clear();
        left.forEach(each -> each.lost(reason));
    }

    private void closeWhenIdle(Channel open) {
        var _ = open.eventLoop().schedule(() -> {
            if (!open.isOpen()) {
                return;
            }
            if (waiting.isEmpty() && System.nanoTime() - usedNanos >= idleNanos) {
                var _ = open.close();
            } else {
                closeWhenIdle(open);
            }
        }, idleNanos, TimeUnit.NANOSECONDS);
    }

    private final class Receiver extends SimpleChannelInboundHandler<ByteBuf> {
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
            if (event instanceof SslHandshakeCompletionEvent handshake) {
                if (handshake.isSuccess()) {
                    opened(ctx.channel());
                } else {
                    closed(ctx.channel(), "TLS: " + handshake.cause().getMessage());
                    var _ = ctx.close();
                }
            }
            super.userEventTriggered(ctx, event);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext ctx, ByteBuf frame) {
            int length = Math.min(frame.readableBytes(), scratch.length);
            frame.getBytes(frame.readerIndex(), scratch, 0, length);
            StreamAttempt attempt = length < LENGTH ? null : waiting.get(AnswerReader.u16(scratch, 0));
            if (attempt == null) {
                // Somebody gave up waiting for it.
                return;
            }
            if (attempt.sent.isAnsweredBy(scratch, length)) {
                attempt.received(scratch, length);
            } else {
                forged.run();
                attempt.lost("an answer that doesn't fit the question");
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            closed(ctx.channel(), String.valueOf(cause.getMessage()));
            var _ = ctx.close();
        }
    }
}
