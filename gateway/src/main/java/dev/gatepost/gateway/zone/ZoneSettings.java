package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Locality;
import dev.gatepost.gateway.config.GatewayConfig;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What the zone is made with, beside the catalog.
///
/// @param domain            the top of all service names, `consul.`
/// @param alternativeDomain another domain that has the same names
/// @param ttls        of positive answers
/// @param negativeTtl of NODATA and NXDOMAIN
/// @param health      which instances are answered: the gate's own rule
/// @param nameServer  our own addresses as clients reach them, for `ns.DOMAIN`; empty when they can't be told
/// @param profile     how answers are formed
/// @param late        whether [LateNames] may know names that the catalog doesn't
/// @param gateways    for names that answer the gateways' own addresses
/// @param locality    whose instances come first
/// @param search      the domains that clients look for names in
public record ZoneSettings(
        DomainName domain, Optional<DomainName> alternativeDomain, Ttls ttls, Duration negativeTtl, HealthRule health, List<InetAddress> nameServer, GatewayConfig.Dns.Profile profile, boolean late, Gateways gateways, Locality locality, List<DomainName> search) {
    public ZoneSettings {
        nameServer = List.copyOf(nameServer);
        search = List.copyOf(search);
    }

    /// One TTL for all, by the RFCs.
    public static ZoneSettings strict(DomainName domain, Duration ttl, Duration negativeTtl, HealthRule health, List<InetAddress> nameServer) {
        return new ZoneSettings(domain, Optional.empty(), Ttls.of(ttl), negativeTtl, health, nameServer, GatewayConfig.Dns.Profile.STRICT, false, Gateways.NONE, Locality.UNKNOWN, List.of());
    }

    public ZoneSettings withGateways(Gateways others) {
        return new ZoneSettings(domain, alternativeDomain, ttls, negativeTtl, health, nameServer, profile, late, others, locality, search);
    }

    public ZoneSettings withLocality(Locality other) {
        return new ZoneSettings(domain, alternativeDomain, ttls, negativeTtl, health, nameServer, profile, late, gateways, other, search);
    }

    /// The listening address as the name server's, unless it is the wildcard, which nobody can ask.
    public static List<InetAddress> nameServer(InetAddress listening) {
        return listening.isAnyLocalAddress() ? List.of() : List.of(listening);
    }
}
