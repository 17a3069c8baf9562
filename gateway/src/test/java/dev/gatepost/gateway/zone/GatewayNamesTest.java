package dev.gatepost.gateway.zone;

import dev.gatepost.dns.Answer;
import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rdata;
import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Locality;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.catalog.Weights;
import dev.gatepost.gateway.config.GatewayConfig.Dns.Profile;
import java.net.InetAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Names that answer for the gate, and names that leave out what the gate has found out not to work.
class GatewayNamesTest {
    private static final Node NODE = new Node("n1", "", "10.0.0.1", "dc1", Map.of(), Map.of());
    private static final InetAddress GATE = InetAddress.ofLiteral("192.0.2.10");
    private static final InetAddress OTHER_GATE = InetAddress.ofLiteral("192.0.2.11");
    private static final InetAddress GATE6 = InetAddress.ofLiteral("2001:db8::10");
    private static final GateView SHOP = new GateView(hosts(Set.of("web", "shop"), Set.of("web.service.consul", "v2.web.service.consul"), Set.of("web.service.consul")), Withheld.NOTHING);

    private static final Snapshot CATALOG = snapshot(
            service("web", at("web", "w1", "10.0.1.1", 80, Health.PASSING, "v1", "v2"), at("web", "w2", "10.0.1.2", 80, Health.PASSING, "v1")),
            service("down", at("down", "d1", "10.0.2.1", 80, Health.CRITICAL)),
            service("db", at("db", "b1", "10.0.3.1", 5432, Health.PASSING)));

    @Test
    void aServiceWithARouteAnswersTheGatewayAndOneWithoutItsInstances() {
        ServiceZone zone = zone(gateways(Map.of("*", true), GATE, GATE6)).next(CATALOG, List.of(), SHOP, 1);
        assertEquals(Set.of("192.0.2.10"), rdata(zone, "web.service.consul", RRType.A));
        assertEquals(Set.of("2001:db8:0:0:0:0:0:10"), rdata(zone, "web.service.dc1.consul", RRType.AAAA));
        assertEquals(Set.of("1 1 8080 c000020a.addr.dc1.consul.", "1 1 8080 20010db8000000000000000000000010.addr.dc1.consul."), rdata(zone, "_web._tcp.service.consul", RRType.SRV));
        assertEquals(Set.of("10.0.3.1"), rdata(zone, "db.service.consul", RRType.A), "no route leads to it");
    }

    @Test
    void aTagsNameAnswersTheGatewayOnlyWhereARouteServesIt() {
        ServiceZone zone = zone(gateways(Map.of("*", true), GATE)).next(CATALOG, List.of(), SHOP, 1);
        assertEquals(Set.of("10.0.1.1", "10.0.1.2"), rdata(zone, "v1.web.service.consul", RRType.A));
        assertEquals(Set.of("192.0.2.10"), rdata(zone, "v2.web.service.consul", RRType.A));
    }

    @Test
    void aServiceIsAnsweredByTheGatewayThoughNoneOfItsInstancesIsHealthy() {
        GateView gate = new GateView(hosts(Set.of("down"), Set.of(), Set.of()), Withheld.NOTHING);
        assertEquals(Set.of("192.0.2.10"), rdata(zone(gateways(Map.of("down", true), GATE)).next(CATALOG, List.of(), gate, 1), "down.service.consul", RRType.A));
    }

    @Test
    void anExactNameGoesBeforeAPrefixAndTheServicesOwnWordBeforeBoth() {
        Gateways gateways = gateways(Map.of("*", true, "web", false, "sh*", false), GATE);
        Snapshot catalog = snapshot(
                service("web", at("web", "w1", "10.0.1.1", 80, Health.PASSING)),
                service("shop", at("shop", "s1", "10.0.1.2", 80, Health.PASSING, "gatepost.dns-answer=gateway")),
                service("shed", at("shed", "s1", "10.0.1.3", 80, Health.PASSING)),
                service("other", withMeta(at("other", "o1", "10.0.1.4", 80, Health.PASSING), Map.of("gatepost-dns-answer", "instances"))),
                service("more", at("more", "m1", "10.0.1.5", 80, Health.PASSING)));
        GateView gate = new GateView(hosts(catalog.services().keySet(), Set.of(), Set.of()), Withheld.NOTHING);
        ServiceZone zone = zone(gateways).next(catalog, List.of(), gate, 1);
        Map<String, String> answers = catalog.services().keySet().stream()
                .collect(Collectors.toMap(name -> name, name -> String.join(" ", rdata(zone, name + ".service.consul", RRType.A))));
        assertEquals(Map.of("web", "10.0.1.1", "shop", "192.0.2.10", "shed", "10.0.1.3", "other", "10.0.1.4", "more", "192.0.2.10"), answers);
    }

    @Test
    void aNameThatIsServedSecurelyTellsHowItIsReachedByHttps() {
        ServiceZone zone = zone(gateways(Map.of("*", true), GATE, GATE6)).next(CATALOG, List.of(), SHOP, 1);
        assertEquals(
                Set.of("1 . alpn=h2,http/1.1 port=8443 ipv4hint=192.0.2.10 ipv6hint=2001:db8:0:0:0:0:0:10"), rdata(zone, "web.service.consul", RRType.HTTPS));
        assertEquals(
                Set.of("1 web.service.consul. alpn=h2,http/1.1 port=8443 ipv4hint=192.0.2.10 ipv6hint=2001:db8:0:0:0:0:0:10"),
                rdata(zone, "_8443._https.web.service.consul", RRType.HTTPS));
        Answer served = Answer.of(zone.zone(), DomainName.of("web.service.consul"), RRType.HTTPS);
        assertTrue(served.answers().getFirst().endsWith("1 . alpn=h2,http/1.1 port=8443 ipv4hint=192.0.2.10 ipv6hint=2001:db8:0:0:0:0:0:10"), served::toString);
        for (String name : List.of("v2.web.service.consul", "_web._tcp.service.consul", "db.service.consul", "down.service.consul", "n1.node.consul", "service.consul", "consul")) {
            Answer none = Answer.of(zone.zone(), DomainName.of(name), RRType.HTTPS);
            assertEquals(List.of(0, 0, 1), List.of(none.rcode(), none.answers().size(), none.authority().size()), name + " " + none);
        }
    }

    @Test
    void theUsualPortGoesWithoutSaying() {
        Gateways gateways = new Gateways(Map.of("*", true), List.of(GATE), List.of(), 80, 443);
        ServiceZone zone = zone(gateways).next(CATALOG, List.of(), SHOP, 1);
        assertEquals(Set.of("1 . alpn=h2,http/1.1 ipv4hint=192.0.2.10"), rdata(zone, "web.service.consul", RRType.HTTPS));
        assertTrue(!zone.zone().contains(DomainName.of("_443._https.web.service.consul")));
    }

    @Test
    void aWrittenNameThatLeadsToTheGatewaysTellsHowItIsReachedByHttps() {
        GateView gate = new GateView(hosts(Set.of(), Set.of("www.example.com"), Set.of("www.example.com", "own.example.com", "else.example.com")), Withheld.NOTHING);
        StaticZone written = new StaticZone(DomainName.of("example.com"), Optional.empty(), Map.of(
                DomainName.of("www.example.com"), RRset.of(Duration.ofMinutes(1), List.of(new Rdata.Address(GATE))),
                DomainName.of("own.example.com"), RRset.of(Duration.ofMinutes(1), List.of(new Rdata.Address(GATE), new Rdata.Opaque(RRType.HTTPS, "000200"))),
                DomainName.of("else.example.com"), RRset.of(Duration.ofMinutes(1), List.of(new Rdata.Address(InetAddress.ofLiteral("192.0.2.99"))))));
        List<StaticZone> statics = List.of(written);
        ServiceZone zone = zone(gateways(Map.of(), GATE)).next(CATALOG, statics, gate, 1);
        assertEquals(Set.of("1 . alpn=h2,http/1.1 port=8443 ipv4hint=192.0.2.10"), rdata(zone, "www.example.com", RRType.HTTPS));
        assertEquals(Set.of("\\# 3 000200"), rdata(zone, "own.example.com", RRType.HTTPS));
        assertEquals(Set.of(), rdata(zone, "else.example.com", RRType.HTTPS));
        assertEquals(Set.of(), rdata(zone.next(CATALOG, statics, GateView.NONE, 2), "www.example.com", RRType.HTTPS), "once no route serves it");
    }

    @Test
    void theGatewaysMayBeTheHealthyInstancesOfAService() {
        Gateways gateways = new Gateways(Map.of("*", true), List.of(), List.of("edge"), 80, 0);
        Service web = service("web", at("web", "w1", "10.0.1.1", 80, Health.PASSING));
        Instance one = at("edge", "e1", "192.0.2.10", 80, Health.PASSING);
        Instance two = at("edge", "e2", "192.0.2.11", 80, Health.PASSING);
        ServiceZone both = zone(gateways).next(snapshot(web, service("edge", one, two)), List.of(), SHOP, 1);
        assertEquals(Set.of("192.0.2.10", "192.0.2.11"), rdata(both, "web.service.consul", RRType.A));
        ServiceZone single = both.next(snapshot(web, service("edge", one, at("edge", "e2", "192.0.2.11", 80, Health.CRITICAL))), List.of(), SHOP, 2);
        assertEquals(Set.of("192.0.2.10"), rdata(single, "web.service.consul", RRType.A));
        ServiceZone none = single.next(snapshot(web), List.of(), SHOP, 3);
        assertEquals(Set.of("10.0.1.1"), rdata(none, "web.service.consul", RRType.A), "nobody knows where the gateways are");
    }

    @Test
    void aGatewayThatDrainsIsNoLongerAnsweredUnlessItIsTheOnlyOne() {
        GateView draining = new GateView(SHOP.hosts(), new Withheld(Map.of(), Set.of(GATE)));
        ServiceZone pair = zone(gateways(Map.of("*", true), GATE, OTHER_GATE)).next(CATALOG, List.of(), SHOP, 1);
        assertEquals(Set.of("192.0.2.11"), rdata(pair.next(CATALOG, List.of(), draining, 2), "web.service.consul", RRType.A));
        ServiceZone alone = zone(gateways(Map.of("*", true), GATE)).next(CATALOG, List.of(), SHOP, 1);
        assertEquals(Set.of("192.0.2.10"), rdata(alone.next(CATALOG, List.of(), draining, 2), "web.service.consul", RRType.A));
    }

    @Test
    void consulsProfileAnswersTheGatewayAndLeavesOutWhatIsWithheldAsWell() {
        ZoneSettings settings = new ZoneSettings(
                DomainName.of("consul"), Optional.empty(), Ttls.of(Duration.ZERO), Duration.ZERO, HealthRule.PASSING, List.of(), Profile.CONSUL_1_8, false,
                gateways(Map.of("shop", true), GATE), Locality.UNKNOWN, List.of());
        Snapshot catalog = snapshot(
                service("shop", at("shop", "s1", "10.0.1.9", 80, Health.PASSING)),
                service("web", at("web", "w1", "10.0.1.1", 80, Health.PASSING), at("web", "w2", "10.0.1.2", 80, Health.PASSING)));
        GateView gate = new GateView(SHOP.hosts(), withheld("web", "n1/w1"));
        ServiceZone zone = ServiceZone.of(catalog, settings, 1).next(catalog, List.of(), gate, 2);
        assertEquals(Set.of("10.0.1.2"), answered(zone, "web.service.consul", RRType.A));
        assertEquals(Set.of("192.0.2.10"), answered(zone, "shop.service.consul", RRType.A));
        assertEquals(1, Answer.of(zone.zone(), DomainName.of("shop.service.consul"), RRType.HTTPS).authority().size());
    }

    @Test
    void anInstanceThatIsWithheldIsNotAnsweredAndWhatIsLeftIsShortLived() {
        GateView gate = new GateView(ServedHosts.NONE, withheld("web", "n1/w1"));
        ServiceZone zone = zone(Gateways.NONE);
        ServiceZone fewer = zone.next(CATALOG, List.of(), gate, 2);
        assertEquals(Set.of("10.0.1.2"), rdata(fewer, "web.service.consul", RRType.A));
        assertEquals(Set.of("1 1 80 0a000102.addr.dc1.consul."), rdata(fewer, "_web._v1.service.consul", RRType.SRV));
        assertEquals(Duration.ofSeconds(1), set(fewer, "web.service.consul", RRType.A).ttl());
        assertEquals(Set.of("10.0.1.1"), rdata(fewer, "v2.web.service.consul", RRType.A), "the only one of its tag");
        assertSame(set(zone, "db.service.consul", RRType.A), set(fewer, "db.service.consul", RRType.A), "costs as much as what changed");
        ServiceZone again = fewer.next(CATALOG, List.of(), GateView.NONE, 3);
        assertEquals(Set.of("10.0.1.1", "10.0.1.2"), rdata(again, "web.service.consul", RRType.A));
        assertEquals(Duration.ofSeconds(60), set(again, "web.service.consul", RRType.A).ttl());
    }

    @Test
    void noMoreThanHalfOfTheInstancesLeaveAndThoseThatFailedFirstDo() {
        for (int count = 1; count <= 7; count++) {
            List<Instance> instances = IntStream.range(0, count).mapToObj(i -> at("web", "w" + i, "10.0.1." + i, 80, Health.PASSING)).toList();
            Map<String, String> failed = new LinkedHashMap<>();
            instances.reversed().forEach(each -> failed.put(each.key(), "refused"));
            List<Instance> left = new Withheld(Map.of("web", failed), Set.of()).leave("web", instances);
            assertEquals(instances.subList(0, count - count / 2), left, "of " + count);
        }
    }

    @Test
    void aTypeThatOnlyWithheldInstancesHaveIsAnsweredAllTheSame() {
        Snapshot dual = snapshot(service("six", at("six", "s4", "10.0.1.1", 80, Health.PASSING), at("six", "s6", "fd00::1", 80, Health.PASSING)));
        GateView gate = new GateView(ServedHosts.NONE, withheld("six", "n1/s6"));
        ServiceZone zone = zone(Gateways.NONE).next(dual, List.of(), gate, 2);
        assertEquals(Set.of("fd00:0:0:0:0:0:0:1"), rdata(zone, "six.service.consul", RRType.AAAA));
        assertEquals(Set.of("1 1 80 0a000101.addr.dc1.consul."), rdata(zone, "six.service.consul", RRType.SRV));
    }

    @Test
    void whatConsulSaysIsNotMadeUpForByWhatTheGateSays() {
        GateView gate = new GateView(ServedHosts.NONE, withheld("down", "n1/d1"));
        assertEquals(Set.of(), rdata(zone(Gateways.NONE).next(CATALOG, List.of(), gate, 2), "down.service.consul", RRType.A));
    }

    @Test
    void theExplanationNamesTheGateAndItsReason() {
        ServiceZone withheld = zone(Gateways.NONE).next(CATALOG, List.of(), new GateView(ServedHosts.NONE, withheld("web", "n1/w1")), 2);
        var passedOver = withheld.explain(DomainName.of("web.service.consul"), RRType.A).considered().getFirst();
        assertEquals(List.of("n1/w1", false, "the gate passes it over: connection refused"), List.of(passedOver.instance(), passedOver.answered(), passedOver.why()));
        ServiceZone fronted = zone(gateways(Map.of("*", true), GATE)).next(CATALOG, List.of(), SHOP, 2);
        DnsExplanation explanation = fronted.explain(DomainName.of("web.service.consul"), RRType.A);
        assertEquals("the gateway's addresses in place of 2 instances, as dns.answer says", explanation.why());
        assertTrue(explanation.considered().stream().noneMatch(DnsExplanation.Considered::answered));
        ServiceZone unserved = zone(gateways(Map.of("*", true), GATE)).next(
                CATALOG, List.of(), new GateView(hosts(Set.of("web"), Set.of(), Set.of()), Withheld.NOTHING), 2);
        assertEquals(
                "the gateway's addresses in place of 2 instances, as dns.answer says; no route serves the host web.service.consul, so that requests for it get 404",
                unserved.explain(DomainName.of("web.service.consul"), RRType.A).why());
        assertEquals(
                "1 of 1 instances answered; dns.answer says gateway, but no route leads to this service",
                fronted.explain(DomainName.of("db.service.consul"), RRType.A).why());
    }

    @Test
    void whatIsInTheGatewaysOwnZoneComesFirstWhileEnoughOfItIsHealthy() {
        Node far = new Node("n2", "", "10.0.0.2", "dc1", Map.of(), Map.of("zone", "b"));
        Node near = new Node("n3", "", "10.0.0.3", "dc1", Map.of(), Map.of("zone", "a"));
        ZoneSettings settings = ZoneSettings.strict(DomainName.of("consul"), Duration.ofMinutes(1), Duration.ofSeconds(1), HealthRule.PASSING, List.of())
                .withLocality(new Locality("a", "zone"));
        Instance one = on(near, "w1", "10.0.1.1", Health.PASSING);
        Instance two = on(near, "w2", "10.0.1.2", Health.PASSING);
        Instance three = on(far, "w3", "10.0.1.3", Health.PASSING);
        Instance four = on(NODE, "w4", "10.0.1.4", Health.PASSING);
        assertEquals(Set.of("10.0.1.1", "10.0.1.2"), firsts(settings, one, two, three, four));
        assertEquals(Set.of("10.0.1.1"), firsts(settings, one, on(near, "w2", "10.0.1.2", Health.CRITICAL), three, four), "half of them");
        Instance lost = on(near, "w5", "10.0.1.5", Health.CRITICAL);
        assertEquals(
                Set.of("10.0.1.1", "10.0.1.3", "10.0.1.4"), firsts(settings, one, on(near, "w2", "10.0.1.2", Health.CRITICAL), lost, three, four), "less than half");
        assertEquals(Set.of("10.0.1.3", "10.0.1.4"), firsts(settings, three, four), "none there");
    }

    /// Which addresses come first in some of many answers, all of which hold all addresses.
    private static Set<String> firsts(ZoneSettings settings, Instance... instances) {
        ServiceZone zone = ServiceZone.of(snapshot(service("web", instances)), settings, 1);
        Set<String> first = new java.util.HashSet<>();
        Set<Set<String>> whole = new java.util.HashSet<>();
        for (int i = 0; i < 200; i++) {
            List<String> lines = Answer.of(zone.zone(), DomainName.of("web.service.consul"), RRType.A).answers();
            first.add(lines.getFirst().substring(lines.getFirst().lastIndexOf(' ') + 1));
            whole.add(Set.copyOf(lines));
        }
        assertEquals(1, whole.size(), whole::toString);
        return first;
    }

    private static Instance on(Node node, String id, String address, Health health) {
        return new Instance(id, "web", node, address, 80, List.of(), Map.of(), Map.of(), new Weights(1, 1), List.of(new Check("c", "c", health)));
    }

    private static Withheld withheld(String service, String... keys) {
        Map<String, String> reasons = new LinkedHashMap<>();
        for (String each : keys) {
            reasons.put(each, "connection refused");
        }
        return new Withheld(Map.of(service, reasons), Set.of());
    }

    private static ServiceZone zone(Gateways gateways) {
        ZoneSettings settings = ZoneSettings.strict(DomainName.of("consul"), Duration.ofMinutes(1), Duration.ofSeconds(1), HealthRule.PASSING, List.of());
        return ServiceZone.of(CATALOG, settings.withGateways(gateways), 0);
    }

    private static Gateways gateways(Map<String, Boolean> answers, InetAddress... addresses) {
        return new Gateways(answers, List.of(addresses), List.of(), 8080, 8443);
    }

    private static ServedHosts hosts(Set<String> services, Set<String> served, Set<String> secure) {
        return new ServedHosts() {
            @Override
            public boolean leadTo(String service) {
                return services.contains(service);
            }

            @Override
            public boolean serve(String host) {
                return served.contains(host);
            }

            @Override
            public boolean serveSecurely(String host) {
                return secure.contains(host);
            }
        };
    }

    private static RRset set(ServiceZone zone, String name, int type) {
        return zone.zone().at(DomainName.of(name)).stream().filter(each -> each.type() == type).findFirst().orElseThrow();
    }

    private static Set<String> rdata(ServiceZone zone, String name, int type) {
        return zone.zone().at(DomainName.of(name)).stream()
                .filter(each -> each.type() == type)
                .flatMap(each -> each.records().stream())
                .map(Rdata::text)
                .collect(Collectors.toSet());
    }

    private static Set<String> answered(ServiceZone zone, String name, int type) {
        return Answer.of(zone.zone(), DomainName.of(name), type).answers().stream().map(line -> line.substring(line.lastIndexOf(' ') + 1)).collect(Collectors.toSet());
    }

    private static Snapshot snapshot(Service... services) {
        var byName = new HashMap<String, Service>();
        for (Service each : services) {
            byName.put(each.name(), each);
        }
        return new Snapshot(byName, Map.of(NODE.name(), NODE));
    }

    private static Service service(String name, Instance... instances) {
        return new Service(name, List.of(instances));
    }

    private static Instance at(String service, String id, String address, int port, Health health, String... tags) {
        return new Instance(id, service, NODE, address, port, List.of(tags), Map.of(), Map.of(), new Weights(1, 1), List.of(new Check("c", "c", health)));
    }

    private static Instance withMeta(Instance one, Map<String, String> meta) {
        return new Instance(one.id(), one.service(), one.node(), one.serviceAddress(), one.port(), one.tags(), meta, Map.of(), one.weights(), one.checks());
    }
}
