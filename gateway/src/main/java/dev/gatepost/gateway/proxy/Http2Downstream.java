package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// One stream of an HTTP/2 client: a request on its way in, its response on its way out. Taken from the connection's
/// spares when a stream opens, given back when its exchange is over; Netty's stream may live on for a while to send the
/// rest.
final class Http2Downstream extends Http2Side implements Downstream {
    private static final long FRAME_HEADER = 9;

    private final Http2Connection connection;
    private @Nullable Exchange exchange;
    /// The last write; its future tells when the response is out.
    private @Nullable ChannelFuture lastWrite;
    private long received;
    private long sent;
    private long bodyReceived;
    private long bodyExpected;
    private boolean requestEnded;
    private boolean responseEnded;
    private boolean aborted;
    private boolean closed;
    /// Asked for by an extended CONNECT (RFC 8441).
    private boolean tunnel;
    /// The endpoint agreed: raw bytes both ways.
    private boolean tunnelling;
    /// What the client sent into a tunnel that was not there yet.
    private final List<ByteBuf> early = new ArrayList<>();
    private Http2Error resetCode = Http2Error.NO_ERROR;

    Http2Downstream(Http2Connection connection) {
        this.connection = connection;
    }

    @Override
    Http2Carrier<?> carrier() {
        return connection;
    }

    /// A request's header section has come.
    void open(Http2Stream newStream, Http2Fields fields, boolean ends) {
        stream = newStream;
        readAnew();
        lastWrite = null;
        received = sent = bodyReceived = 0;
        responseEnded = aborted = closed = tunnel = tunnelling = false;
        requestEnded = ends;
        resetCode = Http2Error.NO_ERROR;
        Exchange opened = connection.loop().exchange(this);
        exchange = opened;
        received = FRAME_HEADER + fields.encodedLength;
        RequestHead request = opened.request();
        Refusal refusal = fields.moveTo(request);
        request.bodyFollows = !ends;
        if (refusal == Refusal.NONE && fields.protocol >= 0) {
            refusal = openTunnel(request, request.fields.value(fields.protocol), ends);
        }
        if (refusal == Refusal.NONE) {
            refusal = request.finish();
        }
        bodyExpected = request.contentLength;
        if (refusal == Refusal.NONE && ends && bodyExpected > 0) {
            refusal = Refusal.BODY_LENGTH;
        }
        if (refusal == Refusal.NONE) {
            opened.begin();
        } else {
            refuse(opened, refusal);
        }
    }

    private Refusal openTunnel(RequestHead request, String protocol, boolean ends) {
        if (!protocol.equalsIgnoreCase("websocket") || ends) {
            return ends ? Refusal.PSEUDO_FIELDS : Refusal.CONNECT;
        }
        tunnel = true;
        ExtendedConnect.asUpgrade(request, protocol);
        return Refusal.NONE;
    }

    /// A malformed request is answered, then its stream is reset (RFC 9113 section 8.1.1).
    private void refuse(Exchange refused, Refusal refusal) {
        if (refusal.status == 400) {
            resetCode = Http2Error.PROTOCOL_ERROR;
            connection.countReset();
        }
        refused.refuse(refusal);
    }

    @Override
    int receive(ByteBuf data, int flowControlled, boolean ends) {
        requestEnded |= ends;
        Exchange receiving = exchange;
        if (receiving == null) {
            return flowControlled;
        }
        received += FRAME_HEADER + flowControlled;
        if (tunnel && !tunnelling) {
            early.add(data.retain());
            return withhold(flowControlled);
        }
        bodyReceived += data.readableBytes();
        // RFC 9113 section 8.1.1.
        if (bodyExpected >= 0 && (bodyReceived > bodyExpected || (ends && bodyReceived < bodyExpected))) {
            refuse(receiving, Refusal.BODY_LENGTH);
            return flowControlled;
        }
        if (data.isReadable()) {
            receiving.requestBody(data.retain());
        }
        if (ends && exchange == receiving) {
            receiving.requestEnd(FieldSection.NONE);
        }
        return exchange == receiving ? passedOn(flowControlled) : flowControlled;
    }

    /// The request's trailers have come, and with them its end.
    void receiveTrailers(Http2Fields fields) {
        requestEnded = true;
        Exchange receiving = exchange;
        if (receiving == null) {
            return;
        }
        received += FRAME_HEADER + fields.encodedLength;
        if (!fields.isTrailerSection()) {
            refuse(receiving, fields.refusal == Refusal.NONE ? Refusal.TRAILER : fields.refusal);
        } else if (bodyExpected >= 0 && bodyReceived < bodyExpected) {
            refuse(receiving, Refusal.BODY_LENGTH);
        } else {
            receiving.requestEnd(fields.takeTrailers());
        }
    }

    /// The drain's time is over.
    void kill() {
        if (exchange != null) {
            exchange.kill();
        }
    }

    /// The client's connection is over.
    void end(Cause cause, String detail) {
        if (exchange != null) {
            aborted = true;
            exchange.downstreamEnded(cause, detail);
        }
    }

    @Override
    void readComplete() {
        if (exchange != null) {
            exchange.requestFlush();
        }
    }

    @Override
    void writabilityChanged() {
        if (exchange != null) {
            exchange.downstreamWritabilityChanged();
        }
    }

    /// When both sides had ended, or we broke it off ourselves, that is no news.
    @Override
    void closed() {
        closed = true;
        if (exchange != null && !aborted && !(requestEnded && responseEnded)) {
            exchange.downstreamClosed();
        }
    }

    @Override
    public ClientConnection connection() {
        return connection.client();
    }

    @Override
    public long received() {
        return received;
    }

    @Override
    public long sent() {
        return sent;
    }

    @Override
    public void sendInterim(ResponseHead head) {
        var _ = connection.writeHead(stream(), head, false);
        sent += FRAME_HEADER + connection.lastHeadLength();
    }

    @Override
    public void sendHead(ResponseHead head, boolean ends) {
        if (tunnel) {
            answerTunnel(head);
        }
        responseEnded = ends;
        lastWrite = connection.writeHead(stream(), head, ends);
        sent += FRAME_HEADER + connection.lastHeadLength();
    }

    /// 101 is 200 to such a client (RFC 8441 section 5), and what else the endpoint calls a success is none.
    private static void answerTunnel(ResponseHead head) {
        if (head.status == 101) {
            ExtendedConnect.established(head);
        } else if (head.status < 300) {
            head.status = 502;
        }
    }

    /// How it is cut into frames is settled when windows allow it to go: about one a call.
    @Override
    public void sendBody(ByteBuf data) {
        sent += FRAME_HEADER + data.readableBytes();
        lastWrite = connection.writeData(stream(), data, false);
    }

    /// Without trailers the end travels with the last DATA frame, unless that has gone already.
    @Override
    public void sendEnd(FieldSection trailers) {
        responseEnded = true;
        if (trailers.count() == 0) {
            lastWrite = connection.writeData(stream(), Unpooled.EMPTY_BUFFER, true);
        } else {
            sent += FRAME_HEADER + trailers.end;
            lastWrite = connection.writeTrailers(stream(), trailers);
        }
    }

    @Override
    public void flush() {
        connection.flushSoon();
    }

    @Override
    public void abort() {
        aborted = true;
        connection.reset(stream(), resetCode == Http2Error.NO_ERROR ? Http2Error.INTERNAL_ERROR : resetCode);
    }

    @Override
    public void upgrade() {
        tunnelling = true;
        Exchange current = Objects.requireNonNull(exchange);
        List<ByteBuf> begun = List.copyOf(early);
        early.clear();
        begun.forEach(current::requestBody);
        if (exchange == current) {
            if (requestEnded) {
                current.requestEnd(FieldSection.NONE);
            }
            current.requestFlush();
            if (!isPaused()) {
                resumeReading();
            }
        }
    }

    @Override
    public boolean isWritable() {
        return connection.isWritable(stream());
    }

    /// What waits for the client's windows is not counted here; what waits for its socket is.
    @Override
    public long backlog() {
        return connection.backlog();
    }

    @Override
    public void finished() {
        exchange = null;
        early.forEach(ByteBuf::release);
        early.clear();
        resumeReading();
        if (tunnelling && !responseEnded && !aborted && !closed) {
            sendEnd(FieldSection.NONE);
            connection.flushSoon();
        }
        Http2Stream ended = stream();
        ChannelFuture last = lastWrite;
        stream = null;
        lastWrite = null;
        if (responseEnded && !aborted && (!requestEnded || resetCode != Http2Error.NO_ERROR)) {
            connection.resetAfter(Objects.requireNonNull(last), ended, resetCode);
        }
        connection.giveBack(this, ended);
    }
}
