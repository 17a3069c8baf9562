package dev.gatepost.dns;

import io.netty.handler.ssl.SslContext;
import io.netty.util.Mapping;
import java.net.InetSocketAddress;

/// Where DNS over TLS is served (RFC 7858).
///
/// @param address  port 0 picks one
/// @param contexts by the name that the client asks for (SNI), null for none; their ALPN offers `dot`
public record TlsListener(InetSocketAddress address, Mapping<String, SslContext> contexts) {}
