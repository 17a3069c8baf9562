package dev.gatepost.gateway.proxy;

/// Makes of a client's request the one that an endpoint gets.
final class ForwardedRequest {
    private ForwardedRequest() {}

    /// Once per request, whatever the number of attempts.
    static void make(RequestHead request, ClientConnection connection, RouteState route, boolean secure, GateLoop loop) {
        FieldSection fields = request.fields;
        HopByHop.drop(fields, request.upgrade);
        if (request.version == 10) {
            // An HTTP/1.0 client does not wait for 100 (RFC 9110 section 10.1.1), so nobody behind us may be told that it does.
            int expect = fields.find(FieldName.EXPECT, 0);
            if (expect >= 0) {
                fields.drop(expect);
            }
        }
        if (route.edits.isEmpty()) {
            ForwardedFields.apply(request, connection, route.strip, loop.requestIds);
        } else {
            Rewriting.forwardEdited(request, connection, route, loop.requestIds);
        }
        if (loop.startsTraces) {
            TraceParent.ensure(fields, loop.requestIds, loop.random(100) < loop.settings.traceSample());
        }
        if (!route.requestFields.isEmpty()) {
            Rewriting.apply(route.requestFields, fields, secure);
        }
    }
}
