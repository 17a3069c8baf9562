package dev.gatepost.gateway.catalog;

import java.util.Map;

/// A machine of the catalog.
///
/// @param name            its spelling as registered; names compare without case
/// @param id              Consul's node UUID, empty where the registration has none
/// @param address         an IP address or a host name
/// @param taggedAddresses `lan`, `wan`, `lan_ipv4`, ... to address
public record Node(String name, String id, String address, String datacenter, Map<String, String> taggedAddresses, Map<String, String> meta) {
    public Node {
        taggedAddresses = Map.copyOf(taggedAddresses);
        meta = Map.copyOf(meta);
    }
}
