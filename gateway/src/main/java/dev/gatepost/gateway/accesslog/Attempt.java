package dev.gatepost.gateway.accesslog;

/// One attempt to have a request answered by an endpoint. Mutable and reused, part of its [ExchangeRecord].
public final class Attempt {
    public EndpointLabel endpoint = EndpointLabel.NONE;
    public boolean reusedConnection;
    /// How it ended; the last one, as its exchange did.
    public Cause result = Cause.OK;
    /// What it waited for an endpoint with room; -1 where it did not.
    public long queueNanos = -1;
    /// -1 on a kept-alive connection, or where none was made.
    public long connectNanos = -1;
    /// From the request sent to the response's first byte; -1 where none came.
    public long firstByteNanos = -1;
    public long durationNanos = -1;

    Attempt() {}

    void begin(EndpointLabel label) {
        endpoint = label;
        reusedConnection = false;
        result = Cause.OK;
        queueNanos = -1;
        connectNanos = -1;
        firstByteNanos = -1;
        durationNanos = -1;
    }
}
