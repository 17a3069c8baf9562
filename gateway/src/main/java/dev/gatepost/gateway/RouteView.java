package dev.gatepost.gateway;

import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import java.util.List;

/// A route as the table has it.
///
/// @param condition what is asked for beside host and path, in the words of the options; empty for nothing
/// @param state `found` with healthy endpoints or an answer of its own, else `empty`
record RouteView(
        String id,
        String host,
        String path,
        String condition,
        int priority,
        String state,
        RouteOptions options,
        UpstreamView upstream,
        List<Route.Declaration> declarations) {

    /// @param elsewhere the datacenter that serves in place of our own; empty otherwise
    record UpstreamView(String name, int known, String elsewhere, List<Endpoint> endpoints) {}

    static RouteView of(Route route) {
        boolean answers = route.options().redirect().isPresent() || !route.upstream().endpoints().isEmpty();
        return new RouteView(
                route.id(),
                route.host().toString(),
                route.path().toString(),
                route.condition().toString(),
                route.priority(),
                answers ? "found" : "empty",
                route.options(),
                new UpstreamView(route.upstream().name(), route.upstream().known(), route.upstream().elsewhere(), route.upstream().endpoints()),
                route.declarations());
    }
}
