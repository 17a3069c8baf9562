package dev.gatepost.gateway.catalog;

import java.util.List;
import java.util.Map;
import java.util.Set;

/// What a watch over Consul heard, on its way to the catalog's thread.
sealed interface Heard {
    /// @param moved    something may have been written since the list before, though perhaps not what it shows
    /// @param filtered there may be more that the token may not see
    record Names(Map<String, Set<String>> tagsByName, boolean moved, boolean filtered) implements Heard {}

    /// @param filtered there may be more that the token may not see
    record Nodes(Map<String, Node> nodes, boolean filtered) implements Heard {}

    /// All checks in one state.
    record Sick(Health state, List<ConsulJson.Sick> checks) implements Heard {}

    /// From a service's own watch.
    record Direct(String name, Shown shown) implements Heard {}
}
