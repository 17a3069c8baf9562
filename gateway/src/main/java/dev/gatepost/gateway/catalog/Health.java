package dev.gatepost.gateway.catalog;

/// The aggregated state of an instance's checks, best first, as Consul aggregates them: the worst check decides,
/// and maintenance mode (the checks `_node_maintenance` and `_service_maintenance:ID`) outranks critical. Above all is our own
/// word on an instance that is served though it is not healthy, since none of its service is.
public enum Health {
    PASSING,
    WARNING,
    CRITICAL,
    MAINTENANCE,
    PANICKING;

    /// The worse of the two.
    public Health worse(Health other) {
        return compareTo(other) >= 0 ? this : other;
    }
}
