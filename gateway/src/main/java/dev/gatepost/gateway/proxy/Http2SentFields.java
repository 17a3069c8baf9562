package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import org.jspecify.annotations.Nullable;

/// A message head or trailers on the way through Netty's encoder to [Http2FieldEncoder]; Netty itself reads the status only.
final class Http2SentFields extends DefaultHttp2Headers {
    private int status;
    private FieldSection fields = FieldSection.NONE;
    private int encodedLength;
    private @Nullable RequestHead request;
    private byte[] authority = {};
    private int authorityFrom;
    private int authorityTo;
    private boolean secure;
    private @Nullable Scratch target;

    Http2SentFields() {
        super(false, 2);
    }

    Http2SentFields head(ResponseHead head) {
        status = head.status;
        fields = head.fields;
        return this;
    }

    /// For an endpoint: the raw target unless the route rewrites it, the client's Host as `:authority` unless the route
    /// says otherwise. To be encoded before the request is gone.
    ///
    /// @param overTls whether the connection is
    /// @param scratch for the target
    Http2SentFields request(RequestHead head, RouteState route, EndpointPool pool, boolean overTls, Scratch scratch) {
        request = head;
        fields = head.fields;
        secure = overTls;
        scratch.clear();
        HeadWriter.target(scratch, head, route);
        target = scratch;
        authorityFrom = 0;
        switch (route.hostRewrite()) {
            case KEEP -> {
                authority = head.bytes();
                authorityFrom = head.authorityFrom;
                authorityTo = head.authorityTo;
            }
            case ENDPOINT -> {
                authority = pool.hostAndPort;
                authorityTo = authority.length;
            }
            case FIXED -> {
                authority = route.fixedHost;
                authorityTo = authority.length;
            }
        }
        return this;
    }

    /// Netty may keep trailers until window opens, so they get an object and bytes of their own.
    static Http2SentFields trailers(FieldSection trailers) {
        Http2SentFields sent = new Http2SentFields();
        FieldSection copy = new FieldSection(trailers.end);
        copy.append(trailers.bytes, 0, trailers.end);
        for (int i = 0; i < trailers.count(); i++) {
            if (!trailers.isDropped(i)) {
                copy.index(
                        trailers.nameFrom(i), trailers.nameTo(i), trailers.valueFrom(i), trailers.valueTo(i), trailers.lineEnd(i), trailers.id(i));
            }
        }
        sent.fields = copy;
        return sent;
    }

    @Override
    public CharSequence status() {
        return HttpResponseStatus.valueOf(status).codeAsText();
    }

    /// Bytes of the header block, once it is encoded.
    int encodedLength() {
        return encodedLength;
    }

    void encode(Http2FieldEncoder encoder, ByteBuf out) {
        int from = out.writerIndex();
        if (status > 0) {
            encoder.status(status, out);
        }
        RequestHead head = request;
        Scratch path = target;
        if (head != null && path != null) {
            encoder.request(head, secure, path, out);
            encoder.authority(authority, authorityFrom, authorityTo, out);
            encoder.requestFields(head, out);
        } else {
            encoder.fields(fields, out);
        }
        encodedLength = out.writerIndex() - from;
    }
}
