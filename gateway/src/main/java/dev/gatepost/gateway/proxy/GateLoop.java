package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.AccessLog;
import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.Route;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Everything that one event loop owns: pools, balancers, deadlines, counters, scratch space. Both sides of an exchange live
/// on the same loop, so nothing here needs a lock; other threads only read numbers, or pass work in by
/// [EventLoop#execute(Runnable)].
final class GateLoop {
    private static final long SWEEP_MILLIS = 200;
    /// Between two sweeps: a loop that comes back later was held up.
    private static final long HELD_UP_NANOS = 1_000_000_000;
    /// Between two connections that are told to end: a thousand a second. Each is a handshake for whoever serves its client next.
    private static final long TURN_NANOS = 1_000_000;
    /// Exchanges kept for reuse.
    private static final int MOST_SPARE = 1024;
    /// Between the two, a writer is asked to wait; the lower one keeps the socket busy meanwhile.
    private static final WriteBufferWaterMark WATER_MARKS = new WriteBufferWaterMark(64 * 1024, 256 * 1024);

    final EventLoop eventLoop;
    final GateSettings settings;
    final Supplier<Serving> serving;
    final AccessLog accessLog;

    final Deadlines deadlines = new Deadlines();
    final LoopCounters counters = new LoopCounters();
    final Scratch scratch = new Scratch();
    final RequestIds requestIds = RequestIds.create();
    final Decider decider;

    final long connectNanos;
    final long requestHeaderNanos;
    final long streamNanos;
    final long idleNanos;
    final long totalNanos;
    final long upgradedNanos;
    final long bodyLimit;
    /// This loop's part of the limits for all.
    final int mostPerEndpoint;
    final int loops;
    final int mostWaiting;
    final int mostExchanges;
    /// Bytes a second; 0 is none.
    final int bodyRate;
    final boolean startsTraces;
    /// Those in which somebody waits.
    final List<WaitingLine> lines = new ArrayList<>();

    private final Transport transport;
    private final IdentityHashMap<Route, RouteState> routes = new IdentityHashMap<>();
    /// The newest state of each route id.
    private final Map<String, RouteState> routesById = new HashMap<>();
    // The keys of these two change on the loop alone; whoever scrapes looks through them meanwhile.
    private final Map<String, RouteCounters> routeCounters = new ConcurrentHashMap<>();
    /// Endpoints whose active check fails, and why.
    private final Map<EndpointKey, String> failingChecks = new HashMap<>();
    /// By the names of the services.
    private final Map<String, RetryBudget> retryBudgets = new HashMap<>();
    private final Map<EndpointKey, EndpointPool> pools = new ConcurrentHashMap<>();
    private final Set<LiveConnection> connections = Collections.newSetFromMap(new IdentityHashMap<>());
    private final ArrayDeque<Exchange> spare = new ArrayDeque<>();
    private boolean draining;
    private long now = System.nanoTime();
    private long sweptAt = now;
    private boolean heldUp;
    private long epochOffset;
    private long dateSecond = -1;
    private String date = "";

    /// @param loops how many there are
    GateLoop(
            EventLoop eventLoop, int loops, Transport transport, GateSettings settings, Supplier<Serving> serving, AccessLog accessLog,
            Optional<LocalPath> localPath) {
        this.eventLoop = eventLoop;
        this.settings = settings;
        this.serving = serving;
        this.accessLog = accessLog;
        Timeouts timeouts = settings.timeouts();
        connectNanos = timeouts.connect().toNanos();
        requestHeaderNanos = timeouts.requestHeader().toNanos();
        streamNanos = timeouts.stream().toNanos();
        idleNanos = timeouts.idle().toNanos();
        totalNanos = timeouts.total().toNanos();
        upgradedNanos = timeouts.upgraded().toNanos();
        bodyLimit = settings.limits().body();
        this.loops = loops;
        mostPerEndpoint = Math.ceilDiv(settings.limits().endpointRequests(), loops);
        mostExchanges = Math.ceilDiv(settings.limits().requests(), loops);
        bodyRate = settings.limits().bodyRate();
        mostWaiting = Math.ceilDiv(settings.limits().waiting(), loops);
        this.transport = transport;
        startsTraces = settings.traceSample() >= 0;
        decider = new Decider(this, localPath);
        synchroniseClocks();
    }

    /// Begins to look after deadlines.
    void start() {
        var _ = eventLoop.scheduleWithFixedDelay(this::sweep, SWEEP_MILLIS, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void sweep() {
        touch();
        synchroniseClocks();
        boolean late = now - sweptAt > HELD_UP_NANOS;
        sweptAt = now;
        // By a machine that had no time for it. What others sent meanwhile is there to be read, so that comes first; but a loop that
        // is always late must look some time.
        heldUp = late && !heldUp;
        if (!heldUp) {
            deadlines.sweep(now);
        }
    }

    ByteBufAllocator allocator() {
        return PooledByteBufAllocator.DEFAULT;
    }

    // ---- clocks ----

    /// When the event began that is being handled, in the terms of [System#nanoTime()]. One look at the clock an event.
    long now() {
        return now;
    }

    void touch() {
        now = System.nanoTime();
    }

    private void synchroniseClocks() {
        epochOffset = System.currentTimeMillis() * 1_000_000 - System.nanoTime();
    }

    /// Wall clock at a moment of the monotonic one.
    long epochNanos(long nanoTime) {
        return nanoTime + epochOffset;
    }

    /// For the Date field (RFC 9110 section 5.6.7).
    String date() {
        long second = epochNanos(now) / 1_000_000_000;
        if (second != dateSecond) {
            dateSecond = second;
            date = DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.ofInstant(
                    Instant.ofEpochSecond(second), ZoneOffset.UTC));
        }
        return date;
    }

    int random(int bound) {
        return ThreadLocalRandom.current().nextInt(bound);
    }

    long random(long bound) {
        return ThreadLocalRandom.current().nextLong(bound);
    }

    int retryAfterSeconds() {
        return 1;
    }

    // ---- connections and exchanges ----

    /// Speaks HTTP/1 on a channel from here on.
    ///
    /// @param tls        [TlsFacts#NONE] without TLS
    /// @param acceptedAt when the connection was, as [#now()]
    void serveHttp1(Channel channel, TlsFacts tls, long acceptedAt) {
        channel.pipeline().addLast(new Http1Connection(this, channel, ClientConnection.of(channel, tls, settings, acceptedAt, now)));
    }

    /// Speaks HTTP/2 on a channel from here on, as above.
    void serveHttp2(Channel channel, TlsFacts tls, long acceptedAt) {
        ClientConnection client = ClientConnection.of(channel, tls, settings, acceptedAt, now);
        channel.pipeline().addLast(new LingeringClose()).addLast(new Http2Connection(this, client));
    }

    void connected(LiveConnection connection) {
        connections.add(connection);
        counters.connections = connections.size();
        counters.accepted++;
    }

    /// The handshake of an accepted connection is over: the protocol that follows counts it from here on.
    void handedOver(LiveConnection handshake) {
        connections.remove(handshake);
        counters.accepted--;
    }

    void disconnected(LiveConnection connection) {
        connections.remove(connection);
        counters.connections = connections.size();
    }

    /// Whether more is in flight than may be, the exchange that asks included. WebSockets are few bytes at rest: their number is
    /// that of connections.
    boolean isOverloaded() {
        return counters.exchanges - counters.upgraded > mostExchanges;
    }

    /// A connection ended for a reason that no exchange tells.
    void logEnd(ClientConnection client, int httpVersion, Cause cause, String detail) {
        log(ended(client, cause, detail), httpVersion, now);
    }

    /// A connection never came to its first exchange.
    void logFailedHandshake(ClientConnection client, Cause cause, String detail) {
        ExchangeRecord record = ended(client, cause, detail);
        record.durationNanos = record.acceptNanos = record.tlsNanos = client.handshakeNanos;
        log(record, 0, client.acceptedAt);
    }

    private static ExchangeRecord ended(ClientConnection client, Cause cause, String detail) {
        ExchangeRecord record = new ExchangeRecord();
        record.connection = client.label;
        record.cause = cause;
        record.detail = detail;
        return record;
    }

    private void log(ExchangeRecord record, int httpVersion, long startedAt) {
        record.startEpochNanos = epochNanos(startedAt);
        record.httpVersion = httpVersion;
        record.protocol = httpVersion == 20 ? ExchangeRecord.Protocol.H2 : ExchangeRecord.Protocol.HTTP1;
        var _ = counters.count(record.cause, 0, record.durationNanos, 0, 0);
        accessLog.log(record);
    }

    /// An exchange for the request that begins now, to be given back when it is over.
    Exchange exchange(Downstream downstream) {
        Exchange exchange = spare.pollLast();
        if (exchange == null) {
            exchange = new Exchange(this, downstream);
        }
        exchange.arrive(downstream);
        counters.exchanges++;
        return exchange;
    }

    void giveBack(Exchange exchange) {
        counters.exchanges--;
        if (spare.size() < MOST_SPARE) {
            spare.addLast(exchange);
        }
    }

    boolean isDraining() {
        return draining;
    }

    /// One connection after another closes after its last response; those that come now, after their first.
    void drain(long windowNanos) {
        draining = true;
        List<LiveConnection> open = List.copyOf(connections);
        long spread = Math.min(windowNanos / 2, open.size() * TURN_NANOS);
        for (LiveConnection connection : open) {
            later(random(spread + 1), connection::drain, connection);
            later(windowNanos / 3 * 2 + random(windowNanos / 4 + 1), connection::endUpgraded, connection);
        }
    }

    private void later(long nanos, Runnable action, LiveConnection connection) {
        var _ = eventLoop.schedule(() -> {
            touch();
            if (connections.contains(connection)) {
                action.run();
            }
        }, nanos, TimeUnit.NANOSECONDS);
    }

    void kill() {
        touch();
        List.copyOf(connections).forEach(LiveConnection::kill);
        pools.values().forEach(EndpointPool::retire);
    }

    // ---- routes and endpoints ----

    RouteState routeState(Route route) {
        RouteState state = routes.get(route);
        if (state == null) {
            state = new RouteState(this, route, routesById.get(route.id()));
            routes.put(route, state);
            routesById.put(route.id(), state);
            routeCounters.put(route.id(), state.counters);
        }
        return state;
    }

    /// What all routes to a service share.
    RetryBudget retryBudget(String service) {
        return retryBudgets.computeIfAbsent(service, _ -> new RetryBudget());
    }

    EndpointPool pool(Endpoint endpoint) {
        return pools.computeIfAbsent(EndpointKey.of(endpoint), key -> {
            EndpointPool pool = new EndpointPool(this, endpoint);
            pool.health.checked(failingChecks.getOrDefault(key, ""));
            return pool;
        });
    }

    /// An active check has changed its mind.
    ///
    /// @param why it fails; empty when it doesn't
    void checked(EndpointKey endpoint, String why) {
        if (why.isEmpty()) {
            failingChecks.remove(endpoint);
        } else {
            failingChecks.put(endpoint, why);
        }
        EndpointPool pool = pools.get(endpoint);
        if (pool != null) {
            pool.health.checked(why);
        }
    }

    /// An endpoint has room for another request.
    void advanceLines() {
        for (int i = 0; i < lines.size(); i++) {
            lines.get(i).advance();
        }
    }

    /// On the event loop. Without Netty's Bootstrap, which copies itself and its options for each connection: that was a fifth of all the
    /// code that the first request on a connection runs, which is run seldom and so slowly.
    Future<Void> connect(ChannelHandler connection, InetSocketAddress address) {
        SocketChannel channel;
        try {
            channel = transport.socket();
        } catch (ChannelException e) { // no file descriptor is left
            return eventLoop.newFailedFuture(e);
        }
        channel.config()
                .setTcpNoDelay(true)
                .setKeepAlive(true)
                // A failed write must not lose the response that explains it.
                .setAutoClose(false)
                .setAllocator(allocator())
                .setWriteBufferWaterMark(WATER_MARKS)
                .setConnectTimeoutMillis((int) TimeUnit.NANOSECONDS.toMillis(connectNanos));
        channel.pipeline().addLast(connection);
        var _ = eventLoop.register(channel); // at once, or else the channel is closed, which is told by what follows
        return channel.connect(address);
    }

    /// Forgets what is kept of routes and endpoints that are no longer served.
    void retain(Served served) {
        routes.keySet().retainAll(served.routes());
        routesById.keySet().retainAll(served.ids());
        routeCounters.keySet().retainAll(served.ids());
        Set<RetryBudget> needed = Collections.newSetFromMap(new IdentityHashMap<>());
        routes.values().forEach(state -> needed.add(state.budget));
        retryBudgets.values().retainAll(needed);
        pools.entrySet().removeIf(entry -> {
            boolean unused = !served.endpoints().contains(entry.getKey());
            if (unused) {
                entry.getValue().retire();
            }
            return unused;
        });
    }

    Map<String, RouteCounters> routeCounters() {
        return Collections.unmodifiableMap(routeCounters);
    }

    Collection<EndpointPool> pools() {
        return Collections.unmodifiableCollection(pools.values());
    }
}
