package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;

/// The client's side of one exchange, as the [Exchange] writes to it: an HTTP/1 connection, or one HTTP/2 stream. It turns
/// heads, body bytes and trailers into its protocol's frames, and knows nothing of routes, endpoints or logs.
///
/// Order of calls: any number of `sendInterim`, then `sendHead`; unless that ended the response, any number of `sendBody`
/// and one `sendEnd`; or `abort` at any time. Then `finished`, always, exactly once. What is sent goes out at `flush` at
/// the latest. All calls are made on the downstream's event loop, possibly from inside one of the calls that the
/// downstream makes to the exchange.
///
/// In the other direction an HTTP/2 stream does what [Http1Connection] does:
/// 1. when its HEADERS come, gets an exchange from [GateLoop#exchange(Downstream)], which counts the time from there; after
///    `finished` it must not touch that exchange again;
/// 2. fills [Exchange#request()], calls [Exchange#begin()], or [Exchange#refuse(Refusal)] when the request is malformed;
/// 3. passes body bytes by [Exchange#requestBody(ByteBuf)] and the end by [Exchange#requestEnd(FieldSection)], and
///    [Exchange#requestFlush()] when the connection's read is complete;
/// 4. tells when its writability changed ([Exchange#downstreamWritabilityChanged()]);
/// 5. tells when the client is gone: RST_STREAM, connection closed ([Exchange#downstreamClosed()]).
interface Downstream {
    ClientConnection connection();

    /// Bytes received and sent so far, framing included: of the connection or the stream, only differences are used.
    long received();

    long sent();

    /// Sends a 1xx response other than 101.
    void sendInterim(ResponseHead head);

    /// Sends the final response's head.
    ///
    /// @param ends no body follows: the response is complete with it
    void sendHead(ResponseHead head, boolean ends);

    /// Sends body bytes and takes over the buffer.
    void sendBody(ByteBuf data);

    /// Ends the response.
    ///
    /// @param trailers may be empty
    void sendEnd(FieldSection trailers);

    /// Sends what is buffered.
    void flush();

    /// The response can't be completed: breaks it off so that the client notices, by closing the connection or RST_STREAM.
    void abort();

    /// The connection switches to another protocol, after a 101 response was sent by [#sendHead(ResponseHead, boolean)]:
    /// from now on request and response bodies are raw bytes both ways, until either side closes. In HTTP/2 that is an
    /// extended CONNECT (RFC 8441), and it is one stream that switches.
    void upgrade();

    /// Whether body bytes would go out soon. When not, the exchange stops reading from the endpoint until
    /// [Exchange#downstreamWritabilityChanged()].
    boolean isWritable();

    /// Bytes that the client must take before [#isWritable()] is true again, as far as that is known; 0 when it is not.
    long backlog();

    /// The endpoint does not keep up: stop delivering request body, as soon as possible. HTTP/2: withhold window updates.
    void pauseReading();

    /// Undoes [#pauseReading()]. Not called again at the end: `finished` implies it.
    void resumeReading();

    /// The exchange is over. The request may be incomplete: then an HTTP/1 connection swallows a short rest or closes,
    /// and an HTTP/2 stream is reset with NO_ERROR (RFC 9113 section 8.1).
    void finished();
}
