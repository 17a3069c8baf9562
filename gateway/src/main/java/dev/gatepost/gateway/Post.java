package dev.gatepost.gateway;

import dev.gatepost.dns.CookieSecrets;
import dev.gatepost.dns.DnsSettings;
import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.StreamLimits;
import dev.gatepost.dns.TrustedProxies;
import dev.gatepost.dns.access.Access;
import dev.gatepost.dns.access.AddressBlock;
import dev.gatepost.dns.access.AddressSet;
import dev.gatepost.dns.access.ResponseRates;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Locality;
import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.zone.Gateways;
import dev.gatepost.gateway.zone.Ttls;
import dev.gatepost.gateway.zone.ZoneSettings;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What the configuration says of the post, in its own terms: of the zone that it serves, and of whom it answers and how.
final class Post {
    private Post() {}

    /// Where there is no post, a zone is made all the same: it is explained.
    static ZoneSettings zone(GatewayConfig config, Gateways gateways) {
        HealthRule health = HealthRule.of(config.routes());
        return config.dns()
                .map(dns -> new ZoneSettings(
                        DomainName.of(dns.domain()),
                        dns.names().alternativeDomain().map(DomainName::of),
                        new Ttls(dns.ttl(), dns.names().nodeTtl().orElse(dns.ttl()), dns.names().serviceTtls()),
                        dns.negativeTtl(),
                        health,
                        ZoneSettings.nameServer(dns.address().getAddress()),
                        dns.profile(),
                        config.consul().isPresent(),
                        gateways,
                        Locality.of(config.routes()),
                        dns.names().search().stream().map(DomainName::of).toList()))
                .orElseGet(() -> ZoneSettings.strict(DomainName.of("consul"), Duration.ofSeconds(2), Duration.ofSeconds(2), health, List.of()));
    }

    static DnsSettings server(GatewayConfig config, GatewayConfig.Dns dns) {
        GatewayConfig.Dns.Ways ways = dns.ways();
        GatewayConfig.Dns.Streams streams = ways.streams();
        List<String> secrets = ways.cookies().secrets();
        return DnsSettings.DEFAULT
                .sharedIf(config.drain().handOver())
                .withStreams(StreamLimits.DEFAULT.withConnections(streams.connections(), streams.perClient(), streams.idle()))
                .withAccess(access(dns.access()))
                .withRates(rates(dns.access().rateLimit()))
                .withProxies(ways.proxyProtocol() ? address -> Cidr.anyContains(config.trustedProxies(), address) : TrustedProxies.NONE)
                .withCookies(secrets.isEmpty() ? CookieSecrets.random() : CookieSecrets.of(secrets), ways.cookies().required());
    }

    private static Access access(GatewayConfig.Dns.Access access) {
        return new Access(blocks(access.allow()), blocks(access.forwarding()), access.silent() ? Access.Admission.IGNORED : Access.Admission.REFUSED);
    }

    private static ResponseRates rates(GatewayConfig.Dns.RateLimit limit) {
        return new ResponseRates(limit.perSecond(), AddressSet.of(blocks(limit.exempt())));
    }

    private static List<AddressBlock> blocks(Optional<List<GatewayConfig.Dns.Listed>> listed) {
        return listed.map(Post::blocks).orElse(AddressSet.PRIVATE_NETWORKS);
    }

    private static List<AddressBlock> blocks(List<GatewayConfig.Dns.Listed> listed) {
        return listed.stream().map(each -> new AddressBlock(each.block().network(), each.block().prefixLength(), each.included())).toList();
    }
}
