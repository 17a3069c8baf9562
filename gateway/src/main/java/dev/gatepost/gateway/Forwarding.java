package dev.gatepost.gateway;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.forward.ForwardSettings;
import dev.gatepost.dns.forward.ForwardZone;
import dev.gatepost.dns.forward.Forwarder;
import dev.gatepost.dns.forward.Upstream;
import dev.gatepost.gateway.config.GatewayConfig.Dns;
import java.io.IOException;

/// The configuration's `dns.forward` in the forwarder's own terms.
final class Forwarding {
    private Forwarding() {}

    static Forwarder open(Dns.Forwarding forwarding) throws IOException {
        Dns.Cache cache = forwarding.cache();
        return Forwarder.open(ForwardSettings.of(forwarding.zones().stream().map(Forwarding::zone).toList())
                .withCache(cache.size(), cache.maxTtl(), cache.maxNegativeTtl(), cache.stale()));
    }

    private static ForwardZone zone(Dns.Forward zone) {
        return new ForwardZone(DomainName.of(zone.zone()), zone.to().stream().map(server -> upstream(zone, server)).toList(), zone.mixCase());
    }

    private static Upstream upstream(Dns.Forward zone, Dns.NameServer server) {
        return server.tls()
                ? Upstream.tls(server.address(), server.serverName(), zone.ca())
                : Upstream.plain(server.address());
    }
}
