package dev.gatepost.gateway.accesslog;

/// The facts of one downstream connection that each of its log lines repeats, encoded once.
public final class ConnectionLabel {
    private static final byte[] HTTP = new Json().open("url").member("scheme", "http").bytes();
    private static final byte[] HTTPS = new Json().open("url").member("scheme", "https").bytes();

    public static final ConnectionLabel NONE = new ConnectionLabel("", 0, "", 0, "http", "", "", "", "", false);

    private final String sourceIp;
    private final int sourcePort;
    private final String scheme;
    private final String serverName;
    private final byte[] peer;
    private final byte[] peerAsClient;
    private final byte[] url;

    /// @param sourceIp     the socket peer in text
    /// @param scheme       `http` or `https`
    /// @param tlsVersion   `1.3`; empty without TLS, and where there should be TLS and its handshake failed
    /// @param serverName   the SNI name; empty when there was none
    /// @param nextProtocol what ALPN chose; empty without TLS
    public ConnectionLabel(
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
        this.sourceIp = sourceIp;
        this.sourcePort = sourcePort;
        this.scheme = scheme;
        this.serverName = serverName;
        Json peer = new Json();
        address(peer, "source", sourceIp, sourcePort);
        address(peer, "server", serverIp, serverPort);
        if (scheme.equals("https")) {
            peer.open("tls").member("established", !tlsVersion.isEmpty());
            if (!tlsVersion.isEmpty()) {
                peer.member("version", tlsVersion).member("version_protocol", "tls");
                peer.member("cipher", cipher).member("resumed", resumed).member("next_protocol", nextProtocol);
            }
            if (!serverName.isEmpty()) {
                peer.open("client").member("server_name", serverName).close();
            }
            peer.close();
        }
        this.peer = peer.bytes();
        Json client = new Json();
        address(client, "client", sourceIp, sourcePort);
        this.peerAsClient = client.bytes();
        this.url = scheme.equals("https") ? HTTPS : HTTP;
    }

    public String sourceIp() {
        return sourceIp;
    }

    public int sourcePort() {
        return sourcePort;
    }

    public String scheme() {
        return scheme;
    }

    public String serverName() {
        return serverName;
    }

    /// `source`, `server` and `tls`.
    byte[] peer() {
        return peer;
    }

    /// `client`, when no trusted proxy stands between it and the peer.
    byte[] peerAsClient() {
        return peerAsClient;
    }

    /// `url` up to its scheme, not closed.
    byte[] url() {
        return url;
    }

    private static void address(Json json, String name, String ip, int port) {
        if (ip.isEmpty()) {
            return;
        }
        // A zone index (fe80::1%eth0) is not part of an address to an index of type ip.
        int zone = ip.indexOf('%');
        json.open(name).member("ip", zone < 0 ? ip : ip.substring(0, zone)).member("port", port).close();
    }
}
