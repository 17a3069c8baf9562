package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionDecoder;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionEncoder;
import io.netty.handler.codec.http2.DefaultHttp2FrameReader;
import io.netty.handler.codec.http2.DefaultHttp2FrameWriter;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2PromisedRequestVerifier;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A client's HTTP/2 connection. Netty keeps its frames, windows and stream states; this class turns streams into
/// exchanges and joins their flow control to the endpoints': a window opens again only as the endpoint takes the bytes.
///
/// It writes to the socket once per read, or once per turn of the event loop when endpoints answer, for all streams
/// together.
final class Http2Connection extends Http2ConnectionHandler implements LiveConnection {
    private static final Logger LOG = LoggerFactory.getLogger(Http2Connection.class);

    /// RFC 9113 section 5.1.2 asks for 100 at least; nginx has 128. It bounds what one connection may cost.
    static final int MOST_STREAMS = 128;

    /// What a client may send of one body before the endpoint has taken any: 40 Mbit/s at a round trip of 50 ms.
    static final int STREAM_WINDOW = 256 * 1024;

    /// The same for all streams of a connection together: the memory that a client with slow endpoints can occupy.
    static final int CONNECTION_WINDOW = 1024 * 1024;

    /// CONTINUATION frames below 8 KiB in one header section (CVE-2024-27316).
    private static final int MOST_SMALL_CONTINUATIONS = 16;
    private static final int INITIAL_WINDOW = 65_535;
    private static final int MOST_SPARES = 8;

    /// Between the announcement that the connection will end and the end: requests that are on their way then still count
    /// (RFC 9113 section 6.8).
    private static final long LAST_CALL_NANOS = 500_000_000;

    private final GateLoop loop;
    private final ClientConnection client;
    private final io.netty.handler.codec.http2.Http2Connection.PropertyKey downstreamKey;
    private final Http2Abuse abuse = new Http2Abuse();
    private final ArrayDeque<Http2Downstream> spares = new ArrayDeque<>();
    private final List<Http2Downstream> touched = new ArrayList<>();
    private final Http2SentFields head = new Http2SentFields();
    private final Deadline deadline = new Deadline(this::deadlinePassed);
    private @Nullable ChannelHandlerContext context;
    /// Exchanges in progress.
    private int active;
    private boolean draining;
    private boolean gone;
    /// A fault of the client ended it.
    private boolean ended;
    private boolean reading;
    private boolean flushScheduled;

    private Http2Connection(
            GateLoop loop, ClientConnection client, Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder, Http2Settings settings) {
        super(decoder, encoder, settings);
        this.loop = loop;
        this.client = client;
        this.downstreamKey = connection().newKey();
    }

    static Http2Connection of(GateLoop loop, ClientConnection client) {
        DefaultHttp2Connection connection = new DefaultHttp2Connection(true, 0);
        // Priorities are gone from HTTP/2 (RFC 9113 section 5.3.1): streams share alike, and no tree is kept.
        connection.remote().flowController(new DefaultHttp2RemoteFlowController(connection, new UniformStreamByteDistributor(connection)));
        var encoder = new DefaultHttp2ConnectionEncoder(connection, new DefaultHttp2FrameWriter(new Http2FieldEncoder()));
        var reader = new DefaultHttp2FrameReader(new Http2FieldDecoder(loop.settings.limits()), MOST_SMALL_CONTINUATIONS);
        var decoder = new DefaultHttp2ConnectionDecoder(
                connection, encoder, new Http2StreamOrder(reader, connection), Http2PromisedRequestVerifier.ALWAYS_VERIFY, true, true, false);
        Http2Settings settings = new Http2Settings()
                .maxConcurrentStreams(MOST_STREAMS)
                .initialWindowSize(STREAM_WINDOW)
                .maxHeaderListSize(loop.settings.limits().headers())
                .connectProtocolEnabled(true);
        Http2Connection handler = new Http2Connection(loop, client, decoder, encoder, settings);
        decoder.frameListener(handler.new Frames());
        connection.addListener(handler.new Streams());
        // Draining has a timeout of its own, for all connections.
        handler.gracefulShutdownTimeoutMillis(-1);
        encoder.flowController().listener(stream -> {
            Http2Downstream downstream = stream.getProperty(handler.downstreamKey);
            if (downstream != null) {
                downstream.writabilityChanged();
            }
        });
        return handler;
    }

    GateLoop loop() {
        return loop;
    }

    ClientConnection client() {
        return client;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = ctx;
        loop.connected(this);
        loop.deadlines.add(deadline);
        deadline.at = loop.now() + loop.requestHeaderNanos;
        super.handlerAdded(ctx);
        // From the first frame on, not from the client's acknowledgement of our settings.
        connection().remote().maxActiveStreams(MOST_STREAMS);
        decoder().flowController().incrementWindowSize(connection().connectionStream(), CONNECTION_WINDOW - INITIAL_WINDOW);
        if (loop.isDraining()) {
            drain();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        loop.touch();
        reading = true;
        super.channelRead(ctx, message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        // By index: what a flush brings about touches no further stream.
        for (int i = 0; i < touched.size(); i++) {
            touched.get(i).readComplete();
        }
        touched.clear();
        reading = false;
        super.channelReadComplete(ctx);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        loop.touch();
        leave();
        super.channelInactive(ctx);
    }

    private void leave() {
        if (!gone) {
            gone = true;
            deadline.at = Deadline.NEVER;
            loop.deadlines.remove(deadline);
            loop.disconnected(this);
        }
    }

    // ---- the connection's end ----

    /// No request for too long, or none at all, or the last call is over. Where no exchange is in progress, whatever a
    /// stream still has to send waits for a client that does not take it.
    private void deadlinePassed() {
        ChannelHandlerContext ctx = context();
        var _ = goAway(ctx, connection().remote().lastStreamCreated(), Http2Error.NO_ERROR.code(), Unpooled.EMPTY_BUFFER, ctx.newPromise());
        flush(ctx);
        if (active > 0) {
            close();
        } else {
            var _ = ctx.close();
        }
    }

    @Override
    public void drain() {
        if (!draining) {
            draining = true;
            ChannelHandlerContext ctx = context();
            var _ = goAway(ctx, Integer.MAX_VALUE, Http2Error.NO_ERROR.code(), Unpooled.EMPTY_BUFFER, ctx.newPromise());
            deadline.at = loop.now() + LAST_CALL_NANOS;
            flushSoon();
        }
    }

    @Override
    public void kill() {
        forEachExchange(Http2Downstream::kill);
        ChannelHandlerContext ctx = context();
        flush(ctx);
        leave();
        var _ = ctx.close();
    }

    private void forEachExchange(Consumer<Http2Downstream> action) {
        try {
            connection().forEachActiveStream(stream -> {
                Http2Downstream downstream = stream.getProperty(downstreamKey);
                if (downstream != null) {
                    action.accept(downstream);
                }
                return true;
            });
        } catch (Http2Exception e) {
            LOG.debug("while cutting off {}", client.label.sourceIp(), e);
        }
    }

    /// Takes no new stream, and closes when those in progress have ended.
    @Override
    public void close() {
        var _ = context().channel().close();
    }

    @Override
    protected void onStreamError(
            ChannelHandlerContext ctx, boolean outbound, Throwable cause, Http2Exception.StreamException error) {
        LOG.debug("stream {} of {}: {}", error.streamId(), client.label.sourceIp(), cause.toString());
        super.onStreamError(ctx, outbound, cause, error);
        try {
            abuse.reset(error.error() == Http2Error.REFUSED_STREAM);
        } catch (Http2Exception e) {
            onConnectionError(ctx, false, e, e);
        }
    }

    /// A client's fault that ends its connection: what is in flight ends now, not when the client has read the GOAWAY, and the log
    /// says why, on a line of its own where there is no exchange that could.
    @Override
    protected void onConnectionError(ChannelHandlerContext ctx, boolean outbound, Throwable cause, @Nullable Http2Exception error) {
        super.onConnectionError(ctx, outbound, cause, error);
        if (error == null || outbound || ended || error.error() == Http2Error.NO_ERROR) {
            return;
        }
        ended = true;
        Cause why = error.error() == Http2Error.ENHANCE_YOUR_CALM ? Cause.CLIENT_FLOOD : Cause.REQUEST_MALFORMED;
        String detail = "HTTP/2 connection ended with " + error.error() + ": " + error.getMessage();
        if (active == 0) {
            loop.logEnd(client, 20, why, detail);
        }
        forEachExchange(downstream -> downstream.end(why, detail));
    }

    /// A request was malformed: that costs us a reset.
    void countReset() {
        try {
            abuse.reset(false);
        } catch (Http2Exception e) {
            // Its exchange is being answered: the connection's end comes after that.
            context().executor().execute(() -> onError(context(), false, e));
        }
    }

    // ---- what streams send ----

    ChannelFuture writeHead(Http2Stream stream, ResponseHead response, boolean ends) {
        ChannelHandlerContext ctx = context();
        return encoder().writeHeaders(ctx, stream.id(), head.head(response), 0, ends, ctx.newPromise());
    }

    /// Bytes of the header block that was written last.
    int lastHeadLength() {
        return head.encodedLength();
    }

    ChannelFuture writeTrailers(Http2Stream stream, FieldSection trailers) {
        ChannelHandlerContext ctx = context();
        return encoder().writeHeaders(ctx, stream.id(), Http2SentFields.trailers(trailers), 0, true, ctx.newPromise());
    }

    ChannelFuture writeData(Http2Stream stream, ByteBuf data, boolean ends) {
        ChannelHandlerContext ctx = context();
        abuse.sent(data.readableBytes());
        return encoder().writeData(ctx, stream.id(), data, 0, ends, ctx.newPromise());
    }

    long backlog() {
        return context().channel().bytesBeforeWritable();
    }

    boolean isWritable(Http2Stream stream) {
        return encoder().flowController().isWritable(stream);
    }

    void reset(Http2Stream stream, Http2Error code) {
        ChannelHandlerContext ctx = context();
        var _ = resetStream(ctx, stream.id(), code.code(), ctx.newPromise());
        flushSoon();
    }

    /// Resets a stream whose response is complete while its request is not, or was malformed, once the response is out.
    void resetAfter(ChannelFuture response, Http2Stream stream, Http2Error code) {
        try {
            encoder().flowController().writePendingBytes();
        } catch (Http2Exception e) {
            onError(context(), true, e);
            return;
        }
        if (encoder().flowController().hasFlowControlled(stream)) {
            response.addListener(_ -> reset(stream, code));
        } else {
            reset(stream, code);
        }
    }

    /// The endpoint has taken that many bytes of the stream's body: the client may send as many more.
    void returnWindow(Http2Stream stream, int bytes) {
        try {
            if (decoder().flowController().consumeBytes(stream, bytes)) {
                flushSoon();
            }
        } catch (Http2Exception e) {
            onError(context(), true, e);
        }
    }

    void giveBack(Http2Downstream downstream, Http2Stream stream) {
        stream.removeProperty(downstreamKey);
        if (--active == 0 && !draining && !gone) {
            deadline.at = loop.now() + loop.idleNanos;
        }
        if (spares.size() < MOST_SPARES) {
            spares.push(downstream);
        }
    }

    /// Sends what all streams have written: at the end of the read in progress, or of the event loop's turn.
    void flushSoon() {
        if (!reading && !flushScheduled && !gone) {
            flushScheduled = true;
            context().executor().execute(this::flushNow);
        }
    }

    private void flushNow() {
        flushScheduled = false;
        if (!gone) {
            flush(context());
        }
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context);
    }

    private @Nullable Http2Downstream touch(int streamId) {
        Http2Stream stream = connection().stream(streamId);
        Http2Downstream downstream = stream == null ? null : stream.getProperty(downstreamKey);
        if (downstream != null && !downstream.touched) {
            downstream.touched = true;
            touched.add(downstream);
        }
        return downstream;
    }

    private void open(int streamId, Http2Fields fields, boolean ends) {
        Http2Stream stream = Objects.requireNonNull(connection().stream(streamId));
        Http2Downstream downstream = spares.isEmpty() ? new Http2Downstream(this) : spares.pop();
        stream.setProperty(downstreamKey, downstream);
        if (!downstream.touched) {
            downstream.touched = true;
            touched.add(downstream);
        }
        active++;
        if (!draining) {
            deadline.at = Deadline.NEVER;
        }
        downstream.open(stream, fields, ends);
    }

    /// What the client sends, as Netty has checked it against the states of connection and streams.
    private final class Frames extends Http2FrameAdapter {
        @Override
        public void onHeadersRead(ChannelHandlerContext ctx, int streamId, Http2Headers headers, int padding, boolean ends) {
            abuse.request();
            Http2Downstream receiving = touch(streamId);
            if (receiving != null) {
                receiving.receiveTrailers((Http2Fields) headers);
            } else {
                open(streamId, (Http2Fields) headers, ends);
            }
        }

        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx,
                int streamId,
                Http2Headers headers,
                int streamDependency,
                short weight,
                boolean exclusive,
                int padding,
                boolean ends) {
            onHeadersRead(ctx, streamId, headers, padding, ends);
        }

        @Override
        public int onDataRead(ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean ends) throws Http2Exception {
            abuse.data(data.isReadable() || ends);
            int flowControlled = data.readableBytes() + padding;
            Http2Downstream receiving = touch(streamId);
            return receiving == null ? flowControlled : receiving.receive(data, flowControlled, ends);
        }

        @Override
        public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long errorCode) throws Http2Exception {
            abuse.reset(false);
        }

        @Override
        public void onPingRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
            abuse.wantsAnswer(ctx.channel().isWritable());
        }

        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) throws Http2Exception {
            abuse.wantsAnswer(ctx.channel().isWritable());
        }

        @Override
        public void onSettingsAckRead(ChannelHandlerContext ctx) throws Http2Exception {
            abuse.control();
        }

        @Override
        public void onPingAckRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
            abuse.control();
        }

        @Override
        public void onPriorityRead(ChannelHandlerContext ctx, int streamId, int streamDependency, short weight, boolean exclusive) throws Http2Exception {
            abuse.control();
        }

        @Override
        public void onWindowUpdateRead(ChannelHandlerContext ctx, int streamId, int windowSizeIncrement) throws Http2Exception {
            abuse.control();
        }

        @Override
        public void onUnknownFrame(ChannelHandlerContext ctx, byte frameType, int streamId, Http2Flags flags, ByteBuf payload) {
            try {
                abuse.control();
            } catch (Http2Exception e) {
                // Netty lets this one not throw, so the frames behind it still come.
                if (!ended) {
                    onError(ctx, false, e);
                }
            }
        }
    }

    /// Streams that end for whatever reason: END_STREAM both ways, RST_STREAM, an error, the connection's end.
    private final class Streams extends Http2ConnectionAdapter {
        @Override
        public void onStreamClosed(Http2Stream stream) {
            Http2Downstream downstream = stream.getProperty(downstreamKey);
            if (downstream != null) {
                downstream.closed();
            }
        }
    }
}
