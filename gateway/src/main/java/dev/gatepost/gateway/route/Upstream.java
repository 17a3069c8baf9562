package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Locality;
import java.util.List;
import java.util.stream.Collectors;

/// The group of endpoints that a route forwards to.
///
/// @param name      the services it consists of and the route, `web@shop.example.com/api`: unique in a table and stable over
///                  swaps, state is kept under it
/// @param endpoints those that get traffic, in a fixed order; empty when the service is known but no instance is healthy
/// @param known     all instances that declare the route, healthy or not
/// @param near      those of them that are in the gateway's own zone
/// @param elsewhere the datacenter that serves in place of our own, since that has no healthy instance; empty otherwise
/// @param serving   the services of the endpoints, sorted, with blanks between; mostly one
public record Upstream(String name, List<Endpoint> endpoints, int known, int near, String elsewhere, String serving) {
    public Upstream(String name, List<Endpoint> endpoints, int known) {
        this(name, endpoints, known, 0, "");
    }

    public Upstream(String name, List<Endpoint> endpoints, int known, int near, String elsewhere) {
        this(name, endpoints, known, near, elsewhere, endpoints.stream().map(Endpoint::service).distinct().sorted().collect(Collectors.joining(" ")));
    }

    public Upstream {
        endpoints = List.copyOf(endpoints);
    }

    /// Whether so many of the near ones, which work, are enough to get all requests.
    public boolean isEnoughNear(int usable) {
        return Locality.isEnough(usable, near);
    }
}
