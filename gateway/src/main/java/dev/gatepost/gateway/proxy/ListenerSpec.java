package dev.gatepost.gateway.proxy;

import java.net.InetSocketAddress;

/// A listener to open.
///
/// @param name    for messages and [Gate#address(String)], `http` say
/// @param address port 0 picks one
/// @param shared  whether another process may listen there as well
public record ListenerSpec(String name, InetSocketAddress address, ConnectionStart start, boolean shared) {
    public ListenerSpec(String name, InetSocketAddress address, ConnectionStart start) {
        this(name, address, start, false);
    }

    public ListenerSpec sharedIf(boolean sharing) {
        return new ListenerSpec(name, address, start, sharing);
    }

    /// HTTP/1 without TLS.
    public static ListenerSpec plain(String name, InetSocketAddress address) {
        return new ListenerSpec(name, address, ConnectionStart.PLAIN);
    }
}
