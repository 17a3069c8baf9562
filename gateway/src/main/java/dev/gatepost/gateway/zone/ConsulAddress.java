package dev.gatepost.gateway.zone;

import dev.gatepost.dns.RRType;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import java.util.function.UnaryOperator;

/// Which of an instance's or a node's addresses Consul answers to a query of some type. For a type other than A and AAAA,
/// a tagged IPv6 address goes before everything.
final class ConsulAddress {
    private ConsulAddress() {}

    /// Of whatever family; empty where there is none.
    static String of(Instance instance, int queryType) {
        return choose(instance.serviceAddress(), tag -> {
            Instance.TaggedAddress tagged = instance.taggedAddresses().get(tag);
            return tagged == null ? "" : tagged.address();
        }, queryType);
    }

    static String of(Node node, int queryType) {
        return choose(node.address(), tag -> node.taggedAddresses().getOrDefault(tag, ""), queryType);
    }

    private static String choose(String plain, UnaryOperator<String> tagged, int queryType) {
        boolean four = queryType != RRType.AAAA;
        boolean six = queryType != RRType.A;
        if (six && !tagged.apply("lan_ipv6").isEmpty()) {
            return tagged.apply("lan_ipv6");
        }
        if (four && !tagged.apply("lan_ipv4").isEmpty()) {
            return tagged.apply("lan_ipv4");
        }
        return plain;
    }
}
