package dev.gatepost.gateway.proxy;

import io.netty.channel.ChannelInboundHandlerAdapter;

/// A client's HTTP/1 connection.
final class Http1Connection extends ChannelInboundHandlerAdapter {
    final GateLoop loop;
    final ClientConnection connection;

    Http1Connection(GateLoop loop, ClientConnection connection) {
        this.loop = loop;
        this.connection = connection;
    }
}
