package dev.gatepost.dns;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DatagramPacket;
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
        int written = desk.answer(length, QueryRecord.Transport.UDP, packet.sender().getAddress().getAddress(), packet.sender().getPort(), receivedNanos);
        if (written == Responder.DROPPED) {
            return;
        }
        if (!ctx.channel().isWritable()) {
            // The socket takes no more: a late answer is worth less than memory.
            desk.counters.add(DnsCounters.Loop.UNSENT, 1);
            return;
        }
        ByteBuf answer = ctx.alloc().directBuffer(written).writeBytes(desk.out, 0, written);
        var _ = ctx.write(new DatagramPacket(answer, packet.sender()), ctx.voidPromise());
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
