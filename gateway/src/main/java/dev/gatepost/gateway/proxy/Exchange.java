package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord;
import dev.gatepost.gateway.route.Match;
import dev.gatepost.gateway.route.PathNormalizer;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.RouteOptions.MatchRedirect;
import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One request and its response through the gate. Reads from top to bottom: match, decide, balance, connect, forward,
/// stream, complete. The same class serves HTTP/1 and HTTP/2 clients: what differs is behind [Downstream], whose doc says
/// how to use it.
///
/// Taken from its event loop's [GateLoop] when a request begins and given back when it is over, so an idle connection
/// holds none. Confined to that event loop.
final class Exchange {
    /// Attempts to reach an endpoint, the first included.
    static final int MOST_ATTEMPTS = 3;

    private static final long RESOLVE_NANOS = 1_000_000_000L;

    private enum Phase {
        /// Nothing but bytes of a head so far.
        ARRIVING,
        /// Waiting for a connection to an endpoint.
        CONNECTING,
        /// The request is under way, its response has not begun.
        AWAITING,
        /// The response's head has been sent.
        RESPONDING,
        /// Raw bytes both ways.
        TUNNEL,
        DONE
    }

    private final GateLoop loop;
    private final RequestHead request = new RequestHead();
    private final ResponseHead response = new ResponseHead();
    private final ExchangeRecord record = new ExchangeRecord();
    private final Deadline deadline = new Deadline(this::deadlinePassed);
    private final EndpointPool[] tried = new EndpointPool[MOST_ATTEMPTS];
    /// Request body that came before there was a connection to send it on.
    private final List<ByteBuf> held = new ArrayList<>();

    private Downstream downstream;
    private Phase phase = Phase.DONE;
    private Client client;
    private @Nullable RouteState route;
    private @Nullable UpstreamConnection upstream;
    private FieldSection requestTrailers = FieldSection.NONE;
    /// The client speaks TLS, to us or to a trusted proxy.
    private boolean secure;
    private boolean requestComplete;
    private boolean chunkedUpstream;
    private boolean reused;
    /// The response was complete with its head.
    private boolean headEnds;
    /// A response byte, an interim response say, or a request body byte went its way: no other attempt.
    private boolean committed;
    private long arrivedAt;
    private long connectAt;
    private long forwardedAt;
    private long totalAt;
    private long sentBefore;
    private long receivedBefore;

    Exchange(GateLoop loop, Downstream downstream) {
        this.loop = loop;
        this.downstream = downstream;
        this.client = downstream.connection().client;
    }

    /// The request's head, to be filled before [#begin()].
    RequestHead request() {
        return request;
    }

    /// The response's head, as the endpoint or the gate makes it.
    ResponseHead response() {
        return response;
    }

    /// A new request of that downstream: its first byte has come. Called by [GateLoop#exchange(Downstream)].
    void arrive(Downstream from) {
        downstream = from;
        phase = Phase.ARRIVING;
        arrivedAt = loop.now();
        totalAt = arrivedAt + loop.totalNanos;
        sentBefore = from.sent();
        receivedBefore = from.received();
        request.clear();
        response.clear();
        record.clear();
        record.connection = from.connection().label;
        record.startEpochNanos = loop.epochNanos(arrivedAt);
        client = from.connection().client;
        route = null;
        upstream = null;
        requestTrailers = FieldSection.NONE;
        secure = requestComplete = chunkedUpstream = reused = committed = headEnds = false;
    }

    // ---- match and decide ----

    /// The head is complete and well-formed: routes and forwards it, or answers it.
    void begin() {
        requestComplete = !request.bodyFollows;
        record.requestHeaderNanos = loop.now() - arrivedAt;
        loop.deadlines.add(deadline);
        client = Client.of(request, downstream.connection(), loop.settings);
        if (loop.bodyLimit > 0 && request.contentLength > loop.bodyLimit) {
            refuse(Refusal.BODY_TOO_LARGE);
            return;
        }
        Serving serving = loop.serving.get();
        record.revision = serving.revision();
        int length = normalizePath();
        if (length < 0) {
            refuse(Refusal.TARGET);
            return;
        }
        secure = Client.isSecure(request, downstream.connection());
        int port = request.port != 0 ? request.port : secure ? 443 : 80;
        MatchedRequest matched = loop.matched.of(request, secure, loop.path, length, client.address);
        Match match = serving.routes().match(
                request.bytes(), request.authorityFrom, request.hostTo, port, loop.path, 0, length, matched);
        switch (match) {
            case Match.Found(Route found) -> decide(loop.routeState(found), serving);
            case Match.Empty(Route empty) -> {
                route = loop.routeState(empty);
                record.route = route.label;
                record.healthyInstances = 0;
                answer(LocalAnswer.of(503, Cause.NO_HEALTHY_INSTANCE).retryAfter(loop.retryAfterSeconds()));
            }
            case Match.NoRoute() when serving.isUnknown() ->
                answer(LocalAnswer.of(503, Cause.NO_CATALOG).retryAfter(loop.retryAfterSeconds()));
            case Match.NoRoute() -> answer(LocalAnswer.of(404, Cause.NO_ROUTE));
        }
    }

    /// For matching only; what is forwarded is the raw target. `OPTIONS *` belongs to whoever serves the host's root.
    private int normalizePath() {
        byte[] b = request.bytes();
        int length = request.pathTo - request.originFrom;
        if (loop.path.length < length) {
            loop.path = new byte[length * 2];
        }
        if (b[request.originFrom] == '*') {
            loop.path[0] = '/';
            return 1;
        }
        return PathNormalizer.normalize(b, request.originFrom, request.pathTo, loop.path);
    }

    private void decide(RouteState found, Serving serving) {
        route = found;
        record.route = found.label;
        record.healthyInstances = found.balancer.size();
        if (!found.admits(client.address)) {
            answer(LocalAnswer.of(403, Cause.DENIED_IP));
        } else if (!found.allows(request)) {
            answer(LocalAnswer.of(405, Cause.METHOD_NOT_ALLOWED).allow(String.join(", ", serving.routes().allowedMethods(found.route))));
        } else if (found.route.options().redirect().isPresent()) {
            answer(LocalAnswer.redirect(found.route.options().redirect().get(), request, found));
        } else if (found.route.options().redirects().isEmpty() || !redirected(found.route.options())) {
            prepare(found);
            attempt(true);
        }
    }

    private boolean redirected(RouteOptions options) {
        String url = Rewriting.url(request, secure);
        for (MatchRedirect redirect : options.redirects()) {
            Optional<String> location = redirect.locate(url);
            if (location.isPresent()) {
                answer(LocalAnswer.redirect(redirect.status(request.methodName()), location.get()));
                return true;
            }
        }
        return false;
    }

    /// Makes of the client's fields those of the forwarded request.
    private void prepare(RouteState found) {
        chunkedUpstream = request.bodyFollows && request.contentLength < 0;
        HopByHop.drop(request.fields, request.upgrade);
        if (request.version == 10) {
            // An HTTP/1.0 client does not wait for 100 (RFC 9110 section 10.1.1), so nobody behind us may be told that it does.
            int expect = request.fields.find(FieldName.EXPECT, 0);
            if (expect >= 0) {
                request.fields.drop(expect);
            }
        }
        if (found.edits.isEmpty()) {
            ForwardedFields.apply(request, downstream.connection(), found.strip, loop.requestIds);
        } else {
            Rewriting.forwardEdited(request, downstream.connection(), found, loop.requestIds);
        }
        if (!found.requestFields.isEmpty()) {
            Rewriting.apply(found.requestFields, request.fields, secure);
        }
    }

    // ---- balance, connect, forward ----

    /// @param reuse whether a kept-alive connection will do
    private void attempt(boolean reuse) {
        RouteState current = route();
        EndpointPool pool = current.balancer.pick(tried, record.attempts);
        if (pool == null) {
            // All have been tried: the last one again, by a new connection.
            pool = tried[record.attempts - 1];
        }
        tried[record.attempts++] = pool;
        record.endpoint = pool.label;
        UpstreamConnection kept = reuse ? pool.take(isRepeatable()) : null;
        if (kept != null) {
            reused = true;
            forward(kept);
            return;
        }
        reused = false;
        phase = Phase.CONNECTING;
        connectAt = loop.now();
        // The transport keeps the connect timeout; this one is for what comes before it, the resolver.
        expectWithin(loop.connectNanos + RESOLVE_NANOS);
        pool.connect(this);
    }

    private void attemptAgain(boolean reuse) {
        loop.counters.retries++;
        route().counters.retries++;
        attempt(reuse);
        if (phase == Phase.AWAITING) {
            requestFlush();
            downstream.resumeReading();
        }
    }

    private boolean isRepeatable() {
        return request.method.idempotent && !request.bodyFollows;
    }

    /// The connection that will be handed to [#connected(UpstreamConnection)], so that it can be given up before.
    void connecting(UpstreamConnection connection) {
        upstream = connection;
        if (!requestComplete) {
            downstream.pauseReading();
        }
    }

    void connected(UpstreamConnection connection) {
        record.connectNanos = loop.now() - connectAt;
        forward(connection);
        connection.flush();
        if (!requestComplete) {
            downstream.resumeReading();
        }
    }

    /// Nothing was sent, so another endpoint may have the request, whatever its method.
    void connectFailed(Cause cause, String detail) {
        upstream = null;
        if (record.attempts < route().mostAttempts && route().balancer.size() > record.attempts && loop.now() < totalAt) {
            attemptAgain(true);
            return;
        }
        fail(cause == Cause.UPSTREAM_CONNECT_TIMEOUT ? 504 : 502, cause, detail);
    }

    private void forward(UpstreamConnection connection) {
        upstream = connection;
        phase = Phase.AWAITING;
        forwardedAt = loop.now();
        HeadWriter.request(loop.scratch, request, route(), connection.pool(), chunkedUpstream);
        connection.begin(this, loop.scratch, chunkedUpstream, !request.bodyFollows);
        for (int i = 0; i < held.size(); i++) {
            committed = true;
            connection.send(held.get(i));
        }
        held.clear();
        if (requestComplete && request.bodyFollows) {
            connection.end(requestTrailers);
        }
        awaitHead();
    }

    private void awaitHead() {
        expectWithin(requestComplete ? route().responseHeaderNanos : loop.streamNanos);
    }

    // ---- the request's body ----

    /// Some request body, or raw bytes once the connection is upgraded; takes over the buffer.
    void requestBody(ByteBuf data) {
        record.requestBodyBytes += data.readableBytes();
        UpstreamConnection current = upstream;
        switch (phase) {
            case CONNECTING -> held.add(data);
            case AWAITING, RESPONDING, TUNNEL -> {
                if (current == null) {
                    data.release();
                    return;
                }
                committed = true;
                current.send(data);
                expectProgress();
                if (!current.isWritable()) {
                    downstream.pauseReading();
                }
            }
            case ARRIVING, DONE -> data.release();
        }
        if (loop.bodyLimit > 0 && record.requestBodyBytes > loop.bodyLimit && phase != Phase.TUNNEL) {
            refuse(Refusal.BODY_TOO_LARGE);
        }
    }

    /// The request's body is complete; called only when one followed its head.
    ///
    /// @param trailers may be empty
    void requestEnd(FieldSection trailers) {
        requestComplete = true;
        requestTrailers = trailers;
        UpstreamConnection current = upstream;
        if (current != null && (phase == Phase.AWAITING || phase == Phase.RESPONDING)) {
            current.end(trailers);
        }
        if (phase == Phase.AWAITING) {
            awaitHead();
        }
    }

    /// The downstream has passed on all that it had read for now.
    void requestFlush() {
        UpstreamConnection current = upstream;
        if (current != null) {
            current.flush();
        }
    }

    void upstreamWritabilityChanged() {
        UpstreamConnection current = upstream;
        if (current != null && current.isWritable()) {
            expectProgress();
            downstream.resumeReading();
        }
    }

    // ---- the response ----

    /// A 1xx response other than 101.
    void interim(ResponseHead head) {
        committed = true;
        awaitHead();
        // RFC 9110 section 15.2: an HTTP/1.0 client would not understand it.
        if (request.version >= 11) {
            HopByHop.drop(head.fields, false);
            downstream.sendInterim(head);
            downstream.flush();
        }
    }

    /// The final response's head.
    ///
    /// @param ends no body follows
    void responseHead(ResponseHead head, boolean ends) {
        committed = true;
        record.firstByteNanos = loop.now() - forwardedAt;
        sendHead(head, ends, false);
        expectWithin(loop.streamNanos);
    }

    /// The endpoint agreed to switch protocols.
    void switched(ResponseHead head) {
        committed = true;
        record.firstByteNanos = loop.now() - forwardedAt;
        record.protocol = ExchangeRecord.Protocol.WEBSOCKET;
        sendHead(head, false, true);
        phase = Phase.TUNNEL;
        deadline.at = loop.now() + loop.upgradedNanos;
        downstream.upgrade();
    }

    private void sendHead(ResponseHead head, boolean ends, boolean upgrading) {
        phase = Phase.RESPONDING;
        record.status = head.status;
        HopByHop.drop(head.fields, upgrading);
        if (route != null && !route.responseFields.isEmpty()) {
            Rewriting.apply(route.responseFields, head.fields, secure);
        }
        addRequestId(head);
        headEnds = ends;
        downstream.sendHead(head, ends);
    }

    /// The client learns the id under which its request is logged.
    private void addRequestId(ResponseHead head) {
        int id = requestId();
        if (id < 0) {
            return;
        }
        int theirs = head.fields.find(FieldName.X_REQUEST_ID, 0);
        if (theirs >= 0) {
            head.fields.drop(theirs);
        }
        FieldSection fields = request.fields;
        head.fields.add(
                FieldName.X_REQUEST_ID, ForwardedFields.REQUEST_ID, fields.bytes, fields.valueFrom(id), fields.valueTo(id));
    }

    /// The one that counts: not one that was dropped because its sender is not trusted.
    private int requestId() {
        for (int i = request.fields.count() - 1; i >= 0; i--) {
            if (request.fields.id(i) == FieldName.X_REQUEST_ID && !request.fields.isDropped(i)) {
                return i;
            }
        }
        return -1;
    }

    /// Takes over the buffer.
    void responseBody(ByteBuf data) {
        if (phase != Phase.RESPONDING && phase != Phase.TUNNEL) {
            data.release();
            return;
        }
        record.responseBodyBytes += data.readableBytes();
        downstream.sendBody(data);
        expectProgress();
        UpstreamConnection current = upstream;
        if (current != null && !downstream.isWritable()) {
            current.pauseReading();
        }
    }

    /// The response is complete; its connection has gone its own way.
    void responseEnd(FieldSection trailers) {
        upstream = null;
        if (phase == Phase.RESPONDING && !headEnds) {
            downstream.sendEnd(trailers);
        }
        complete(Cause.OK, "");
    }

    /// The upstream connection has passed on all that it had read for now.
    void responseFlush() {
        downstream.flush();
    }

    /// [Downstream#isWritable()] changed.
    void downstreamWritabilityChanged() {
        UpstreamConnection current = upstream;
        if (current != null && downstream.isWritable() && phase != Phase.CONNECTING) {
            expectProgress();
            current.resumeReading();
        }
    }

    // ---- what goes wrong ----

    /// The upstream connection was lost before the response was complete.
    ///
    /// @param silent no byte of a response had come on it
    void lost(boolean silent) {
        upstream = null;
        if (phase != Phase.AWAITING) {
            fail(502, Cause.UPSTREAM_RESET_AFTER_RESPONSE, "connection lost before the response was complete");
            return;
        }
        // A connection that was idle and dies without a word was being closed when the request came (RFC 9112 section 9.5).
        if (silent && reused && !committed && request.method.idempotent && record.attempts < route().mostAttempts && loop.now() < totalAt) {
            attemptAgain(false);
            return;
        }
        fail(502, Cause.UPSTREAM_RESET_BEFORE_RESPONSE, "connection lost before the response");
    }

    void upstreamFailed(Cause cause, String detail) {
        upstream = null;
        fail(502, cause, detail);
    }

    /// The request is not acceptable, before or after [#begin()]: answers, unless a response is on its way already, and
    /// ends the exchange.
    void refuse(Refusal refusal) {
        fail(refusal.status, refusal.cause, refusal.detail);
    }

    /// The client is gone: nothing can be sent any more. An upgraded connection just ends that way.
    void downstreamClosed() {
        boolean upgraded = phase == Phase.TUNNEL;
        giveUpUpstream();
        complete(upgraded ? Cause.OK : Cause.CLIENT_CLOSED, "");
    }

    /// The drain's time is over.
    void kill() {
        fail(503, Cause.DRAINING, "drain timeout");
    }

    private void deadlinePassed() {
        loop.touch();
        if (loop.now() >= totalAt && phase != Phase.TUNNEL) {
            fail(504, Cause.TOTAL_TIMEOUT, "exchange not complete in time");
            return;
        }
        switch (phase) {
            case AWAITING -> {
                UpstreamConnection current = upstream;
                if (!requestComplete && (current == null || current.isWritable())) {
                    fail(408, Cause.CLIENT_TIMEOUT, "no request body for too long");
                } else {
                    fail(504, Cause.UPSTREAM_HEADER_TIMEOUT, "no response in time");
                }
            }
            case RESPONDING -> {
                if (downstream.isWritable()) {
                    fail(504, Cause.UPSTREAM_BODY_TIMEOUT, "no response body for too long");
                } else {
                    fail(504, Cause.CLIENT_TIMEOUT, "client does not read the response");
                }
            }
            case TUNNEL -> {
                giveUpUpstream();
                complete(Cause.OK, "idle");
            }
            case CONNECTING -> fail(504, Cause.UPSTREAM_CONNECT_TIMEOUT, "no connection in time");
            case ARRIVING, DONE -> {}
        }
    }

    /// Answers, or breaks off a response that has begun.
    private void fail(int status, Cause cause, String detail) {
        if (phase == Phase.DONE) {
            return;
        }
        giveUpUpstream();
        if (phase == Phase.RESPONDING || phase == Phase.TUNNEL) {
            downstream.abort();
            complete(cause, detail);
        } else {
            record.detail = detail;
            answer(LocalAnswer.of(status, cause));
        }
    }

    private void giveUpUpstream() {
        UpstreamConnection current = upstream;
        if (current != null) {
            upstream = null;
            current.close();
        }
    }

    // ---- ends ----

    private void answer(LocalAnswer answer) {
        if (requestId() < 0) {
            loop.requestIds.addTo(request.fields);
        }
        boolean head = request.method == Method.HEAD;
        ByteBuf body = answer.write(response, loop);
        boolean ends = head || !body.isReadable();
        sendHead(response, ends, false);
        if (ends) {
            body.release();
        } else {
            record.responseBodyBytes = body.readableBytes();
            downstream.sendBody(body);
            downstream.sendEnd(FieldSection.NONE);
        }
        complete(answer.cause(), record.detail);
    }

    /// Every path ends here, exactly once: send, count, log, make room for the next.
    private void complete(Cause cause, String detail) {
        if (phase == Phase.DONE) {
            return;
        }
        phase = Phase.DONE;
        loop.deadlines.remove(deadline);
        deadline.at = Deadline.NEVER;
        for (int i = 0; i < held.size(); i++) {
            held.get(i).release();
        }
        held.clear();
        downstream.flush();
        fillRecord(cause, detail);
        loop.counters.count(cause, record.status, record.durationNanos, record.requestBytes, record.responseBytes);
        if (route != null) {
            route.counters.count(record.status, record.durationNanos, record.requestBytes, record.responseBytes);
        }
        loop.accessLog.log(record);
        downstream.finished();
        loop.giveBack(this);
    }

    private void fillRecord(Cause cause, String detail) {
        byte[] b = request.bytes();
        record.cause = cause;
        record.detail = detail;
        record.durationNanos = loop.now() - arrivedAt;
        record.requestBytes = downstream.received() - receivedBefore;
        record.responseBytes = downstream.sent() - sentBefore;
        record.reusedConnection = reused;
        record.httpVersion = request.version;
        if (request.version == 20 && record.protocol == ExchangeRecord.Protocol.HTTP1) {
            record.protocol = ExchangeRecord.Protocol.H2;
        }
        record.method.set(b, request.methodFrom, request.methodTo);
        record.target.set(b, request.targetFrom, request.targetTo);
        record.authority.set(b, request.authorityFrom, request.authorityTo);
        FieldSection fields = request.fields;
        for (int i = 0; i < fields.count(); i++) {
            switch (fields.id(i)) {
                case FieldName.REFERER -> record.referrer.set(b, fields.valueFrom(i), fields.valueTo(i));
                case FieldName.USER_AGENT -> record.userAgent.set(b, fields.valueFrom(i), fields.valueTo(i));
                case FieldName.TRACEPARENT -> TraceParent.traceId(b, fields.valueFrom(i), fields.valueTo(i), record.traceId);
                case FieldName.X_REQUEST_ID -> {
                    if (!fields.isDropped(i)) {
                        record.requestId.set(b, fields.valueFrom(i), fields.valueTo(i));
                    }
                }
                default -> {}
            }
        }
        record.clientIp.set(client.text, 0, client.text.length);
        int type = record.status == 0 ? -1 : response.fields.find(FieldName.CONTENT_TYPE, 0);
        if (type >= 0) {
            record.responseMimeType.set(response.bytes(), response.fields.valueFrom(type), response.fields.valueTo(type));
        }
    }

    private void expectWithin(long nanos) {
        deadline.at = Math.min(loop.now() + nanos, totalAt);
    }

    private void expectProgress() {
        if (phase == Phase.TUNNEL) {
            deadline.at = loop.now() + loop.upgradedNanos;
        } else if (phase == Phase.RESPONDING || !requestComplete) {
            expectWithin(loop.streamNanos);
        }
    }

    private RouteState route() {
        if (route == null) {
            throw new IllegalStateException("no route yet");
        }
        return route;
    }
}
