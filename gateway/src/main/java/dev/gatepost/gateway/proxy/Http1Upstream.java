package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// An HTTP/1 connection to an endpoint. It writes the requests of one exchange after another, reads their responses, and
/// knows whether it can be used again.
final class Http1Upstream extends Http1Carrier implements EndpointSide, Connecting {
    private enum State { CONNECTING, IDLE, HEAD, BODY, TUNNEL, CLOSED }

    private final EndpointPool pool;
    private final ResponseParser parser;
    private final Deadline idleDeadline = new Deadline(this::close);
    private State state = State.CONNECTING;
    /// Whom it works for.
    private @Nullable Attempts attempts;
    private @Nullable Channel channel;
    private @Nullable Outgoing out;
    private boolean requestEnded;
    private boolean requestChunked;
    private boolean writeFailed;
    private boolean broken;
    private boolean secure;
    /// The endpoint ended TLS in order: what came before is all there is.
    private boolean endedTls;
    private long idleSince;

    /// @param attempts that it is opened for; null when they gave up meanwhile
    Http1Upstream(GateLoop loop, EndpointPool pool, @Nullable Attempts attempts) {
        super(loop);
        this.pool = pool;
        this.attempts = attempts;
        this.parser = new ResponseParser(loop.settings.limits());
    }

    long idleSince() {
        return idleSince;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        channel = ctx.channel();
        out = new Outgoing(ctx.channel());
        secure = ctx.pipeline().get(SslHandler.class) != null;
    }

    @Override
    public void connected() {
        if (state == State.CLOSED) {
            return;
        }
        loop.deadlines.add(idleDeadline);
        Attempts waiting = attempts;
        if (waiting == null) {
            // Its exchange gave up meanwhile: the next one may have it.
            requestEnded = true;
            becomeIdle();
        } else {
            state = State.IDLE;
            attempts = null;
            waiting.connected(this);
        }
    }

    @Override
    public void connectFailed(Cause cause, String detail) {
        state = State.CLOSED;
        Attempts waiting = attempts;
        attempts = null;
        if (waiting != null) {
            waiting.connectFailed(cause, detail);
        }
    }

    // ---- the request ----

    /// A body whose length is not known is chunked.
    @Override
    public void begin(Attempts attempts, RouteState route) {
        RequestHead request = attempts.exchange().request();
        this.attempts = attempts;
        idleDeadline.at = Deadline.NEVER;
        state = State.HEAD;
        requestChunked = request.bodyFollows && request.contentLength < 0;
        requestEnded = !request.bodyFollows;
        HeadWriter.request(loop.scratch, request, route, pool, requestChunked);
        parser.start(attempts.exchange().response());
        pool.requests++;
        outgoing().write(loop.scratch.bytes, 0, loop.scratch.end);
    }

    @Override
    public void send(ByteBuf data) {
        if (writeFailed || state == State.CLOSED) {
            data.release();
        } else if (requestChunked) {
            outgoing().writeChunk(data);
        } else {
            outgoing().write(data);
        }
    }

    @Override
    public void end(FieldSection trailers) {
        requestEnded = true;
        if (state == State.TUNNEL) {
            endTunnel();
        } else if (requestChunked && !writeFailed && state != State.CLOSED) {
            outgoing().writeLastChunk(trailers);
        }
    }

    /// The client sends nothing more; the endpoint may.
    private void endTunnel() {
        outgoing().flush();
        HalfClose.send(Objects.requireNonNull(channel));
    }

    @Override
    public void flush() {
        if (out != null && state != State.CLOSED) {
            out.flush();
        }
    }

    /// Whether it takes more request body. After a failed write it does: the body goes nowhere, and what matters is the
    /// response that may be on its way.
    @Override
    public boolean isWritable() {
        return writeFailed || (channel != null && channel.isWritable());
    }

    @Override
    public boolean mayRefuse() {
        return false;
    }

    // ---- the response ----

    @Override
    public void pauseReading() {
        if (channel != null) {
            channel.config().setAutoRead(false);
        }
    }

    @Override
    public void resumeReading() {
        if (channel != null && !channel.config().isAutoRead()) {
            channel.config().setAutoRead(true);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        loop.touch();
        consume((ByteBuf) message);
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
                    if (n == BodyReader.MALFORMED) {
                        fail(Cause.UPSTREAM_PROTOCOL_ERROR, "response body: bad chunk");
                        return false;
                    }
                    if (n == BodyReader.MORE) {
                        return false;
                    }
                    if (n > 0) {
                        boolean whole = n == in.readableBytes();
                        boolean last = body.isAtEnd();
                        current().exchange().responseBody(whole ? in : in.readRetainedSlice(n));
                        if (last && state == State.BODY) {
                            end(!whole && in.isReadable());
                        }
                        if (whole) {
                            return true;
                        }
                    } else {
                        end(in.isReadable());
                    }
                }
                case TUNNEL -> {
                    if (!in.isReadable()) {
                        return false;
                    }
                    current().exchange().responseBody(in);
                    return true;
                }
                case IDLE -> {
                    // Nobody asked (RFC 9112 section 9.2): whatever it means, the next response can't be trusted.
                    if (in.isReadable()) {
                        close();
                    }
                    return false;
                }
                case CONNECTING, CLOSED -> {
                    return false;
                }
            }
        }
    }

    /// Reads a head as far as it is there; false when more is needed or it was refused.
    private boolean readHead(ByteBuf in) {
        Attempts current = current();
        ResponseHead head = current.exchange().response();
        Refusal refusal = parser.read(in);
        if (refusal == Refusal.NONE && parser.isComplete()) {
            refusal = head.finish();
        }
        if (refusal != Refusal.NONE) {
            boolean size = refusal.cause == Cause.HEADER_TOO_LARGE || refusal.cause == Cause.REQUEST_LINE_TOO_LONG;
            fail(size ? Cause.UPSTREAM_HEADER_TOO_LARGE : Cause.UPSTREAM_PROTOCOL_ERROR, refusal.detail);
            return false;
        }
        if (!parser.isComplete()) {
            return false;
        }
        if (head.status == 101) {
            return switchProtocols(current, head);
        }
        if (head.status < 200) {
            current.interim(head);
            if (state == State.HEAD) {
                parser.start(head);
            }
            return true;
        }
        if (head.isBodiless(current.exchange().request().method)) {
            body.none();
        } else if (head.chunked) {
            body.chunked();
        } else if (head.contentLength >= 0) {
            body.length(head.contentLength);
        } else {
            body.untilClose();
        }
        state = State.BODY;
        boolean ends = body.isAtEnd();
        current.responseHead(head, ends);
        if (ends && state == State.BODY) {
            end(in.isReadable());
        }
        return true;
    }

    private boolean switchProtocols(Attempts current, ResponseHead head) {
        if (!current.exchange().request().upgrade || !head.upgrade || head.fields.find(FieldName.UPGRADE, 0) < 0) {
            fail(Cause.UPSTREAM_PROTOCOL_ERROR, "101 response to a request that asked for no upgrade");
            return false;
        }
        state = State.TUNNEL;
        requestChunked = false;
        current.switched(head);
        return true;
    }

    /// The response is complete.
    private void end(boolean surplus) {
        Attempts ended = current();
        attempts = null;
        boolean reusable = requestEnded && !surplus && !ended.exchange().response().close && !body.endsWithConnection() && !writeFailed;
        if (reusable) {
            becomeIdle();
        } else {
            close();
        }
        ended.responseEnd(body.trailers());
    }

    private void becomeIdle() {
        if (channel != null && channel.isActive() && pool.keep(this)) {
            state = State.IDLE;
            idleSince = loop.now();
            idleDeadline.at = idleSince + loop.idleNanos;
            resumeReading();
        } else {
            close();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        Attempts current = attempts;
        if (current != null) {
            current.exchange().responseFlush();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        Attempts current = attempts;
        if (current != null && state != State.CONNECTING) {
            current.writabilityChanged();
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslCloseCompletionEvent end && end.isSuccess()) {
            endedTls = true;
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        loop.touch();
        State before = state;
        state = State.CLOSED;
        discard();
        Attempts current = attempts;
        attempts = null;
        if (before != State.CONNECTING && before != State.CLOSED) {
            loop.deadlines.remove(idleDeadline);
            pool.closed(this);
        }
        if (current == null) {
            return;
        }
        switch (before) {
            case HEAD -> {
                boolean untouched = parser.isUntouched();
                pool.failures++;
                current.lost(untouched);
            }
            case BODY -> {
                // Over TLS anybody can end TCP (RFC 9112 section 9.8).
                if (body.endsWithConnection() && !broken && (!secure || endedTls)) {
                    current.responseEnd(FieldSection.NONE);
                } else {
                    pool.failures++;
                    current.lost(false);
                }
            }
            case TUNNEL -> current.responseEnd(FieldSection.NONE);
            case CONNECTING, IDLE, CLOSED -> {}
        }
    }

    /// A failed write comes here as well. The connection stays open for reading then: an endpoint that refuses a body
    /// answers before it has read it all (RFC 9112 section 9.6).
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable problem) {
        if (state == State.CONNECTING || state == State.CLOSED) {
            return;
        }
        if (ctx.channel().isActive() && (state == State.HEAD || state == State.BODY) && problem instanceof IOException) {
            writeFailed = true;
            broken = true;
            Attempts current = attempts;
            if (current != null) {
                current.writabilityChanged();
            }
            return;
        }
        broken = true;
        var _ = ctx.close();
    }

    private void fail(Cause cause, String detail) {
        Attempts current = attempts;
        attempts = null;
        pool.failures++;
        close();
        if (current != null) {
            current.failed(cause, detail);
        }
    }

    /// Closes it, whatever it is doing; its exchange is not told, and does not need it any more.
    @Override
    public void close() {
        attempts = null;
        // One that is still connecting goes to the pool when it has.
        if (state != State.CLOSED && state != State.CONNECTING && channel != null) {
            state = State.CLOSED;
            discard();
            loop.deadlines.remove(idleDeadline);
            pool.closed(this);
            var _ = channel.close();
        }
    }

    private void discard() {
        if (out != null) {
            out.discard();
        }
    }

    private Outgoing outgoing() {
        if (out == null) {
            throw new IllegalStateException("not in a pipeline yet");
        }
        return out;
    }

    private Attempts current() {
        if (attempts == null) {
            throw new IllegalStateException("no exchange on this connection");
        }
        return attempts;
    }
}
