package dev.gatepost.gateway.catalog;

import java.util.List;
import java.util.Map;

/// One registered copy of a service, with the checks that decide its health. An instance without checks is passing,
/// as in Consul.
///
/// @param id             Consul's ServiceID: unique on its node only
/// @param serviceAddress the service's own address; empty means the node's
/// @param tags           in catalog order; Consul treats them as a set
/// @param checks         its own service checks and its node's checks
/// @param distance       0 in our own datacenter, else the place of its own in the order of failover
public record Instance(
        String id,
        String service,
        Node node,
        String serviceAddress,
        int port,
        List<String> tags,
        Map<String, String> meta,
        Map<String, TaggedAddress> taggedAddresses,
        Weights weights,
        List<Check> checks,
        int distance) {

    /// A service address under a name such as `lan_ipv6` or `wan`.
    public record TaggedAddress(String address, int port) {}

    /// In our own datacenter.
    public Instance(
            String id,
            String service,
            Node node,
            String serviceAddress,
            int port,
            List<String> tags,
            Map<String, String> meta,
            Map<String, TaggedAddress> taggedAddresses,
            Weights weights,
            List<Check> checks) {
        this(id, service, node, serviceAddress, port, tags, meta, taggedAddresses, weights, checks, 0);
    }

    public Instance {
        tags = List.copyOf(tags);
        meta = Map.copyOf(meta);
        taggedAddresses = Map.copyOf(taggedAddresses);
        checks = List.copyOf(checks);
    }

    /// Unique in the whole catalog: service ids are unique on one node only, and nodes in one datacenter only, which is
    /// named where it is not our own.
    public String key() {
        String inItsDatacenter = node.name() + "/" + id;
        return distance == 0 ? inItsDatacenter : node.datacenter() + ":" + inItsDatacenter;
    }

    /// Where the instance is reached: its own address, or else its node's.
    public String address() {
        return serviceAddress.isEmpty() ? node.address() : serviceAddress;
    }

    /// Whether the other is the same registration, whatever the checks and the node's own facts.
    boolean registeredAs(Instance other) {
        return id.equals(other.id)
                && service.equals(other.service)
                && serviceAddress.equals(other.serviceAddress)
                && port == other.port
                && tags.equals(other.tags)
                && meta.equals(other.meta)
                && taggedAddresses.equals(other.taggedAddresses)
                && weights.equals(other.weights);
    }

    Instance withNode(Node other) {
        return new Instance(id, service, other, serviceAddress, port, tags, meta, taggedAddresses, weights, checks, distance);
    }

    /// The same, seen from another datacenter.
    Instance at(int other) {
        return new Instance(id, service, node, serviceAddress, port, tags, meta, taggedAddresses, weights, checks, other);
    }

    Instance withChecks(List<Check> others) {
        return new Instance(id, service, node, serviceAddress, port, tags, meta, taggedAddresses, weights, others, distance);
    }

    public Health health() {
        Health worst = Health.PASSING;
        for (Check check : checks) {
            worst = worst.worse(check.status());
        }
        return worst;
    }

    /// Consul's weight for the present health; 0 for an instance that gets no traffic.
    public int weight() {
        return switch (health()) {
            case PASSING, PANICKING -> weights.passing();
            case WARNING -> weights.warning();
            case CRITICAL, MAINTENANCE -> 0;
        };
    }
}
