package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.RouteTable;

/// What the gate serves by: one reference, read once per request, so that the routes and the revision in the log belong
/// together.
///
/// @param revision 0 before the first catalog, when no route says nothing about what exists
public record Serving(RouteTable routes, long revision) {
    boolean isUnknown() {
        return revision == 0;
    }
}
