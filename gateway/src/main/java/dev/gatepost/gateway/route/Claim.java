package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Instance;

/// What one declaration of one instance asks for: this route, with these options, to this instance.
///
/// @param priority of the route
/// @param weight   this instance's share of the route's traffic
/// @param port     where the instance is reached
/// @param serving  whether the instance gets traffic, by its health
record Claim(
        RouteKey key,
        int priority,
        RouteOptions options,
        Weight weight,
        Route.Declaration declaration,
        String service,
        Instance instance,
        int port,
        boolean serving) {
    Claim withWeight(Weight other) {
        return new Claim(key, priority, options, other, declaration, service, instance, port, serving);
    }
}
