package dev.gatepost.gateway.route;

/// What a route table says of a request. `Found` and `Empty` are made once with the route, so a match allocates nothing.
public sealed interface Match {
    /// The route leads to at least one endpoint, or answers by itself.
    record Found(Route route) implements Match {}

    /// The route is known, but none of its instances is healthy: 503, and shorter prefixes stay shadowed.
    record Empty(Route route) implements Match {}

    /// 404.
    record NoRoute() implements Match {}
}
