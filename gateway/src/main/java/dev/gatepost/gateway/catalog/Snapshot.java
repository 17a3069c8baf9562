package dev.gatepost.gateway.catalog;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/// All services and nodes as the sources know them at one moment, immutable, in name order. A service that did not
/// change from one snapshot to the next is the same object in both, so that whoever derives from it can tell by reference.
public final class Snapshot {
    public static final Snapshot EMPTY = new Snapshot(Map.of(), Map.of());

    private final SortedMap<String, Service> services;
    private final SortedMap<String, Node> nodes;
    /// The same as lists, which compare faster.
    private final List<Service> allServices;
    private final List<Node> allNodes;
    /// Empty where this one is all local.
    private final Optional<Snapshot> local;
    private final Mark mark = new Mark();
    private final Optional<Step> step;

    /// Stands for a snapshot, without holding on to it.
    static final class Mark {}

    /// Which services differ from those of another snapshot; all others are the same objects.
    record Step(Mark from, SortedSet<String> services) {}

    /// @param services by name
    /// @param nodes    by name; also nodes that carry no service
    public Snapshot(Map<String, Service> services, Map<String, Node> nodes) {
        this(services, nodes, Optional.empty(), Optional.empty());
    }

    /// One that knows in what it differs from another, so that nobody needs to compare.
    Snapshot(Map<String, Service> services, Map<String, Node> nodes, Step step) {
        this(services, nodes, Optional.empty(), Optional.of(step));
    }

    private Snapshot(Map<String, Service> services, Map<String, Node> nodes, Optional<Snapshot> local, Optional<Step> step) {
        this.services = Collections.unmodifiableSortedMap(new TreeMap<>(services));
        this.nodes = Collections.unmodifiableSortedMap(new TreeMap<>(nodes));
        this.allServices = List.copyOf(this.services.values());
        this.allNodes = List.copyOf(this.nodes.values());
        this.local = local;
        this.step = step;
    }

    Mark mark() {
        return mark;
    }

    /// This one with other services: some of them have instances in other datacenters.
    Snapshot withStandby(Map<String, Service> all) {
        return new Snapshot(all, nodes, Optional.of(this), Optional.empty());
    }

    /// What there is in our own datacenter.
    public Snapshot local() {
        return local.orElse(this);
    }

    /// By name.
    public SortedMap<String, Service> services() {
        return services;
    }

    /// By name; also nodes that carry no service.
    public SortedMap<String, Node> nodes() {
        return nodes;
    }

    /// In name order.
    public List<Service> inOrder() {
        return allServices;
    }

    /// Calls back with old and new of every service that isn't the same object as in `before`; one of them is empty where
    /// it was added or removed.
    @SuppressWarnings("ReferenceEquality") // the contract
    public void servicesChangedFrom(Snapshot before, BiConsumer<Optional<Service>, Optional<Service>> changed) {
        if (step.isPresent() && step.get().from().equals(before.mark)) {
            step.get().services().forEach(name -> {
                Optional<Service> was = Optional.ofNullable(before.services.get(name));
                Optional<Service> is = Optional.ofNullable(services.get(name));
                if (was.orElse(null) != is.orElse(null)) {
                    changed.accept(was, is);
                }
            });
            return;
        }
        Changes.between(before.allServices, allServices, Service::name, changed);
    }

    /// The same for nodes.
    public void nodesChangedFrom(Snapshot before, BiConsumer<Optional<Node>, Optional<Node>> changed) {
        Changes.between(before.allNodes, allNodes, Node::name, changed);
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

    @Override
    public boolean equals(Object other) {
        return other instanceof Snapshot that && services.equals(that.services) && nodes.equals(that.nodes);
    }

    @Override
    public int hashCode() {
        return 31 * services.hashCode() + nodes.hashCode();
    }

    @Override
    public String toString() {
        return "services " + services + ", nodes " + nodes;
    }
}
