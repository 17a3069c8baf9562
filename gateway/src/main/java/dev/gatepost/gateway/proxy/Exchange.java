package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord;
import dev.gatepost.gateway.route.Match;
import dev.gatepost.gateway.route.PathNormalizer;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.RouteOptions.MatchRedirect;
import io.netty.buffer.ByteBuf;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// One request and its response through the gate: match, decide, answer or forward, stream, complete. How the request gets
/// to an endpoint is the matter of its [Attempts]. The same class serves HTTP/1 and HTTP/2 clients: what differs is behind
/// [Downstream], whose doc says how to use it.
///
/// Taken from its event loop's [GateLoop] when a request begins and given back when it is over, so an idle connection
/// holds none. Confined to that event loop.
final class Exchange {
    /// A body may begin slowly.
    private static final long BODY_GRACE_NANOS = 20_000_000_000L;

    private enum Phase {
        /// Nothing but bytes of a head so far.
        ARRIVING,
        /// For a service of this process: its body is coming, or its answer is made.
        LOCAL,
        /// On the way to an endpoint, or there; the response has not begun.
        FORWARDING,
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
    private final Attempts attempts;

    private Downstream downstream;
    private Phase phase = Phase.DONE;
    private Client client;
    private @Nullable RouteState route;
    private @Nullable LocalTurn local;
    private FieldSection requestTrailers = FieldSection.NONE;
    /// The client speaks TLS, to us or to a trusted proxy.
    private boolean secure;
    private boolean requestComplete;
    private boolean grpc;
    /// The response was complete with its head.
    private boolean headEnds;
    private long arrivedAt;
    private long totalAt;
    /// When the response's head must be there; never, before the request is complete.
    private long headBy;
    /// When the request's body began to go to the endpoint, later by all the time that the endpoint did not take it.
    private long bodyFrom;
    private long pausedAt;
    private long backlog;
    /// Messages come when they come: no rate is asked of it.
    private boolean streaming;
    private long sentBefore;
    private long receivedBefore;

    Exchange(GateLoop loop, Downstream downstream) {
        this.loop = loop;
        this.downstream = downstream;
        this.client = downstream.connection().client;
        this.attempts = new Attempts(this, loop, record);
    }

    /// The request's head, to be filled before [#begin()].
    RequestHead request() {
        return request;
    }

    Downstream downstream() {
        return downstream;
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
        headBy = Deadline.NEVER;
        bodyFrom = 0;
        pausedAt = 0;
        backlog = 0;
        sentBefore = from.sent();
        receivedBefore = from.received();
        request.clear();
        response.clear();
        record.clear();
        record.connection = from.connection().label;
        record.startEpochNanos = loop.epochNanos(arrivedAt);
        client = from.connection().client;
        route = null;
        attempts.clear();
        requestTrailers = FieldSection.NONE;
        secure = requestComplete = headEnds = streaming = grpc = false;
    }

    // ---- match and decide ----

    /// The head is complete and well-formed: routes and forwards it, or answers it.
    void begin() {
        requestComplete = !request.bodyFollows;
        record.requestHeaderNanos = loop.now() - arrivedAt;
        loop.deadlines.add(deadline);
        client = Client.of(request, downstream.connection(), loop.settings);
        if (Grpc.is(request)) {
            beginGrpc();
        }
        if (loop.bodyLimit > 0 && request.contentLength > loop.bodyLimit) {
            refuse(Refusal.BODY_TOO_LARGE);
            return;
        }
        if (loop.isOverloaded()) {
            overload("too many requests in flight (limits.requests)");
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
        LocalPath own = loop.localPath;
        if (own != null && secure && own.matches(request.bytes(), request.authorityFrom, request.hostTo, loop.path, length)) {
            beginLocal(own);
            return;
        }
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

    private void beginLocal(LocalPath path) {
        record.route = path.label;
        if (request.contentLength > path.service.longestBody()) {
            refuse(Refusal.BODY_TOO_LARGE);
            return;
        }
        phase = Phase.LOCAL;
        local = new LocalTurn(path, this, loop);
        expectWithin(loop.streamNanos);
        if (requestComplete) {
            serveLocal(local);
        } else if (request.expectContinue) {
            // Its client waits for a word before it sends the body (RFC 9110 section 10.1.1).
            response.clear();
            response.version = 20;
            response.status = 100;
            downstream.sendInterim(response);
            downstream.flush();
        }
    }

    private void serveLocal(LocalTurn turn) {
        int type = request.fields.find(FieldName.CONTENT_TYPE, 0);
        int query = Math.min(request.pathTo + 1, request.originTo);
        turn.serve(new LocalService.Asked(
                loop.eventLoop,
                request.methodName(),
                new String(request.bytes(), query, request.originTo - query, ISO_8859_1),
                type < 0 ? "" : request.fields.value(type),
                client.address,
                client.text.length > 0 ? 0 : downstream.connection().label.sourcePort()));
    }

    /// A call's own deadline counts for all attempts together. Its client would not wait any longer.
    private void beginGrpc() {
        grpc = true;
        record.protocol = ExchangeRecord.Protocol.GRPC;
        long timeout = Grpc.timeoutNanos(request);
        if (timeout >= 0 && timeout < totalAt - arrivedAt) {
            totalAt = arrivedAt + timeout;
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
            if (!found.load.admits(loop.now())) {
                record.detail = "the last requests all ran into their timeouts";
                answer(LocalAnswer.of(503, Cause.CIRCUIT_OPEN).retryAfter(loop.retryAfterSeconds()));
                return;
            }
            prepare(found);
            phase = Phase.FORWARDING;
            attempts.begin(found);
        }
    }

    /// Of the client's address, the same on every day.
    long clientHash() {
        return client.text.length > 0 ? Hash.of(client.text, 0, client.text.length) : Hash.of(client.address.getAddress(), 0, client.address.getAddress().length);
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
        int sample = loop.settings.traceSample();
        if (sample >= 0) {
            TraceParent.ensure(request.fields, loop.requestIds, loop.random(100) < sample);
        }
        if (!found.requestFields.isEmpty()) {
            Rewriting.apply(found.requestFields, request.fields, secure);
        }
    }

    // ---- the request's body ----

    /// Some request body, or raw bytes once the connection is upgraded; takes over the buffer.
    void requestBody(ByteBuf data) {
        record.requestBodyBytes += data.readableBytes();
        switch (phase) {
            case FORWARDING, RESPONDING, TUNNEL -> {
                if (attempts.send(data)) {
                    expectProgress();
                    if (!attempts.isWritable()) {
                        pausedAt = loop.now();
                        expectWithin(loop.streamNanos);
                        downstream.pauseReading();
                    }
                }
            }
            case LOCAL -> {
                if (local == null || !local.add(data)) {
                    refuse(Refusal.BODY_TOO_LARGE);
                    return;
                }
                expectProgress();
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
        if (phase == Phase.LOCAL && local != null) {
            serveLocal(local);
            return;
        }
        if (phase == Phase.FORWARDING || phase == Phase.RESPONDING || phase == Phase.TUNNEL) {
            attempts.end(trailers);
        }
        if (phase == Phase.FORWARDING && attempts.isSent()) {
            awaitHead();
        }
    }

    boolean isRequestComplete() {
        return requestComplete;
    }

    /// Known once the request is complete.
    FieldSection requestTrailers() {
        return requestTrailers;
    }

    /// The downstream has passed on all that it had read for now.
    void requestFlush() {
        attempts.flush();
    }

    /// The endpoint takes more of the request's body.
    void upstreamWritable() {
        if (pausedAt != 0) {
            bodyFrom += loop.now() - pausedAt;
            pausedAt = 0;
        }
        expectProgress();
        downstream.resumeReading();
    }

    /// The request is under way to an endpoint. All attempts together have the time that one would have.
    void awaitHead() {
        if (!requestComplete) {
            if (bodyFrom == 0) {
                bodyFrom = loop.now();
                streaming = isGrpc();
            }
            expectBody();
            return;
        }
        if (headBy == Deadline.NEVER) {
            headBy = loop.now() + route().responseHeaderNanos;
        }
        expectWithin(route().responseHeaderNanos);
    }

    /// More of the request's body must come: some before long, and of the whole as much as its time allows.
    private void expectBody() {
        expectWithin(loop.streamNanos);
        deadline.at = Math.min(deadline.at, bodyBy());
    }

    /// By when more than what has come must have come, at the rate that is asked of clients. One that waits for 100 owes nothing.
    private long bodyBy() {
        if (loop.bodyRate == 0 || streaming || (request.expectContinue && record.requestBodyBytes == 0)) {
            return Deadline.NEVER;
        }
        return bodyFrom + Math.min(BODY_GRACE_NANOS, loop.streamNanos) + record.requestBodyBytes * (1_000_000_000L / loop.bodyRate);
    }

    private boolean isGrpc() {
        int type = request.version == 20 ? request.fields.find(FieldName.CONTENT_TYPE, 0) : -1;
        return type >= 0 && request.fields.value(type).startsWith("application/grpc");
    }

    // ---- the response ----

    /// A 1xx response other than 101.
    void interim(ResponseHead head) {
        headBy = Deadline.NEVER;
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
        headBy = Deadline.NEVER;
        StickyCookie sticky = route().balancer.sticky();
        if (sticky != null && attempts.endpoint() != sticky.find(request.fields)) {
            sticky.set(head.fields, attempts.endpoint(), secure);
        }
        sendHead(head, ends, false);
        expectWithin(loop.streamNanos);
    }

    /// The endpoint agreed to switch protocols.
    void switched(ResponseHead head) {
        record.protocol = ExchangeRecord.Protocol.WEBSOCKET;
        sendHead(head, false, true);
        phase = Phase.TUNNEL;
        loop.counters.upgraded++;
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
        if (!downstream.isWritable()) {
            backlog = downstream.backlog();
            attempts.pauseReading();
        }
    }

    /// The response is complete.
    void responseEnd(FieldSection trailers) {
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
        if (downstream.isWritable() && attempts.resumeReading()) {
            expectProgress();
        }
    }

    // ---- what goes wrong ----

    boolean isResponding() {
        return phase == Phase.RESPONDING || phase == Phase.TUNNEL;
    }

    /// The request is not acceptable, before or after [#begin()]: answers, unless a response is on its way already, and
    /// ends the exchange.
    void refuse(Refusal refusal) {
        fail(refusal.status, refusal.cause, refusal.detail);
    }

    /// The client is gone: nothing can be sent any more. An upgraded connection just ends that way.
    void downstreamClosed() {
        downstreamEnded(phase == Phase.TUNNEL ? Cause.OK : Cause.CLIENT_CLOSED, "");
    }

    /// The client's connection is over, for a reason that concerns all of it.
    void downstreamEnded(Cause cause, String detail) {
        attempts.giveUp();
        complete(cause, detail);
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
            case FORWARDING -> {
                if (attempts.isWaiting()) {
                    overload("no endpoint had room in time");
                } else if (!attempts.isSent()) {
                    attempts.timedOut();
                    fail(504, Cause.UPSTREAM_CONNECT_TIMEOUT, "no connection in time");
                } else if (!requestComplete && attempts.isWritable()) {
                    fail(408, Cause.CLIENT_TIMEOUT,
                            loop.now() >= bodyBy() ? "request body slower than " + loop.bodyRate + " bytes a second" : "no request body for too long");
                } else {
                    attempts.timedOut();
                    fail(504, Cause.UPSTREAM_HEADER_TIMEOUT, "no response in time");
                }
            }
            case RESPONDING -> {
                if (downstream.isWritable()) {
                    fail(504, Cause.UPSTREAM_BODY_TIMEOUT, "no response body for too long");
                } else if (isTaken()) {
                    expectWithin(loop.streamNanos);
                } else {
                    fail(504, Cause.CLIENT_TIMEOUT, "client does not read the response");
                }
            }
            case LOCAL -> {
                if (requestComplete) {
                    fail(504, Cause.UPSTREAM_HEADER_TIMEOUT, "no answer in time");
                } else {
                    fail(408, Cause.CLIENT_TIMEOUT, "no request body for too long");
                }
            }
            case TUNNEL -> {
                attempts.giveUp();
                complete(Cause.OK, "idle");
            }
            case ARRIVING, DONE -> {}
        }
    }

    /// Whether the client has taken enough since the last look of what waits for its socket.
    private boolean isTaken() {
        long before = backlog;
        backlog = downstream.backlog();
        long least = Math.max(1, loop.bodyRate * loop.streamNanos / 1_000_000_000L);
        return before - backlog >= least;
    }

    /// Every endpoint has as much to do as it may.
    void overload(String detail) {
        attempts.giveUp();
        record.detail = detail;
        answer(LocalAnswer.of(503, Cause.OVERLOAD).retryAfter(loop.retryAfterSeconds()));
    }

    /// The time for the whole of it, or for the response's head, is over.
    boolean isOverdue() {
        return loop.now() >= totalAt || loop.now() >= headBy;
    }

    /// Answers, or breaks off a response that has begun.
    void fail(int status, Cause cause, String detail) {
        if (phase == Phase.DONE) {
            return;
        }
        attempts.giveUp();
        if (phase == Phase.RESPONDING && grpc && !headEnds) {
            FieldSection trailers = new FieldSection(64);
            Grpc.fail(trailers, status, cause);
            downstream.sendEnd(trailers);
            complete(cause, detail);
        } else if (phase == Phase.RESPONDING || phase == Phase.TUNNEL) {
            downstream.abort();
            complete(cause, detail);
        } else {
            record.detail = detail;
            answer(LocalAnswer.of(status, cause));
        }
    }

    // ---- ends ----

    private void answer(LocalAnswer answer) {
        if (!grpc) {
            respond(answer.write(response, loop), answer.cause());
            return;
        }
        if (requestId() < 0) {
            loop.requestIds.addTo(request.fields);
        }
        answer.writeGrpc(response);
        sendHead(response, true, false);
        complete(answer.cause(), record.detail);
    }

    /// The answer of a service of this process, perhaps from another event than the request's.
    void answerContent(String contentType, String fields, ByteBuf content) {
        loop.touch();
        LocalAnswer.write(response, loop, 200, contentType, content.readableBytes(), fields);
        respond(content, Cause.OK);
    }

    /// Its refusal.
    void answerRefusal(LocalAnswer refusal, String detail) {
        loop.touch();
        record.detail = detail;
        answer(refusal);
    }

    /// Takes over the buffer.
    private void respond(ByteBuf body, Cause cause) {
        if (requestId() < 0) {
            loop.requestIds.addTo(request.fields);
        }
        boolean head = request.method == Method.HEAD;
        boolean ends = head || !body.isReadable();
        sendHead(response, ends, false);
        if (ends) {
            body.release();
        } else {
            record.responseBodyBytes = body.readableBytes();
            downstream.sendBody(body);
            downstream.sendEnd(FieldSection.NONE);
        }
        complete(cause, record.detail);
    }

    /// Every path ends here, exactly once: send, count, log, make room for the next.
    private void complete(Cause cause, String detail) {
        if (phase == Phase.DONE) {
            return;
        }
        if (phase == Phase.TUNNEL) {
            loop.counters.upgraded--;
        }
        phase = Phase.DONE;
        loop.deadlines.remove(deadline);
        deadline.at = Deadline.NEVER;
        attempts.close();
        if (local != null) {
            local.end();
            local = null;
        }
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

    void expectWithin(long nanos) {
        deadline.at = Math.min(loop.now() + nanos, Math.min(totalAt, headBy));
    }

    private void expectProgress() {
        if (phase == Phase.TUNNEL) {
            deadline.at = loop.now() + loop.upgradedNanos;
        } else if (phase == Phase.RESPONDING) {
            expectWithin(loop.streamNanos);
        } else if (!requestComplete) {
            expectBody();
        }
    }

    private RouteState route() {
        if (route == null) {
            throw new IllegalStateException("no route yet");
        }
        return route;
    }
}
