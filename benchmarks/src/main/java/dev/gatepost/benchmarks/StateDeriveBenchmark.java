package dev.gatepost.benchmarks;

import dev.gatepost.dns.DomainName;
import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.catalog.Weights;
import dev.gatepost.gateway.config.GatewayConfig.Routes.Dialect;
import dev.gatepost.gateway.route.RouteSettings;
import dev.gatepost.gateway.route.RouteTable;
import dev.gatepost.gateway.zone.ServiceZone;
import dev.gatepost.gateway.zone.ZoneSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// What does the next state cost when one instance of one service changes its health, and what does the first one cost?
/// Three instances a service, one route each, two tags.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class StateDeriveBenchmark {
    private static final int INSTANCES = 3;

    @Param({"10", "1000", "10000"})
    private int services;

    private final RouteSettings routeSettings = new RouteSettings(Set.of(Dialect.GATEPOST, Dialect.FABIO), HealthRule.PASSING, "");
    private final ZoneSettings zoneSettings =
            ZoneSettings.strict(DomainName.of("consul"), Duration.ofSeconds(2), Duration.ofSeconds(2), HealthRule.PASSING, List.of());
    private Snapshot calm = Snapshot.EMPTY;
    private Snapshot flapped = Snapshot.EMPTY;
    private RouteTable routes = RouteTable.EMPTY;
    private ServiceZone zone = ServiceZone.of(Snapshot.EMPTY, zoneSettings, 0);
    private boolean sick;

    @Setup
    public void derive() {
        Map<String, Service> all = new HashMap<>();
        Map<String, Node> nodes = new HashMap<>();
        for (int i = 0; i < 100; i++) {
            String name = "node-" + i;
            nodes.put(name, new Node(name, "", "10.0.0." + i, "dc1", Map.of(), Map.of()));
        }
        for (int i = 0; i < services; i++) {
            Service service = service(i, nodes, Health.PASSING);
            all.put(service.name(), service);
        }
        calm = new Snapshot(all, nodes);
        Service flapping = service(services / 2, nodes, Health.CRITICAL);
        all.put(flapping.name(), flapping);
        flapped = new Snapshot(all, nodes);
        routes = RouteTable.from(calm, routeSettings, RouteTable.EMPTY);
        zone = ServiceZone.of(calm, zoneSettings, 1);
    }

    private static Service service(int number, Map<String, Node> nodes, Health first) {
        String name = "service-" + number;
        Node[] all = nodes.values().toArray(Node[]::new);
        Instance[] instances = new Instance[INSTANCES];
        for (int i = 0; i < INSTANCES; i++) {
            String id = name + "-" + i;
            instances[i] = new Instance(
                    id,
                    name,
                    all[(number + i) % all.length],
                    "10.1." + number / 256 + "." + number % 256,
                    20_000 + i,
                    List.of("gatepost.route=" + name + ".example.com/", "blue"),
                    Map.of(),
                    Map.of(),
                    Weights.DEFAULT,
                    List.of(new Check("service:" + id, "alive", i == 0 ? first : Health.PASSING)));
        }
        return new Service(name, List.of(instances));
    }

    /// One instance turns critical, or passing again: what a flap costs, its line in the history included.
    @Benchmark
    public Object flap() {
        sick = !sick;
        Snapshot next = sick ? flapped : calm;
        Snapshot last = sick ? calm : flapped;
        ServiceZone lastZone = zone;
        routes = RouteTable.from(next, routeSettings, routes);
        zone = zone.next(next, zone.zone().revision() + 1);
        List<Object> history = new ArrayList<>(routes.changes());
        next.servicesChangedFrom(last, (was, is) -> history.add(List.of(was, is)));
        history.addAll(zone.zone().changesFrom(lastZone.zone()));
        return history;
    }

    /// Everything from nothing: what the start costs.
    @Benchmark
    public Object first() {
        RouteTable table = RouteTable.from(calm, routeSettings, RouteTable.EMPTY);
        return List.of(table, ServiceZone.of(calm, zoneSettings, 1));
    }
}
