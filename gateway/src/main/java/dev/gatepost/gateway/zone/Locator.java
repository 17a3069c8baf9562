package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import io.netty.util.NetUtil;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Where an instance or a node is, as DNS can say it: by addresses, or by a host name that has them, and under which name
/// an SRV record points at it.
sealed interface Locator {
    String LAN_IPV4 = "lan_ipv4";
    String LAN_IPV6 = "lan_ipv6";
    Instance.TaggedAddress NOT_TAGGED = new Instance.TaggedAddress("", 0);

    /// @param addresses at most one a family
    /// @param target    a name for SRV records to point at
    /// @param glue      those of the addresses that the target resolves to
    record Addresses(List<InetAddress> addresses, DomainName target, List<InetAddress> glue) implements Locator {
        Optional<InetAddress> v4() {
            return addresses.stream().filter(Inet4Address.class::isInstance).findFirst();
        }

        Optional<InetAddress> v6() {
            return addresses.stream().filter(address -> !(address instanceof Inet4Address)).findFirst();
        }
    }

    record HostName(DomainName name) implements Locator {}

    /// Neither an address nor a host name.
    record Nowhere(String reason) implements Locator {}

    /// The service's own address wins; without one the node's is meant. A host name that is the service's own name in this
    /// zone would lead back here, so it means the node as well.
    static Locator of(Instance instance, Names names) {
        if (instance.serviceAddress().isEmpty()) {
            return of(instance.node(), names);
        }
        String datacenter = instance.node().datacenter();
        Map<String, Instance.TaggedAddress> tagged = instance.taggedAddresses();
        Locator own = of(
                instance.serviceAddress(),
                tagged.getOrDefault(LAN_IPV4, NOT_TAGGED).address(),
                tagged.getOrDefault(LAN_IPV6, NOT_TAGGED).address(),
                Optional.empty(),
                datacenter,
                names);
        boolean self = own instanceof HostName(var name) && names.ofService(instance.service(), datacenter).contains(name);
        return self ? of(instance.node(), names) : own;
    }

    static Locator of(Node node, Names names) {
        Map<String, String> tagged = node.taggedAddresses();
        Optional<DomainName> ownName = Names.isHostName(node.name()) ? Optional.of(names.ofNode(node)) : Optional.empty();
        return of(node.address(), tagged.getOrDefault(LAN_IPV4, ""), tagged.getOrDefault(LAN_IPV6, ""), ownName, node.datacenter(), names);
    }

    /// @param ownName a name that resolves to all addresses; without one, that which spells the address
    private static Locator of(String address, String taggedV4, String taggedV6, Optional<DomainName> ownName, String datacenter, Names names) {
        Optional<InetAddress> plain = ip(address);
        if (plain.isEmpty()) {
            return Names.isHostName(address)
                    ? new HostName(DomainName.of(address))
                    : new Nowhere(address.isEmpty() ? "no address" : "address '" + address + "' is neither an IP address nor a host name");
        }
        InetAddress own = plain.get();
        InetAddress v4 = ip(taggedV4).orElse(own);
        InetAddress v6 = ip(taggedV6).orElse(own);
        List<InetAddress> all = new ArrayList<>(2);
        if (v4 instanceof Inet4Address) {
            all.add(v4);
        }
        if (!(v6 instanceof Inet4Address)) {
            all.add(v6);
        }
        List<InetAddress> both = List.copyOf(all);
        return ownName.isPresent()
                ? new Addresses(both, ownName.get(), both)
                : new Addresses(both, addressName(own, datacenter, names), List.of(own));
    }

    /// An address literal; never asks a resolver. An IPv4-mapped one is the IPv4 address.
    static Optional<InetAddress> ip(String text) {
        return NetUtil.isValidIpV4Address(text) || (NetUtil.isValidIpV6Address(text) && text.indexOf('%') < 0 && text.charAt(0) != '[')
                ? Optional.of(InetAddress.ofLiteral(text))
                : Optional.empty();
    }

    private static DomainName addressName(InetAddress address, String datacenter, Names names) {
        return names.under("addr", datacenter).child(HexFormat.of().formatHex(address.getAddress()));
    }
}
