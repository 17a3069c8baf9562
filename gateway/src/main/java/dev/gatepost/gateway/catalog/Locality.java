package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.GatewayConfig;
import java.util.List;

/// Where this gateway is, so that what is near comes first: one rule for both halves.
///
/// @param zone as the Meta of nodes has it; empty: nothing is near
/// @param meta the key there
public record Locality(String zone, String meta) {
    public static final Locality UNKNOWN = new Locality("", "zone");

    public static Locality of(GatewayConfig.Routes routes) {
        return new Locality(routes.zone(), routes.zoneMeta());
    }

    public boolean isNear(Instance instance) {
        return !zone.isEmpty() && instance.distance() == 0 && zone.equals(instance.node().meta().get(meta));
    }

    /// Whether the near ones come first: at least half of them are there to be answered. Fewer would have to carry what all of
    /// the zone's were meant for.
    ///
    /// @param registered all instances of a name
    /// @param answered   those of them that are answered
    public boolean prefers(List<Instance> registered, List<Instance> answered) {
        long near = answered.stream().filter(this::isNear).count();
        return near < answered.size() && isEnough(near, registered.stream().filter(this::isNear).count());
    }

    /// Whether so many of the near ones are enough to go first.
    public static boolean isEnough(long usable, long registered) {
        return usable > 0 && usable * 2 >= registered;
    }
}
