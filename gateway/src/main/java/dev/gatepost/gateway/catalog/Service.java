package dev.gatepost.gateway.catalog;

import java.util.Comparator;
import java.util.List;

/// A name in the catalog with all its instances, healthy or not, in a fixed order (our own datacenter first, node name, id).
public record Service(String name, List<Instance> instances) {
    private static final Comparator<Instance> ORDER =
            Comparator.comparingInt(Instance::distance).thenComparing(i -> i.node().name()).thenComparing(Instance::id);

    public Service {
        instances = instances.stream().sorted(ORDER).toList();
    }

    /// The same, seen from another datacenter.
    Service at(int distance) {
        return new Service(name, instances.stream().map(instance -> instance.at(distance)).toList());
    }
}
