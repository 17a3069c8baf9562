package dev.gatepost.gateway;

import dev.gatepost.gateway.WarmUpClient.Wish;
import dev.gatepost.gateway.accesslog.AccessLog;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.proxy.ConnectionStart;
import dev.gatepost.gateway.proxy.Gate;
import dev.gatepost.gateway.proxy.GateSettings;
import dev.gatepost.gateway.proxy.ListenerSpec;
import dev.gatepost.gateway.proxy.Serving;
import dev.gatepost.gateway.proxy.TlsStart;
import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.HostPattern;
import dev.gatepost.gateway.route.PathPattern;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.RouteTable;
import dev.gatepost.gateway.route.Upstream;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.UpstreamTls;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a young process asks of itself before it says that it is ready, so that its compilers have done their work when clients come: a
/// gate of its own, on a port of loopback that nobody knows, answers requests of its own with what an origin of its own says.
/// Code is what the two gates share: no request of these is in the log, in the metrics or at an endpoint.
final class WarmUp {
    private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);
    /// Of a machine that is busy with something else: to be ready late is worse than to be slow at first.
    private static final Duration LONGEST = Duration.ofSeconds(5);
    private static final int MOST_ROUNDS = 10;
    /// Between two rounds: what has been asked often enough by then is compiled when it is asked again.
    private static final Duration PAUSE = Duration.ofMillis(50);
    /// Of each round, opened for it: to open and close one is as much code as a request, and clients come with many at once. Most are
    /// without TLS, since a handshake takes longer than all else together, and much of it in code that is compiled already.
    /// All rounds together open more than 256: that is the call at which HotSpot thinks of compiling what was interpreted so far.
    private static final int CONNECTIONS = 30;
    private static final int HTTP_1_OVER_TLS = 8;
    private static final int HTTP_2_OVER_TLS = 2;
    /// Some bodies, some without a route, some that leave before the answer: what never happened so far, compiled code has no place for,
    /// and is thrown away as a whole when it does.
    private static final int FORMS = 2;
    private static final int NOWHERE = 2;
    private static final int LEAVING = 4;
    private static final String PLAIN = "warm-up";
    private static final String TLS = "warm-up over TLS";

    private final GatewayConfig config;
    private final Optional<Certificates> certificates;

    WarmUp(GatewayConfig config, Optional<Certificates> certificates) {
        this.config = config;
        this.certificates = certificates;
    }

    /// Returns once it is done, or has taken too long; what goes wrong costs nothing but speed.
    ///
    /// @return how many requests were answered
    int run() throws InterruptedException {
        if (config.warmUp() == 0 || (config.http().isEmpty() && certificates.isEmpty())) {
            return 0;
        }
        long began = System.nanoTime();
        EventLoopGroup loop = EventLoops.open(1);
        try (AccessLog log = AccessLog.discarding(new AccessLog.Origin("", ""));
                UpstreamTls tls = UpstreamTls.of(GatewayConfig.Upstreams.DEFAULT);
                WarmUpOrigin origin = WarmUpOrigin.open(loop)) {
            GateSettings settings = new GateSettings(
                    GatewayConfig.Timeouts.DEFAULT, GatewayConfig.Limits.DEFAULT, config.trustedProxies(), tls, config.traceSample().orElse(-1));
            Serving serving = new Serving(RouteTable.of(List.of(routeTo(origin.address()))), 1);
            try (Gate gate = Gate.start(settings, loop, () -> serving, log, Optional.empty())) {
                listen(gate, PLAIN, ConnectionStart.PLAIN);
                certificates.ifPresent(ours -> listen(gate, TLS, new TlsStart(ours)));
                int answered = ask(() -> clients(loop, gate, tls), began + LONGEST.toNanos());
                LOG.info("warmed up by {} requests of its own in {} ms", answered, (System.nanoTime() - began) / 1_000_000);
                return answered;
            }
        } catch (IOException | UncheckedIOException | ExecutionException e) {
            LOG.warn("not warmed up, the first answers will be slower: {}", e.toString());
            return 0;
        } finally {
            EventLoops.close(loop).awaitUninterruptibly();
        }
    }

    private static void listen(Gate gate, String name, ConnectionStart start) {
        gate.listen(List.of(new ListenerSpec(name, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), start, false)));
    }

    private static Route routeTo(InetSocketAddress origin) {
        Endpoint endpoint = new Endpoint("warm-up", "warm-up", "", "", origin.getAddress().getHostAddress(), origin.getPort(), 1);
        return Route.of(HostPattern.parse(WarmUpClient.AUTHORITY), PathPattern.parse("/"), 0, RouteOptions.NONE, new Upstream("warm-up", List.of(endpoint), 1));
    }

    private List<WarmUpClient> clients(EventLoopGroup loop, Gate gate, UpstreamTls tls) throws IOException {
        List<WarmUpClient> clients = new ArrayList<>();
        if (certificates.isPresent()) {
            for (int i = 0; i < HTTP_1_OVER_TLS; i++) {
                clients.add(WarmUpClient.http1(loop, gate.address(TLS), tls));
            }
            for (int i = 0; i < HTTP_2_OVER_TLS; i++) {
                clients.add(WarmUpClient.http2(loop, gate.address(TLS), tls));
            }
        }
        for (int i = 0; i < FORMS; i++) {
            clients.add(WarmUpClient.plain(loop, gate.address(PLAIN), Wish.FORM));
        }
        for (int i = 0; i < NOWHERE; i++) {
            clients.add(WarmUpClient.plain(loop, gate.address(PLAIN), Wish.NOWHERE));
        }
        while (clients.size() < CONNECTIONS) {
            clients.add(WarmUpClient.plain(loop, gate.address(PLAIN), Wish.PAGE));
        }
        return clients;
    }

    private int ask(Clients open, long deadline) throws IOException, InterruptedException, ExecutionException {
        int answered = 0;
        int times = Math.ceilDiv(config.warmUp(), MOST_ROUNDS * CONNECTIONS);
        int rounds = Math.ceilDiv(config.warmUp(), times * CONNECTIONS);
        for (int round = 0; round < rounds; round++) {
            List<WarmUpClient> clients = open.open();
            try {
                CompletableFuture.allOf(clients.stream().map(client -> client.ask(times)).toArray(CompletableFuture<?>[]::new))
                        .get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (TimeoutException _) {
                break;
            } finally {
                answered += clients.stream().mapToInt(WarmUpClient::answered).sum();
                clients.subList(0, CONNECTIONS - LEAVING).forEach(WarmUpClient::close);
                clients.subList(CONNECTIONS - LEAVING, CONNECTIONS).forEach(WarmUpClient::leave);
            }
            Thread.sleep(PAUSE);
        }
        return answered;
    }

    @FunctionalInterface
    private interface Clients {
        List<WarmUpClient> open() throws IOException;
    }
}
