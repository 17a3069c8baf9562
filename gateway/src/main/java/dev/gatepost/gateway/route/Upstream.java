package dev.gatepost.gateway.route;

import java.util.List;

/// The group of endpoints that a route forwards to.
///
/// @param name      the services it consists of and the route, `web@shop.example.com/api`: unique in a table and stable over
///                  swaps, state is kept under it
/// @param endpoints those that get traffic, in a fixed order; empty when the service is known but no instance is healthy
/// @param known     all instances that declare the route, healthy or not
/// @param elsewhere the datacenter that serves in place of our own, since that has no healthy instance; empty otherwise
public record Upstream(String name, List<Endpoint> endpoints, int known, String elsewhere) {
    public Upstream(String name, List<Endpoint> endpoints, int known) {
        this(name, endpoints, known, "");
    }

    public Upstream {
        endpoints = List.copyOf(endpoints);
    }
}
