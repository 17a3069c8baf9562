package dev.gatepost.gateway;

import dev.gatepost.gateway.proxy.Transport;
import dev.gatepost.gateway.tls.UpstreamTls;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// One connection on which the same is asked again and again, one request after the other.
abstract class WarmUpClient extends ByteToMessageDecoder {
    static final String AUTHORITY = "warm-up.localhost";

    private @Nullable Channel channel;
    /// Requests that are to be answered, the one in flight included.
    private int left;
    private CompletableFuture<Void> done = CompletableFuture.completedFuture(null);
    private final AtomicInteger answered = new AtomicInteger(); // by the loop, read by whoever asks

    /// What a client asks for.
    enum Wish {
        PAGE("GET /warm-up?a=b", AUTHORITY, ""),
        /// Its body ends as a header section does, which is what the origin looks for.
        FORM("POST /warm-up", AUTHORITY, "name=value\r\n\r\n"),
        NOWHERE("GET /warm-up", "nowhere.localhost", "");

        private final String request;

        Wish(String line, String authority, String body) {
            String length = body.isEmpty() ? "" : "Content-Length: " + body.length() + "\r\n";
            request = """
                    %s HTTP/1.1\r
                    Host: %s\r
                    User-Agent: gatepost\r
                    Accept: */*\r
                    Accept-Encoding: gzip, deflate\r
                    Cookie: session=0123456789abcdef\r
                    %s\r
                    %s""".formatted(line, authority, length, body);
        }
    }

    static WarmUpClient plain(EventLoopGroup loop, InetSocketAddress gate, Wish wish) throws IOException {
        return connect(new Http1(wish), loop, gate, _ -> {});
    }

    static WarmUpClient http1(EventLoopGroup loop, InetSocketAddress gate, UpstreamTls tls) throws IOException {
        return connect(new Http1(Wish.PAGE), loop, gate, secured(gate, tls, UpstreamTls.Offer.HTTP_1));
    }

    static WarmUpClient http2(EventLoopGroup loop, InetSocketAddress gate, UpstreamTls tls) throws IOException {
        return connect(new Http2(), loop, gate, secured(gate, tls, UpstreamTls.Offer.HTTP_2));
    }

    /// Whatever certificate there is: it is our own, and nothing is said that anybody might not hear.
    private static Consumer<Channel> secured(InetSocketAddress gate, UpstreamTls tls, UpstreamTls.Offer offer) throws IOException {
        tls.prepare(false, offer);
        return channel -> channel.pipeline().addLast(tls.handler(channel.alloc(), AUTHORITY, gate.getPort(), false, offer));
    }

    private static WarmUpClient connect(WarmUpClient client, EventLoopGroup loop, InetSocketAddress gate, Consumer<Channel> security) throws IOException {
        var connected = new Bootstrap()
                .group(loop)
                .channelFactory(Transport.of(loop)::socket)
                .option(ChannelOption.TCP_NODELAY, true)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        security.accept(channel);
                        channel.pipeline().addLast(client);
                    }
                })
                .connect(gate)
                .awaitUninterruptibly();
        if (!connected.isSuccess()) {
            throw new IOException(connected.cause());
        }
        client.channel = connected.channel();
        return client;
    }

    /// Completes with the last answer, or with what made that impossible.
    CompletableFuture<Void> ask(int times) {
        CompletableFuture<Void> all = new CompletableFuture<>();
        Channel to = channel;
        if (to == null) {
            throw new IllegalStateException("not connected");
        }
        to.eventLoop().execute(() -> {
            left = times;
            done = all;
            if (to.isActive()) {
                var _ = to.writeAndFlush(request());
            } else {
                all.completeExceptionally(new IOException("the connection is closed"));
            }
        });
        return all;
    }

    /// Asks once more and is gone before the answer comes.
    void leave() {
        Channel open = channel;
        if (open != null) {
            open.eventLoop().execute(() -> open.writeAndFlush(request()).addListener(ChannelFutureListener.CLOSE));
        }
    }

    void close() {
        Channel open = channel;
        if (open != null) {
            var _ = open.close();
        }
    }

    /// Requests so far.
    int answered() {
        return answered.get();
    }

    /// The next request, whole.
    abstract ByteBuf request();

    /// Reads what is whole of it.
    ///
    /// @return whether that is the end of an answer
    abstract boolean endsAnswer(ByteBuf in);

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (!endsAnswer(in)) {
            return;
        }
        left--;
        answered.incrementAndGet();
        if (left > 0) {
            var _ = ctx.writeAndFlush(request());
        } else {
            done.complete(null);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        done.completeExceptionally(cause);
        var _ = ctx.close();
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        done.completeExceptionally(new IOException("the connection was closed"));
    }

    private static final class Http1 extends WarmUpClient {
        private static final Pattern LENGTH = Pattern.compile("\r\nContent-Length: (\\d+)\r\n", Pattern.CASE_INSENSITIVE);
        private static final String HEAD_END = "\r\n\r\n";
        private static final String LAST_CHUNK = "\r\n0\r\n\r\n";

        private final Wish wish;

        Http1(Wish wish) {
            this.wish = wish;
        }

        @Override
        ByteBuf request() {
            return Unpooled.copiedBuffer(wish.request, StandardCharsets.US_ASCII);
        }

        @Override
        boolean endsAnswer(ByteBuf in) {
            String answer = in.toString(StandardCharsets.US_ASCII);
            int headEnd = answer.indexOf(HEAD_END);
            if (headEnd < 0) {
                return false;
            }
            Matcher length = LENGTH.matcher(answer);
            boolean whole = length.find()
                    ? answer.length() - headEnd - HEAD_END.length() >= Integer.parseInt(length.group(1))
                    : answer.endsWith(LAST_CHUNK);
            if (whole) {
                in.skipBytes(in.readableBytes());
            }
            return whole;
        }
    }

    /// RFC 9113: no more than it takes.
    private static final class Http2 extends WarmUpClient {
        private static final int FRAME_HEADER_BYTES = 9;
        private static final int DATA = 0;
        private static final int HEADERS = 1;
        private static final int END_STREAM = 1;
        private static final int END_STREAM_AND_HEADERS = 5;
        private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        private static final byte[] SETTINGS_OF_OURS = HexFormat.of().parseHex("000000040000000000");
        /// For the connection: more than all answers together.
        private static final byte[] WINDOW_UPDATE = HexFormat.of().parseHex("0000040800000000003fff0000");
        private static final byte[] SETTINGS_ACK = HexFormat.of().parseHex("000000040100000000");
        private static final byte[] FIELDS = fields();

        private int stream = 1;

        /// RFC 7541: `:method GET`, `:scheme https`, `:path /`, then literals that are not indexed.
        private static byte[] fields() {
            ByteBuf fields = Unpooled.buffer();
            fields.writeByte(0x82).writeByte(0x87).writeByte(0x84);
            literal(fields, 0x01, AUTHORITY);
            literal(fields, 0x0f2b, "gatepost");
            byte[] bytes = new byte[fields.readableBytes()];
            fields.readBytes(bytes);
            return bytes;
        }

        /// @param name `:authority` is number 1 of the static table; `user-agent`, number 58, takes a second byte
        private static void literal(ByteBuf fields, int name, String value) {
            if (name > 0xff) {
                fields.writeShort(name);
            } else {
                fields.writeByte(name);
            }
            fields.writeByte(value.length()).writeCharSequence(value, StandardCharsets.US_ASCII);
        }

        @Override
        ByteBuf request() {
            ByteBuf request = Unpooled.buffer();
            if (stream == 1) {
                request.writeBytes(PREFACE).writeBytes(SETTINGS_OF_OURS).writeBytes(WINDOW_UPDATE).writeBytes(SETTINGS_ACK);
            }
            request.writeMedium(FIELDS.length).writeByte(HEADERS).writeByte(END_STREAM_AND_HEADERS).writeInt(stream).writeBytes(FIELDS);
            stream += 2;
            return request;
        }

        @Override
        boolean endsAnswer(ByteBuf in) {
            while (in.readableBytes() >= FRAME_HEADER_BYTES) {
                int at = in.readerIndex();
                int length = in.getUnsignedMedium(at);
                if (in.readableBytes() < FRAME_HEADER_BYTES + length) {
                    return false;
                }
                int type = in.getByte(at + 3);
                int flags = in.getByte(at + 4);
                in.skipBytes(FRAME_HEADER_BYTES + length);
                if ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0) {
                    return true;
                }
            }
            return false;
        }
    }
}
