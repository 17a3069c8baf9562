package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One stream to an endpoint: a request on its way out, its response on its way in. First it may have to wait for a
/// connection.
final class Http2Upstream extends Http2Side implements EndpointSide {
    private final Http2Pool pool;
    private final boolean tunnel;
    private @Nullable Http2UpstreamConnection connection;
    /// Whom it works for; null when nobody wants to know any more.
    private @Nullable Attempts attempts;
    private boolean requestEnded;
    private boolean headReceived;
    /// Raw bytes both ways.
    private boolean tunnelling;
    /// What the body must still bring; -1 when that is not known.
    private long bodyLeft;
    /// Why the stream ended before its time.
    private Ending ending = Ending.LOST;
    private String detail = "connection lost";

    enum Ending {
        LOST,
        /// By the endpoint, which has not looked at the request: it is taking its leave (GOAWAY).
        LEFT_BEHIND,
        /// By the endpoint, which has not looked at the request: it has too much to do (REFUSED_STREAM).
        REFUSED,
        RESET,
        MALFORMED
    }

    /// One that waits for a connection.
    Http2Upstream(Http2Pool pool, Attempts attempts, boolean tunnel) {
        this.pool = pool;
        this.attempts = attempts;
        this.tunnel = tunnel;
    }

    Http2Upstream(Http2Pool pool, Http2UpstreamConnection connection) {
        this.pool = pool;
        this.connection = connection;
        this.tunnel = false;
    }

    boolean isTunnel() {
        return tunnel;
    }

    /// There is a connection.
    void open(Http2UpstreamConnection opened) {
        connection = opened;
        Attempts waiting = takeAttempts();
        if (waiting != null) {
            opened.opening().tellHandshake(waiting);
            waiting.connected(this);
        }
    }

    @Nullable Attempts takeAttempts() {
        Attempts taken = attempts;
        attempts = null;
        return taken;
    }

    void connectFailed(Cause cause, String reason) {
        Attempts waiting = takeAttempts();
        if (waiting != null) {
            waiting.connectFailed(cause, reason);
        }
    }

    // ---- the request ----

    @Override
    public void begin(Attempts attempts, RouteState route) {
        this.attempts = attempts;
        RequestHead request = attempts.exchange().request();
        requestEnded = !request.bodyFollows && !request.upgrade;
        pool.endpoint().requests++;
        stream = connection().open(this, request, route, requestEnded);
    }

    @Override
    public void send(ByteBuf data) {
        if (stream == null || requestEnded) {
            data.release();
        } else {
            var _ = connection().writeData(stream, data, false);
        }
    }

    @Override
    public void end(FieldSection trailers) {
        if (stream == null || requestEnded) {
            return;
        }
        requestEnded = true;
        if (trailers.count() == 0) {
            var _ = connection().writeData(stream, Unpooled.EMPTY_BUFFER, true);
        } else {
            var _ = connection().writeTrailers(stream, trailers);
        }
    }

    @Override
    public void flush() {
        if (connection != null) {
            connection.flushSoon();
        }
    }

    @Override
    public boolean isWritable() {
        return stream != null && connection().isWritable(stream);
    }

    @Override
    public boolean mayRefuse() {
        return true;
    }

    // ---- the response ----

    void receiveHead(Http2Fields fields, boolean ends) {
        Attempts current = attempts;
        if (current == null) {
            return;
        }
        if (headReceived) {
            receiveTrailers(current, fields);
            return;
        }
        ResponseHead head = current.exchange().response();
        Refusal refusal = fields.moveTo(head);
        if (refusal == Refusal.NONE) {
            refusal = head.finish();
        }
        boolean interim = head.status < 200;
        if (refusal == Refusal.NONE && interim && (ends || head.status == 101)) {
            // RFC 9113 sections 8.1 and 8.6.
            refusal = Refusal.PSEUDO_FIELDS;
        }
        if (refusal != Refusal.NONE) {
            refuse(refusal);
        } else if (interim) {
            current.interim(head);
        } else {
            takeHead(current, head, ends);
        }
    }

    private void takeHead(Attempts current, ResponseHead head, boolean ends) {
        headReceived = true;
        RequestHead request = current.exchange().request();
        if (request.upgrade && head.status < 300 && !ends) {
            tunnelling = true;
            bodyLeft = -1;
            ExtendedConnect.accept(request, head);
            current.switched(head);
            return;
        }
        boolean bodiless = head.isBodiless(request.method);
        bodyLeft = bodiless ? 0 : head.contentLength;
        if (ends && bodyLeft > 0) {
            fail(Cause.UPSTREAM_PROTOCOL_ERROR, "response body shorter than Content-Length");
            return;
        }
        current.responseHead(head, ends || bodiless);
        if (ends && attempts == current) {
            end(current);
        }
    }

    private void receiveTrailers(Attempts current, Http2Fields fields) {
        if (!fields.isTrailerSection() || bodyLeft > 0) {
            refuse(fields.refusal == Refusal.NONE ? Refusal.TRAILER : fields.refusal);
            return;
        }
        FieldSection trailers = fields.takeTrailers();
        attempts = null;
        current.responseEnd(trailers);
        ended();
    }

    @Override
    int receive(ByteBuf data, int flowControlled, boolean ends) {
        Attempts current = attempts;
        if (current == null) {
            return flowControlled;
        }
        int length = data.readableBytes();
        // RFC 9113 section 8.1.1: whoever reads behind us by Content-Length would take the rest for another response.
        if (!headReceived || (bodyLeft >= 0 && (length > bodyLeft || (ends && length < bodyLeft)))) {
            fail(Cause.UPSTREAM_PROTOCOL_ERROR, headReceived ? "response body does not fit its Content-Length" : "response body before its head");
            return flowControlled;
        }
        if (bodyLeft >= 0) {
            bodyLeft -= length;
        }
        if (length > 0) {
            current.exchange().responseBody(data.retain());
        }
        if (attempts != current) {
            return flowControlled;
        }
        if (ends) {
            end(current);
            return flowControlled;
        }
        return passedOn(flowControlled);
    }

    @Override
    void readComplete() {
        Attempts current = attempts;
        if (current != null) {
            current.exchange().responseFlush();
        }
    }

    @Override
    void writabilityChanged() {
        Attempts current = attempts;
        if (current != null) {
            current.writabilityChanged();
        }
    }

    /// The response is complete.
    private void end(Attempts current) {
        attempts = null;
        current.responseEnd(FieldSection.NONE);
        ended();
    }

    /// Nobody needs the rest of the request any more.
    private void ended() {
        Http2Stream current = stream;
        if (!requestEnded && current != null) {
            connection().reset(current, tunnelling ? Http2Error.CANCEL : Http2Error.NO_ERROR);
        }
    }

    private void refuse(Refusal refusal) {
        boolean size = refusal.cause == Cause.HEADER_TOO_LARGE || refusal.cause == Cause.REQUEST_LINE_TOO_LONG;
        fail(size ? Cause.UPSTREAM_HEADER_TOO_LARGE : Cause.UPSTREAM_PROTOCOL_ERROR, refusal.detail);
    }

    private void fail(Cause cause, String reason) {
        Attempts current = takeAttempts();
        pool.endpoint().failures++;
        if (stream != null) {
            connection().reset(stream, Http2Error.PROTOCOL_ERROR);
        }
        if (current != null) {
            current.failed(cause, reason);
        }
    }

    /// Why the stream is about to end before its time; the first reason counts.
    void endsBy(Ending reason, String text) {
        if (ending == Ending.LOST) {
            ending = reason;
            detail = text;
        }
    }

    /// When the response was complete, or nobody waits for it, that is no news.
    @Override
    void closed() {
        stream = null;
        Attempts current = takeAttempts();
        if (current == null) {
            return;
        }
        if (ending == Ending.LOST || ending == Ending.RESET) {
            pool.endpoint().failures++;
        }
        switch (ending) {
            case LOST -> current.lost(!headReceived);
            case LEFT_BEHIND -> current.refused(detail, true);
            case REFUSED -> current.refused(detail, false);
            case RESET -> current.reset(!headReceived, detail);
            case MALFORMED -> current.failed(Cause.UPSTREAM_PROTOCOL_ERROR, detail);
        }
    }

    @Override
    public void close() {
        attempts = null;
        Http2Stream current = stream;
        if (connection == null) {
            pool.leave(this);
        } else if (current != null) {
            connection.reset(current, Http2Error.CANCEL);
        }
    }

    @Override
    Http2Carrier<?> carrier() {
        return connection();
    }

    private Http2UpstreamConnection connection() {
        return Objects.requireNonNull(connection);
    }
}
