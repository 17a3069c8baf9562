package dev.gatepost.dns;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Takes the PROXY protocol header from the beginning of a trusted proxy's connection, has it served for the client that the
/// header names, and leaves the pipeline.
final class ProxyStart extends ChannelInboundHandlerAdapter {
    private final Desk desk;
    private final InetSocketAddress proxy;
    private final long timeoutNanos;
    private final Consumer<InetSocketAddress> served;
    private ByteBuf pending = Unpooled.EMPTY_BUFFER;

    /// @param served adds the handlers that serve that client, behind this one; told of none where it closes instead
    ProxyStart(Desk desk, InetSocketAddress proxy, long timeoutNanos, Consumer<InetSocketAddress> served) {
        this.desk = desk;
        this.proxy = proxy;
        this.timeoutNanos = timeoutNanos;
        this.served = served;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        var _ = ctx.executor().schedule(() -> {
            if (!ctx.isRemoved() && ctx.channel().isActive()) {
                refuse(ctx, ProxyHeader.Verdict.CUT);
            }
        }, timeoutNanos, TimeUnit.NANOSECONDS);
        ctx.read();
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
        ProxyHeader header = desk.proxyHeader;
        int available = Math.min(pending.readableBytes(), ProxyHeader.LONGEST);
        pending.getBytes(pending.readerIndex(), desk.in, 0, available);
        ProxyHeader.Verdict verdict = header.read(desk.in, 0, available);
        switch (verdict) {
            case CUT -> ctx.read();
            case VERSION_1, MALFORMED -> refuse(ctx, verdict);
            case GOOD -> begin(ctx, header);
        }
    }

    /// Who connects and says nothing looks whether we are there.
    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (!(event instanceof ChannelInputShutdownEvent)) {
            ctx.fireUserEventTriggered(event);
        } else if (pending.isReadable()) {
            refuse(ctx, ProxyHeader.Verdict.CUT);
        } else {
            var _ = ctx.close();
        }
    }

    private void begin(ChannelHandlerContext ctx, ProxyHeader header) {
        served.accept(client(header));
        ByteBuf rest = pending.skipBytes(header.length);
        pending = Unpooled.EMPTY_BUFFER;
        if (!ctx.channel().isActive()) {
            // It found no place.
            rest.release();
            return;
        }
        if (rest.isReadable()) {
            ctx.fireChannelRead(rest);
        } else {
            rest.release();
        }
        ctx.fireChannelReadComplete();
        ctx.pipeline().remove(this);
    }

    private void refuse(ChannelHandlerContext ctx, ProxyHeader.Verdict verdict) {
        desk.refuseProxy(verdict, proxy.getAddress().getAddress());
        var _ = ctx.close();
    }

    private InetSocketAddress client(ProxyHeader header) {
        if (header.address.length == 0) {
            return proxy;
        }
        try {
            return new InetSocketAddress(InetAddress.getByAddress(header.address), header.port);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("address of " + header.address.length + " bytes (expected: 4 or 16)", e);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        pending.release();
    }
}
