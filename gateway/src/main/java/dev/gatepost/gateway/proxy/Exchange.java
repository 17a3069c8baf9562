package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord;
import io.netty.buffer.ByteBuf;

/// One request and its response through the gate. Reads from top to bottom: match, decide, balance, connect, forward,
/// stream, complete. The same class serves HTTP/1 and HTTP/2 clients: what differs is behind [Downstream].
///
/// How a downstream uses it: see there. Confined to one event loop.
final class Exchange {
    private final GateLoop loop;
    private final Downstream downstream;
    private final RequestHead request = new RequestHead();
    private final ExchangeRecord record = new ExchangeRecord();

    Exchange(GateLoop loop, Downstream downstream) {
        this.loop = loop;
        this.downstream = downstream;
    }

    /// The request's head, to be filled before [#begin()].
    RequestHead request() {
        return request;
    }

    /// The request's first byte has come: its times count from here. Before [#begin()] or [#refuse(Refusal)].
    void arrived() {
        record.startEpochNanos = System.currentTimeMillis() * 1_000_000;
    }

    /// The head is complete and well-formed: routes and forwards it, or answers it.
    void begin() {
        complete(Cause.NO_ROUTE);
    }

    /// The request is not acceptable, before or after [#begin()]: answers, unless a response is on its way already, and
    /// ends the exchange.
    void refuse(Refusal refusal) {
        complete(refusal.cause);
    }

    /// Some request body; takes over the buffer.
    void requestBody(ByteBuf data) {
        data.release();
    }

    /// The request is complete.
    ///
    /// @param trailers may be empty
    void requestEnd(FieldSection trailers) {}

    /// The downstream has passed on all that it had read for now.
    void requestFlush() {}

    /// [Downstream#isWritable()] changed.
    void downstreamWritabilityChanged() {}

    /// The client is gone: nothing can be sent any more.
    void downstreamClosed() {
        complete(Cause.CLIENT_CLOSED);
    }

    private void complete(Cause cause) {
        record.cause = cause;
        record.connection = downstream.connection().label;
        loop.accessLog.log(record);
        downstream.finished();
    }
}
