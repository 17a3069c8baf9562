package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.catalog.Weights;
import dev.gatepost.gateway.config.GatewayConfig.Routes.Dialect;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// Snapshots in few words.
final class Catalogs {
    static final RouteSettings SETTINGS = new RouteSettings(Set.of(Dialect.values()), HealthRule.PASSING, "");

    private static final Node NODE = new Node("n1", "", "10.0.0.1", "dc1", Map.of(), Map.of());

    private Catalogs() {}

    /// Its id is `SERVICE-ID`: ids are unique on their node.
    static Instance instance(String service, String id, String... tags) {
        return new Instance(service + "-" + id, service, NODE, "", 8000, List.of(tags), Map.of(), Map.of(), Weights.DEFAULT, List.of());
    }

    static Instance with(Instance i, Health health) {
        List<Check> checks = List.of(new Check("service:" + i.id(), "alive", health));
        return new Instance(i.id(), i.service(), i.node(), i.serviceAddress(), i.port(), i.tags(), i.meta(), i.taggedAddresses(), i.weights(), checks);
    }

    static Instance with(Instance i, Map<String, String> meta) {
        return new Instance(i.id(), i.service(), i.node(), i.serviceAddress(), i.port(), i.tags(), meta, i.taggedAddresses(), i.weights(), i.checks());
    }

    static Instance with(Instance i, Weights weights) {
        return new Instance(i.id(), i.service(), i.node(), i.serviceAddress(), i.port(), i.tags(), i.meta(), i.taggedAddresses(), weights, i.checks());
    }

    static Instance inZone(Instance i, String zone) {
        Node node = new Node("n-" + zone, "", "10.0.0.1", "dc1", Map.of(), Map.of("zone", zone));
        return new Instance(i.id(), i.service(), node, i.serviceAddress(), i.port(), i.tags(), i.meta(), i.taggedAddresses(), i.weights(), i.checks());
    }

    static Instance withPort(Instance i, int port) {
        return new Instance(i.id(), i.service(), i.node(), i.serviceAddress(), port, i.tags(), i.meta(), i.taggedAddresses(), i.weights(), i.checks());
    }

    static Snapshot snapshot(Instance... instances) {
        Map<String, List<Instance>> byService = new HashMap<>();
        Arrays.stream(instances).forEach(i -> byService.merge(i.service(), List.of(i), Catalogs::joined));
        Map<String, Service> services = new HashMap<>();
        byService.forEach((name, all) -> services.put(name, new Service(name, all)));
        return new Snapshot(services, Map.of(NODE.name(), NODE));
    }

    private static List<Instance> joined(List<Instance> a, List<Instance> b) {
        return Stream.concat(a.stream(), b.stream()).toList();
    }

    /// The snapshot with one service replaced; the others are the same objects.
    static Snapshot with(Snapshot snapshot, Service service) {
        Map<String, Service> services = new HashMap<>(snapshot.services());
        services.put(service.name(), service);
        return new Snapshot(services, snapshot.nodes());
    }

    static Snapshot without(Snapshot snapshot, String service) {
        Map<String, Service> services = new HashMap<>(snapshot.services());
        services.remove(service);
        return new Snapshot(services, snapshot.nodes());
    }

    static RouteTable table(Instance... instances) {
        return RouteTable.from(snapshot(instances), SETTINGS, RouteTable.EMPTY);
    }
}
