package dev.gatepost.gateway.route;

import java.util.List;

/// One address that is registered more than once: what is left of a container that is gone, say, whose port another has
/// now. Each of them is served as it is registered; this says that one may answer in the name of another.
///
/// @param address   `host:port`
/// @param instances `SERVICE NODE/ID`, sorted
public record Ghost(String address, List<String> instances) {
    public Ghost {
        instances = List.copyOf(instances);
    }
}
