package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.GatewayConfig.Limits;
import io.netty.handler.codec.http2.DefaultHttp2Connection;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionDecoder;
import io.netty.handler.codec.http2.DefaultHttp2ConnectionEncoder;
import io.netty.handler.codec.http2.DefaultHttp2FrameReader;
import io.netty.handler.codec.http2.DefaultHttp2FrameWriter;
import io.netty.handler.codec.http2.DefaultHttp2LocalFlowController;
import io.netty.handler.codec.http2.DefaultHttp2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionDecoder;
import io.netty.handler.codec.http2.Http2ConnectionEncoder;
import io.netty.handler.codec.http2.Http2FrameReader;
import io.netty.handler.codec.http2.Http2PromisedRequestVerifier;
import io.netty.handler.codec.http2.UniformStreamByteDistributor;

/// Netty's frames, windows and stream states of one connection, with our own coding of fields.
record Http2Codec(Http2ConnectionDecoder decoder, Http2ConnectionEncoder encoder) {
    /// CONTINUATION frames below 8 KiB in one header section (CVE-2024-27316).
    private static final int MOST_SMALL_CONTINUATIONS = 16;

    /// Towards a client. The connection's window opens as the streams' do.
    static Http2Codec client(Limits limits) {
        Http2Connection connection = new DefaultHttp2Connection(true, 0);
        return of(connection, new Http2StreamOrder(reader(limits), connection));
    }

    /// Towards an endpoint. The connection's window opens at once.
    static Http2Codec endpoint(Limits limits) {
        Http2Connection connection = new DefaultHttp2Connection(false, 0);
        connection.local().flowController(
                new DefaultHttp2LocalFlowController(connection, DefaultHttp2LocalFlowController.DEFAULT_WINDOW_UPDATE_RATIO, true));
        return of(connection, reader(limits));
    }

    private static Http2FrameReader reader(Limits limits) {
        return new DefaultHttp2FrameReader(new Http2FieldDecoder(limits), MOST_SMALL_CONTINUATIONS);
    }

    private static Http2Codec of(Http2Connection connection, Http2FrameReader reader) {
        // Priorities are gone from HTTP/2 (RFC 9113 section 5.3.1): streams share alike, and no tree is kept.
        connection.remote().flowController(new DefaultHttp2RemoteFlowController(connection, new UniformStreamByteDistributor(connection)));
        var encoder = new DefaultHttp2ConnectionEncoder(connection, new DefaultHttp2FrameWriter(new Http2FieldEncoder()));
        var decoder = new DefaultHttp2ConnectionDecoder(
                connection, encoder, reader, Http2PromisedRequestVerifier.ALWAYS_VERIFY, true, true, false);
        return new Http2Codec(decoder, encoder);
    }
}
