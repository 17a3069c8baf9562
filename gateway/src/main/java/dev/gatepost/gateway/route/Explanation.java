package dev.gatepost.gateway.route;

import java.util.List;

/// Which route a request would take, and why no other: what `match` says, in words.
///
/// @param outcome    `found`, `empty`, `no-route` or `rejected`
/// @param why        the outcome in one sentence
/// @param route      its id; empty without one
/// @param upstream   its name; empty without one
/// @param endpoints  where the request may go
/// @param withheld   instances that declare the route and get no traffic
/// @param considered what was passed over
public record Explanation(
        String outcome,
        String why,
        String route,
        String upstream,
        List<Target> endpoints,
        List<Withheld> withheld,
        List<Considered> considered) {
    public static final String FOUND = "found";
    public static final String EMPTY = "empty";
    public static final String NO_ROUTE = "no-route";
    /// Nothing serves the request, and a rejected declaration names its host and path.
    public static final String REJECTED = "rejected";

    /// @param address `host:port`
    public record Target(String service, String instance, String datacenter, String address, int weight) {}

    public record Withheld(String service, String instance, String why) {}

    /// @param route its id, or the text of a rejected declaration
    public record Considered(String route, String why) {}

    public Explanation {
        endpoints = List.copyOf(endpoints);
        withheld = List.copyOf(withheld);
        considered = List.copyOf(considered);
    }
}
