package dev.gatepost.gateway.proxy;

/// What a TLS handshake settled.
///
/// @param version      `1.3`; empty without TLS
/// @param serverName   the SNI name; empty when there was none
/// @param nextProtocol what ALPN chose; empty when nothing
public record TlsFacts(String version, String cipher, String serverName, String nextProtocol, boolean resumed) {
    /// A connection without TLS.
    public static final TlsFacts NONE = new TlsFacts("", "", "", "", false);
}
