package dev.gatepost.gateway.proxy;

import dev.gatepost.dns.QueryRecord;
import dev.gatepost.gateway.EventLoops;
import dev.gatepost.gateway.accesslog.AccessLog;
import dev.gatepost.gateway.accesslog.Attempt;
import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ConnectionLabel;
import dev.gatepost.gateway.accesslog.ExchangeRecord;
import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.EndpointProtocol;
import dev.gatepost.gateway.route.HostPattern;
import dev.gatepost.gateway.route.PathPattern;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.RouteTable;
import dev.gatepost.gateway.route.Upstream;
import dev.gatepost.gateway.tls.Certificates;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.EventExecutor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertNotNull;

/// A gate on loopback whose routes a test sets, and whose log it reads.
final class RunningGate implements AutoCloseable {
    /// What the log got of one exchange; the record itself is reused.
    record Logged(
            int status,
            Cause cause,
            String detail,
            String method,
            String target,
            String authority,
            String requestId,
            String route,
            String instance,
            String clientIp,
            String traceId,
            String spanId,
            String requestMimeType,
            String userAgent,
            int attempts,
            List<Tried> tried,
            boolean reused,
            long requestBodyBytes,
            long responseBodyBytes,
            long requestBytes,
            long responseBytes,
            ExchangeRecord.Protocol protocol,
            int httpVersion,
            int grpcStatus,
            long revision,
            Phases phases) {}

    /// What each took in nanoseconds; -1 where it did not take place.
    record Phases(
            long accept, long tls, long headers, long requestBody, long queue, long connect, long upstreamTls, long firstByte, long body, long duration) {
        static Phases of(ExchangeRecord r) {
            return new Phases(
                    r.acceptNanos, r.tlsNanos, r.requestHeaderNanos, r.requestBodyNanos, r.queueNanos, r.connectNanos, r.upstreamTlsNanos, r.firstByteNanos,
                    r.bodyNanos, r.durationNanos);
        }
    }

    record Tried(Cause result, long queueNanos, long durationNanos) {
        static Tried of(Attempt attempt) {
            return new Tried(attempt.result, attempt.queueNanos, attempt.durationNanos);
        }
    }

    static final EndpointProtocol H2C = new EndpointProtocol(EndpointProtocol.Scheme.H2C);

    private final EventLoopGroup group;
    private final Gate gate;
    private volatile Serving serving = new Serving(RouteTable.EMPTY, 1);
    private final BlockingQueue<ConnectionLabel> labels = new LinkedBlockingQueue<>();
    final BlockingQueue<Logged> log = new LinkedBlockingQueue<>();

    private RunningGate(GateSettings settings, boolean epoll, int threads, List<ListenerSpec> more, Optional<LocalPath> local) {
        IoHandlerFactory transport = epoll && Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        group = new MultiThreadIoEventLoopGroup(threads, transport);
        List<ListenerSpec> listeners = new ArrayList<>(more);
        listeners.add(new ListenerSpec("http", new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), ConnectionStart.CLEARTEXT));
        gate = Gate.start(settings, group, () -> serving, new Recording(), local);
        gate.listen(listeners);
    }

    static RunningGate start() {
        return start(GateSettings.DEFAULT);
    }

    static RunningGate start(GateSettings settings) {
        return new RunningGate(settings, true, 1, List.of(), Optional.empty());
    }

    static RunningGate startOnNio() {
        return new RunningGate(GateSettings.DEFAULT, false, 2, List.of(), Optional.empty());
    }

    /// One that listens with TLS as well.
    static RunningGate startTls(GateSettings settings, Certificates certificates) {
        return start(settings, new TlsStart(certificates));
    }

    static RunningGate start(GateSettings settings, ConnectionStart start) {
        return start(settings, start, Optional.empty());
    }

    /// One that answers some requests over TLS itself.
    static RunningGate startTls(Certificates certificates, LocalPath local) {
        return start(GateSettings.DEFAULT, new TlsStart(certificates), Optional.of(local));
    }

    private static RunningGate start(GateSettings settings, ConnectionStart start, Optional<LocalPath> local) {
        ListenerSpec https = new ListenerSpec("https", new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), start);
        return new RunningGate(settings, true, 1, List.of(https), local);
    }

    int tlsPort() {
        return gate.address("https").getPort();
    }

    Gate gate() {
        return gate;
    }

    int port() {
        return gate.address("http").getPort();
    }

    /// Sends everything to these ports of loopback.
    RunningGate routeTo(int... ports) {
        return route("/", RouteOptions.NONE, ports);
    }

    RunningGate route(String path, RouteOptions options, int... ports) {
        return serve(List.of(route(HostPattern.ANY, path, options, ports)));
    }

    /// The same to endpoints that speak that.
    RunningGate routeTo(EndpointProtocol protocol, int... ports) {
        Route plain = route(HostPattern.ANY, "/", RouteOptions.NONE, ports);
        List<Endpoint> endpoints = plain.upstream().endpoints().stream().map(endpoint -> endpoint.withProtocol(protocol)).toList();
        return serve(List.of(Route.of(HostPattern.ANY, PathPattern.parse("/"), 0, RouteOptions.NONE, new Upstream("web", endpoints, ports.length))));
    }

    RunningGate serve(List<Route> routes) {
        serving = new Serving(RouteTable.of(routes), serving.revision() + 1);
        return this;
    }

    static Endpoint endpoint(int port, int weight) {
        return new Endpoint("n1/web-" + port, "web", "n1", "dc1", "127.0.0.1", port, weight);
    }

    static Route route(HostPattern host, String path, RouteOptions options, int... ports) {
        List<Endpoint> endpoints = Arrays.stream(ports).mapToObj(port -> endpoint(port, 1)).toList();
        return Route.of(host, PathPattern.parse(path), 0, options, new Upstream("web", endpoints, ports.length));
    }

    /// Of the next exchange, in the order of the log.
    ConnectionLabel connectionLabel() throws InterruptedException {
        ConnectionLabel label = labels.poll(10, TimeUnit.SECONDS);
        assertNotNull(label, "no log record in time");
        return label;
    }

    RawClient connect() {
        return RawClient.connect(port());
    }

    Logged logged() throws InterruptedException {
        Logged logged = log.poll(10, TimeUnit.SECONDS);
        assertNotNull(logged, "no log record in time");
        return logged;
    }

    /// Waits until the event loops have done what they put off for a tenth of a second at most.
    void settle() throws Exception {
        for (EventExecutor loop : group) {
            loop.schedule(() -> {}, 100, TimeUnit.MILLISECONDS).get(10, TimeUnit.SECONDS);
        }
    }

    @Override
    public void close() {
        gate.close();
        EventLoops.close(group).syncUninterruptibly();
    }

    private final class Recording implements AccessLog {
        @Override
        public void log(ExchangeRecord r) {
            labels.add(r.connection);
            log.add(new Logged(
                    r.status,
                    r.cause,
                    r.detail,
                    r.method.toString(),
                    r.target.toString(),
                    r.authority.toString(),
                    r.requestId.toString(),
                    r.route.id(),
                    r.endpoint.instance(),
                    r.clientIp.toString(),
                    r.traceId.toString(),
                    r.spanId.toString(),
                    r.requestMimeType.toString(),
                    r.userAgent.toString(),
                    r.attempts,
                    IntStream.range(0, r.attempts).mapToObj(i -> Tried.of(r.tried(i))).toList(),
                    r.reusedConnection,
                    r.requestBodyBytes,
                    r.responseBodyBytes,
                    r.requestBytes,
                    r.responseBytes,
                    r.protocol,
                    r.httpVersion,
                    r.grpcStatus,
                    r.revision,
                    Phases.of(r)));
        }

        @Override
        public void log(QueryRecord query) {
            throw new UnsupportedOperationException("the gate answers no queries");
        }

        @Override
        public long dropped() {
            return 0;
        }

        @Override
        public void close() {}
    }
}
