package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.ConnectionLabel;
import io.netty.channel.Channel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// The facts of one downstream connection that its exchanges need: made once per connection, shared by its streams.
final class ClientConnection {
    private static final InetSocketAddress UNKNOWN = new InetSocketAddress(InetAddress.ofLiteral("0.0.0.0"), 0);

    final ConnectionLabel label;
    /// The socket peer's address, 4 or 16 bytes; an IPv4-mapped one as 4.
    final byte[] peer;
    /// The same as text, in ASCII.
    final byte[] peerText;
    /// Whether TLS protects it.
    final boolean secure;
    /// Whether the peer is among `trusted-proxies`, so that its forwarded fields are believed.
    final boolean trusted;
    /// The peer as the client, when nobody better is known.
    final Client client;
    /// When it was accepted, as [GateLoop#now()].
    final long acceptedAt;
    /// What its handshake took; -1 without TLS.
    final long handshakeNanos;
    /// No request has come yet.
    boolean unused = true;

    private ClientConnection(ConnectionLabel label, InetAddress peer, boolean secure, boolean trusted, long acceptedAt, long handshakeNanos) {
        this.label = label;
        this.peer = peer.getAddress();
        this.client = new Client(peer, "");
        this.peerText = label.sourceIp().getBytes(ISO_8859_1);
        this.secure = secure;
        this.trusted = trusted;
        this.acceptedAt = acceptedAt;
        this.handshakeNanos = handshakeNanos;
    }

    /// @param now when the handshake, if there was one, was over
    static ClientConnection of(Channel channel, TlsFacts tls, GateSettings settings, long acceptedAt, long now) {
        return of(channel, tls, !tls.version().isEmpty(), settings, acceptedAt, now);
    }

    /// One whose handshake failed.
    ///
    /// @param serverName as far as it was told
    static ClientConnection withoutHandshake(Channel channel, String serverName, GateSettings settings, long acceptedAt, long now) {
        return of(channel, new TlsFacts("", "", serverName, "", false), true, settings, acceptedAt, now);
    }

    private static ClientConnection of(Channel channel, TlsFacts tls, boolean secure, GateSettings settings, long acceptedAt, long now) {
        InetSocketAddress remote = inet(channel.remoteAddress());
        InetSocketAddress local = inet(channel.localAddress());
        InetAddress peer = remote.getAddress();
        ConnectionLabel label = new ConnectionLabel(
                text(peer),
                remote.getPort(),
                text(local.getAddress()),
                local.getPort(),
                secure ? "https" : "http",
                tls.version(),
                tls.cipher(),
                tls.serverName(),
                tls.nextProtocol(),
                tls.resumed());
        return new ClientConnection(label, peer, secure, settings.trusts(peer.getAddress()), acceptedAt, secure ? now - acceptedAt : -1);
    }

    private static InetSocketAddress inet(SocketAddress address) {
        return address instanceof InetSocketAddress inet && inet.getAddress() != null ? inet : UNKNOWN;
    }

    /// Without the zone of a link-local address: a log and X-Forwarded-For have no use for it.
    private static String text(InetAddress address) {
        String text = address.getHostAddress();
        int zone = text.indexOf('%');
        return zone < 0 ? text : text.substring(0, zone);
    }
}
