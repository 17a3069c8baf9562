package dev.gatepost.gateway;

import dev.gatepost.gateway.proxy.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Answers whatever ends with an empty line, twice on each connection: to open one to an endpoint is to be warm too.
final class WarmUpOrigin implements AutoCloseable {
    private static final String BODY = ".".repeat(100);
    private static final byte[] ANSWER = answer("Content-Length: 100", BODY);
    private static final byte[] LAST_ANSWER = answer("Connection: close\r\nTransfer-Encoding: chunked", "64\r\n" + BODY + "\r\n0\r\n\r\n");
    private static final int CRLF_CRLF = 0x0d0a0d0a;

    private final Channel listener;

    private WarmUpOrigin(Channel listener) {
        this.listener = listener;
    }

    private static byte[] answer(String framing, String content) {
        return """
                HTTP/1.1 200 OK\r
                Content-Type: text/plain\r
                Cache-Control: no-cache\r
                %s\r
                \r
                %s""".formatted(framing, content).getBytes(StandardCharsets.US_ASCII);
    }

    static WarmUpOrigin open(EventLoopGroup loop) {
        return new WarmUpOrigin(new ServerBootstrap()
                .group(loop)
                .channelFactory(Transport.of(loop)::serverSocket)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new Answering());
                    }
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly()
                .channel());
    }

    InetSocketAddress address() {
        return (InetSocketAddress) listener.localAddress();
    }

    @Override
    public void close() {
        listener.close().awaitUninterruptibly();
    }

    private static final class Answering extends ByteToMessageDecoder {
        private boolean answered;

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
            if (in.readableBytes() >= Integer.BYTES && in.getInt(in.writerIndex() - Integer.BYTES) == CRLF_CRLF) {
                in.skipBytes(in.readableBytes());
                var _ = ctx.writeAndFlush(Unpooled.wrappedBuffer(answered ? LAST_ANSWER : ANSWER));
                if (answered) {
                    var _ = ctx.close();
                }
                answered = true;
            }
        }

        /// The gate cuts its connections off when it has been warmed up.
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            var _ = ctx.close();
        }
    }
}
