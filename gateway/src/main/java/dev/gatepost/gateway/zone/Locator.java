package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import io.netty.util.NetUtil;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// Where an instance or a node is, as DNS can say it: by addresses, or by a host name that has them, and under which name
/// an SRV record points at it.
sealed interface Locator {

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
        Locator own = of(
                instance.serviceAddress(),
                key -> Optional.ofNullable(instance.taggedAddresses().get(key)).map(Instance.TaggedAddress::address),
                Optional.empty(),
                address -> addressName(address, datacenter, names));
        boolean self = own instanceof HostName(var name) && names.ofService(instance.service(), datacenter).contains(name);
        return self ? of(instance.node(), names) : own;
    }

    static Locator of(Node node, Names names) {
        Map<String, String> tagged = node.taggedAddresses();
        return of(
                node.address(),
                key -> Optional.ofNullable(tagged.get(key)),
                Names.isHostName(node.name()) ? Optional.of(names.ofNode(node)) : Optional.empty(),
                address -> addressName(address, node.datacenter(), names));
    }

    /// @param ownName a name that resolves to all addresses
    /// @param spelled the name that spells an address, where there is no such name
    private static Locator of(
            String address, Function<String, Optional<String>> tagged, Optional<DomainName> ownName, Function<InetAddress, DomainName> spelled) {
        Optional<InetAddress> plain = ip(address);
        if (plain.isEmpty()) {
            return Names.isHostName(address)
                    ? new HostName(DomainName.of(address))
                    : new Nowhere(address.isEmpty() ? "no address" : "address '" + address + "' is neither an IP address nor a host name");
        }
        Optional<InetAddress> v4 = tagged.apply("lan_ipv4").flatMap(Locator::ip).or(() -> plain).filter(Inet4Address.class::isInstance);
        Optional<InetAddress> v6 = tagged.apply("lan_ipv6").flatMap(Locator::ip).or(() -> plain).filter(ip -> !(ip instanceof Inet4Address));
        List<InetAddress> all = Stream.of(v4, v6).flatMap(Optional::stream).toList();
        return ownName.map(name -> new Addresses(all, name, all)).orElseGet(() -> new Addresses(all, spelled.apply(plain.get()), List.of(plain.get())));
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
