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
    private static final byte[] CHUNKED = {'c', 'h', 'u', 'n', 'k', 'e', 'd'};
    private static final byte[] CLOSE = {'c', 'l', 'o', 's', 'e'};
    private static final byte[] UPGRADE = {'u', 'p', 'g', 'r', 'a', 'd', 'e'};

    final FieldSection fields = new FieldSection(INITIAL);
    /// 10, 11 or 20.
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

    /// Reads the fields that frame the response, once all of them are there: as strictly as a request's, since a response
    /// that two readers end at different places poisons the connection just as well (RFC 9112 section 11.1).
    Refusal finish() {
        boolean lengthSeen = false;
        for (int i = 0; i < fields.count(); i++) {
            switch (fields.id(i)) {
                case FieldName.CONTENT_LENGTH -> {
                    if (lengthSeen) {
                        return Refusal.LENGTH_REPEATED;
                    }
                    lengthSeen = true;
                    contentLength = Syntax.decimal(bytes(), fields.valueFrom(i), fields.valueTo(i));
                    if (contentLength < 0) {
                        return Refusal.LENGTH_INVALID;
                    }
                }
                case FieldName.TRANSFER_ENCODING -> {
                    if (chunked || version == 10 || !is(i, CHUNKED)) {
                        return Refusal.CODING_INVALID;
                    }
                    chunked = true;
                }
                case FieldName.CONNECTION -> {
                    close |= hasToken(i, CLOSE);
                    upgrade |= hasToken(i, UPGRADE);
                }
                default -> {}
            }
        }
        close |= version == 10;
        return lengthSeen && chunked ? Refusal.LENGTH_AND_CODING : Refusal.NONE;
    }

    /// Whether no body follows, whatever the fields say (RFC 9112 section 6.3).
    boolean isBodiless(Method request) {
        return request == Method.HEAD || status == 204 || status == 304 || status < 200;
    }

    private boolean is(int i, byte[] lower) {
        return Syntax.equalsIgnoreCase(bytes(), fields.valueFrom(i), fields.valueTo(i), lower);
    }

    private boolean hasToken(int i, byte[] lower) {
        return ListField.contains(bytes(), fields.valueFrom(i), fields.valueTo(i), lower);
    }
}
