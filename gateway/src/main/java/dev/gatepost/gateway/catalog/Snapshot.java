package dev.gatepost.gateway.catalog;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// All services and nodes as the sources know them at one moment, immutable, in name order. A service that did not
/// change from one snapshot to the next is the same object in both, so that whoever derives from it can tell by reference.
///
/// @param services by name
/// @param nodes    by name; also nodes that carry no service
public record Snapshot(SortedMap<String, Service> services, SortedMap<String, Node> nodes) {
    public static final Snapshot EMPTY = new Snapshot(Map.of(), Map.of());

    public Snapshot(Map<String, Service> services, Map<String, Node> nodes) {
        this(Collections.unmodifiableSortedMap(new TreeMap<>(services)), Collections.unmodifiableSortedMap(new TreeMap<>(nodes)));
    }

    public int instanceCount() {
        return services.values().stream().mapToInt(service -> service.instances().size()).sum();
    }

    /// `next`, with every service and node that is equal to ours replaced by ours, so that it is the same object in both.
    Snapshot updatedTo(Snapshot next) {
        return new Snapshot(kept(services, next.services), kept(nodes, next.nodes));
    }

    private static <V> Map<String, V> kept(Map<String, V> ours, Map<String, V> next) {
        Map<String, V> kept = new TreeMap<>();
        next.forEach((name, value) -> {
            V own = ours.get(name);
            kept.put(name, own != null && own.equals(value) ? own : value);
        });
        return kept;
    }
}
