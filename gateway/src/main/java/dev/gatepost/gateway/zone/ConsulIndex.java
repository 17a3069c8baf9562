package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// One snapshot by the keys that Consul looks things up by, all in lower case.
final class ConsulIndex {
    private final Map<String, List<Instance>> services = new HashMap<>();
    private final Map<String, Node> nodes = new HashMap<>();
    private final TreeMap<String, Node> ids = new TreeMap<>();
    private final Map<DomainName, Node> nodeAddresses = new HashMap<>();
    private final Map<DomainName, Instance> serviceAddresses = new HashMap<>();

    ConsulIndex(Snapshot snapshot) {
        for (Service service : snapshot.services().values()) {
            services.computeIfAbsent(lower(service.name()), _ -> new ArrayList<>()).addAll(service.instances());
            for (Instance each : service.instances()) {
                Locator.ip(each.serviceAddress()).ifPresent(ip -> serviceAddresses.putIfAbsent(DomainName.reverse(ip), each));
            }
        }
        for (Node node : snapshot.nodes().values()) {
            nodes.putIfAbsent(lower(node.name()), node);
            ids.put(lower(node.id()).replace("-", ""), node);
            Locator.ip(node.address()).ifPresent(ip -> nodeAddresses.putIfAbsent(DomainName.reverse(ip), node));
        }
        ids.remove("");
    }

    List<Instance> service(String name) {
        return services.getOrDefault(lower(name), List.of());
    }

    /// By name, or by so much of the id that only one node can be meant.
    Optional<Node> node(String nameOrId) {
        return Optional.ofNullable(nodes.get(lower(nameOrId))).or(() -> byId(lower(nameOrId)));
    }

    private Optional<Node> byId(String text) {
        String even = text.substring(0, text.length() & ~1).replace("-", "");
        if (even.length() < 2 || even.length() > 32 || (even.length() & 1) != 0 || !even.chars().allMatch(c -> Character.digit(c, 16) >= 0)) {
            return Optional.empty();
        }
        var matching = ids.subMap(even, even + '~');
        return matching.size() == 1 ? Optional.of(matching.firstEntry().getValue()) : Optional.empty();
    }

    Optional<Node> nodeAt(DomainName reverse) {
        return Optional.ofNullable(nodeAddresses.get(reverse));
    }

    Optional<Instance> instanceAt(DomainName reverse) {
        return Optional.ofNullable(serviceAddresses.get(reverse));
    }

    /// Whether a datacenter has a name in this snapshot; the agent's own is one that has nodes.
    boolean hasDatacenter(String name) {
        return nodes.values().stream().anyMatch(node -> node.datacenter().equalsIgnoreCase(name));
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }
}
