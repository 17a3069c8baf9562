package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameAdapter;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Our end of an HTTP/2 connection, whichever side opened it: leads from Netty's streams to ours, and joins their flow control to
/// whoever is behind us.
///
/// It writes to the socket once per read, or once per turn of the event loop when others have something to send, for all
/// streams together.
///
/// @param <S> what our streams are
abstract class Http2Carrier<S extends Http2Side> extends Http2ConnectionHandler {
    /// At a time: what clients may open here, and what we open to an endpoint that takes as many. RFC 9113 section 5.1.2 asks for 100
    /// at least; nginx has 128. It bounds what one connection may cost, and more on one would wait for each other's lost packets.
    static final int MOST_STREAMS = 128;

    /// What a peer may send of one body before anybody has taken any: 40 Mbit/s at a round trip of 50 ms.
    static final int STREAM_WINDOW = 256 * 1024;

    /// The same for all streams of a connection together.
    private static final int CONNECTION_WINDOW = 1024 * 1024;
    private static final int INITIAL_WINDOW = 65_535;

    final GateLoop loop;
    final Http2Abuse abuse = new Http2Abuse();
    final Http2SentFields head = new Http2SentFields();
    final Deadline deadline = new Deadline(this::deadlinePassed);
    private final Http2Connection.PropertyKey sideKey;
    private final List<S> touched = new ArrayList<>();
    private @Nullable ChannelHandlerContext context;
    private boolean reading;
    private boolean flushScheduled;
    private boolean gone;

    Http2Carrier(GateLoop loop, Http2Codec codec, Http2Settings settings) {
        super(
                codec.decoder(),
                codec.encoder(),
                settings.initialWindowSize(STREAM_WINDOW).maxHeaderListSize(loop.settings.limits().headers()));
        this.loop = loop;
        this.sideKey = connection().newKey();
        // Draining has a timeout of its own, for all connections.
        gracefulShutdownTimeoutMillis(-1);
    }

    /// What the peer sends.
    abstract Frames frames();

    /// What becomes of streams.
    abstract Http2Connection.Listener streams();

    abstract void deadlinePassed();

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) throws Exception {
        context = ctx;
        loop.deadlines.add(deadline);
        decoder().frameListener(frames());
        connection().addListener(streams());
        encoder().flowController().listener(stream -> {
            S side = side(stream);
            if (side != null) {
                side.writabilityChanged();
            }
        });
        super.handlerAdded(ctx);
        decoder().flowController().incrementWindowSize(connection().connectionStream(), CONNECTION_WINDOW - INITIAL_WINDOW);
    }

    final ChannelHandlerContext context() {
        return Objects.requireNonNull(context);
    }

    final boolean isGone() {
        return gone;
    }

    /// Nothing is sent any more, and no deadline passes. False when it was so before.
    final boolean leave() {
        if (gone) {
            return false;
        }
        gone = true;
        deadline.at = Deadline.NEVER;
        loop.deadlines.remove(deadline);
        return true;
    }

    /// Its streams end with the connection, and say so.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable problem) throws Exception {
        if (LostConnection.is(problem)) {
            var _ = ctx.close();
        } else {
            super.exceptionCaught(ctx, problem);
        }
    }

    // ---- what is read ----

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
            S side = touched.get(i);
            side.touched = false;
            side.readComplete();
        }
        touched.clear();
        reading = false;
        super.channelReadComplete(ctx);
    }

    final void touch(S side) {
        if (!side.touched) {
            side.touched = true;
            touched.add(side);
        }
    }

    /// Ours of that number, which is about to be given something; null when there is none any more.
    final @Nullable S touch(int streamId) {
        Http2Stream stream = connection().stream(streamId);
        S side = stream == null ? null : side(stream);
        if (side != null) {
            touch(side);
        }
        return side;
    }

    final @Nullable S side(Http2Stream stream) {
        return stream.getProperty(sideKey);
    }

    final void attach(Http2Stream stream, S side) {
        stream.setProperty(sideKey, side);
    }

    final void detach(Http2Stream stream) {
        stream.removeProperty(sideKey);
    }

    final void forEachSide(Consumer<S> action) {
        try {
            connection().forEachActiveStream(stream -> {
                S side = side(stream);
                if (side != null) {
                    action.accept(side);
                }
                return true;
            });
        } catch (Http2Exception e) {
            throw new IllegalStateException("looking at streams fails: " + e, e);
        }
    }

    /// What the peer sends, as Netty has checked it against the states of connection and streams.
    abstract class Frames extends Http2FrameAdapter {
        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx,
                int streamId,
                Http2Headers headers,
                int streamDependency,
                short weight,
                boolean exclusive,
                int padding,
                boolean ends)
                throws Http2Exception {
            onHeadersRead(ctx, streamId, headers, padding, ends);
        }

        @Override
        public int onDataRead(ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean ends) throws Http2Exception {
            abuse.data(data.isReadable() || ends);
            int flowControlled = data.readableBytes() + padding;
            S receiving = touch(streamId);
            return receiving == null ? flowControlled : receiving.receive(data, flowControlled, ends);
        }

        @Override
        public void onPingRead(ChannelHandlerContext ctx, long data) throws Http2Exception {
            abuse.wantsAnswer(ctx.channel().isWritable());
        }

        @Override
        public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings) throws Http2Exception {
            abuse.wantsAnswer(ctx.channel().isWritable());
        }
    }

    // ---- what streams send ----

    final ChannelFuture writeTrailers(Http2Stream stream, FieldSection trailers) {
        ChannelHandlerContext ctx = context();
        return encoder().writeHeaders(ctx, stream.id(), Http2SentFields.trailers(trailers), 0, true, ctx.newPromise());
    }

    final ChannelFuture writeData(Http2Stream stream, ByteBuf data, boolean ends) {
        ChannelHandlerContext ctx = context();
        abuse.sent(data.readableBytes());
        return encoder().writeData(ctx, stream.id(), data, 0, ends, ctx.newPromise());
    }

    final boolean isWritable(Http2Stream stream) {
        return encoder().flowController().isWritable(stream);
    }

    final void reset(Http2Stream stream, Http2Error code) {
        if (!gone) {
            ChannelHandlerContext ctx = context();
            var _ = resetStream(ctx, stream.id(), code.code(), ctx.newPromise());
            flushSoon();
        }
    }

    /// Whoever is behind us has taken that many bytes of the stream's body: the peer may send as many more.
    final void returnWindow(Http2Stream stream, int bytes) {
        try {
            if (decoder().flowController().consumeBytes(stream, bytes)) {
                flushSoon();
            }
        } catch (Http2Exception e) {
            onError(context(), true, e);
        }
    }

    /// Sends what all streams have written: at the end of the read in progress, or of the event loop's turn.
    final void flushSoon() {
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
}
