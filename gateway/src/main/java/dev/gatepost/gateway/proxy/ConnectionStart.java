package dev.gatepost.gateway.proxy;

import io.netty.channel.Channel;

/// How the connections of a listener begin: sets up the pipeline of a newly accepted channel, and once it is known which
/// protocol is spoken, hands the channel to [GateLoop#serveHttp1(Channel, TlsFacts, long)] or its HTTP/2 counterpart.
/// Called on the channel's event loop.
public interface ConnectionStart {
    void begin(Channel channel, GateLoop loop);

    /// HTTP/1 without TLS, from the first byte.
    ConnectionStart PLAIN = (channel, loop) -> {
        loop.touch();
        loop.serveHttp1(channel, TlsFacts.NONE, loop.now());
    };

    /// Without TLS, HTTP/1 or HTTP/2 as the client begins.
    ConnectionStart CLEARTEXT = CleartextStart::begin;
}
