package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// An HTTP/2 connection to an endpoint, which the requests of many clients share.
///
/// The window of a stream opens again only as its client takes the bytes; that of the connection opens at once, so that a
/// client that does not read holds up nobody else. What waits is at most [Http2Carrier#STREAM_WINDOW] bytes a stream.
final class Http2UpstreamConnection extends Http2Carrier<Http2Upstream> {
    private static final Logger LOG = LoggerFactory.getLogger(Http2UpstreamConnection.class);

    /// Stream numbers that are left when no new stream is begun.
    private static final int LAST_STREAM = Integer.MAX_VALUE - 2 * MOST_STREAMS;

    /// After a PING that was answered, a connection whose streams are silent is asked again only after so long: gRPC
    /// servers end connections that ask more often than every five minutes.
    private static final long QUIET_NANOS = 330_000_000_000L;

    private final Http2Pool pool;
    private final Opening opening;
    private final boolean secure;
    /// Streams are silent for so long before the endpoint is asked whether it lives, and it has twice as long to answer.
    private final long silenceNanos;
    private boolean ready;
    private boolean draining;
    private boolean takesTunnels;
    private boolean pinged;
    private long readAt;
    private String problem = "";

    Http2UpstreamConnection(GateLoop loop, Http2Pool pool, Opening opening, boolean secure) {
        super(loop, Http2Codec.endpoint(loop.settings.limits()), new Http2Settings().pushEnabled(false));
        this.pool = pool;
        this.opening = opening;
        this.secure = secure;
        this.silenceNanos = loop.streamNanos / 6;
    }

    @Override
    Frames frames() {
        return new EndpointFrames();
    }

    @Override
    Http2ConnectionAdapter streams() {
        return new Streams();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        readAt = loop.now();
        deadline.at = loop.now() + loop.connectNanos;
        super.handlerAdded(ctx);
        flush(ctx);
    }

    /// How it began.
    Opening opening() {
        return opening;
    }

    // ---- streams ----

    /// Whether another stream may be opened.
    boolean hasRoom() {
        var local = connection().local();
        return ready && !draining && !isGone() && local.numActiveStreams() < MOST_STREAMS && local.canOpenStream();
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
        attach(stream, upstream);
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

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        super.channelRead(ctx, message);
        readAt = loop.now();
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

    @Override
    void deadlinePassed() {
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
        disconnected();
        var _ = context().close();
    }

    /// It was never there.
    private void failed(String why) {
        if (!ready && leave()) {
            pool.lost(opening, Cause.UPSTREAM_PROTOCOL_ERROR, why);
            var _ = context().close();
        }
    }

    /// Before its streams end, so that none of their requests comes back to it.
    private void disconnected() {
        if (leave()) {
            leavePool();
            pool.endpoint().left();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        loop.touch();
        if (ready) {
            disconnected();
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
            forEachSide(upstream -> upstream.endsBy(theirs ? Http2Upstream.Ending.MALFORMED : Http2Upstream.Ending.LOST, text));
        }
        super.onConnectionError(ctx, outbound, cause, error);
    }

    @Override
    protected void onStreamError(
            ChannelHandlerContext ctx, boolean outbound, Throwable cause, Http2Exception.StreamException error) {
        Http2Stream stream = connection().stream(error.streamId());
        Http2Upstream upstream = stream == null ? null : side(stream);
        if (upstream != null) {
            upstream.endsBy(Http2Upstream.Ending.MALFORMED, String.valueOf(cause.getMessage()));
        }
        super.onStreamError(ctx, outbound, cause, error);
    }

    private final class EndpointFrames extends Frames {
        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) throws Http2Exception {
            super.onSettingsRead(ctx, settings);
            takesTunnels |= Boolean.TRUE.equals(settings.connectProtocolEnabled());
            if (!ready && !isGone()) {
                ready = true;
                deadline.at = loop.now() + loop.idleNanos;
                pool.ready(Http2UpstreamConnection.this);
            } else {
                pool.roomMade();
            }
        }

        @Override
        public void onHeadersRead(ChannelHandlerContext ctx, int streamId, Http2Headers headers, int padding, boolean ends) {
            abuse.head();
            Http2Upstream receiving = touch(streamId);
            if (receiving != null) {
                receiving.receiveHead((Http2Fields) headers, ends);
            }
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
            forEachSide(upstream -> {
                if (upstream.stream().id() > lastStreamId) {
                    upstream.endsBy(Http2Upstream.Ending.LEFT_BEHIND, "endpoint is leaving (GOAWAY)");
                }
            });
            // Not from inside Netty's reading of the frame.
            loop.eventLoop.execute(() -> {
                if (!isGone() && connection().numActiveStreams() == 0) {
                    end();
                }
            });
        }

        @Override
        public void onStreamClosed(Http2Stream stream) {
            Http2Upstream upstream = side(stream);
            if (upstream != null) {
                detach(stream);
                if (!problem.isEmpty()) {
                    upstream.endsBy(Http2Upstream.Ending.LOST, problem);
                }
                upstream.closed();
            }
            if (isGone()) {
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
