package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.RouteOptions.HostRewrite;
import io.netty.handler.codec.http.HttpResponseStatus;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// Puts request and response heads together as HTTP/1 sends them. Fields are taken as they stand, those that were dropped
/// left out; framing is added here.
final class HeadWriter {
    private static final byte[] HTTP_11 = ascii(" HTTP/1.1\r\n");
    private static final byte[] HOST = ascii("Host: ");
    private static final byte[] CRLF = ascii("\r\n");
    private static final byte[] CHUNKED = ascii("Transfer-Encoding: chunked\r\n");
    private static final byte[] UPGRADE = ascii("Connection: upgrade\r\n");
    private static final byte[] TRAILERS = ascii("Connection: TE\r\nTE: trailers\r\n");
    private static final byte[] CLOSE = ascii("Connection: close\r\n");
    private static final byte[] KEEP_ALIVE = ascii("Connection: keep-alive\r\n");

    private HeadWriter() {}

    private static byte[] ascii(String text) {
        return text.getBytes(ISO_8859_1);
    }

    /// A request for an endpoint: the raw target unless the route rewrites it, the client's Host unless the route says
    /// otherwise.
    static void request(Scratch out, RequestHead head, RouteState route, EndpointPool pool, boolean chunked) {
        byte[] b = head.bytes();
        out.clear();
        out.append(b, head.methodFrom, head.methodTo);
        out.append(' ');
        target(out, head, route);
        out.append(HTTP_11);
        host(out, head, route, pool);
        out.appendFields(head.fields);
        if (chunked) {
            out.append(CHUNKED);
        }
        if (head.upgrade) {
            out.append(UPGRADE);
        } else if (head.acceptsTrailers) {
            out.append(TRAILERS);
        }
        out.append(CRLF);
    }

    /// The target as the route forwards it.
    static void target(Scratch out, RequestHead head, RouteState route) {
        if (route.edits.isEmpty() || head.bytes()[head.originFrom] != '/') {
            plainTarget(out, head, route);
            return;
        }
        Scratch plain = new Scratch();
        plainTarget(plain, head, route);
        out.append(Rewriting.target(new String(plain.bytes, 0, plain.end, ISO_8859_1), route.edits).getBytes(ISO_8859_1));
    }

    /// Strips and prepends on the raw bytes. A path that matched only after normalisation, and does not begin with the
    /// prefix as it was sent, keeps it: guessing where it ends would forward something nobody asked for.
    static void plainTarget(Scratch out, RequestHead head, RouteState route) {
        byte[] b = head.bytes();
        int from = head.originFrom;
        int to = head.originTo;
        byte[] strip = route.strip;
        if (b[from] == '/') {
            if (strip.length > 0 && startsWith(b, from, head.pathTo, strip)) {
                from += strip.length;
            }
            boolean rooted = from < head.pathTo && b[from] == '/';
            byte[] prepend = route.prepend;
            if (prepend.length == 0) {
                if (!rooted) {
                    out.append('/');
                }
            } else {
                out.append(prepend);
                boolean slash = prepend[prepend.length - 1] == '/';
                if (slash && rooted) {
                    from++;
                } else if (!slash && !rooted && from < head.pathTo) {
                    out.append('/');
                }
            }
        }
        out.append(b, from, to);
    }

    private static boolean startsWith(byte[] b, int from, int to, byte[] prefix) {
        if (to - from < prefix.length) {
            return false;
        }
        for (int i = 0; i < prefix.length; i++) {
            if (b[from + i] != prefix[i]) {
                return false;
            }
        }
        return true;
    }

    private static void host(Scratch out, RequestHead head, RouteState route, EndpointPool pool) {
        FieldSection fields = head.fields;
        int host = fields.find(FieldName.HOST, 0);
        HostRewrite.Kind kind = route.hostRewrite();
        if (kind == HostRewrite.Kind.KEEP && host >= 0 && fields.valueFrom(host) == head.authorityFrom) {
            return;
        }
        if (host >= 0) {
            fields.drop(host);
        }
        out.append(HOST);
        switch (kind) {
            case KEEP -> out.append(head.bytes(), head.authorityFrom, head.authorityTo);
            case ENDPOINT -> out.append(pool.hostAndPort);
            case FIXED -> out.append(route.fixedHost);
        }
        out.append(CRLF);
    }

    private static byte[] statusLine(int status) {
        return ascii("HTTP/1.1 " + status + " " + HttpResponseStatus.valueOf(status).reasonPhrase() + "\r\n");
    }

    /// A response for a client.
    ///
    /// @param chunked   the body that follows is chunked
    /// @param close     the connection closes afterwards
    /// @param keepAlive the client has to be told that it does not
    static void response(Scratch out, ResponseHead head, boolean chunked, boolean close, boolean keepAlive) {
        out.clear();
        if (head.version == 20) {
            out.append(statusLine(head.status));
        } else {
            // The status line as it came, except that the version is ours (RFC 9112 section 2.3).
            head.bytes()[7] = '1';
            out.append(head.bytes(), 0, head.fieldsFrom);
        }
        out.appendFields(head.fields);
        if (chunked) {
            out.append(CHUNKED);
        }
        if (head.status == 101) {
            out.append(UPGRADE);
        } else if (close) {
            out.append(CLOSE);
        } else if (keepAlive) {
            out.append(KEEP_ALIVE);
        }
        out.append(CRLF);
    }
}
