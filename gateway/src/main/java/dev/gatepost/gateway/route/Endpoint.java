package dev.gatepost.gateway.route;

/// The address of one healthy instance, as a route forwards to it.
///
/// @param instance   the instance's key, unique in the catalog and stable over its life: state is kept under it
/// @param host       an IP literal or a host name
/// @param weight     its share relative to its siblings, at least 1
/// @param node       the name of the node it runs on
/// @param near       whether that is in the gateway's own zone
public record Endpoint(
        String instance, String service, String node, String datacenter, String host, int port, int weight, EndpointProtocol protocol, boolean near) {
    /// One that speaks plain HTTP/1.
    public Endpoint(String instance, String service, String node, String datacenter, String host, int port, int weight) {
        this(instance, service, node, datacenter, host, port, weight, EndpointProtocol.HTTP, false);
    }

    public Endpoint withProtocol(EndpointProtocol other) {
        return new Endpoint(instance, service, node, datacenter, host, port, weight, other, near);
    }

    public Endpoint asNear() {
        return new Endpoint(instance, service, node, datacenter, host, port, weight, protocol, true);
    }
}
