package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// One request and its response through the gate: answered or forwarded as the [Decider] says, streamed, completed. How the
/// request gets to an endpoint is the matter of its [Attempts], how long all that may take, of its [Patience]. The same class
/// serves HTTP/1 and HTTP/2 clients: what differs is behind [Downstream], whose doc says how to use it.
///
/// Taken from its event loop's [GateLoop] when a request begins and given back when it is over, so an idle connection
/// holds none. Confined to that event loop.
final class Exchange {
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
    private final Patience patience;
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
    /// When the response's head was sent.
    private long respondedAt;
    private long sentBefore;
    private long receivedBefore;

    Exchange(GateLoop loop, Downstream downstream) {
        this.loop = loop;
        this.downstream = downstream;
        this.client = downstream.connection().client;
        this.patience = new Patience(loop, this::patienceOver);
        this.attempts = new Attempts(this, loop, record);
    }

    /// How long it may take.
    Patience patience() {
        return patience;
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
        patience.arrive(arrivedAt);
        sentBefore = from.sent();
        receivedBefore = from.received();
        request.clear();
        response.clear();
        record.clear();
        record.startEpochNanos = loop.epochNanos(arrivedAt);
        ClientConnection connection = from.connection();
        record.connection = connection.label;
        if (connection.unused) {
            connection.unused = false;
            record.acceptNanos = arrivedAt - connection.acceptedAt;
            record.tlsNanos = connection.handshakeNanos;
        }
        client = connection.client;
        route = null;
        attempts.clear();
        requestTrailers = FieldSection.NONE;
        secure = requestComplete = headEnds = grpc = false;
    }

    /// Who sent the request; known once it has begun.
    Client client() {
        return client;
    }

    /// The head is complete and well-formed: forwards the request, or answers it.
    void begin() {
        requestComplete = !request.bodyFollows;
        record.requestHeaderNanos = loop.now() - arrivedAt;
        patience.begin();
        client = Client.of(request, downstream.connection(), loop.settings);
        secure = Client.isSecure(request, downstream.connection());
        if (Grpc.is(request)) {
            beginGrpc();
        }
        Serving serving = loop.serving.get();
        record.revision = serving.revision();
        switch (loop.decider.decide(request, serving, client.address, secure)) {
            case Decision.Forward(RouteState found) -> {
                takes(found);
                ForwardedRequest.make(request, downstream.connection(), found, secure, loop);
                phase = Phase.FORWARDING;
                attempts.begin(found);
            }
            case Decision.Serve(LocalPath path) -> beginLocal(path);
            case Decision.Answer answer -> {
                answer.route().ifPresent(this::takes);
                record.detail = answer.detail();
                answer(answer.answer());
            }
        }
    }

    private void takes(RouteState found) {
        route = found;
        patience.takes(found);
        record.route = found.label;
        record.healthyInstances = found.balancer.size();
    }

    private void beginLocal(LocalPath path) {
        record.route = path.label;
        if (request.contentLength > path.service.longestBody()) {
            refuse(Refusal.BODY_TOO_LARGE);
            return;
        }
        phase = Phase.LOCAL;
        local = new LocalTurn(path, this, loop);
        patience.bodyBegins(false);
        patience.withinStream();
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
        if (timeout >= 0) {
            patience.limit(arrivedAt + timeout);
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
                        patience.bodyPauses();
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
        record.requestBodyNanos = loop.now() - arrivedAt - record.requestHeaderNanos;
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
        patience.bodyGoesOn();
        expectProgress();
        downstream.resumeReading();
    }

    /// The request is under way to an endpoint.
    void awaitHead() {
        if (requestComplete) {
            patience.awaitHead(route().responseHeaderNanos);
        } else {
            patience.bodyBegins(grpc);
            awaitBody();
        }
    }

    private void awaitBody() {
        patience.awaitBody(record.requestBodyBytes, request.expectContinue);
    }

    // ---- the response ----

    /// A 1xx response other than 101.
    void interim(ResponseHead head) {
        patience.headCame();
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
        patience.headCame();
        StickyCookie sticky = route().balancer.sticky();
        if (sticky != null && attempts.endpoint() != sticky.find(request.fields)) {
            sticky.set(head.fields, attempts.endpoint(), secure);
        }
        sendHead(head, ends, false);
        patience.withinStream();
    }

    /// The endpoint agreed to switch protocols.
    void switched(ResponseHead head) {
        record.protocol = ExchangeRecord.Protocol.WEBSOCKET;
        sendHead(head, false, true);
        phase = Phase.TUNNEL;
        loop.counters.upgraded++;
        patience.withinTunnel();
        downstream.upgrade();
    }

    private void sendHead(ResponseHead head, boolean ends, boolean upgrading) {
        phase = Phase.RESPONDING;
        respondedAt = loop.now();
        record.status = head.status;
        HopByHop.drop(head.fields, upgrading);
        if (route != null && !route.responseFields.isEmpty()) {
            Rewriting.apply(route.responseFields, head.fields, secure);
        }
        RequestIds.answer(request.fields, head.fields);
        headEnds = ends;
        if (grpc && ends) {
            record.grpcStatus = Grpc.status(head.fields);
        }
        downstream.sendHead(head, ends);
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
            patience.responsePauses(downstream.backlog());
            attempts.pauseReading();
        }
    }

    /// The response is complete.
    void responseEnd(FieldSection trailers) {
        if (phase == Phase.RESPONDING && !headEnds) {
            sendEnd(trailers);
        }
        complete(Cause.OK, "");
    }

    private void sendEnd(FieldSection trailers) {
        if (grpc) {
            record.grpcStatus = Grpc.status(trailers);
        }
        downstream.sendEnd(trailers);
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

    private void patienceOver() {
        loop.touch();
        if (patience.isTotalOver() && phase != Phase.TUNNEL) {
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
                            patience.isBodySlow(record.requestBodyBytes, request.expectContinue) ? "request body slower than " + loop.bodyRate + " bytes a second" : "no request body for too long");
                } else {
                    attempts.timedOut();
                    fail(504, Cause.UPSTREAM_HEADER_TIMEOUT, "no response in time");
                }
            }
            case RESPONDING -> {
                if (downstream.isWritable()) {
                    fail(504, Cause.UPSTREAM_BODY_TIMEOUT, "no response body for too long");
                } else if (patience.isTaken(downstream.backlog())) {
                    patience.withinStream();
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

    /// Every endpoint has as much to do as it may.
    void overload(String detail) {
        attempts.giveUp();
        record.detail = detail;
        answer(LocalAnswer.of(503, Cause.OVERLOAD).retryAfter(loop.retryAfterSeconds()));
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
            sendEnd(trailers);
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
        loop.requestIds.ensure(request.fields);
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
        loop.requestIds.ensure(request.fields);
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
        patience.end();
        attempts.close();
        if (local != null) {
            local.end();
            local = null;
        }
        downstream.flush();
        fillRecord(cause, detail);
        int bucket = loop.counters.count(cause, record.status, record.durationNanos, record.requestBytes, record.responseBytes);
        if (route != null) {
            route.counters.count(record.status, bucket, record.durationNanos, record.requestBytes, record.responseBytes);
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
        if (!requestComplete && record.requestHeaderNanos >= 0) {
            record.requestBodyNanos = record.durationNanos - record.requestHeaderNanos;
        }
        if (record.status > 0 && !headEnds) {
            record.bodyNanos = loop.now() - respondedAt;
        }
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
                case FieldName.TRACEPARENT -> {
                    TraceParent.traceId(b, fields.valueFrom(i), fields.valueTo(i), record.traceId);
                    TraceParent.spanId(record.traceId, record.spanId);
                }
                case FieldName.CONTENT_TYPE -> record.requestMimeType.set(b, fields.valueFrom(i), fields.valueTo(i));
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
            int from = response.fields.valueFrom(type);
            int to = response.fields.valueTo(type);
            record.responseMimeType.set(response.bytes(), from, to);
            if (record.protocol != ExchangeRecord.Protocol.GRPC && EventStream.is(response.bytes(), from, to)) {
                record.protocol = ExchangeRecord.Protocol.EVENTS;
            }
        }
    }

    private void expectProgress() {
        if (phase == Phase.TUNNEL) {
            patience.withinTunnel();
        } else if (phase == Phase.RESPONDING) {
            patience.withinStream();
        } else if (!requestComplete) {
            awaitBody();
        }
    }

    private RouteState route() {
        if (route == null) {
            throw new IllegalStateException("no route yet");
        }
        return route;
    }
}
