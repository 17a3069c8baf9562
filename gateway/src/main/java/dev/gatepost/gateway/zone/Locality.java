package dev.gatepost.gateway.zone;

import dev.gatepost.gateway.catalog.Instance;
import java.util.List;

/// Where this gateway is, so that what is near comes first.
///
/// @param zone as the Meta of nodes has it; empty: nothing is near
/// @param meta the key there
public record Locality(String zone, String meta) {
    public static final Locality UNKNOWN = new Locality("", "zone");

    boolean isNear(Instance instance) {
        return !zone.isEmpty() && zone.equals(instance.node().meta().get(meta));
    }

    /// Whether the near ones come first: at least half of them are there to be answered. Fewer would have to carry what all of
    /// the zone's were meant for.
    ///
    /// @param registered all instances of a name
    /// @param answered   those of them that are answered
    boolean prefers(List<Instance> registered, List<Instance> answered) {
        long near = answered.stream().filter(this::isNear).count();
        return near > 0 && near < answered.size() && near * 2 >= registered.stream().filter(this::isNear).count();
    }
}
