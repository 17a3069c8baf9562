package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Attempt;
import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord;
import io.netty.buffer.ByteBuf;
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
        /// Waiting for an endpoint with room.
        WAITING,
        /// Waiting for a connection.
        CONNECTING,
        /// The request is under way.
        SENT
    }

    private final Exchange exchange;
    private final GateLoop loop;
    private final ExchangeRecord record;
    private final EndpointPool[] tried = new EndpointPool[MOST];
    private final HeldBody held = new HeldBody();

    private Step step = Step.NONE;
    private @Nullable RouteState route;
    /// That of the present attempt.
    private @Nullable EndpointPool pool;
    private @Nullable EndpointSide connection;
    /// This attempt decides whether its endpoint stays ejected.
    private boolean probe;
    private boolean reused;
    /// A response byte, an interim response say, or a request body byte went its way: no other attempt.
    private boolean committed;
    /// The present one, or the last.
    private Attempt attempt;
    private long attemptAt;
    /// When it joined the line; 0 when it stands in none.
    private long waitedFrom;
    private long connectAt;
    private long sentAt;
    /// When the last of the request so far went to the endpoint: since then it is its turn.
    private long askedAt;

    Attempts(Exchange exchange, GateLoop loop, ExchangeRecord record) {
        this.exchange = exchange;
        this.loop = loop;
        this.record = record;
        this.attempt = record.tried(0);
    }

    /// Ready for another request.
    void clear() {
        step = Step.NONE;
        route = null;
        pool = null;
        connection = null;
        waitedFrom = 0;
        reused = committed = probe = false;
    }

    /// Makes the first attempt. The request's fields are those that the endpoint shall get.
    void begin(RouteState found) {
        route = found;
        found.budget.request();
        attempt(true);
    }

    // ---- room ----

    /// Whether the next attempt would find an endpoint with room.
    boolean hasRoom() {
        if (route().load.isFull()) {
            return false;
        }
        Balancer balancer = route().balancer;
        for (int i = 0; i < balancer.size(); i++) {
            if (!balancer.pool(i).isFull()) {
                return true;
            }
        }
        return false;
    }

    private void await() {
        if (!route().line.join(this)) {
            exchange.overload("too many requests wait for an endpoint");
            return;
        }
        step = Step.WAITING;
        waitedFrom = loop.now();
        exchange.patience().within(loop.connectNanos);
        pauseDownstream();
    }

    /// It is this one's turn.
    void goOn() {
        step = Step.NONE;
        attempt(true);
        if (step == Step.SENT) {
            flush();
            exchange.downstream().resumeReading();
        }
    }

    boolean isWaiting() {
        return step == Step.WAITING;
    }

    // ---- one attempt ----

    /// @param reuse whether a kept-alive connection will do
    private void attempt(boolean reuse) {
        EndpointPool picked = route().balancer.pick(exchange, tried, record.attempts);
        if (picked == null) {
            // All have been tried: the last one again, by a new connection.
            picked = tried[record.attempts - 1];
        }
        if (picked.isFull() || route().load.isFull()) {
            await();
            return;
        }
        pool = picked;
        probe = picked.begin();
        route().load.begin();
        tried[record.attempts] = picked;
        Attempt begun = record.attempt(picked.label);
        attempt = begun;
        attemptAt = loop.now();
        begun.queueNanos = waited();
        EndpointSide kept = picked.take(exchange.request(), reuse);
        if (kept != null) {
            became(true);
            send(kept);
            return;
        }
        became(false);
        step = Step.CONNECTING;
        connectAt = loop.now();
        // The transport keeps the connect timeout; this one is for what comes before it, the resolver.
        exchange.patience().within(loop.connectNanos + RESOLVE_NANOS);
        picked.connect(this);
    }

    /// How long it stood in line; -1 where it did not.
    private long waited() {
        if (waitedFrom == 0) {
            return -1;
        }
        long waited = loop.now() - waitedFrom;
        waitedFrom = 0;
        record.queueNanos = Math.max(0, record.queueNanos) + waited;
        return waited;
    }

    /// The present attempt is over, however it ended.
    private void over() {
        connection = null;
        EndpointPool ended = pool;
        if (ended != null) {
            attempt.durationNanos = loop.now() - attemptAt;
            pool = null;
            route().load.over();
            ended.over(probe);
            probe = false;
        }
    }

    private void became(boolean reusing) {
        reused = reusing;
        record.reusedConnection = reusing;
        attempt.reusedConnection = reusing;
    }

    /// The connection that will be handed to [#connected(EndpointSide)], so that it can be given up before.
    void connecting(EndpointSide opening) {
        connection = opening;
        pauseDownstream();
    }

    private void pauseDownstream() {
        if (!exchange.isRequestComplete()) {
            exchange.downstream().pauseReading();
        }
    }

    /// The connection that it waits for, or that it will get, was protected by a handshake between these two moments.
    void secured(long from, long to) {
        if (to >= connectAt) {
            record.upstreamTlsNanos = to - Math.max(from, connectAt);
        }
    }

    void connected(EndpointSide opened) {
        record.connectNanos = loop.now() - connectAt;
        attempt.connectNanos = record.connectNanos;
        send(opened);
        opened.flush();
        if (!exchange.isRequestComplete()) {
            exchange.downstream().resumeReading();
        }
    }

    private void send(EndpointSide carrying) {
        RequestHead request = exchange.request();
        connection = carrying;
        step = Step.SENT;
        sentAt = loop.now();
        askedAt = sentAt;
        carrying.begin(this, route());
        committed |= !held.isEmpty();
        held.sendOn(carrying);
        if (exchange.isRequestComplete() && request.bodyFollows) {
            carrying.end(exchange.requestTrailers());
        }
        exchange.awaitHead();
    }

    // ---- another attempt ----

    /// Nothing was sent, so another endpoint may have the request, whatever its method, and without a look at the budget.
    ///
    /// @param cause [Cause#OVERLOAD] when it is our own fault: nothing is said of the endpoint then, and no other will do
    void connectFailed(Cause cause, String detail) {
        if (cause == Cause.OVERLOAD) {
            attempt.result = cause;
            over();
            exchange.overload(detail);
            return;
        }
        failedToConnect(detail);
        if (cause == Cause.UPSTREAM_CONNECT_TIMEOUT) {
            countTimeout();
        }
        attempt.result = cause;
        over();
        if (mayTryAgain() && isElsewhere()) {
            attemptAgain(true);
            return;
        }
        exchange.fail(cause == Cause.UPSTREAM_CONNECT_TIMEOUT ? 504 : 502, cause, detail);
    }

    private void failedToConnect(String detail) {
        if (pool != null) {
            pool.health.connectFailed(detail, loop.now(), route().balancer);
        }
    }

    /// The connection was lost before the response was complete.
    ///
    /// @param silent no byte of a response had come on it
    void lost(boolean silent) {
        // A connection that was idle and dies without a word was being closed when the request came (RFC 9112 section 9.5).
        boolean idleDeath = silent && reused;
        if (!idleDeath) {
            endpointFailed("connection lost");
        }
        Cause cause = brokenOff();
        if (silent && isUncommitted() && (idleDeath || isElsewhere()) && mayRepeat()) {
            attemptAgain(false);
        } else {
            exchange.fail(502, cause, exchange.isResponding() ? "connection lost before the response was complete" : "connection lost before the response");
        }
    }

    /// The endpoint broke the request off, on a connection that goes on.
    ///
    /// @param silent no byte of a response had come
    void reset(boolean silent, String detail) {
        endpointFailed(detail);
        Cause cause = brokenOff();
        if (silent && isUncommitted() && isElsewhere() && mayRepeat()) {
            attemptAgain(true);
        } else {
            exchange.fail(502, cause, detail);
        }
    }

    /// The endpoint gave the request back and has done nothing with it: another may have it, whatever its method, as long
    /// as all of it is at hand.
    ///
    /// @param leaving the endpoint's connection ends, which is no fault; else it has too much to do, and retries have a budget
    void refused(String detail, boolean leaving) {
        if (!leaving) {
            endpointFailed(detail);
        }
        Cause cause = brokenOff();
        if (!exchange.isResponding() && held.isWhole() && (leaving ? mayTryAgain() : mayRepeat())) {
            committed = false;
            attemptAgain(true);
        } else {
            exchange.fail(502, cause, detail);
        }
    }

    /// The present attempt is over without a whole response.
    private Cause brokenOff() {
        Cause cause = exchange.isResponding() ? Cause.UPSTREAM_RESET_AFTER_RESPONSE : Cause.UPSTREAM_RESET_BEFORE_RESPONSE;
        attempt.result = cause;
        over();
        return cause;
    }

    private void endpointFailed(String detail) {
        if (pool != null) {
            pool.health.failed(detail, loop.now(), route().balancer);
        }
    }

    /// To do the request twice is as good as once, and nobody has heard of the first time.
    private boolean isUncommitted() {
        return !committed && exchange.request().method.idempotent;
    }

    private boolean isElsewhere() {
        return route().balancer.size() > record.attempts;
    }

    private boolean mayTryAgain() {
        return record.attempts < route().mostAttempts && !exchange.patience().isOver();
    }

    /// An endpoint may have worked for the first attempt: such retries have a budget.
    private boolean mayRepeat() {
        if (!mayTryAgain()) {
            return false;
        }
        boolean granted = route().budget.take(loop.now());
        if (!granted) {
            loop.counters.refusedRetries++;
        }
        return granted;
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
        endpointFailed(detail);
        over();
        exchange.fail(502, cause, detail);
    }

    /// The endpoint did not connect, or answer, in time.
    void timedOut() {
        countTimeout();
        if (step == Step.CONNECTING) {
            failedToConnect("no connection in time");
        } else {
            endpointFailed("no response in time");
        }
    }

    private void countTimeout() {
        if (route().load.timedOut(loop.now())) {
            loop.counters.circuitsOpened++;
        }
    }

    /// No more attempts: whatever is under way is not wanted any more.
    void giveUp() {
        EndpointSide current = connection;
        if (step == Step.WAITING) {
            route().line.leave(this);
            step = Step.NONE;
            var _ = waited();
        }
        over();
        if (current != null) {
            current.close();
        }
    }

    /// The exchange is over.
    void close() {
        over();
        step = Step.NONE;
        held.letGo();
    }

    // ---- the request's body ----

    /// Takes over the buffer; false when it can't be sent yet, or not any more.
    boolean send(ByteBuf data) {
        EndpointSide current = connection;
        if (step == Step.CONNECTING || step == Step.WAITING) {
            held.add(data);
            return false;
        }
        if (current == null) {
            data.release();
            return false;
        }
        committed = true;
        askedAt = loop.now();
        held.keep(data);
        current.send(data);
        return true;
    }

    void end(FieldSection trailers) {
        EndpointSide current = connection;
        if (current != null && step == Step.SENT) {
            askedAt = loop.now();
            current.end(trailers);
        }
    }

    void flush() {
        EndpointSide current = connection;
        if (current != null) {
            current.flush();
        }
    }

    boolean isSent() {
        return step == Step.SENT;
    }

    /// Whether the endpoint takes more of the request's body; so it does when there is none any more.
    boolean isWritable() {
        EndpointSide current = connection;
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
        held.letGo();
        exchange.interim(head);
    }

    void responseHead(ResponseHead head, boolean ends) {
        boolean error = head.status >= 500;
        record.firstByteNanos = loop.now() - sentAt;
        attempt.firstByteNanos = record.firstByteNanos;
        route().load.answered();
        EndpointPool answering = pool;
        if (answering != null) {
            answering.answeredAfter(loop.now() - askedAt);
            answering.health.answered(error, probe, loop.now(), route().balancer);
        }
        if (error && route().repeatsAfter(head.status) && isUncommitted() && isElsewhere() && mayRepeat()) {
            attempt.result = Cause.UPSTREAM_STATUS;
            giveUp();
            attemptAgain(true);
            return;
        }
        committed = true;
        held.letGo();
        exchange.responseHead(head, ends);
    }

    void switched(ResponseHead head) {
        route().load.answered();
        committed = true;
        held.letGo();
        record.firstByteNanos = loop.now() - sentAt;
        attempt.firstByteNanos = record.firstByteNanos;
        exchange.switched(head);
    }

    /// The response is complete; its connection has gone its own way.
    void responseEnd(FieldSection trailers) {
        over();
        exchange.responseEnd(trailers);
    }

    /// The number of the endpoint that answers, among those of the route; -1 when it is none of them.
    int endpoint() {
        return pool == null ? -1 : route().balancer.indexOf(pool);
    }

    void pauseReading() {
        EndpointSide current = connection;
        if (current != null) {
            current.pauseReading();
        }
    }

    /// True when there was a connection to read on from.
    boolean resumeReading() {
        EndpointSide current = connection;
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
