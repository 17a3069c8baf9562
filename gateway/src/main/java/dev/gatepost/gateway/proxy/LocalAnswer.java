package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.route.RouteOptions.Redirect;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponseStatus;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// A response that the gate gives itself, with its cause in the body, so that whoever sees it finds it in the log.
///
/// @param fields further field lines, each with its CR LF
record LocalAnswer(int status, Cause cause, String fields) {
    static LocalAnswer of(int status, Cause cause) {
        return new LocalAnswer(status, cause, "");
    }

    LocalAnswer retryAfter(int seconds) {
        return with("Retry-After: " + seconds);
    }

    LocalAnswer allow(String methods) {
        return with("Allow: " + methods);
    }

    private LocalAnswer with(String field) {
        return new LocalAnswer(status, cause, fields + field + "\r\n");
    }

    /// The path is the one the route would forward.
    static LocalAnswer redirect(Redirect redirect, RequestHead request, RouteState route) {
        Scratch forwarded = new Scratch();
        HeadWriter.target(forwarded, request, route);
        String target = new String(forwarded.bytes, 0, forwarded.end, ISO_8859_1);
        int question = target.indexOf('?');
        String path = question < 0 ? target : target.substring(0, question);
        String query = question < 0 ? "" : target.substring(question + 1);
        String host = new String(request.bytes(), request.authorityFrom, request.hostTo - request.authorityFrom, ISO_8859_1);
        return redirect(redirect.status(), redirect.locate(host, path, query));
    }

    static LocalAnswer redirect(int status, String location) {
        return of(status, Cause.REDIRECT).with("Location: " + location);
    }

    /// Fills in the head of a gRPC response that is over with it.
    void writeGrpc(ResponseHead head) {
        head.clear();
        head.version = 20;
        head.status = 200;
        head.fields.add("Content-Type", "application/grpc");
        Grpc.fail(head.fields, status, cause);
    }

    /// Fills in the head and returns the body.
    ByteBuf write(ResponseHead head, GateLoop loop) {
        String body = status + " " + HttpResponseStatus.valueOf(status).reasonPhrase() + ": " + cause.word() + "\n";
        write(head, loop, status, "text/plain; charset=utf-8", body.length(), fields);
        ByteBuf buffer = loop.allocator().directBuffer(body.length());
        buffer.writeCharSequence(body, ISO_8859_1);
        return buffer;
    }

    /// Fills in a head of our own making.
    ///
    /// @param fields further field lines, each with its CR LF
    static void write(ResponseHead head, GateLoop loop, int status, String contentType, int length, String fields) {
        String reason = HttpResponseStatus.valueOf(status).reasonPhrase();
        head.clear();
        head.version = 11;
        head.status = status;
        head.contentLength = length;
        FieldSection section = head.fields;
        head.reasonFrom = "HTTP/1.1 200 ".length();
        head.reasonTo = section.append("HTTP/1.1 " + status + " " + reason);
        section.append("\r\n");
        head.fieldsFrom = section.end;
        section.add("Date", loop.date());
        section.add("Content-Type", contentType);
        section.add("Content-Length", Integer.toString(length));
        for (String line : fields.split("\r\n", -1)) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                section.add(line.substring(0, colon), line.substring(colon + 2));
            }
        }
    }
}
