package dev.gatepost.gateway.accesslog;

/// The facts of one downstream connection that each of its log lines repeats.
///
/// @param sourceIp     the socket peer in text
/// @param scheme       `http` or `https`
/// @param tlsVersion   `1.3`; empty without TLS
/// @param serverName   the SNI name; empty when there was none
/// @param nextProtocol what ALPN chose; empty without TLS
public record ConnectionLabel(
        String sourceIp,
        int sourcePort,
        String serverIp,
        int serverPort,
        String scheme,
        String tlsVersion,
        String cipher,
        String serverName,
        String nextProtocol,
        boolean resumed) {
    public static final ConnectionLabel NONE = new ConnectionLabel("", 0, "", 0, "http", "", "", "", "", false);
}
