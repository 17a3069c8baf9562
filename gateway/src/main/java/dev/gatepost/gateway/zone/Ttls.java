package dev.gatepost.gateway.zone;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// How long answers may be kept.
///
/// @param others   where nothing else is said
/// @param node     names of nodes and addresses
/// @param services by service name or `prefix*`: an exact name goes first, then the longest prefix
public record Ttls(Duration others, Duration node, Map<String, Duration> services) {
    public Ttls {
        var lower = new TreeMap<String, Duration>();
        services.forEach((pattern, ttl) -> lower.put(pattern.toLowerCase(Locale.ROOT), ttl));
        services = Map.copyOf(lower);
    }

    public static Ttls of(Duration all) {
        return new Ttls(all, all, Map.of());
    }

    Duration ofService(String service) {
        String name = service.toLowerCase(Locale.ROOT);
        if (services.containsKey(name)) {
            return services.getOrDefault(name, others);
        }
        for (int length = services.isEmpty() ? -1 : name.length(); length >= 0; length--) {
            String prefix = name.substring(0, length) + "*";
            if (services.containsKey(prefix)) {
                return services.getOrDefault(prefix, others);
            }
        }
        return others;
    }
}
