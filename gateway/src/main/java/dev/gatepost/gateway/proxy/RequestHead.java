package dev.gatepost.gateway.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// The head of one request, in whatever HTTP version it came: bytes, ranges in them, and what the gate needs to know of
/// them. One per exchange slot, reused. All ranges lie in `fields.bytes`.
///
/// HTTP/1: [RequestParser] copies the header section in, indexes it and calls [#finish()].
///
/// HTTP/2: call [#clear()]; then [#startHttp2(CharSequence, CharSequence, CharSequence)] with `:method`, `:path` and
/// `:authority`; `fields.add(name, value)` for every regular field (false: malformed, reset the stream), the crumbs of
/// `cookie` joined into one (RFC 9113 section 8.2.3); set
/// [#bodyFollows] unless END_STREAM came with the headers; then [#finish()]. Anything but [Refusal#NONE] goes to
/// [Exchange#refuse(Refusal)].
final class RequestHead {
    private static final int INITIAL = 2048;
    private static final byte[] CHUNKED = {'c', 'h', 'u', 'n', 'k', 'e', 'd'};
    private static final byte[] CONTINUE = {'1', '0', '0', '-', 'c', 'o', 'n', 't', 'i', 'n', 'u', 'e'};
    private static final byte[] CLOSE = {'c', 'l', 'o', 's', 'e'};
    private static final byte[] KEEP_ALIVE = {'k', 'e', 'e', 'p', '-', 'a', 'l', 'i', 'v', 'e'};
    private static final byte[] UPGRADE = {'u', 'p', 'g', 'r', 'a', 'd', 'e'};
    private static final byte[] H2C = {'h', '2', 'c'};
    private static final byte[] TRAILERS = {'t', 'r', 'a', 'i', 'l', 'e', 'r', 's'};

    final FieldSection fields = new FieldSection(INITIAL);

    Method method = Method.OTHER;
    int methodFrom;
    int methodTo;
    /// The request target as it came.
    int targetFrom;
    int targetTo;
    /// The target in origin form: what is forwarded. Equals the target unless that came in absolute form.
    int originFrom;
    int originTo;
    /// Where the path ends and `?` or nothing follows.
    int pathTo;
    /// What the client named as host, with its port; empty when it named none.
    int authorityFrom;
    int authorityTo;
    /// The authority without port.
    int hostTo;
    /// The port in the authority; 0 when it names none.
    int port;
    /// 10, 11 or 20; 0 before the request line is read.
    int version;
    /// -1 when the length is not given.
    long contentLength;
    boolean chunked;
    /// Body bytes, or at least an end of body, are to come.
    boolean bodyFollows;
    /// The client will not send another request on this connection.
    boolean close;
    /// An HTTP/1.0 client asked to keep the connection.
    boolean keepAlive;
    boolean expectContinue;
    /// The client offers to switch to the protocols in Upgrade.
    boolean upgrade;
    /// The client understands trailers (`TE: trailers`).
    boolean acceptsTrailers;

    void clear() {
        fields.clear();
        method = Method.OTHER;
        methodFrom = methodTo = targetFrom = targetTo = originFrom = originTo = pathTo = 0;
        authorityFrom = authorityTo = hostTo = 0;
        port = 0;
        version = 0;
        contentLength = -1;
        chunked = bodyFollows = close = keepAlive = expectContinue = upgrade = acceptsTrailers = false;
    }

    byte[] bytes() {
        return fields.bytes;
    }

    String methodName() {
        return method != Method.OTHER ? method.name() : new String(bytes(), methodFrom, methodTo - methodFrom, ISO_8859_1);
    }

    /// Takes the pseudo-header fields of an HTTP/2 request.
    ///
    /// @param authority empty when there was none: a Host field then counts
    void startHttp2(CharSequence method, CharSequence path, CharSequence authority) {
        version = 20;
        methodFrom = fields.end;
        methodTo = fields.append(method);
        targetFrom = fields.end;
        targetTo = fields.append(path);
        authorityFrom = fields.end;
        authorityTo = fields.append(authority);
    }

    /// Reads the request line's parts and the fields that frame and address the request, once all of them are there.
    Refusal finish() {
        method = Method.of(bytes(), methodFrom, methodTo);
        Refusal refusal = readTarget();
        if (refusal == Refusal.NONE) {
            refusal = readFields();
        }
        return refusal == Refusal.NONE ? readAuthority() : refusal;
    }

    /// RFC 9112 section 3.2.
    private Refusal readTarget() {
        byte[] b = bytes();
        if (method == Method.CONNECT) {
            return Refusal.CONNECT;
        }
        if (targetFrom == targetTo) {
            return Refusal.TARGET;
        }
        for (int i = targetFrom; i < targetTo; i++) {
            if (!Syntax.isTarget(b[i])) {
                return Refusal.TARGET;
            }
        }
        originFrom = targetFrom;
        originTo = targetTo;
        if (b[targetFrom] == '/') {
            return findPathEnd();
        }
        if (b[targetFrom] == '*') {
            pathTo = targetTo;
            return method == Method.OPTIONS && targetTo - targetFrom == 1 ? Refusal.NONE : Refusal.TARGET;
        }
        return version < 20 ? readAbsoluteForm() : Refusal.TARGET;
    }

    private Refusal findPathEnd() {
        byte[] b = bytes();
        pathTo = originFrom;
        while (pathTo < originTo && b[pathTo] != '?') {
            pathTo++;
        }
        return Refusal.NONE;
    }

    /// `http://host:port/path?query`: its authority counts, whatever Host says (RFC 9112 section 3.2.2).
    private Refusal readAbsoluteForm() {
        byte[] b = bytes();
        int i = targetFrom;
        while (i < targetTo && Syntax.isToken(b[i])) {
            i++;
        }
        if (i + 3 > targetTo || b[i] != ':' || b[i + 1] != '/' || b[i + 2] != '/' || !isHttpScheme(targetFrom, i)) {
            return Refusal.TARGET;
        }
        authorityFrom = i + 3;
        i = authorityFrom;
        while (i < targetTo && b[i] != '/' && b[i] != '?') {
            i++;
        }
        authorityTo = i;
        if (authorityFrom == authorityTo) {
            return Refusal.TARGET;
        }
        if (i < targetTo && b[i] == '/') {
            originFrom = i;
            return findPathEnd();
        }
        // No path: "/" is sent, or "*" for OPTIONS (RFC 9112 section 3.2.4), with the query if there is one. The forwarded
        // form does not stand in the request, so it is appended to it.
        int from = fields.end;
        fields.append(method == Method.OPTIONS && i == targetTo ? '*' : '/');
        fields.append(bytes(), i, targetTo);
        originFrom = from;
        originTo = fields.end;
        return findPathEnd();
    }

    private boolean isHttpScheme(int from, int to) {
        byte[] b = bytes();
        int length = to - from;
        return (length == 4 || (length == 5 && Syntax.lower(b[from + 4]) == 's'))
                && Syntax.lower(b[from]) == 'h'
                && Syntax.lower(b[from + 1]) == 't'
                && Syntax.lower(b[from + 2]) == 't'
                && Syntax.lower(b[from + 3]) == 'p';
    }

    private Refusal readFields() {
        int host = -1;
        boolean lengthSeen = false;
        boolean codingSeen = false;
        for (int i = 0; i < fields.count(); i++) {
            switch (fields.id(i)) {
                case FieldName.HOST -> {
                    if (host >= 0) {
                        return Refusal.HOST_REPEATED;
                    }
                    host = i;
                }
                case FieldName.CONTENT_LENGTH -> {
                    if (lengthSeen || hasComma(i)) {
                        return Refusal.LENGTH_REPEATED;
                    }
                    lengthSeen = true;
                    contentLength = Syntax.decimal(bytes(), fields.valueFrom(i), fields.valueTo(i));
                    if (contentLength < 0) {
                        return Refusal.LENGTH_INVALID;
                    }
                }
                case FieldName.TRANSFER_ENCODING -> {
                    Refusal refusal = readCoding(i, codingSeen);
                    if (refusal != Refusal.NONE) {
                        return refusal;
                    }
                    codingSeen = true;
                }
                case FieldName.CONNECTION -> readConnection(i);
                case FieldName.EXPECT -> {
                    // RFC 9110 section 10.1.1: an HTTP/1.0 client can't be waiting for it.
                    expectContinue = version >= 11 && is(i, CONTINUE);
                }
                case FieldName.TE -> acceptsTrailers |= hasToken(i, TRAILERS);
                default -> {}
            }
        }
        if (lengthSeen && codingSeen) {
            return Refusal.LENGTH_AND_CODING;
        }
        chunked = codingSeen;
        if (version < 20) {
            bodyFollows = chunked || contentLength > 0;
            close |= version == 10 && !keepAlive;
        }
        return readHost(host);
    }

    private Refusal readCoding(int i, boolean again) {
        if (version == 10) {
            return Refusal.CODING_IN_HTTP_10;
        }
        if (again || version >= 20) {
            return Refusal.CODING_INVALID;
        }
        if (is(i, CHUNKED)) {
            return Refusal.NONE;
        }
        // "gzip, chunked" is well framed but not understood; anything where chunked is not last has no length at all.
        int last = fields.valueTo(i);
        int from = last - CHUNKED.length;
        boolean chunkedLast = from > fields.valueFrom(i)
                && Syntax.equalsIgnoreCase(bytes(), from, last, CHUNKED)
                && !Syntax.isToken(bytes()[from - 1]);
        return chunkedLast ? Refusal.CODING_UNKNOWN : Refusal.CODING_INVALID;
    }

    private void readConnection(int i) {
        close |= hasToken(i, CLOSE);
        keepAlive |= hasToken(i, KEEP_ALIVE);
        // RFC 9110 section 7.8: a server ignores Upgrade in an HTTP/1.0 request.
        upgrade |= version == 11 && hasToken(i, UPGRADE) && offersProtocol();
    }

    /// An endpoint that took up `h2c` would speak with the client past every rule of ours.
    private boolean offersProtocol() {
        int offer = fields.find(FieldName.UPGRADE, 0);
        return offer >= 0 && !hasToken(offer, H2C) && fields.find(FieldName.UPGRADE, offer + 1) < 0;
    }

    private Refusal readHost(int host) {
        if (host < 0) {
            return version == 11 ? Refusal.HOST_MISSING : Refusal.NONE;
        }
        if (authorityFrom == authorityTo) {
            authorityFrom = fields.valueFrom(host);
            authorityTo = fields.valueTo(host);
            return Refusal.NONE;
        }
        // RFC 9113 section 8.3.1: both may be there, but they must agree. The absolute form of HTTP/1 simply wins.
        boolean agrees = Syntax.equalsIgnoreCase(
                bytes(), authorityFrom, authorityTo, bytes(), fields.valueFrom(host), fields.valueTo(host));
        return version < 20 || agrees ? Refusal.NONE : Refusal.HOST_INVALID;
    }

    /// Splits `host:port`, `[v6]:port` (RFC 3986 section 3.2.2).
    private Refusal readAuthority() {
        byte[] b = bytes();
        int colon = -1;
        boolean literal = authorityFrom < authorityTo && b[authorityFrom] == '[';
        int closing = -1;
        for (int i = authorityFrom; i < authorityTo; i++) {
            byte c = b[i];
            if (!Syntax.isHost(c) || (c == '[' && i != authorityFrom)) {
                return Refusal.HOST_INVALID;
            }
            if (c == ']') {
                if (!literal || closing >= 0) {
                    return Refusal.HOST_INVALID;
                }
                closing = i;
            } else if (c == ':' && (!literal || closing >= 0)) {
                if (colon >= 0) {
                    return Refusal.HOST_INVALID;
                }
                colon = i;
            }
        }
        if (literal && (closing < 0 || (colon < 0 ? authorityTo : colon) != closing + 1)) {
            return Refusal.HOST_INVALID;
        }
        hostTo = colon < 0 ? authorityTo : colon;
        if (colon < 0 || colon + 1 == authorityTo) {
            return colon == authorityFrom ? Refusal.HOST_INVALID : Refusal.NONE;
        }
        long number = Syntax.decimal(b, colon + 1, authorityTo);
        if (colon == authorityFrom || number < 1 || number > 65_535) {
            return Refusal.HOST_INVALID;
        }
        port = (int) number;
        return Refusal.NONE;
    }

    private boolean is(int i, byte[] lower) {
        return Syntax.equalsIgnoreCase(bytes(), fields.valueFrom(i), fields.valueTo(i), lower);
    }

    private boolean hasComma(int i) {
        for (int at = fields.valueFrom(i); at < fields.valueTo(i); at++) {
            if (bytes()[at] == ',') {
                return true;
            }
        }
        return false;
    }

    private boolean hasToken(int i, byte[] lower) {
        return ListField.contains(bytes(), fields.valueFrom(i), fields.valueTo(i), lower);
    }
}
