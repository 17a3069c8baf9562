package dev.gatepost.gateway.route;

import java.util.Comparator;

/// A route's identity: what it serves. Whoever declares the same key, shares the route.
record RouteKey(HostPattern host, PathPattern path, Condition condition) {
    /// Look-up order among routes of one priority.
    static final Comparator<RouteKey> ORDER = Comparator.comparing(RouteKey::host, HostPattern.ORDER)
            .thenComparing(RouteKey::path, PathPattern.ORDER)
            .thenComparing(RouteKey::condition);

    /// Stable over restarts: `shop.example.com/api`, `https://shop.example.com/api header=x-canary`.
    String id() {
        return condition.prefix() + host + path + condition.asked();
    }
}
