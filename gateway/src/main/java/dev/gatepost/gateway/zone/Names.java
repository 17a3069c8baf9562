package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.gateway.catalog.Node;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// The grammar of names below the domain: `web.service`, `web.service.dc1`, `node1.node`, `0a000001.addr`.
///
/// @param alternative another domain that has the same names
record Names(DomainName domain, Optional<DomainName> alternative) {
    static final List<String> KINDS = List.of("service", "connect", "ingress", "node", "query", "addr");
    private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})");
    private static final Pattern HOST_NAME = Pattern.compile(LABEL + "(\\." + LABEL + ")*\\.?");
    private static final int LONGEST = 200;

    /// One label of letters, digits, hyphens and underscores. Other bytes are legal in DNS, and no client asks for them.
    static boolean isLabel(String text) {
        return LABEL.matcher(text).matches();
    }

    /// Labels with dots between.
    static boolean isHostName(String text) {
        return text.length() <= LONGEST && HOST_NAME.matcher(text).matches();
    }

    /// `KIND.DOMAIN`, or `KIND.DATACENTER.DOMAIN`.
    DomainName under(String kind, String datacenter) {
        return within(datacenter).child(kind);
    }

    /// A datacenter's part of the domain, or all of it where the datacenter has no name.
    DomainName within(String datacenter) {
        return isLabel(datacenter) ? domain.child(datacenter) : domain;
    }

    /// With the datacenter, as it is told to others.
    DomainName ofNode(Node node) {
        return under("node", node.datacenter()).prependLabels(node.name());
    }

    /// A service's own names, without and with the datacenter.
    List<DomainName> ofService(String service, String datacenter) {
        DomainName plain = under("service", "").child(service);
        return isLabel(datacenter) ? List.of(plain, under("service", datacenter).child(service)) : List.of(plain);
    }
}
