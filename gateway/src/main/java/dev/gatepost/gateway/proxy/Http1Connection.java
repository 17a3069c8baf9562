package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A client's HTTP/1 connection: reads requests one after another, keeps a pipelined one waiting until the one before it is
/// answered, writes responses, and decides whether the connection can go on.
final class Http1Connection extends Http1Carrier implements Downstream, LiveConnection {
    private static final Logger LOG = LoggerFactory.getLogger(Http1Connection.class);
    /// A request body this short is read to its end after an early response, so that the connection can go on.
    private static final long SWALLOWED = 64 * 1024;
    /// Pipelined bytes held back before the connection is not read any more.
    private static final int MOST_PENDING = 64 * 1024;
    /// How long a closing connection is still read, so that the client gets the response and not a reset
    /// (RFC 9112 section 9.6).
    private static final long LINGER_NANOS = 2_000_000_000L;

    /// A draining connection that was idle for so long is closed. One that has just been used, or opened, may have a request on its
    /// way, which the close would meet.
    static final long QUIET_NANOS = 1_000_000_000L;

    private enum State {
        /// Between requests, or in a request's head.
        HEAD,
        /// In a request's body.
        BODY,
        /// The request is complete, its response is not.
        RESPONSE,
        TUNNEL,
        /// The last response is on its way to the socket; what comes is ignored.
        SENDING,
        /// Everything is sent; what comes is ignored.
        LINGER,
        CLOSED
    }

    private final Channel channel;
    private final ClientConnection connection;
    private final RequestParser parser;
    private final Outgoing out;
    private final Deadline deadline = new Deadline(this::deadlinePassed);

    private State state = State.HEAD;
    private @Nullable Exchange exchange;
    /// Read, but not looked at yet: pipelined requests.
    private @Nullable ByteBuf pending;
    private boolean chunked;
    private boolean closeAfter;
    private boolean closeDelimited;
    /// A request has been answered on it.
    private boolean served;
    /// Its turn has come to end.
    private boolean draining;
    private long received;
    /// What the client had not taken at the last look.
    private long backlog;

    Http1Connection(GateLoop loop, Channel channel, ClientConnection connection) {
        super(loop);
        this.channel = channel;
        this.connection = connection;
        this.parser = new RequestParser(loop.settings.limits());
        this.out = new Outgoing(channel);
    }

    /// Begins to wait for the first request.
    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        loop.connected(this);
        draining = loop.isDraining();
        loop.deadlines.add(deadline);
        deadline.at = loop.now() + loop.requestHeaderNanos;
    }

    // ---- reading requests ----

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        loop.touch();
        ByteBuf in = (ByteBuf) message;
        received += in.readableBytes();
        ByteBuf waiting = pending;
        if (waiting != null) {
            pending = ctx.alloc().buffer(waiting.readableBytes() + in.readableBytes()).writeBytes(waiting).writeBytes(in);
            waiting.release();
            in.release();
            limitPending();
        } else {
            consume(in);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        Exchange current = exchange;
        if (current != null) {
            current.requestFlush();
        }
    }

    @Override
    boolean readAll(ByteBuf in) {
        while (true) {
            switch (state) {
                case HEAD -> {
                    if (!in.isReadable() || !readHead(in)) {
                        return false;
                    }
                }
                case BODY -> {
                    int n = body.next(in);
                    if (n == BodyReader.MORE) {
                        return false;
                    }
                    if (n == BodyReader.MALFORMED) {
                        refuse(Refusal.CHUNK);
                        return false;
                    }
                    boolean whole = n > 0 && n == in.readableBytes();
                    if (n > 0) {
                        pass(whole ? in : in.readRetainedSlice(n));
                    }
                    if (body.isAtEnd() && state == State.BODY) {
                        endRequest();
                    }
                    if (whole) {
                        return true;
                    }
                }
                case RESPONSE -> {
                    if (!in.isReadable()) {
                        return false;
                    }
                    pending = in;
                    limitPending();
                    return true;
                }
                case TUNNEL -> {
                    if (!in.isReadable()) {
                        return false;
                    }
                    pass(in);
                    return true;
                }
                case SENDING, LINGER, CLOSED -> {
                    return false;
                }
            }
        }
    }

    /// False when more is needed or the request was refused.
    private boolean readHead(ByteBuf in) {
        Exchange current = exchange;
        if (current == null) {
            received -= in.readableBytes();
            current = loop.exchange(this);
            received += in.readableBytes();
            exchange = current;
            parser.start(current.request());
            deadline.at = loop.now() + loop.requestHeaderNanos;
        }
        RequestHead request = current.request();
        Refusal refusal = parser.read(in);
        if (refusal == Refusal.NONE && !parser.isComplete()) {
            return false;
        }
        if (refusal == Refusal.NONE) {
            refusal = request.finish();
        }
        if (refusal != Refusal.NONE) {
            refuse(refusal);
            return false;
        }
        deadline.at = Deadline.NEVER;
        closeDelimited = false;
        closeAfter = request.close || draining;
        if (!request.bodyFollows) {
            body.none();
            state = State.RESPONSE;
        } else {
            if (request.chunked) {
                body.chunked();
            } else {
                body.length(request.contentLength);
            }
            state = State.BODY;
        }
        current.begin();
        return true;
    }

    /// Takes over the buffer. Without an exchange its request is answered already: the rest of its body is swallowed.
    private void pass(ByteBuf data) {
        Exchange current = exchange;
        if (current != null) {
            current.requestBody(data);
        } else {
            data.release();
        }
    }

    private void endRequest() {
        Exchange current = exchange;
        if (current != null) {
            state = State.RESPONSE;
            current.requestEnd(body.trailers());
        } else {
            awaitRequest();
        }
    }

    private void awaitRequest() {
        state = State.HEAD;
        served = true;
        deadline.at = loop.now() + loop.idleNanos;
    }

    /// Where the next request would begin is not known any more: answer and close (RFC 9112 section 11.2).
    private void refuse(Refusal refusal) {
        closeAfter = true;
        Exchange current = exchange;
        if (current != null) {
            current.refuse(refusal);
        } else {
            linger();
        }
    }

    private void limitPending() {
        if (pending != null && pending.readableBytes() >= MOST_PENDING) {
            channel.config().setAutoRead(false);
        }
    }

    // ---- writing responses ----

    @Override
    public ClientConnection connection() {
        return connection;
    }

    @Override
    public long received() {
        return received;
    }

    @Override
    public long sent() {
        return out.sent();
    }

    @Override
    public void sendInterim(ResponseHead head) {
        HeadWriter.response(loop.scratch, head, false, false, false);
        out.write(loop.scratch.bytes, 0, loop.scratch.end);
    }

    @Override
    public void sendHead(ResponseHead head, boolean ends) {
        RequestHead request = current().request();
        boolean old = request.version == 10;
        boolean unknownLength = !ends && head.contentLength < 0 && head.status != 101;
        chunked = unknownLength && !old;
        closeDelimited = unknownLength && old;
        closeAfter |= closeDelimited || draining || (state == State.BODY && !isSwallowed(request));
        HeadWriter.response(loop.scratch, head, chunked, closeAfter, old);
        out.write(loop.scratch.bytes, 0, loop.scratch.end);
    }

    /// Whether the rest of the request's body is worth reading when its response comes first. A client that waits for 100
    /// may never send it.
    private boolean isSwallowed(RequestHead request) {
        return body.remaining() >= 0 && body.remaining() <= SWALLOWED && !request.expectContinue;
    }

    @Override
    public void sendBody(ByteBuf data) {
        if (chunked) {
            out.writeChunk(data);
        } else {
            out.write(data);
        }
    }

    @Override
    public void sendEnd(FieldSection trailers) {
        if (chunked) {
            out.writeLastChunk(trailers);
        }
    }

    @Override
    public void flush() {
        out.flush();
    }

    @Override
    public void abort() {
        if (closeDelimited) {
            // An orderly end would look like the end of the body: only a reset tells the client that there is more.
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
            out.discard();
        } else {
            out.flush();
        }
        close();
    }

    @Override
    public void upgrade() {
        chunked = false;
        state = State.TUNNEL;
    }

    @Override
    public boolean isWritable() {
        return channel.isWritable();
    }

    @Override
    public long backlog() {
        return channel.bytesBeforeWritable();
    }

    @Override
    public void pauseReading() {
        channel.config().setAutoRead(false);
    }

    @Override
    public void resumeReading() {
        if (!channel.config().isAutoRead() && (pending == null || pending.readableBytes() < MOST_PENDING)) {
            channel.config().setAutoRead(true);
        }
    }

    @Override
    public void finished() {
        exchange = null;
        switch (state) {
            case CLOSED, SENDING, LINGER -> {}
            case TUNNEL -> closeWhenSent();
            case HEAD -> linger();
            case BODY -> {
                if (closeAfter) {
                    linger();
                } else {
                    deadline.at = loop.now() + loop.streamNanos;
                    resumeReading();
                }
            }
            case RESPONSE -> {
                if (closeAfter && pending == null) {
                    closeWhenSent();
                } else if (closeAfter) {
                    linger();
                } else {
                    awaitRequest();
                    next();
                }
            }
        }
    }

    /// Goes on with what was pipelined, unless the reading loop is running and will.
    private void next() {
        ByteBuf waiting = pending;
        if (!isConsuming() && waiting != null) {
            pending = null;
            consume(waiting);
            Exchange current = exchange;
            if (current != null) {
                current.requestFlush();
            }
        }
        resumeReading();
    }

    // ---- the connection's end ----

    /// Whoever is slow to take the rest keeps the connection, and is waited for like any reader.
    private void closeWhenSent() {
        dropPending();
        state = State.SENDING;
        backlog = unsent();
        deadline.at = loop.now() + loop.streamNanos;
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(_ -> close());
    }

    private long unsent() {
        ChannelOutboundBuffer buffer = channel.unsafe().outboundBuffer();
        return buffer == null ? 0 : buffer.totalPendingWriteBytes();
    }

    /// Says that nothing more will be sent and reads on for a while: a close with unread bytes would be a reset, which may
    /// destroy the response before the client has read it.
    private void linger() {
        out.flush();
        state = State.LINGER;
        dropPending();
        deadline.at = loop.now() + LINGER_NANOS;
        HalfClose.send(channel);
        channel.config().setAutoRead(true);
    }

    @Override
    public void close() {
        leave();
        var _ = channel.close();
    }

    private void leave() {
        if (state != State.CLOSED) {
            state = State.CLOSED;
            deadline.at = Deadline.NEVER;
            loop.deadlines.remove(deadline);
            loop.disconnected(this);
            dropPending();
        }
    }

    private void dropPending() {
        ByteBuf waiting = pending;
        if (waiting != null) {
            pending = null;
            waiting.release();
        }
    }

    @Override
    public void drain() {
        draining = true;
        if (state == State.HEAD && exchange == null) {
            long quietSince = served ? deadline.at - loop.idleNanos : loop.now();
            deadline.at = Math.min(deadline.at, quietSince + QUIET_NANOS);
            if (deadline.at <= loop.now()) {
                close();
            }
        }
    }

    @Override
    public void endUpgraded() {
        if (state == State.TUNNEL) {
            kill();
        }
    }

    @Override
    public void kill() {
        Exchange current = exchange;
        if (current != null) {
            closeAfter = true;
            current.kill();
        }
        close();
    }

    private void deadlinePassed() {
        if (state == State.HEAD && exchange != null) {
            refuse(Refusal.HEAD_TIMEOUT);
        } else if (state == State.SENDING && unsent() < backlog) {
            backlog = unsent();
            deadline.at = loop.now() + loop.streamNanos;
        } else {
            close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        loop.touch();
        leave();
        out.discard();
        Exchange current = exchange;
        if (current != null) {
            current.downstreamClosed();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        Exchange current = exchange;
        if (current != null) {
            current.downstreamWritabilityChanged();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable problem) {
        if (!LostConnection.is(problem)) {
            LOG.error("bug while serving {}: closing the connection", connection.label.sourceIp(), problem);
        }
        var _ = ctx.close();
    }

    private Exchange current() {
        if (exchange == null) {
            throw new IllegalStateException("no exchange on this connection");
        }
        return exchange;
    }
}
