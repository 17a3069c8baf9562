package dev.gatepost.dns;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.util.Mapping;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Answers DNS queries by UDP and TCP on one address, by TLS on another, and those that an HTTPS server hands over. With epoll
/// every event loop has a UDP socket of its own, among which the kernel spreads the clients (`SO_REUSEPORT`); without, one
/// socket does.
public final class DnsServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DnsServer.class);
    /// Some 10,000 queries: what comes at full rate during a pause of 50 ms, and less than is answered in the 100 ms that an
    /// overload takes to be one.
    static final int UDP_BUFFER = 4 << 20;
    private static final int UNSENT_BUFFER = 1 << 20;
    private static final int PORT_ATTEMPTS = 16;

    private final InetSocketAddress localAddress;
    private final Optional<InetSocketAddress> tlsAddress;
    private final List<Channel> listeners;
    private final Connections connections;
    private final DnsSettings settings;
    private final Map<EventExecutor, Desk> desks;
    private final DnsCounters counters;

    private DnsServer(Opening opened, Optional<Channel> tls) {
        this.localAddress = (InetSocketAddress) opened.listeners.getFirst().localAddress();
        this.tlsAddress = tls.map(channel -> (InetSocketAddress) channel.localAddress());
        this.listeners = opened.listeners;
        this.connections = opened.connections;
        this.settings = opened.settings;
        this.desks = opened.desks;
        this.counters = new DnsCounters(desks.values().stream().map(desk -> desk.counters).toList());
    }

    /// Starts to answer for a zone alone.
    public static DnsServer start(InetSocketAddress address, EventLoopGroup group, Supplier<Zone> zone, DnsSettings settings, QueryLog log)
            throws IOException {
        return start(address, group, zone, Outside.NONE, settings, log);
    }

    /// Starts to answer without TLS.
    public static DnsServer start(
            InetSocketAddress address, EventLoopGroup group, Supplier<Zone> zone, Outside outside, DnsSettings settings, QueryLog log) throws IOException {
        return start(address, Optional.empty(), group, zone, outside, settings, log);
    }

    /// Starts to answer. The zone is read once per query.
    ///
    /// @param address port 0 picks one that is free for both UDP and TCP
    /// @throws IOException when an address can't be listened on; its message is one clear line
    public static DnsServer start(
            InetSocketAddress address, Optional<TlsListener> tls, EventLoopGroup group, Supplier<Zone> zone, Outside outside, DnsSettings settings, QueryLog log)
            throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                return new Opening(address, group, zone, outside, settings, log).open(tls);
            } catch (IOException e) {
                // A port picked for TCP may be taken for UDP.
                if (address.getPort() != 0 || attempt == PORT_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    /// Where it listens, by UDP and by TCP.
    public InetSocketAddress localAddress() {
        return localAddress;
    }

    /// Where it listens for TLS.
    public Optional<InetSocketAddress> tlsAddress() {
        return tlsAddress;
    }

    /// Answers a message that came by HTTPS, on the event loop that calls.
    ///
    /// @param loop    of the group that the server was started with
    /// @param message at most [Responder#MAX_MESSAGE] bytes, read before this returns
    /// @param reply   called once on that loop, perhaps before this returns
    public void answerHttps(EventLoop loop, ByteBuf message, InetAddress client, int port, HttpsReply reply) {
        desk(desks, loop).answerHttps(message, client.getAddress(), port, reply);
    }

    public DnsCounters counters() {
        return counters;
    }

    /// Answers that were not sent as they were: their networks had too many.
    public long limited() {
        return settings.rates().limited();
    }

    /// The listening sockets of each port: the one for TCP, those for UDP, the one for TLS if there is one.
    public List<List<Channel>> listeners() {
        int udpTo = tlsAddress.isPresent() ? listeners.size() - 1 : listeners.size();
        return List.of(listeners.subList(0, 1), listeners.subList(1, udpTo), listeners.subList(udpTo, listeners.size()));
    }

    /// TCP connections at this moment.
    public int connections() {
        return connections.count();
    }

    /// Takes no more queries, sends the answers on their way, and returns when all sockets are closed.
    @Override
    public void close() {
        for (Channel each : listeners) {
            each.close().awaitUninterruptibly();
        }
        ChannelGroup open = connections.all();
        for (Channel each : open) {
            each.eventLoop().execute(() -> TcpHandler.drain(each));
        }
        if (!open.newCloseFuture().awaitUninterruptibly(settings.drain().toMillis(), TimeUnit.MILLISECONDS)) {
            open.close().awaitUninterruptibly();
        }
    }

    /// One attempt at opening all sockets: all, or none.
    private static final class Opening {
        private final InetSocketAddress address;
        private final EventLoopGroup group;
        private final DnsSettings settings;
        private final boolean epoll;
        private final Map<EventExecutor, Desk> desks = new HashMap<>();
        private final List<EventLoop> loops = new ArrayList<>();
        private final List<Channel> listeners = new ArrayList<>();
        private final Connections connections;

        Opening(InetSocketAddress address, EventLoopGroup group, Supplier<Zone> zone, Outside outside, DnsSettings settings, QueryLog log) {
            this.address = address;
            this.group = group;
            this.settings = settings;
            this.connections = new Connections(settings.streams());
            this.epoll = group instanceof IoEventLoopGroup io && io.isIoType(EpollIoHandler.class);
            for (EventExecutor each : group) {
                EventLoop loop = (EventLoop) each;
                desks.put(loop, new Desk(zone, outside.on(loop), settings, connections::idleNanos, log));
                loops.add(loop);
            }
        }

        DnsServer open(Optional<TlsListener> tls) throws IOException {
            Optional<Channel> tlsListener = Optional.empty();
            try {
                // TCP first: unless shared on purpose, a second server on the same port fails here.
                Channel tcp = opened(streams(Optional.empty()).bind(address), address, "tcp");
                var bound = (InetSocketAddress) tcp.localAddress();
                int sockets = epoll ? loops.size() : 1;
                if (sockets > 1 && !settings.shared()) {
                    probe(bound);
                }
                for (int i = 0; i < sockets; i++) {
                    Channel udp = opened(udp(loops.get(i), sockets > 1 || settings.shared()).bind(bound), bound, "udp");
                    if (udp instanceof EpollDatagramChannel socket) {
                        UdpSocket.serve(socket, desk(desks, loops.get(i)), Math.max(settings.udpPayload(), Query.PLAIN_UDP_SIZE));
                        if (i == 0) {
                            sayIfShort(socket);
                        }
                    }
                }
                if (tls.isPresent()) {
                    InetSocketAddress where = tls.get().address();
                    tlsListener = Optional.of(opened(streams(Optional.of(tls.get().contexts())).bind(where), where, "tls"));
                }
            } catch (IOException e) {
                listeners.forEach(each -> each.close().awaitUninterruptibly());
                throw e;
            }
            return new DnsServer(this, tlsListener);
        }

        private Channel opened(ChannelFuture bind, InetSocketAddress where, String transport) throws IOException {
            bind.awaitUninterruptibly();
            if (!bind.isSuccess()) {
                throw failed(where, transport, bind.cause());
            }
            listeners.add(bind.channel());
            return bind.channel();
        }

        /// The kernel tells twice of what it was asked for, as it counts its own structures as well.
        private static void sayIfShort(EpollDatagramChannel socket) {
            int buffer = socket.config().getReceiveBufferSize() / 2;
            if (buffer < UDP_BUFFER) {
                LOG.info("dns: the kernel keeps {} KiB of unread queries (expected: {}): what comes on top of that during a pause is lost; net.core.rmem_max or CAP_NET_ADMIN allow more",
                        buffer / 1024, UDP_BUFFER / 1024);
            }
        }

        /// `SO_REUSEPORT` would join a stranger's socket group without a word: this asks without it.
        private static void probe(InetSocketAddress bound) throws IOException {
            try (var socket = new DatagramSocket(null)) {
                socket.setReuseAddress(false);
                socket.bind(bound);
            } catch (IOException e) {
                throw failed(bound, "udp", e);
            }
        }

        private static IOException failed(InetSocketAddress where, String transport, Throwable cause) {
            String host = where.isUnresolved() ? where.getHostString() : where.getAddress().getHostAddress();
            var failed = new BindException("dns: cannot listen on " + host + ":" + where.getPort() + "/" + transport + ": " + cause.getMessage());
            failed.initCause(cause);
            return failed;
        }

        private Bootstrap udp(EventLoop loop, boolean shared) {
            var bootstrap = new Bootstrap().group(loop).option(ChannelOption.SO_RCVBUF, UDP_BUFFER);
            if (epoll) {
                return bootstrap
                        .channel(EpollDatagramChannel.class)
                        .option(EpollChannelOption.SO_REUSEPORT, shared)
                        // UdpSocket reads and writes.
                        .option(ChannelOption.AUTO_READ, false)
                        .handler(new ChannelInboundHandlerAdapter());
            }
            return bootstrap
                    .channel(NioDatagramChannel.class)
                    .option(ChannelOption.RECVBUF_ALLOCATOR, new FixedRecvByteBufAllocator(DatagramBatch.QUERY))
                    .option(ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(UNSENT_BUFFER / 2, UNSENT_BUFFER))
                    .handler(new UdpHandler(desk(desks, loop)));
        }

        private ServerBootstrap streams(Optional<Mapping<String, SslContext>> tls) {
            ServerBootstrap bootstrap = new ServerBootstrap();
            if (epoll) {
                bootstrap.option(EpollChannelOption.SO_REUSEPORT, settings.shared());
            }
            return bootstrap
                    .group(group)
                    .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                    .option(ChannelOption.SO_REUSEADDR, true)
                    .childOption(ChannelOption.TCP_NODELAY, true)
                    .childOption(ChannelOption.AUTO_READ, false)
                    // Who has asked all he wants to may end his side before the answers are there.
                    .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                    .childOption(ChannelOption.RECVBUF_ALLOCATOR, new AdaptiveRecvByteBufAllocator(512, 1024, 16 * 1024).maxMessagesPerRead(1))
                    .childHandler(new StreamStart(loop -> desk(desks, loop), connections, settings.proxies(), tls));
        }
    }

    private static Desk desk(Map<EventExecutor, Desk> desks, EventLoop loop) {
        Desk desk = desks.get(loop);
        if (desk == null) {
            throw new IllegalStateException("event loop of another group");
        }
        return desk;
    }
}
