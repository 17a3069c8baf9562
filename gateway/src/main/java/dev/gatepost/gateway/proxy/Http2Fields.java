package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.GatewayConfig.Limits;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.DefaultHttp2Headers;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// One decoded header list of a peer, on its way from [Http2FieldDecoder] through Netty's frame reader, which knows it
/// as a (but for `:status` empty) `Http2Headers`, to the [Http2Connection] or
/// [Http2UpstreamConnection]. One per event loop: taken up before the next is decoded.
///
/// Pseudo-header fields stand in the section like the others, dropped at once, so that the section can go to an exchange
/// as it is.
final class Http2Fields extends DefaultHttp2Headers {
    private static final byte[] TRAILERS = "trailers".getBytes(ISO_8859_1);
    private static final byte[] HTTP = "http".getBytes(ISO_8859_1);
    private static final byte[] HTTPS = "https".getBytes(ISO_8859_1);
    private static final byte[] COOKIE = "cookie".getBytes(ISO_8859_1);

    final FieldSection section = new FieldSection(2048);
    /// What is wrong with the list, as far as it can be said of a request or trailers alike.
    Refusal refusal = Refusal.NONE;
    /// Bytes of the encoded list.
    int encodedLength;
    /// Numbers of the pseudo-header fields in the section; -1 for absent.
    int method;
    int scheme;
    int path;
    int authority;
    int status;
    int protocol;
    private boolean regularSeen;
    private int cookies;
    private long size;
    private Limits limits = Limits.DEFAULT;

    Http2Fields() {
        super(false, 2);
    }

    void begin(Limits newLimits) {
        section.clear();
        refusal = Refusal.NONE;
        method = scheme = path = authority = status = protocol = -1;
        regularSeen = false;
        cookies = 0;
        size = 0;
        limits = newLimits;
    }

    private void refuse(Refusal reason) {
        if (refusal == Refusal.NONE) {
            refusal = reason;
        }
    }

    /// Counts a field against the limits; false when it is not to be kept.
    boolean admit(int nameLength, int valueLength, int kind) {
        size += nameLength + valueLength + Http2FieldTable.ENTRY_OVERHEAD;
        if (size > limits.headers()) {
            refuse(Refusal.FIELDS_TOO_LARGE);
        } else if (kind == Http2FieldKind.PATH ? valueLength > limits.requestLine() : nameLength + valueLength > limits.header()) {
            refuse(kind == Http2FieldKind.PATH ? Refusal.REQUEST_LINE_TOO_LONG : Refusal.FIELD_TOO_LARGE);
        } else {
            return true;
        }
        return false;
    }

    /// Takes up a field whose line stands at the section's end, `name: value CRLF`.
    void index(int nameFrom, int nameTo, int valueFrom, int valueTo, int kind) {
        int number = section.count();
        section.index(nameFrom, nameTo, valueFrom, valueTo, section.end, Math.max(kind, FieldName.OTHER));
        if (kind < 0) {
            section.drop(number);
            takePseudo(number, kind);
            return;
        }
        regularSeen = true;
        switch (kind) {
            case FieldName.CONNECTION, FieldName.PROXY_CONNECTION, FieldName.KEEP_ALIVE, FieldName.TRANSFER_ENCODING, FieldName.UPGRADE ->
                refuse(Refusal.CONNECTION_FIELD);
            case FieldName.TE -> {
                if (!Syntax.equalsIgnoreCase(section.bytes, valueFrom, valueTo, TRAILERS)) {
                    refuse(Refusal.CONNECTION_FIELD);
                }
            }
            case FieldName.OTHER -> {
                if (isCookie(nameFrom, nameTo)) {
                    cookies++;
                }
            }
            default -> {}
        }
    }

    /// RFC 9113 section 8.3: each at most once, all before the first regular field.
    private void takePseudo(int number, int kind) {
        int before;
        switch (kind) {
            case Http2FieldKind.METHOD -> {
                before = method;
                method = number;
            }
            case Http2FieldKind.SCHEME -> {
                before = scheme;
                scheme = number;
            }
            case Http2FieldKind.PATH -> {
                before = path;
                path = number;
            }
            case Http2FieldKind.AUTHORITY -> {
                before = authority;
                authority = number;
            }
            case Http2FieldKind.STATUS -> {
                before = status;
                status = number;
            }
            case Http2FieldKind.PROTOCOL -> {
                before = protocol;
                protocol = number;
            }
            case Http2FieldKind.INVALID_NAME -> {
                refuse(Refusal.FIELD_NAME);
                return;
            }
            case Http2FieldKind.INVALID_VALUE -> {
                refuse(Refusal.FIELD_VALUE);
                return;
            }
            default -> {
                refuse(Refusal.PSEUDO_FIELDS);
                return;
            }
        }
        if (before >= 0 || regularSeen) {
            refuse(Refusal.PSEUDO_FIELDS);
        }
    }

    /// Hands the list to a request, which gets its bytes; this list is empty afterwards.
    Refusal moveTo(RequestHead request) {
        if (cookies > 1) {
            joinCookies();
        }
        request.clear();
        request.fields.swap(section);
        FieldSection fields = request.fields;
        request.version = 20;
        if (method >= 0) {
            request.methodFrom = fields.valueFrom(method);
            request.methodTo = fields.valueTo(method);
        }
        if (path >= 0) {
            request.targetFrom = fields.valueFrom(path);
            request.targetTo = fields.valueTo(path);
        }
        if (authority >= 0) {
            request.authorityFrom = fields.valueFrom(authority);
            request.authorityTo = fields.valueTo(authority);
        }
        boolean foreign = status >= 0 || (protocol >= 0 && !isConnect(fields));
        if (refusal == Refusal.NONE && (method < 0 || path < 0 || foreign || !isHttp(fields))) {
            refusal = Refusal.PSEUDO_FIELDS;
        }
        return refusal;
    }

    /// RFC 8441 section 4.
    private boolean isConnect(FieldSection fields) {
        return method >= 0 && Method.of(fields.bytes, fields.valueFrom(method), fields.valueTo(method)) == Method.CONNECT;
    }

    /// Hands the list to a response, which gets its bytes; this list is empty afterwards.
    Refusal moveTo(ResponseHead response) {
        response.clear();
        response.fields.swap(section);
        response.version = 20;
        if (refusal == Refusal.NONE) {
            boolean others = method >= 0 || scheme >= 0 || path >= 0 || authority >= 0 || protocol >= 0;
            response.status = status < 0 ? -1 : code(response.fields);
            refusal = others || response.status < 100 || response.status > 999 ? Refusal.PSEUDO_FIELDS : Refusal.NONE;
        }
        return refusal;
    }

    /// -1 for anything but three digits.
    private int code(FieldSection fields) {
        int from = fields.valueFrom(status);
        int to = fields.valueTo(status);
        return to - from == 3 ? (int) Syntax.decimal(fields.bytes, from, to) : -1;
    }

    /// What Netty looks at, of a response: whether it is an interim one.
    @Override
    public CharSequence status() {
        int code = status < 0 ? -1 : code(section);
        return code < 100 ? "" : HttpResponseStatus.valueOf(code).codeAsText();
    }

    private boolean isHttp(FieldSection fields) {
        return scheme >= 0
                && (Syntax.equalsIgnoreCase(fields.bytes, fields.valueFrom(scheme), fields.valueTo(scheme), HTTPS)
                        || Syntax.equalsIgnoreCase(fields.bytes, fields.valueFrom(scheme), fields.valueTo(scheme), HTTP));
    }

    /// Whether the list may stand behind a body (RFC 9113 section 8.1): no pseudo-header fields, nothing malformed.
    boolean isTrailerSection() {
        return refusal == Refusal.NONE && method < 0 && scheme < 0 && path < 0 && authority < 0 && status < 0 && protocol < 0;
    }

    /// The list as trailers that may be kept: with bytes of their own.
    FieldSection takeTrailers() {
        FieldSection taken = new FieldSection(128);
        taken.swap(section);
        return taken;
    }

    private boolean isCookie(int nameFrom, int nameTo) {
        return nameTo - nameFrom == COOKIE.length && Syntax.equalsIgnoreCase(section.bytes, nameFrom, nameTo, COOKIE);
    }

    /// A client may split cookies to compress them better; HTTP/1 wants one field (RFC 9113 section 8.2.3).
    private void joinCookies() {
        int last = section.count();
        int nameFrom = section.end;
        section.append(COOKIE, 0, COOKIE.length);
        int nameTo = section.end;
        section.append(':');
        section.append(' ');
        int valueFrom = section.end;
        for (int i = 0; i < last; i++) {
            if (!section.isDropped(i) && isCookie(section.nameFrom(i), section.nameTo(i))) {
                if (section.end > valueFrom) {
                    section.append(';');
                    section.append(' ');
                }
                section.append(section.bytes, section.valueFrom(i), section.valueTo(i));
                section.drop(i);
            }
        }
        int valueTo = section.end;
        section.append('\r');
        section.append('\n');
        section.index(nameFrom, nameTo, valueFrom, valueTo, section.end, FieldName.OTHER);
    }
}
