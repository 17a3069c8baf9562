package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.tls.ClientTls;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.Errors;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.EmptyHttp2Headers;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2ConnectionHandlerBuilder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ApplicationProtocolNegotiationHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.handler.timeout.IdleState;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import javax.net.ssl.SSLException;

/// One HTTP/2 connection to an agent, over which many questions wait for their answers. Netty keeps its frames, windows and
/// stream states.
///
/// A connection that is silent gets a PING, and when nothing comes back it ends with all that waits on it: a cut cable, or
/// a router that forgot the connection, tells nobody, and a question may wait for a minute.
///
/// Its state belongs to its event loop; whoever asks waits on another thread.
final class Http2Line extends ChannelInboundHandlerAdapter {
    /// Answers of 1,000 services and more come without waiting for us.
    private static final int STREAM_WINDOW = 1024 * 1024;

    private static final int CONNECTION_WINDOW = 8 * STREAM_WINDOW;
    private static final int INITIAL_WINDOW = 65_535;
    private static final int CONNECT_TIMEOUT_MILLIS = 2000;

    /// As many as Consul (Go's server) takes.
    static final int MOST_STREAMS = 250;

    /// Stream numbers end: a line that comes so far takes no more questions.
    private static final int LAST_STREAM = Integer.MAX_VALUE - 100_000;

    /// The other side speaks HTTP/1.1 only, where every question at a time would take a connection.
    static final class NotSpoken extends IOException {
        private static final long serialVersionUID = 1L;

        NotSpoken(URI where) {
            super(where + " speaks no HTTP/2");
        }
    }

    record Reply(int status, Http2Headers headers, String body) {
        /// Empty where there is none.
        String header(String lowerCaseName) {
            CharSequence value = headers.get(lowerCaseName);
            return value == null ? "" : value.toString();
        }
    }

    private static final class Question {
        final Http2Headers asked;
        final CompletableFuture<Reply> answer = new CompletableFuture<>();
        private final ByteArrayOutputStream body = new ByteArrayOutputStream();
        private Http2Headers head = EmptyHttp2Headers.INSTANCE;
        private int status;
        int stream;

        Question(Http2Headers asked) {
            this.asked = asked;
        }

        /// An interim head is followed by another one, trailers follow the head.
        void heard(Http2Headers headers, boolean last) {
            CharSequence said = headers.status();
            if (said != null) {
                head = headers;
                status = Integer.parseInt(said.toString());
            }
            if (last) {
                answer.complete(new Reply(status, head, body.toString(StandardCharsets.UTF_8)));
            }
        }

        void heard(ByteBuf data, boolean last) {
            body.writeBytes(ByteBufUtil.getBytes(data));
            if (last) {
                answer.complete(new Reply(status, head, body.toString(StandardCharsets.UTF_8)));
            }
        }
    }

    private final URI agent;
    private final Duration silence;
    private final Consumer<Http2Line> left;

    /// Where frames are written to.
    private final CompletableFuture<ChannelHandlerContext> opened = new CompletableFuture<>();

    private final Http2Connection connection = new DefaultHttp2Connection(false);
    private final Http2Connection.PropertyKey questionKey = connection.newKey();
    private final Http2ConnectionHandler frames;
    private volatile boolean ended;
    private volatile int most;

    private Http2Line(URI agent, Duration silence, Consumer<Http2Line> left) {
        this.agent = agent;
        this.silence = silence;
        this.left = left;
        connection.remote().flowController(new DefaultHttp2RemoteFlowController(connection, new UniformStreamByteDistributor(connection)));
        frames = new Http2ConnectionHandlerBuilder()
                .connection(connection)
                .initialSettings(new Http2Settings().pushEnabled(false).initialWindowSize(STREAM_WINDOW))
                .frameListener(new Frames())
                .validateHeaders(false) // we read four of them, from an agent that TLS vouches for
                .gracefulShutdownTimeoutMillis(0)
                .build();
        connection.addListener(new Streams());
    }

    /// Completes once the agent has said how many questions it takes at a time, or with the reason why it can't:
    /// [NotSpoken] when it speaks HTTP/1.1 only.
    ///
    /// @param silence longest time without a byte from the agent, a PING included
    /// @param left    told, on the event loop, when no more questions are to be put
    static CompletableFuture<Http2Line> open(
            EventLoopGroup loop, ClientTls tls, URI agent, InetSocketAddress address, Duration silence, Consumer<Http2Line> left) {
        Http2Line line = new Http2Line(agent, silence, left);
        ChannelFuture connecting = new Bootstrap()
                .group(loop)
                .channel(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        SslHandler secured = tls.handler(channel.alloc(), agent.getHost(), address.getPort());
                        secured.setHandshakeTimeout(silence.toMillis(), TimeUnit.MILLISECONDS);
                        channel.pipeline().addLast(secured, line.new Negotiation());
                    }
                })
                .connect(address);
        connecting.addListener(done -> {
            if (!done.isSuccess()) {
                line.end(connecting.channel(), asIo(done.cause()));
            }
        });
        // A moment later: TLS closes first and says why after that.
        Channel channel = connecting.channel();
        channel.closeFuture().addListener(_ -> channel.eventLoop().execute(() -> line.end(channel, new ClosedChannelException())));
        return line.opened.thenApply(_ -> line);
    }

    /// How many questions the agent takes at a time on this connection.
    int most() {
        return most;
    }

    boolean hasEnded() {
        return ended;
    }

    /// Asks and waits for the whole answer.
    ///
    /// @param target path and query
    /// @param token  empty for none
    Reply ask(String target, String token, Duration longest) throws IOException, InterruptedException {
        ChannelHandlerContext ctx = opened.join();
        Question question = new Question(request(target, token));
        ctx.executor().execute(() -> put(ctx, question));
        try {
            return question.answer.get(longest.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw (IOException) new SocketTimeoutException("no answer in " + longest.toMillis() + " ms").initCause(e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException io ? io : new IOException(e);
        } finally {
            if (!question.answer.isDone()) {
                ctx.executor().execute(() -> drop(ctx, question));
            }
        }
    }

    private Http2Headers request(String target, String token) {
        Http2Headers headers = new DefaultHttp2Headers(false)
                .method("GET")
                .scheme("https")
                .authority(agent.getRawAuthority())
                .path(target)
                .add("user-agent", "gatepost");
        return token.isEmpty() ? headers : headers.add("x-consul-token", token);
    }

    // ---- the event loop's: everything below -----------------------------------------------------------------------

    private void put(ChannelHandlerContext ctx, Question question) {
        if (ended) {
            question.answer.completeExceptionally(new ClosedChannelException());
            return;
        }
        int id = connection.local().incrementAndGetNextStreamId();
        ChannelFuture written = frames.encoder().writeHeaders(ctx, id, question.asked, 0, true, ctx.newPromise());
        Http2Stream stream = connection.stream(id);
        if (stream == null) {
            question.answer.completeExceptionally(new IOException("no stream: " + written.cause()));
            return;
        }
        stream.setProperty(questionKey, question);
        question.stream = id;
        if (id >= LAST_STREAM) {
            left.accept(this);
        }
        ctx.flush();
    }

    /// Nobody waits for the answer any more.
    private void drop(ChannelHandlerContext ctx, Question question) {
        if (question.stream > 0 && connection.stream(question.stream) != null) {
            var _ = frames.resetStream(ctx, question.stream, Http2Error.CANCEL.code(), ctx.newPromise());
            ctx.flush();
        }
    }

    private void end(Channel channel, IOException why) {
        if (ended) {
            return;
        }
        ended = true;
        opened.completeExceptionally(why);
        left.accept(this);
        forEachQuestion(question -> question.answer.completeExceptionally(why));
        var _ = channel.close();
    }

    private void forEachQuestion(Consumer<Question> each) {
        try {
            connection.forEachActiveStream(stream -> {
                questionOf(stream).ifPresent(each);
                return true;
            });
        } catch (Http2Exception e) {
            throw new IllegalStateException(e); // ours throws none
        }
    }

    private Optional<Question> questionOf(int stream) {
        return Optional.ofNullable(connection.stream(stream)).flatMap(this::questionOf);
    }

    private Optional<Question> questionOf(Http2Stream stream) {
        return Optional.ofNullable(stream.getProperty(questionKey));
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
        if (!(event instanceof IdleStateEvent silent) || silent.state() != IdleState.READER_IDLE) {
            super.userEventTriggered(ctx, event);
        } else if (silent.isFirst()) {
            var _ = frames.encoder().writePing(ctx, false, 0, ctx.newPromise());
            ctx.flush();
        } else {
            end(ctx.channel(), new SocketTimeoutException("not a byte in " + silence.toMillis() + " ms, though it got a PING"));
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        end(ctx.channel(), asIo(cause));
    }

    /// The reason itself, where TLS wrapped it.
    private static IOException asIo(Throwable thrown) {
        Throwable cause = thrown instanceof DecoderException && thrown.getCause() != null ? thrown.getCause() : thrown;
        if (cause instanceof SSLException) {
            Throwable reason = cause;
            while (reason.getCause() != null) {
                reason = reason.getCause();
            }
            return new SSLException(reason.getMessage(), cause);
        }
        if (cause instanceof Errors.NativeIoException) {
            return new SocketException("connection reset");
        }
        return cause instanceof IOException io ? io : new IOException(cause.toString(), cause);
    }

    private final class Negotiation extends ApplicationProtocolNegotiationHandler {
        Negotiation() {
            super(ApplicationProtocolNames.HTTP_1_1);
        }

        @Override
        protected void configurePipeline(ChannelHandlerContext ctx, String protocol) throws Http2Exception {
            if (!protocol.equals(ApplicationProtocolNames.HTTP_2)) {
                end(ctx.channel(), new NotSpoken(agent));
                return;
            }
            long half = silence.toNanos() / 2;
            ctx.pipeline().addLast(new IdleStateHandler(half, 0, 0, TimeUnit.NANOSECONDS), frames, Http2Line.this);
            frames.decoder().flowController().incrementWindowSize(connection.connectionStream(), CONNECTION_WINDOW - INITIAL_WINDOW);
            ctx.flush();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
            if (event instanceof SslHandshakeCompletionEvent done && !done.isSuccess()) {
                end(ctx.channel(), asIo(done.cause()));
            }
            super.userEventTriggered(ctx, event);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            end(ctx.channel(), asIo(cause));
        }
    }

    private final class Frames extends Http2FrameAdapter {
        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) {
            Long streams = settings.maxConcurrentStreams();
            if (streams != null || most == 0) {
                most = streams == null ? MOST_STREAMS : (int) Math.min(MOST_STREAMS, streams);
            }
            opened.complete(ctx);
        }

        @Override
        public void onHeadersRead(ChannelHandlerContext ctx, int stream, Http2Headers headers, int padding, boolean last) {
            questionOf(stream).ifPresent(question -> question.heard(headers, last));
        }

        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx, int stream, Http2Headers headers, int dependency, short weight, boolean exclusive, int padding, boolean last) {
            onHeadersRead(ctx, stream, headers, padding, last);
        }

        @Override
        public int onDataRead(ChannelHandlerContext ctx, int stream, ByteBuf data, int padding, boolean last) {
            int taken = data.readableBytes() + padding;
            questionOf(stream).ifPresent(question -> question.heard(data, last));
            return taken;
        }

        @Override
        public void onRstStreamRead(ChannelHandlerContext ctx, int stream, long code) {
            questionOf(stream).ifPresent(question -> question.answer.completeExceptionally(new IOException("the agent reset the question: " + Http2Error.valueOf(code))));
        }

        @Override
        public void onGoAwayRead(ChannelHandlerContext ctx, int lastStream, long code, ByteBuf words) {
            left.accept(Http2Line.this);
        }
    }

    private final class Streams extends Http2ConnectionAdapter {
        @Override
        public void onStreamClosed(Http2Stream stream) {
            questionOf(stream).ifPresent(question -> question.answer.completeExceptionally(new ClosedChannelException()));
        }
    }
}
