package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;

/// Why a request can't be taken: what the client is told, and what the log says. After a refusal of an HTTP/1 request the
/// connection is closed, since where the next request begins is no longer certain (RFC 9112 section 11.2).
enum Refusal {
    NONE(0, Cause.OK, ""),
    REQUEST_LINE(400, "request line (expected: METHOD SP TARGET SP HTTP/1.1)"),
    METHOD(400, "method (expected: a token)"),
    TARGET(400, "request target (expected: /path, http://host/path, or * for OPTIONS)"),
    BARE_CR(400, "carriage return without line feed"),
    BARE_LF(400, "line feed without carriage return"),
    FOLDED_LINE(400, "header line begins with a blank (RFC 9112 section 5.2)"),
    BLANK_BEFORE_COLON(400, "blank between field name and colon (RFC 9112 section 5.1)"),
    FIELD_NAME(400, "field name (expected: a token and a colon)"),
    FIELD_VALUE(400, "field value (expected: no control characters)"),
    HOST_MISSING(400, "no Host (RFC 9112 section 3.2)"),
    HOST_REPEATED(400, "several Host fields (RFC 9112 section 3.2)"),
    HOST_INVALID(400, "Host (expected: host or host:port)"),
    LENGTH_INVALID(400, "Content-Length (expected: one decimal number)"),
    LENGTH_REPEATED(400, "several Content-Length values (RFC 9112 section 6.3)"),
    LENGTH_AND_CODING(400, "both Content-Length and Transfer-Encoding (RFC 9112 section 6.3)"),
    CODING_INVALID(400, "Transfer-Encoding (expected: chunked)"),
    CODING_UNKNOWN(501, "Transfer-Encoding (expected: chunked alone)"),
    CODING_IN_HTTP_10(400, "Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)"),
    CHUNK(400, "chunk (expected: hexadecimal size CRLF data CRLF)"),
    TRAILER(400, "trailer section"),
    STATUS_LINE(502, "status line (expected: HTTP/1.1 SP STATUS)"),
    VERSION(505, "HTTP version (expected: 1.0 or 1.1)"),
    CONNECT(501, Cause.METHOD_NOT_ALLOWED, "CONNECT (expected: a method for a resource; this is no forward proxy)"),
    REQUEST_LINE_TOO_LONG(414, Cause.REQUEST_LINE_TOO_LONG, "request line over its limit"),
    FIELD_TOO_LARGE(431, Cause.HEADER_TOO_LARGE, "header field over its limit"),
    FIELDS_TOO_LARGE(431, Cause.HEADER_TOO_LARGE, "header section over its limit"),
    HEAD_TIMEOUT(408, Cause.CLIENT_TIMEOUT, "request header section not complete in time"),
    BODY_TOO_LARGE(413, Cause.BODY_TOO_LARGE, "request body over its limit"),
    PSEUDO_FIELDS(400, "pseudo-header fields (RFC 9113 section 8.3)"),
    CONNECTION_FIELD(400, "connection-specific field in HTTP/2 (RFC 9113 section 8.2.2)"),
    BODY_LENGTH(400, "body length differs from Content-Length");

    final int status;
    final Cause cause;
    final String detail;

    Refusal(int status, String detail) {
        this(status, Cause.REQUEST_MALFORMED, detail);
    }

    Refusal(int status, Cause cause, String detail) {
        this.status = status;
        this.cause = cause;
        this.detail = detail;
    }
}
