package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// How the connections of a listener without TLS begin that takes HTTP/2 as well: whoever sends its preface knows that it
/// may (RFC 9113 section 3.3), anybody else speaks HTTP/1. Upgrade to `h2c` is not taken: it is gone from HTTP/2.
final class CleartextStart extends ChannelInboundHandlerAdapter implements LiveConnection {
    /// No HTTP/1 request begins so: the line that follows names version 2.0.
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(ISO_8859_1);

    private static final Logger LOG = LoggerFactory.getLogger(CleartextStart.class);

    private final GateLoop loop;
    private final Channel channel;
    private final Deadline deadline = new Deadline(this::close);
    /// What has come so far, all of it the beginning of the preface.
    private ByteBuf begun = Unpooled.EMPTY_BUFFER;
    private long acceptedAt;
    private boolean over;

    private CleartextStart(GateLoop loop, Channel channel) {
        this.loop = loop;
        this.channel = channel;
    }

    static void begin(Channel channel, GateLoop loop) {
        channel.pipeline().addLast(new CleartextStart(loop, channel));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        loop.touch();
        acceptedAt = loop.now();
        loop.connected(this);
        loop.deadlines.add(deadline);
        deadline.at = acceptedAt + loop.requestHeaderNanos;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        loop.touch();
        ByteBuf in = (ByteBuf) message;
        if (over) {
            ctx.fireChannelRead(in);
            return;
        }
        ByteBuf all = in;
        if (begun.isReadable()) {
            all = ctx.alloc().buffer(begun.readableBytes() + in.readableBytes()).writeBytes(begun).writeBytes(in);
            in.release();
        }
        begun.release();
        begun = Unpooled.EMPTY_BUFFER;
        int length = Math.min(all.readableBytes(), PREFACE.length);
        boolean http2 = true;
        for (int i = 0; i < length && http2; i++) {
            http2 = all.getByte(all.readerIndex() + i) == PREFACE[i];
        }
        if (http2 && length < PREFACE.length) {
            begun = all;
            deadline.at = loop.now() + loop.requestHeaderNanos;
            return;
        }
        leave();
        loop.handedOver(this);
        if (http2) {
            loop.serveHttp2(channel, TlsFacts.NONE, acceptedAt);
        } else {
            loop.serveHttp1(channel, TlsFacts.NONE, acceptedAt);
        }
        ctx.fireChannelRead(all);
        ctx.pipeline().remove(this);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        loop.touch();
        if (!over) {
            leave();
            loop.disconnected(this);
        }
        ctx.fireChannelInactive();
    }

    private void leave() {
        over = true;
        deadline.at = Deadline.NEVER;
        loop.deadlines.remove(deadline);
        begun.release();
        begun = Unpooled.EMPTY_BUFFER;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable problem) {
        LOG.trace("connection from {} ended", channel.remoteAddress(), problem);
        var _ = ctx.close();
    }

    /// A request may be on its way: what follows is served once.
    @Override
    public void drain() {
        if (!begun.isReadable()) {
            deadline.at = Math.min(deadline.at, loop.now() + Http1Connection.QUIET_NANOS);
        }
    }

    @Override
    public void kill() {
        close();
    }

    @Override
    public void close() {
        if (!over) {
            leave();
            loop.disconnected(this);
        }
        var _ = channel.close();
    }
}
