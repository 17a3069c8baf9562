package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteTable;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.Set;

/// What a route table holds, as sets, so that each event loop can drop what it keeps of anything else.
///
/// @param routes by identity
record Served(Set<Route> routes, Set<String> ids, Set<EndpointKey> endpoints) {
    static Served of(RouteTable table) {
        Set<Route> routes = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<String> ids = new HashSet<>();
        Set<EndpointKey> endpoints = new HashSet<>();
        table.forEach(route -> {
            routes.add(route);
            ids.add(route.id());
            for (Endpoint endpoint : route.upstream().endpoints()) {
                endpoints.add(EndpointKey.of(endpoint));
            }
        });
        return new Served(routes, ids, endpoints);
    }
}
