package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The attempts to have one request answered: an endpoint is picked, a connection taken or opened, the request put on it;
/// when that fails and nothing forbids it, the same once more. What the endpoint answers goes to the [Exchange].
///
/// Part of its exchange, and reused with it.
final class Attempts {
    /// The first included.
    static final int MOST = 3;

    private static final long RESOLVE_NANOS = 1_000_000_000L;

    private enum Step {
        NONE,
        /// Waiting for a connection.
        CONNECTING,
        /// The request is under way.
        SENT
    }

    private final Exchange exchange;
    private final GateLoop loop;
    private final ExchangeRecord record;
    private final EndpointPool[] tried = new EndpointPool[MOST];
    /// Request body that came before there was a connection to send it on.
    private final List<ByteBuf> held = new ArrayList<>();

    private Step step = Step.NONE;
    private @Nullable RouteState route;
    private @Nullable UpstreamConnection connection;
    /// How a body of unknown length goes to the endpoint.
    private boolean chunked;
    private boolean reused;
    /// A response byte, an interim response say, or a request body byte went its way: no other attempt.
    private boolean committed;
    private long connectAt;
    private long sentAt;

    Attempts(Exchange exchange, GateLoop loop, ExchangeRecord record) {
        this.exchange = exchange;
        this.loop = loop;
        this.record = record;
    }

    /// Ready for another request.
    void clear() {
        step = Step.NONE;
        route = null;
        connection = null;
        chunked = reused = committed = false;
    }

    /// Makes the first attempt. The request's fields are those that the endpoint shall get.
    void begin(RouteState found) {
        route = found;
        RequestHead request = exchange.request();
        chunked = request.bodyFollows && request.contentLength < 0;
        attempt(true);
    }

    // ---- one attempt ----

    /// @param reuse whether a kept-alive connection will do
    private void attempt(boolean reuse) {
        EndpointPool pool = route().balancer.pick(tried, record.attempts);
        if (pool == null) {
            // All have been tried: the last one again, by a new connection.
            pool = tried[record.attempts - 1];
        }
        tried[record.attempts++] = pool;
        record.endpoint = pool.label;
        UpstreamConnection kept = reuse ? pool.take(isRepeatable()) : null;
        if (kept != null) {
            became(true);
            send(kept);
            return;
        }
        became(false);
        step = Step.CONNECTING;
        connectAt = loop.now();
        // The transport keeps the connect timeout; this one is for what comes before it, the resolver.
        exchange.expectWithin(loop.connectNanos + RESOLVE_NANOS);
        pool.connect(this);
    }

    private void became(boolean reusing) {
        reused = reusing;
        record.reusedConnection = reusing;
    }

    private boolean isRepeatable() {
        RequestHead request = exchange.request();
        return request.method.idempotent && !request.bodyFollows;
    }

    /// The connection that will be handed to [#connected(UpstreamConnection)], so that it can be given up before.
    void connecting(UpstreamConnection opening) {
        connection = opening;
        if (!exchange.isRequestComplete()) {
            exchange.downstream().pauseReading();
        }
    }

    void connected(UpstreamConnection opened) {
        record.connectNanos = loop.now() - connectAt;
        send(opened);
        opened.flush();
        if (!exchange.isRequestComplete()) {
            exchange.downstream().resumeReading();
        }
    }

    private void send(UpstreamConnection carrying) {
        RequestHead request = exchange.request();
        connection = carrying;
        step = Step.SENT;
        sentAt = loop.now();
        HeadWriter.request(loop.scratch, request, route(), carrying.pool(), chunked);
        carrying.begin(this, loop.scratch, chunked, !request.bodyFollows);
        for (int i = 0; i < held.size(); i++) {
            committed = true;
            carrying.send(held.get(i));
        }
        held.clear();
        if (exchange.isRequestComplete() && request.bodyFollows) {
            carrying.end(exchange.requestTrailers());
        }
        exchange.awaitHead();
    }

    // ---- another attempt ----

    /// Nothing was sent, so another endpoint may have the request, whatever its method.
    void connectFailed(Cause cause, String detail) {
        connection = null;
        if (mayTryAgain() && route().balancer.size() > record.attempts) {
            attemptAgain(true);
            return;
        }
        exchange.fail(cause == Cause.UPSTREAM_CONNECT_TIMEOUT ? 504 : 502, cause, detail);
    }

    /// The connection was lost before the response was complete.
    ///
    /// @param silent no byte of a response had come on it
    void lost(boolean silent) {
        connection = null;
        if (exchange.isResponding()) {
            exchange.fail(502, Cause.UPSTREAM_RESET_AFTER_RESPONSE, "connection lost before the response was complete");
            return;
        }
        // A connection that was idle and dies without a word was being closed when the request came (RFC 9112 section 9.5).
        if (silent && reused && !committed && exchange.request().method.idempotent && mayTryAgain()) {
            attemptAgain(false);
            return;
        }
        exchange.fail(502, Cause.UPSTREAM_RESET_BEFORE_RESPONSE, "connection lost before the response");
    }

    private boolean mayTryAgain() {
        return record.attempts < route().mostAttempts && !exchange.isOverdue();
    }

    private void attemptAgain(boolean reuse) {
        loop.counters.retries++;
        route().counters.retries++;
        attempt(reuse);
        if (step == Step.SENT) {
            flush();
            exchange.downstream().resumeReading();
        }
    }

    /// What the endpoint sent was no response.
    void failed(Cause cause, String detail) {
        connection = null;
        exchange.fail(502, cause, detail);
    }

    /// No more attempts: whatever is under way is not wanted any more.
    void giveUp() {
        UpstreamConnection current = connection;
        if (current != null) {
            connection = null;
            current.close();
        }
    }

    /// The exchange is over.
    void releaseHeld() {
        for (int i = 0; i < held.size(); i++) {
            held.get(i).release();
        }
        held.clear();
    }

    // ---- the request's body ----

    /// Takes over the buffer; false when it can't be sent yet, or not any more.
    boolean send(ByteBuf data) {
        UpstreamConnection current = connection;
        if (step == Step.CONNECTING) {
            held.add(data);
            return false;
        }
        if (current == null) {
            data.release();
            return false;
        }
        committed = true;
        current.send(data);
        return true;
    }

    void end(FieldSection trailers) {
        UpstreamConnection current = connection;
        if (current != null && step == Step.SENT) {
            current.end(trailers);
        }
    }

    void flush() {
        UpstreamConnection current = connection;
        if (current != null) {
            current.flush();
        }
    }

    boolean isSent() {
        return step == Step.SENT;
    }

    /// Whether the endpoint takes more of the request's body; so it does when there is none any more.
    boolean isWritable() {
        UpstreamConnection current = connection;
        return current == null || current.isWritable();
    }

    void writabilityChanged() {
        if (connection != null && isWritable()) {
            exchange.upstreamWritable();
        }
    }

    // ---- the response ----

    Exchange exchange() {
        return exchange;
    }

    void interim(ResponseHead head) {
        committed = true;
        exchange.interim(head);
    }

    void responseHead(ResponseHead head, boolean ends) {
        committed = true;
        record.firstByteNanos = loop.now() - sentAt;
        exchange.responseHead(head, ends);
    }

    void switched(ResponseHead head) {
        committed = true;
        record.firstByteNanos = loop.now() - sentAt;
        exchange.switched(head);
    }

    /// The response is complete; its connection has gone its own way.
    void responseEnd(FieldSection trailers) {
        connection = null;
        exchange.responseEnd(trailers);
    }

    void pauseReading() {
        UpstreamConnection current = connection;
        if (current != null) {
            current.pauseReading();
        }
    }

    /// True when there was a connection to read on from.
    boolean resumeReading() {
        UpstreamConnection current = connection;
        if (current == null || step != Step.SENT) {
            return false;
        }
        current.resumeReading();
        return true;
    }

    private RouteState route() {
        if (route == null) {
            throw new IllegalStateException("no route yet");
        }
        return route;
    }
}
