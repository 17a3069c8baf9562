package dev.gatepost.gateway.zone;

import java.time.Duration;
import java.util.Map;

/// How long answers may be kept.
///
/// @param others   where nothing else is said
/// @param node     names of nodes and addresses
/// @param services of some
public record Ttls(Duration others, Duration node, ByService<Duration> services) {

    /// @param services by service name or `prefix*`: an exact name goes first, then the longest prefix
    public Ttls(Duration others, Duration node, Map<String, Duration> services) {
        this(others, node, new ByService<>(services));
    }

    public static Ttls of(Duration all) {
        return new Ttls(all, all, Map.of());
    }

    Duration ofService(String service) {
        return services.of(service).orElse(others);
    }
}
