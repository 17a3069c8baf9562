package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Locality;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.config.GatewayConfig.Routes.Dialect;
import dev.gatepost.gateway.config.Selector;
import java.util.List;
import java.util.Set;

/// What the reading of routes depends on beside the catalog.
///
/// @param defaultHost a host pattern such as `{service}.qa.example.com` under which every service is published; empty for none
/// @param defaultHostFor which instances
/// @param locality    whose instances get the requests
/// @param commands    of fabio's, which change what its tags declare
public record RouteSettings(
        Set<Dialect> dialects, HealthRule health, String defaultHost, List<Selector> defaultHostFor, Locality locality, FabioCommands commands) {
    public RouteSettings(Set<Dialect> dialects, HealthRule health, String defaultHost) {
        this(dialects, health, defaultHost, List.of(), Locality.UNKNOWN, FabioCommands.NONE);
    }

    public static RouteSettings of(GatewayConfig.Routes routes) {
        return new RouteSettings(
                routes.dialects(), HealthRule.of(routes), routes.defaultHost(), routes.defaultHostFor(), Locality.of(routes), FabioCommands.NONE);
    }

    public RouteSettings withCommands(FabioCommands others) {
        return new RouteSettings(dialects, health, defaultHost, defaultHostFor, locality, others);
    }

    public RouteSettings withDefaultHostFor(List<Selector> words) {
        return new RouteSettings(dialects, health, defaultHost, List.copyOf(words), locality, commands);
    }

    public RouteSettings withLocality(Locality other) {
        return new RouteSettings(dialects, health, defaultHost, defaultHostFor, other, commands);
    }
}
