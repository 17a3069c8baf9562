package dev.gatepost.gateway.catalog;

import java.util.Comparator;
import java.util.List;

/// A name in the catalog with all its instances, healthy or not, in a fixed order (node name, then id).
public record Service(String name, List<Instance> instances) {
    private static final Comparator<Instance> ORDER =
            Comparator.comparing((Instance i) -> i.node().name()).thenComparing(Instance::id);

    public Service {
        instances = instances.stream().sorted(ORDER).toList();
    }
}
