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
import io.netty.handler.codec.http2.DefaultHttp2LocalFlowController;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2PromisedRequestVerifier;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An HTTP/2 connection to an endpoint, which the requests of many clients share. Netty keeps its frames, windows and
/// stream states.
///
/// The window of a stream opens again only as its client takes the bytes; that of the connection opens at once, so that a
/// client that does not read holds up nobody else. What waits is at most [#STREAM_WINDOW] bytes a stream.
final class Http2UpstreamConnection extends Http2ConnectionHandler {
    private static final Logger LOG = LoggerFactory.getLogger(Http2UpstreamConnection.class);

    /// More on one connection would wait for each other's lost packets; an endpoint may allow fewer.
    static final int MOST_STREAMS = 128;

    static final int STREAM_WINDOW = 256 * 1024;
    private static final int CONNECTION_WINDOW = 1024 * 1024;
    private static final int INITIAL_WINDOW = 65_535;
    private static final int MOST_SMALL_CONTINUATIONS = 16;

    /// Stream numbers that are left when no new stream is begun.
    private static final int LAST_STREAM = Integer.MAX_VALUE - 2 * MOST_STREAMS;

    /// After a PING that was answered, a connection whose streams are silent is asked again only after so long: gRPC
    /// servers end connections that ask more often than every five minutes.
    private static final long QUIET_NANOS = 330_000_000_000L;

    private final GateLoop loop;
    private final Http2Pool pool;
    private final Opening opening;
    private final boolean secure;
    private final io.netty.handler.codec.http2.Http2Connection.PropertyKey streamKey;
    private final Http2Abuse abuse = new Http2Abuse();
    private final List<Http2Upstream> touched = new ArrayList<>();
    private final Http2SentFields head = new Http2SentFields();
    private final Deadline deadline = new Deadline(this::deadlinePassed);
    /// Streams are silent for so long before the endpoint is asked whether it lives, and it has twice as long to answer.
    private final long silenceNanos;
    private @Nullable ChannelHandlerContext context;
    private boolean ready;
    private boolean draining;
    private boolean gone;
    private boolean reading;
    private boolean flushScheduled;
    private boolean takesTunnels;
    private boolean pinged;
    private long readAt;
    private String problem = "";

    private Http2UpstreamConnection(
            GateLoop loop,
            Http2Pool pool,
            Opening opening,
            boolean secure,
            Http2ConnectionDecoder decoder,
            Http2ConnectionEncoder encoder,
            Http2Settings settings) {
        super(decoder, encoder, settings);
        this.loop = loop;
        this.pool = pool;
        this.opening = opening;
        this.secure = secure;
        this.streamKey = connection().newKey();
        this.silenceNanos = loop.streamNanos / 6;
    }

    static Http2UpstreamConnection of(GateLoop loop, Http2Pool pool, Opening opening, boolean secure) {
        DefaultHttp2Connection connection = new DefaultHttp2Connection(false, 0);
        connection.remote().flowController(new DefaultHttp2RemoteFlowController(connection, new UniformStreamByteDistributor(connection)));
        connection.local().flowController(
                new DefaultHttp2LocalFlowController(connection, DefaultHttp2LocalFlowController.DEFAULT_WINDOW_UPDATE_RATIO, true));
        var encoder = new DefaultHttp2ConnectionEncoder(connection, new DefaultHttp2FrameWriter(new Http2FieldEncoder()));
        var reader = new DefaultHttp2FrameReader(new Http2FieldDecoder(loop.settings.limits()), MOST_SMALL_CONTINUATIONS);
        var decoder = new DefaultHttp2ConnectionDecoder(
                connection, encoder, reader, Http2PromisedRequestVerifier.ALWAYS_VERIFY, true, true, false);
        Http2Settings settings = new Http2Settings()
                .pushEnabled(false)
                .initialWindowSize(STREAM_WINDOW)
                .maxHeaderListSize(loop.settings.limits().headers());
        Http2UpstreamConnection handler = new Http2UpstreamConnection(loop, pool, opening, secure, decoder, encoder, settings);
        decoder.frameListener(handler.new Frames());
        connection.addListener(handler.new Streams());
        handler.gracefulShutdownTimeoutMillis(-1);
        encoder.flowController().listener(stream -> {
            Http2Upstream upstream = stream.getProperty(handler.streamKey);
            if (upstream != null) {
                upstream.writabilityChanged();
            }
        });
        return handler;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = ctx;
        readAt = loop.now();
        loop.deadlines.add(deadline);
        deadline.at = loop.now() + loop.connectNanos;
        super.handlerAdded(ctx);
        decoder().flowController().incrementWindowSize(connection().connectionStream(), CONNECTION_WINDOW - INITIAL_WINDOW);
        flush(ctx);
    }

    // ---- streams ----

    /// Whether another stream may be opened.
    boolean hasRoom() {
        var local = connection().local();
        return ready && !draining && !gone && local.numActiveStreams() < MOST_STREAMS && local.canOpenStream();
    }

    /// RFC 8441.
    boolean takesTunnels() {
        return takesTunnels;
    }

    /// Opens a stream with the head of a request; null when that failed, and the stream is told.
    @Nullable Http2Stream open(Http2Upstream upstream, RequestHead request, RouteState route, boolean ends) {
        ChannelHandlerContext ctx = context();
        int id = connection().local().incrementAndGetNextStreamId();
        ChannelFuture written =
                encoder().writeHeaders(ctx, id, head.request(request, route, pool.endpoint(), secure, loop.scratch), 0, ends, ctx.newPromise());
        Http2Stream stream = connection().stream(id);
        if (stream == null) {
            upstream.endsBy(Http2Upstream.Ending.LEFT_BEHIND, "no stream: " + written.cause());
            // Not from inside the call that wants it.
            loop.eventLoop.execute(() -> {
                loop.touch();
                upstream.closed();
            });
            return null;
        }
        stream.setProperty(streamKey, upstream);
        if (id >= LAST_STREAM) {
            drain();
        }
        watch();
        return stream;
    }

    /// While streams are open, silence is looked into.
    private void watch() {
        long by = loop.now() + silenceNanos;
        if (!pinged && deadline.at > by) {
            deadline.at = by;
        }
    }

    void writeData(Http2Stream stream, ByteBuf data, boolean ends) {
        ChannelHandlerContext ctx = context();
        var _ = encoder().writeData(ctx, stream.id(), data, 0, ends, ctx.newPromise());
    }

    void writeTrailers(Http2Stream stream, FieldSection trailers) {
        ChannelHandlerContext ctx = context();
        var _ = encoder().writeHeaders(ctx, stream.id(), Http2SentFields.trailers(trailers), 0, true, ctx.newPromise());
    }

    boolean isWritable(Http2Stream stream) {
        return encoder().flowController().isWritable(stream);
    }

    void reset(Http2Stream stream, Http2Error code) {
        if (!gone) {
            ChannelHandlerContext ctx = context();
            var _ = resetStream(ctx, stream.id(), code.code(), ctx.newPromise());
            flushSoon();
        }
    }

    /// The client has taken that many bytes of the stream's body: the endpoint may send as many more.
    void returnWindow(Http2Stream stream, int bytes) {
        try {
            if (decoder().flowController().consumeBytes(stream, bytes)) {
                flushSoon();
            }
        } catch (Http2Exception e) {
            onError(context(), true, e);
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

    // ---- what is read ----

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        loop.touch();
        readAt = loop.now();
        reading = true;
        super.channelRead(ctx, message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) throws Exception {
        for (int i = 0; i < touched.size(); i++) {
            touched.get(i).readComplete();
        }
        touched.clear();
        reading = false;
        super.channelReadComplete(ctx);
    }

    // ---- the connection's end ----

    /// Takes no new stream, and closes when those that are open have ended.
    void drain() {
        leavePool();
        if (ready && connection().numActiveStreams() == 0) {
            end();
        }
    }

    private void leavePool() {
        if (!draining) {
            draining = true;
            if (ready) {
                pool.remove(this);
            }
        }
    }

    private void deadlinePassed() {
        loop.touch();
        if (!ready) {
            failed("no HTTP/2 SETTINGS in time (expected: an endpoint that speaks HTTP/2)");
        } else if (connection().numActiveStreams() == 0) {
            end();
        } else if (pinged) {
            LOG.info("{}:{} does not answer a PING: closing the connection", pool.endpoint().host, pool.endpoint().port);
            breakOff("no answer to a PING");
        } else if (loop.now() - readAt >= silenceNanos) {
            pinged = true;
            ChannelHandlerContext ctx = context();
            var _ = encoder().writePing(ctx, false, readAt, ctx.newPromise());
            deadline.at = loop.now() + 2 * silenceNanos;
            flushSoon();
        } else {
            deadline.at = readAt + silenceNanos;
        }
    }

    /// Nobody uses it.
    private void end() {
        ChannelHandlerContext ctx = context();
        var _ = goAway(ctx, 0, Http2Error.NO_ERROR.code(), Unpooled.EMPTY_BUFFER, ctx.newPromise());
        flush(ctx);
        breakOff("closed");
    }

    private void breakOff(String why) {
        problem = why;
        leave();
        var _ = context().close();
    }

    /// It was never there.
    private void failed(String why) {
        if (!ready && !gone) {
            gone = true;
            deadline.at = Deadline.NEVER;
            loop.deadlines.remove(deadline);
            pool.lost(opening, Cause.UPSTREAM_PROTOCOL_ERROR, why);
            var _ = context().close();
        }
    }

    /// Before its streams end, so that none of their requests comes back to it.
    private void leave() {
        if (!gone) {
            leavePool();
            gone = true;
            deadline.at = Deadline.NEVER;
            loop.deadlines.remove(deadline);
            pool.endpoint().left();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        loop.touch();
        if (ready) {
            leave();
        } else {
            failed("connection closed before any HTTP/2 SETTINGS (expected: an endpoint that speaks HTTP/2)");
        }
        super.channelInactive(ctx);
    }

    @Override
    protected void onConnectionError(ChannelHandlerContext ctx, boolean outbound, Throwable cause, @Nullable Http2Exception error) {
        String text = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        LOG.debug("connection to {}:{}: {}", pool.endpoint().host, pool.endpoint().port, text);
        boolean theirs = error != null && !outbound;
        if (!ready) {
            failed(text);
        } else {
            leavePool();
            tell(theirs ? Http2Upstream.Ending.MALFORMED : Http2Upstream.Ending.LOST, text, -1);
        }
        super.onConnectionError(ctx, outbound, cause, error);
    }

    @Override
    protected void onStreamError(
            ChannelHandlerContext ctx, boolean outbound, Throwable cause, Http2Exception.StreamException error) {
        Http2Stream stream = connection().stream(error.streamId());
        Http2Upstream upstream = stream == null ? null : stream.getProperty(streamKey);
        if (upstream != null) {
            upstream.endsBy(Http2Upstream.Ending.MALFORMED, String.valueOf(cause.getMessage()));
        }
        super.onStreamError(ctx, outbound, cause, error);
    }

    /// @param after only streams with higher numbers
    private void tell(Http2Upstream.Ending ending, String text, int after) {
        try {
            connection().forEachActiveStream(stream -> {
                Http2Upstream upstream = stream.getProperty(streamKey);
                if (upstream != null && stream.id() > after) {
                    upstream.endsBy(ending, text);
                }
                return true;
            });
        } catch (Http2Exception e) {
            throw new IllegalStateException("looking at streams fails: " + e, e);
        }
    }

    private ChannelHandlerContext context() {
        return Objects.requireNonNull(context);
    }

    private @Nullable Http2Upstream touch(int streamId) {
        Http2Stream stream = connection().stream(streamId);
        Http2Upstream upstream = stream == null ? null : stream.getProperty(streamKey);
        if (upstream != null && !upstream.touched) {
            upstream.touched = true;
            touched.add(upstream);
        }
        return upstream;
    }

    /// What the endpoint sends, as Netty has checked it against the states of connection and streams.
    private final class Frames extends Http2FrameAdapter {
        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) throws Http2Exception {
            abuse.wantsAnswer(ctx.channel().isWritable());
            takesTunnels |= Boolean.TRUE.equals(settings.connectProtocolEnabled());
            if (!ready && !gone) {
                ready = true;
                deadline.at = loop.now() + loop.idleNanos;
                pool.ready(Http2UpstreamConnection.this);
            } else {
                pool.roomMade();
            }
        }

        @Override
        public void onHeadersRead(ChannelHandlerContext ctx, int streamId, Http2Headers headers, int padding, boolean ends) {
            Http2Upstream receiving = touch(streamId);
            if (receiving != null) {
                receiving.receiveHead((Http2Fields) headers, ends);
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
            Http2Upstream receiving = touch(streamId);
            return receiving == null ? flowControlled : receiving.receive(data, flowControlled, ends);
        }

        /// Bounded by itself: an endpoint can only reset what we opened, and another attempt has a budget.
        @Override
        public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long errorCode) {
            Http2Upstream receiving = touch(streamId);
            if (receiving != null) {
                Http2Error code = Http2Error.valueOf(errorCode);
                boolean refused = code == Http2Error.REFUSED_STREAM;
                String word = code == null ? Long.toString(errorCode) : code.name().toLowerCase(Locale.ROOT);
                receiving.endsBy(refused ? Http2Upstream.Ending.REFUSED : Http2Upstream.Ending.RESET, "stream reset by the endpoint: " + word);
            }
        }

        @Override
        public void onPingRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
            abuse.wantsAnswer(ctx.channel().isWritable());
        }

        @Override
        public void onPingAckRead(ChannelHandlerContext ctx, long data) {
            if (pinged) {
                pinged = false;
                deadline.at = loop.now() + QUIET_NANOS;
            }
        }
    }

    private final class Streams extends Http2ConnectionAdapter {
        /// Streams above the last one that the endpoint will look at are closed next: it has not looked at them
        /// (RFC 9113 section 6.8).
        @Override
        public void onGoAwayReceived(int lastStreamId, long errorCode, ByteBuf debugData) {
            leavePool();
            tell(Http2Upstream.Ending.LEFT_BEHIND, "endpoint is leaving (GOAWAY)", lastStreamId);
            // Not from inside Netty's reading of the frame.
            loop.eventLoop.execute(() -> {
                if (!gone && connection().numActiveStreams() == 0) {
                    end();
                }
            });
        }

        @Override
        public void onStreamClosed(Http2Stream stream) {
            Http2Upstream upstream = stream.getProperty(streamKey);
            if (upstream != null) {
                stream.removeProperty(streamKey);
                if (!problem.isEmpty()) {
                    upstream.endsBy(Http2Upstream.Ending.LOST, problem);
                }
                upstream.closed();
            }
            if (gone) {
                return;
            }
            if (connection().numActiveStreams() > 0) {
                pool.roomMade();
            } else if (draining) {
                loop.eventLoop.execute(Http2UpstreamConnection.this::drain);
            } else {
                pinged = false;
                deadline.at = loop.now() + loop.idleNanos;
                pool.roomMade();
            }
        }
    }
}
