package dev.gatepost.gateway.accesslog;

/// What is known of one exchange when it ends. Mutable and reused, one per downstream connection or stream: the proxy
/// fills it as the exchange goes, hands it to the access log once, and clears it. Slices point into the proxy's own bytes, and what
/// is not for anybody's eyes the log overwrites there.
/// Times are nanoseconds; `...Nanos` of the phases are durations, -1 where the phase did not happen.
public final class ExchangeRecord {
    /// So many attempts are told one by one.
    static final int MOST_TRIED = 3;

    /// What is the same for all exchanges of one connection: set once.
    public ConnectionLabel connection = ConnectionLabel.NONE;

    /// What is the same for all exchanges of one route and of one endpoint; `NONE` before they are known.
    public RouteLabel route = RouteLabel.NONE;
    public EndpointLabel endpoint = EndpointLabel.NONE;

    /// Wall clock, nanoseconds since the epoch, at the request's first byte.
    public long startEpochNanos;
    public long durationNanos;

    public final Slice method = new Slice();
    /// The raw request target, as it came.
    public final Slice target = new Slice();
    /// The Host header field or `:authority`, without normalisation.
    public final Slice authority = new Slice();
    public final Slice referrer = new Slice();
    public final Slice userAgent = new Slice();
    public final Slice requestId = new Slice();
    /// The 32 hex digits of the trace id in `traceparent`; empty when there is none.
    public final Slice traceId = new Slice();
    /// The 16 hex digits of the span behind it: the caller's, or ours where the trace began here.
    public final Slice spanId = new Slice();
    /// The client's address in text after evaluation of trusted proxies; empty when it is the peer itself.
    public final Slice clientIp = new Slice();
    public final Slice requestMimeType = new Slice();
    public final Slice responseMimeType = new Slice();

    public Protocol protocol = Protocol.HTTP1;
    /// `10` for HTTP/1.0, `11` for HTTP/1.1, `20` for HTTP/2; 0 when the request line could not be read.
    public int httpVersion;
    /// 0 when no response was sent.
    public int status;
    public long requestBodyBytes;
    public long responseBodyBytes;
    /// Whole messages with their framing, as far as they were read or written.
    public long requestBytes;
    public long responseBytes;

    /// What a gRPC call came to, in gRPC's own numbers; -1 for anything else, and where nobody said.
    public int grpcStatus = -1;

    public Cause cause = Cause.OK;
    /// A short text of what exactly went wrong, for a person; empty when nothing did.
    public String detail = "";

    /// Attempts to reach an endpoint; 0 when none was needed.
    public int attempts;
    private final Attempt[] tried = {new Attempt(), new Attempt(), new Attempt()};
    public boolean reusedConnection;
    /// Revision of the state that served it.
    public long revision;
    public int healthyInstances = -1;

    /// Of a connection's first exchange alone: from the connection accepted to the request's first byte, and what of that its handshake took.
    public long acceptNanos = -1;
    public long tlsNanos = -1;
    public long requestHeaderNanos = -1;
    /// From the end of the request's header section to the end of its body, as far as it came.
    public long requestBodyNanos = -1;
    /// In line for an endpoint with room, all attempts together.
    public long queueNanos = -1;
    /// To the connection ready for the request, and what of that its handshake took.
    public long connectNanos = -1;
    public long upstreamTlsNanos = -1;
    /// From the request's header section sent to the response's first byte.
    public long firstByteNanos = -1;
    /// From the response's header section to the end of its body, or of the tunnel that it opened.
    public long bodyNanos = -1;

    public enum Protocol {
        HTTP1("http1"),
        H2("h2"),
        WEBSOCKET("ws"),
        /// Server-sent events, over whichever version of HTTP.
        EVENTS("sse"),
        GRPC("grpc");

        @SuppressWarnings("ImmutableEnumChecker") // Never written to, and not seen outside the package.
        private final byte[] json;

        Protocol(String word) {
            this.json = new Json().member("protocol", word).bytes();
        }

        byte[] json() {
            return json;
        }
    }

    /// Another attempt begins.
    public Attempt attempt(EndpointLabel label) {
        endpoint = label;
        Attempt begun = tried[Math.min(attempts, MOST_TRIED - 1)];
        attempts++;
        begun.begin(label);
        return begun;
    }

    /// @param i from 0, less than `attempts` and [#MOST_TRIED]
    public Attempt tried(int i) {
        return tried[i];
    }

    /// Ready for the next exchange of the same connection.
    public void clear() {
        route = RouteLabel.NONE;
        endpoint = EndpointLabel.NONE;
        startEpochNanos = 0;
        durationNanos = 0;
        method.clear();
        target.clear();
        authority.clear();
        referrer.clear();
        userAgent.clear();
        requestId.clear();
        traceId.clear();
        spanId.clear();
        clientIp.clear();
        requestMimeType.clear();
        responseMimeType.clear();
        protocol = Protocol.HTTP1;
        httpVersion = 0;
        status = 0;
        requestBodyBytes = 0;
        responseBodyBytes = 0;
        requestBytes = 0;
        responseBytes = 0;
        grpcStatus = -1;
        cause = Cause.OK;
        detail = "";
        attempts = 0;
        reusedConnection = false;
        revision = 0;
        healthyInstances = -1;
        acceptNanos = -1;
        tlsNanos = -1;
        requestHeaderNanos = -1;
        requestBodyNanos = -1;
        queueNanos = -1;
        connectNanos = -1;
        upstreamTlsNanos = -1;
        firstByteNanos = -1;
        bodyNanos = -1;
    }
}
