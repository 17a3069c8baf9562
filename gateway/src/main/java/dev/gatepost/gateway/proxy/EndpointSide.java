package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import io.netty.buffer.ByteBuf;

/// The endpoint's side of one exchange, as its [Attempts] write to it: an HTTP/1 connection, or one stream of an HTTP/2
/// connection. It turns the request into its protocol's frames and the response back, and knows nothing of retries.
///
/// Order of calls: `begin`; unless the request has no body, any number of `send` and one `end`; `close` at any time. What
/// is sent goes out at `flush` at the latest. All calls are made on the event loop.
///
/// It tells its attempts: [Attempts#interim(ResponseHead)] any number of times, [Attempts#responseHead(ResponseHead, boolean)],
/// the body to the exchange, [Attempts#responseEnd(FieldSection)]; or once that it failed ([Attempts#failed(Cause, String)],
/// [Attempts#lost(boolean)]). After the end or a failure it does not touch them again.
interface EndpointSide {
    /// Begins the exchange's request. Its fields are those that the endpoint shall get; framing is added here.
    void begin(Attempts attempts, RouteState route);

    /// Sends body bytes and takes over the buffer.
    void send(ByteBuf data);

    /// The request's body is complete; called only when one follows its head.
    ///
    /// @param trailers may be empty
    void end(FieldSection trailers);

    void flush();

    /// Whether it takes more request body. When not, [Attempts#writabilityChanged()] tells when it does.
    boolean isWritable();

    /// The client does not keep up: stop delivering response body, as soon as possible.
    void pauseReading();

    void resumeReading();

    /// Whether the endpoint may give the request back, provably unprocessed, when it has been sent: then its body is worth
    /// keeping for a while.
    boolean mayRefuse();

    /// Breaks off whatever it is doing. The attempts don't need it any more, and are not told.
    void close();
}
