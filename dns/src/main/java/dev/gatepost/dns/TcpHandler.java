package dev.gatepost.dns;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers the queries of one connection (RFC 7766), as many at a time as the client sends. It reads only while the client
/// takes its answers, so a connection holds one read buffer and what the socket has not taken, and no more.
final class TcpHandler extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(TcpHandler.class);
    private static final int LENGTH = 2;

    /// No query of any use is longer.
    private static final int MAX_QUERY = 4096;

    private final Desk desk;
    private final Connections connections;
    private final int mostWaiting;
    private final QueryRecord.Transport transport;
    private final InetSocketAddress client;
    private final byte[] address;
    private ByteBuf pending = Unpooled.EMPTY_BUFFER;
    /// The client sends nothing more, and may wait for answers all the same.
    private boolean ended;
    private boolean closing;
    private int waiting;
    private long deadlineNanos;

    TcpHandler(Desk desk, Connections connections, QueryRecord.Transport transport, InetSocketAddress client) {
        this.desk = desk;
        this.connections = connections;
        this.mostWaiting = connections.limits().inFlight();
        this.transport = transport;
        this.client = client;
        this.address = client.getAddress().getAddress();
    }

    /// Begins to read. The first query has to be there in time.
    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        deadlineNanos = System.nanoTime() + connections.limits().firstQuery().toNanos();
        checkLater(ctx);
        if (ctx.channel().isActive()) {
            ctx.read();
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        ctx.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        pending = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), pending, (ByteBuf) message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        proceed(ctx);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (ctx.channel().isWritable()) {
            proceed(ctx);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent || event instanceof SslCloseCompletionEvent) {
            ended = true;
            proceed(ctx);
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        pending.release();
        pending = Unpooled.EMPTY_BUFFER;
    }

    /// A reset by the client is ordinary.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LOG.debug("dns: connection of {} ended", client, cause);
        var _ = ctx.close();
    }

    /// Sends what has been answered, then closes.
    static void drain(io.netty.channel.Channel channel) {
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    private void proceed(ChannelHandlerContext ctx) {
        boolean answered = false;
        while (!closing && waiting < mostWaiting && ctx.channel().isWritable() && pending.readableBytes() >= LENGTH) {
            int length = pending.getUnsignedShort(pending.readerIndex());
            if (length < Query.HEADER || length > MAX_QUERY) {
                closing = true;
                break;
            }
            if (pending.readableBytes() < LENGTH + length) {
                break;
            }
            pending.skipBytes(LENGTH).readBytes(desk.in, 0, length);
            answered |= answer(ctx, length);
        }
        if (answered) {
            deadlineNanos = System.nanoTime() + connections.idleNanos();
            ctx.flush();
        }
        closing |= ended && waiting < mostWaiting && ctx.channel().isWritable();
        if (closing) {
            // What was asked is answered first; the rest of the stream can't be told apart.
            if (waiting == 0) {
                drain(ctx.channel());
            }
            return;
        }
        if (!pending.isReadable()) {
            // Nothing is kept for a connection that waits.
            pending.release();
            pending = Unpooled.EMPTY_BUFFER;
        }
        if (waiting < mostWaiting && ctx.channel().isWritable()) {
            ctx.read();
        }
    }

    private boolean answer(ChannelHandlerContext ctx, int length) {
        long now = System.nanoTime();
        int written = desk.answer(length, transport, address, client.getPort(), now);
        if (written == Responder.LATER) {
            waiting++;
            desk.later((answer, size) -> answeredLater(ctx, answer, size));
            return false;
        }
        if (written == Responder.DROPPED) {
            closing = true;
            return false;
        }
        write(ctx, desk.out, written);
        return true;
    }

    /// Answers go out as they come, in whatever order (RFC 7766 section 6.2.1.1).
    private void answeredLater(ChannelHandlerContext ctx, byte[] answer, int length) {
        waiting--;
        if (!ctx.channel().isActive()) {
            return;
        }
        write(ctx, answer, length);
        ctx.flush();
        deadlineNanos = System.nanoTime() + connections.idleNanos();
        if (closing || waiting == mostWaiting - 1) {
            proceed(ctx);
        }
    }

    private static void write(ChannelHandlerContext ctx, byte[] answer, int length) {
        ByteBuf bytes = ctx.alloc().directBuffer(LENGTH + length).writeShort(length).writeBytes(answer, 0, length);
        var _ = ctx.write(bytes, ctx.voidPromise());
    }

    /// One timer at a time, set anew when it finds that there was life. A client that doesn't read has no query answered,
    /// and so ends here too.
    private void checkLater(ChannelHandlerContext ctx) {
        long delay = Math.max(0, deadlineNanos - System.nanoTime());
        var _ = ctx.executor().schedule(() -> {
            if (!ctx.channel().isActive()) {
                return;
            }
            if (waiting > 0) {
                // Not the client's silence: what it waits for has a deadline of its own.
                deadlineNanos = System.nanoTime() + connections.idleNanos();
            }
            if (System.nanoTime() - deadlineNanos >= 0) {
                var _ = ctx.close();
            } else {
                checkLater(ctx);
            }
        }, delay, TimeUnit.NANOSECONDS);
    }
}
