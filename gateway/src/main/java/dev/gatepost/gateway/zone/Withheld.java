package dev.gatepost.gateway.zone;

import dev.gatepost.gateway.catalog.Instance;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What is healthy by the catalog and not answered all the same: instances that the gate has found out not to work, and this
/// gateway itself while it drains.
///
/// @param instances by service in lower case: key to reason, those that were withheld first come first
/// @param gateways  addresses of this gateway, which are not answered as the gateways'
public record Withheld(Map<String, Map<String, String>> instances, Set<InetAddress> gateways) {
    public static final Withheld NOTHING = new Withheld(Map.of(), Set.of());

    public Withheld {
        var copies = new HashMap<String, Map<String, String>>();
        instances.forEach((service, reasons) -> copies.put(service.toLowerCase(Locale.ROOT), new LinkedHashMap<>(reasons)));
        instances = Map.copyOf(copies);
        gateways = Set.copyOf(gateways);
    }

    /// Those of the instances that are answered. No more than half of them are left out, and never the last: if the gate
    /// doesn't reach most of a service, that is more likely the gate's fault than the service's.
    ///
    /// @param healthy instances of one service, or of one tag or datacenter of it
    List<Instance> leave(String service, List<Instance> healthy) {
        Map<String, String> reasons = ofService(service);
        if (reasons.isEmpty()) {
            return healthy;
        }
        var here = new HashSet<String>();
        healthy.forEach(each -> here.add(each.key()));
        var out = new HashSet<String>();
        reasons.keySet().stream().filter(here::contains).limit(here.size() / 2).forEach(out::add);
        return out.isEmpty() ? healthy : healthy.stream().filter(each -> !out.contains(each.key())).toList();
    }

    /// Why an instance should not be answered, if it shouldn't.
    Optional<String> why(Instance instance) {
        return Optional.ofNullable(ofService(instance.service()).get(instance.key()));
    }

    /// The gateways' addresses without this one's, unless none would be left.
    List<InetAddress> leave(List<InetAddress> all) {
        List<InetAddress> others = all.stream().filter(each -> !gateways.contains(each)).toList();
        return others.isEmpty() ? all : others;
    }

    private Map<String, String> ofService(String service) {
        return instances.isEmpty() ? Map.of() : instances.getOrDefault(service.toLowerCase(Locale.ROOT), Map.of());
    }

    public boolean saysAs(Withheld other) {
        return gateways.equals(other.gateways) && differencesTo(other).isEmpty();
    }

    /// Services for which the two don't say the same.
    Set<String> differencesTo(Withheld other) {
        var services = new HashSet<String>(instances.keySet());
        services.addAll(other.instances.keySet());
        services.removeIf(each -> List.copyOf(ofService(each).keySet()).equals(List.copyOf(other.ofService(each).keySet())));
        return services;
    }
}
