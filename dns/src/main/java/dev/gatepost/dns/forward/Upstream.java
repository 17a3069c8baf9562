package dev.gatepost.dns.forward;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;

/// A server to ask.
///
/// @param tls over TLS (RFC 7858) and nothing else; else by UDP, and TCP for what is too long
public record Upstream(InetSocketAddress address, Optional<Tls> tls) {
    /// @param serverName whom its certificate must name; empty: its address
    /// @param authority  PEM file of those who may sign it; empty: the JDK's
    public record Tls(String serverName, Optional<Path> authority) {}

    public static Upstream plain(InetSocketAddress address) {
        return new Upstream(address, Optional.empty());
    }

    /// @param serverName empty: its certificate must name its address
    public static Upstream tls(InetSocketAddress address, String serverName, Optional<Path> authority) {
        return new Upstream(address, Optional.of(new Tls(serverName, authority)));
    }

    /// As it is configured: `10.0.0.2:53`, `tls://9.9.9.9:853#dns.quad9.net`.
    @Override
    public String toString() {
        InetAddress host = address.getAddress();
        String bare = host.getHostAddress();
        String text = (bare.contains(":") ? "[" + bare + "]" : bare) + ":" + address.getPort();
        return tls.map(with -> "tls://" + text + (with.serverName.isEmpty() ? "" : "#" + with.serverName)).orElse(text);
    }
}
