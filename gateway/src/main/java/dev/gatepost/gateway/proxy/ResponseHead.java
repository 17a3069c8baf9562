package dev.gatepost.gateway.proxy;

/// The head of one response: from an endpoint, or of our own making. One per upstream connection and one per exchange,
/// reused. When it reaches [Downstream#sendHead(ResponseHead, boolean)] its fields are exactly those that the client shall
/// get: hop-by-hop ones are dropped, our own are appended. Only the framing is left to the downstream's own protocol:
/// HTTP/1 adds Transfer-Encoding and Connection, HTTP/2 sets END_STREAM. A Content-Length, where the length is known,
/// is among the fields.
///
/// HTTP/2: write `:status` from [#status], then every field that is not dropped, names in lower case.
final class ResponseHead {
    private static final int INITIAL = 1024;

    final FieldSection fields = new FieldSection(INITIAL);
    /// 10 or 11.
    int version;
    int status;
    int reasonFrom;
    int reasonTo;
    /// Where the field lines begin, and the status line with its CRLF ends.
    int fieldsFrom;
    /// -1 when the length is not given.
    long contentLength;
    boolean chunked;
    /// The endpoint will close the connection after this response.
    boolean close;
    boolean upgrade;

    void clear() {
        fields.clear();
        version = 0;
        status = 0;
        reasonFrom = reasonTo = fieldsFrom = 0;
        contentLength = -1;
        chunked = close = upgrade = false;
    }

    byte[] bytes() {
        return fields.bytes;
    }

    boolean isInterim() {
        return status < 200;
    }
}
