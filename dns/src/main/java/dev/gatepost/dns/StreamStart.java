package dev.gatepost.dns;

import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SniHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.util.Mapping;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.function.Function;

/// How the connections of a listener begin: a place among the others, the proxy's header where one is trusted, TLS where it
/// is spoken, then queries.
final class StreamStart extends ChannelInitializer<Channel> {
    /// A ClientHello with post-quantum key shares takes about 2 KiB.
    private static final int LONGEST_CLIENT_HELLO = 16 * 1024;

    private final Function<EventLoop, Desk> desks;
    private final Connections connections;
    private final TrustedProxies proxies;
    private final Optional<Mapping<String, SslContext>> tls;

    StreamStart(Function<EventLoop, Desk> desks, Connections connections, TrustedProxies proxies, Optional<Mapping<String, SslContext>> tls) {
        this.desks = desks;
        this.connections = connections;
        this.proxies = proxies;
        this.tls = tls;
    }

    @Override
    protected void initChannel(Channel channel) {
        Desk desk = desks.apply(channel.eventLoop());
        // No address: gone before it was looked at.
        if (!(channel.remoteAddress() instanceof InetSocketAddress peer) || !connections.admit(channel)) {
            reject(channel, desk);
        } else if (proxies.trusts(peer.getAddress().getAddress())) {
            channel.pipeline().addLast(new ProxyStart(desk, peer, connections.limits().firstQuery().toNanos(), client -> serve(channel, desk, client)));
        } else {
            serve(channel, desk, peer);
        }
    }

    private void serve(Channel channel, Desk desk, InetSocketAddress client) {
        if (!connections.admit(channel, client.getAddress())) {
            reject(channel, desk);
            return;
        }
        desk.counters.add(DnsCounters.Loop.ACCEPTED, 1);
        if (tls.isEmpty()) {
            channel.pipeline().addLast(new TcpHandler(desk, connections, QueryRecord.Transport.TCP, client));
            return;
        }
        channel.pipeline()
                .addLast(new SniHandler(tls.get(), LONGEST_CLIENT_HELLO, connections.limits().firstQuery().toMillis()))
                .addLast(new TlsHandshake(desk))
                .addLast(new TcpHandler(desk, connections, QueryRecord.Transport.TLS, client));
    }

    private static void reject(Channel channel, Desk desk) {
        desk.counters.add(DnsCounters.Loop.REJECTED, 1);
        var _ = channel.close();
    }
}
