package dev.gatepost.gateway.proxy;

import java.net.InetSocketAddress;

/// A listener to open.
///
/// @param name    for messages and [Gate#address(String)], `http` say
/// @param address port 0 picks one
public record ListenerSpec(String name, InetSocketAddress address, ConnectionStart start) {
    /// HTTP/1 without TLS.
    public static ListenerSpec plain(String name, InetSocketAddress address) {
        return new ListenerSpec(name, address, ConnectionStart.PLAIN);
    }
}
