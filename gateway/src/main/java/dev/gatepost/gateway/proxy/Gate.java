package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.AccessLog;
import dev.gatepost.gateway.route.RouteTable;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/// The HTTP half of the gateway: listeners whose connections are served by the event loops of one group, each by itself.
///
/// Once it is started, `listen` opens the listeners. To stop: [#stopAccepting()], [#drain(Duration)], [#close()]; the event loop group and the
/// access log belong to the caller and are to be closed afterwards.
public final class Gate implements AutoCloseable {
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
    /// In looks: an endpoint that comes back at once keeps what is known of it.
    private static final int FORGET_EVERY = 5;
    private static final int BACKLOG = 4096;
    private static final WriteBufferWaterMark WATER_MARKS = new WriteBufferWaterMark(64 * 1024, 256 * 1024);

    private final List<GateLoop> loops;
    /// Those of one address each.
    private final List<List<Channel>> listeners = new CopyOnWriteArrayList<>();
    private final Map<String, InetSocketAddress> addresses = new HashMap<>();
    private final Supplier<Serving> serving;
    private final ActiveChecks checks;
    private final Thread forgetting;
    private final OpenConnections open;
    private final Transport transport;
    private final EventLoopGroup group;

    private Gate(List<GateLoop> loops, Transport transport, EventLoopGroup group, Supplier<Serving> serving) {
        this.loops = loops;
        this.transport = transport;
        this.group = group;
        this.open = new OpenConnections(loops.getFirst().settings);
        this.serving = serving;
        this.checks = new ActiveChecks(loops);
        this.forgetting = Thread.ofVirtual().name("gate-forgetting").unstarted(this::forget);
    }

    /// Serves whatever connects once it listens.
    ///
    /// @param serving   read once per request
    /// @param localPath which requests are answered in this process
    public static Gate start(
            GateSettings settings,
            EventLoopGroup group,
            Supplier<Serving> serving,
            AccessLog accessLog,
            Optional<LocalPath> localPath) {
        Transport transport = Transport.of(group);
        List<GateLoop> loops = new ArrayList<>();
        List<EventLoop> eventLoops = new ArrayList<>();
        for (EventExecutor executor : group) {
            eventLoops.add((EventLoop) executor);
        }
        for (EventLoop eventLoop : eventLoops) {
            loops.add(new GateLoop(eventLoop, eventLoops.size(), transport, settings, serving, accessLog, localPath));
        }
        Gate gate = new Gate(List.copyOf(loops), transport, group, serving);
        loops.forEach(GateLoop::start);
        gate.forgetting.start();
        return gate;
    }

    /// Opens listeners.
    ///
    /// @throws UncheckedIOException when one can't be opened; its message says which, and none is open then
    public void listen(List<ListenerSpec> specs) {
        try {
            specs.forEach(this::listen);
        } catch (RuntimeException e) {
            stopAccepting();
            throw e;
        }
    }

    /// With epoll each event loop has a listening socket of its own, and the kernel spreads connections over them; a
    /// connection then never changes threads. Elsewhere one socket accepts for all.
    private void listen(ListenerSpec spec) {
        InetSocketAddress address = spec.address();
        List<Channel> bound = new ArrayList<>();
        listeners.add(bound);
        if (transport == Transport.EPOLL) {
            boolean shared = loops.size() > 1 || spec.shared();
            if (shared && !spec.shared() && address.getPort() != 0) {
                refuseTakenPort(spec);
            }
            for (GateLoop loop : loops) {
                Channel channel = bind(spec, address, new ServerBootstrap()
                        .group(loop.eventLoop, loop.eventLoop)
                        .channelFactory(transport::serverSocket)
                        .option(UnixChannelOption.SO_REUSEPORT, shared)
                        .childHandler(new Accepting(Map.of(loop.eventLoop, loop), spec.start(), open)));
                bound.add(channel);
                address = (InetSocketAddress) channel.localAddress();
            }
        } else {
            Map<EventLoop, GateLoop> byLoop = new HashMap<>();
            loops.forEach(loop -> byLoop.put(loop.eventLoop, loop));
            Channel channel = bind(spec, address, new ServerBootstrap()
                    .group(group)
                    .channelFactory(transport::serverSocket)
                    .childHandler(new Accepting(byLoop, spec.start(), open)));
            bound.add(channel);
            address = (InetSocketAddress) channel.localAddress();
        }
        addresses.put(spec.name(), address);
    }

    /// SO_REUSEPORT would let a second process of the same user share the port unnoticed, and each would get half of the
    /// requests. A plain bind finds out.
    private static void refuseTakenPort(ListenerSpec spec) {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(spec.address());
        } catch (IOException e) {
            throw cannotListen(spec, e);
        }
    }

    private Channel bind(ListenerSpec spec, InetSocketAddress address, ServerBootstrap bootstrap) {
        ChannelFuture bound = bootstrap
                .option(ChannelOption.SO_REUSEADDR, true)
                .option(ChannelOption.SO_BACKLOG, BACKLOG)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.SO_KEEPALIVE, true)
                .childOption(ChannelOption.ALLOCATOR, loops.getFirst().allocator())
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARKS)
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw cannotListen(spec, bound.cause());
        }
        return bound.channel();
    }

    private static UncheckedIOException cannotListen(ListenerSpec spec, Throwable problem) {
        String reason = problem.getMessage() == null ? problem.getClass().getSimpleName() : problem.getMessage();
        String message = "%s: can't listen on %s:%d: %s (expected: a free port and an address of this machine)"
                .formatted(spec.name(), spec.address().getHostString(), spec.address().getPort(), reason);
        return new UncheckedIOException(message, new IOException(message, problem));
    }

    /// Hands new connections to their loop, or closes them at once when it has too many.
    private static final class Accepting extends ChannelInitializer<Channel> {
        private final Map<EventLoop, GateLoop> loops;
        private final ConnectionStart start;
        private final OpenConnections open;

        Accepting(Map<EventLoop, GateLoop> loops, ConnectionStart start, OpenConnections open) {
            this.loops = loops;
            this.start = start;
            this.open = open;
        }

        @Override
        protected void initChannel(Channel channel) {
            GateLoop loop = loops.get(channel.eventLoop());
            if (loop == null) {
                var _ = channel.close();
                return;
            }
            if (!open.admit(channel)) {
                loop.counters.refusedConnections++;
                // Nothing is sent: a handshake would cost more than the refusal.
                var _ = channel.close();
                return;
            }
            start.begin(channel, loop);
        }
    }

    /// Where a listener really listens: the port that was picked for port 0.
    public InetSocketAddress address(String listener) {
        InetSocketAddress address = addresses.get(listener);
        if (address == null) {
            throw new IllegalArgumentException(listener + " (expected: one of " + addresses.keySet() + ")");
        }
        return address;
    }

    /// The listening sockets of each address.
    public List<List<Channel>> listeners() {
        return listeners.stream().map(List::copyOf).toList();
    }

    /// Closes the listeners; connections stay.
    public void stopAccepting() {
        for (List<Channel> bound : listeners) {
            bound.forEach(listener -> listener.close().awaitUninterruptibly());
        }
        listeners.clear();
    }

    /// Lets exchanges in flight finish and every connection close after its last response, for at most that long; what is
    /// left then is cut off and logged as such. Connections are told one after another, so that their clients don't all come back
    /// elsewhere in the same moment; WebSockets, which can't be told, end in the last third.
    ///
    /// @return whether everything ended by itself
    public boolean drain(Duration timeout) {
        forEachLoop(loop -> loop.drain(timeout.toNanos()));
        long deadline = System.nanoTime() + timeout.toNanos();
        while (openConnections() > 0 && System.nanoTime() < deadline) {
            try {
                Thread.sleep(20);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        boolean clean = openConnections() == 0;
        forEachLoop(GateLoop::kill);
        return clean;
    }

    private long openConnections() {
        return loops.stream().mapToLong(loop -> loop.counters.connections).sum();
    }

    private void forEachLoop(Consumer<GateLoop> action) {
        CompletableFuture<?>[] done = loops.stream()
                .map(loop -> CompletableFuture.runAsync(() -> action.accept(loop), loop.eventLoop))
                .toArray(CompletableFuture<?>[]::new);
        CompletableFuture.allOf(done).join();
    }

    /// Cuts off whatever is open.
    @Override
    public void close() {
        stopAccepting();
        forgetting.interrupt();
        forEachLoop(GateLoop::kill);
    }

    /// What the gate counted so far, summed over its event loops.
    public GateMetrics metrics() {
        return GateMetrics.of(loops);
    }

    /// By route id.
    public Map<String, GateMetrics.RouteMetrics> routeMetrics() {
        return GateMetrics.routes(loops);
    }

    /// Whether a request is in flight, or raw bytes go both ways.
    public boolean isBusy() {
        return loops.stream().anyMatch(loop -> loop.counters.exchanges > 0);
    }

    /// Another number says that a connection came or went, or a request was answered.
    public long activity() {
        return loops.stream().mapToLong(loop -> loop.counters.accepted + loop.counters.connections + LongStream.of(loop.counters.requests).sum()).sum();
    }

    /// The endpoints that had connections, and how they do.
    public List<EndpointView> endpoints() {
        return EndpointView.of(loops);
    }

    /// Endpoints that are passed over, the longest first: what their requests have told, and what their active checks.
    public List<Ejection> ejections() {
        return Ejection.of(loops, checks.failing());
    }

    /// How often an endpoint was ejected or restored: another number says that [#ejections] may have changed.
    public long verdicts() {
        return loops.stream().mapToLong(loop -> loop.counters.verdicts).sum() + checks.verdicts();
    }

    private void forget() {
        RouteTable known = RouteTable.EMPTY;
        try (checks) {
            for (int looks = 1; ; looks++) {
                Thread.sleep(LOOK_EVERY);
                RouteTable table = serving.get().routes();
                checks.follow(table);
                if (table != known && looks % FORGET_EVERY == 0) {
                    known = table;
                    Served served = Served.of(table);
                    loops.forEach(loop -> loop.eventLoop.execute(() -> loop.retain(served)));
                }
            }
        } catch (InterruptedException _) {
            // The gate closes.
        }
    }
}
