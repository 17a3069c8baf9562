package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A client's HTTP/2 connection: its streams become exchanges. The connection's window, like a stream's, opens again only as
/// endpoints take the bytes: it bounds the memory that a client with slow endpoints can occupy.
final class Http2Connection extends Http2Carrier<Http2Downstream> implements LiveConnection {
    private static final Logger LOG = LoggerFactory.getLogger(Http2Connection.class);

    private static final int MOST_SPARES = 8;

    /// Between the announcement that the connection will end and the end: requests that are on their way then still count
    /// (RFC 9113 section 6.8).
    private static final long LAST_CALL_NANOS = 500_000_000;

    private final ClientConnection client;
    private final ArrayDeque<Http2Downstream> spares = new ArrayDeque<>();
    /// Exchanges in progress.
    private int active;
    private boolean draining;
    /// A fault of the client ended it.
    private boolean ended;

    Http2Connection(GateLoop loop, ClientConnection client) {
        super(
                loop,
                Http2Codec.client(loop.settings.limits()),
                new Http2Settings().maxConcurrentStreams(MOST_STREAMS).connectProtocolEnabled(true));
        this.client = client;
    }

    GateLoop loop() {
        return loop;
    }

    ClientConnection client() {
        return client;
    }

    @Override
    Frames frames() {
        return new ClientFrames();
    }

    @Override
    Http2ConnectionAdapter streams() {
        return new Streams();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        loop.connected(this);
        deadline.at = loop.now() + loop.requestHeaderNanos;
        super.handlerAdded(ctx);
        // From the first frame on, not from the client's acknowledgement of our settings.
        connection().remote().maxActiveStreams(MOST_STREAMS);
        if (loop.isDraining()) {
            drain();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        loop.touch();
        disconnected();
        super.channelInactive(ctx);
    }

    private void disconnected() {
        if (leave()) {
            loop.disconnected(this);
        }
    }

    // ---- the connection's end ----

    /// No request for too long, or none at all, or the last call is over. Where no exchange is in progress, whatever a
    /// stream still has to send waits for a client that does not take it.
    @Override
    void deadlinePassed() {
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
        forEachSide(Http2Downstream::kill);
        ChannelHandlerContext ctx = context();
        flush(ctx);
        disconnected();
        var _ = ctx.close();
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
        forEachSide(downstream -> downstream.end(why, detail));
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

    long backlog() {
        return context().channel().bytesBeforeWritable();
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

    void giveBack(Http2Downstream downstream, Http2Stream stream) {
        detach(stream);
        if (--active == 0 && !draining && !isGone()) {
            deadline.at = loop.now() + loop.idleNanos;
        }
        if (spares.size() < MOST_SPARES) {
            spares.push(downstream);
        }
    }

    private void open(int streamId, Http2Fields fields, boolean ends) {
        Http2Stream stream = Objects.requireNonNull(connection().stream(streamId));
        Http2Downstream downstream = spares.isEmpty() ? new Http2Downstream(this) : spares.pop();
        attach(stream, downstream);
        touch(downstream);
        active++;
        if (!draining) {
            deadline.at = Deadline.NEVER;
        }
        downstream.open(stream, fields, ends);
    }

    private final class ClientFrames extends Frames {
        @Override
        public void onHeadersRead(ChannelHandlerContext ctx, int streamId, Http2Headers headers, int padding, boolean ends) {
            abuse.head();
            Http2Downstream receiving = touch(streamId);
            if (receiving != null) {
                receiving.receiveTrailers((Http2Fields) headers);
            } else {
                open(streamId, (Http2Fields) headers, ends);
            }
        }

        @Override
        public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long errorCode) throws Http2Exception {
            abuse.reset(false);
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
            Http2Downstream downstream = side(stream);
            if (downstream != null) {
                downstream.closed();
            }
        }
    }
}
