package dev.gatepost.gateway.proxy;

import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;

/// The end of what we send, on a connection that is still read: a FIN, or within TLS a close_notify (RFC 8446 section 6.1).
final class HalfClose {
    private HalfClose() {}

    static void send(Channel channel) {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls != null) {
            var _ = tls.closeOutbound();
        } else if (channel instanceof DuplexChannel duplex) {
            var _ = duplex.shutdownOutput();
        }
    }
}
