package dev.gatepost.dns;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DatagramPacket;
import java.net.InetSocketAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers datagrams where there is no epoll: one read and one write each. [UdpSocket] does it elsewhere.
final class UdpHandler extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(UdpHandler.class);

    private final Desk desk;
    private boolean reading;
    private long receivedNanos;

    UdpHandler(Desk desk) {
        this.desk = desk;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        var packet = (DatagramPacket) message;
        try {
            if (!reading) {
                reading = true;
                receivedNanos = System.nanoTime();
            }
            answer(ctx, packet);
        } finally {
            packet.release();
        }
    }

    private void answer(ChannelHandlerContext ctx, DatagramPacket packet) {
        ByteBuf query = packet.content();
        int length = query.readableBytes();
        query.getBytes(query.readerIndex(), desk.in, 0, length);
        InetSocketAddress client = packet.sender();
        byte[] address = client.getAddress().getAddress();
        int written = desk.answerDatagram(length, address, client.getPort(), receivedNanos);
        switch (written) {
            case Responder.DROPPED -> {}
            case Responder.LATER -> desk.later((answer, size) -> {
                write(ctx, client, answer, size);
                ctx.flush();
            });
            default -> write(ctx, client, desk.out, written);
        }
    }

    private void write(ChannelHandlerContext ctx, InetSocketAddress client, byte[] answer, int length) {
        if (!ctx.channel().isWritable()) {
            // The socket takes no more: a late answer is worth less than memory.
            desk.counters.add(DnsCounters.Loop.UNSENT, 1);
            return;
        }
        ByteBuf bytes = ctx.alloc().directBuffer(length).writeBytes(answer, 0, length);
        var _ = ctx.write(new DatagramPacket(bytes, client), ctx.voidPromise());
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        reading = false;
        ctx.flush();
    }

    /// One peer that can't be reached, or one send that failed, is no reason to stop for all others.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        desk.counters.add(DnsCounters.Loop.UNSENT, 1);
        LOG.debug("dns: datagram not answered", cause);
    }
}
