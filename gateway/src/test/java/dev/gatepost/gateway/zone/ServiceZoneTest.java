package dev.gatepost.gateway.zone;

import dev.gatepost.dns.Answer;
import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rcode;
import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.catalog.Weights;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Which names a catalog has, and what is answered to them.
class ServiceZoneTest {
    private static final ZoneSettings PASSING = settings(HealthRule.PASSING);

    private static final Node NODE1 = node("node1", "10.0.0.1", "dc1", Map.of("rack", "r1", "rfc1035-motd", "hello", "a=b", "c"));
    private static final Node NODE2 = node("Node2", "10.0.0.2", "dc1", Map.of());
    private static final Node DUAL = new Node("dual", "", "10.0.0.3", "dc1", Map.of("lan_ipv4", "10.0.0.3", "lan_ipv6", "fd00::3"), Map.of());
    private static final Node REMOTE = node("far", "10.2.0.1", "dc2", Map.of());
    private static final Node NAMED = node("named", "box.example.com", "dc1", Map.of());

    static final Snapshot CATALOG = snapshot(
            List.of(NODE1, NODE2, DUAL, REMOTE, NAMED, node("bad name", "10.0.0.9", "dc1", Map.of()), node("a.b", "10.0.0.8", "dc1", Map.of())),
            service("web", at(NODE1, "web-1", "", 8080, Health.PASSING, "v1", "Blue"), at(NODE2, "web-2", "", 8081, Health.PASSING, "v2"), at(NODE2, "web-3", "", 8082, Health.CRITICAL, "v3")),
            service("Db", at(NODE1, "db-1", "10.0.1.1", 5432, Health.PASSING, "primary", "v1.dotted"), at(NODE2, "db-2", "10.0.1.2", 5432, Health.WARNING)),
            service("six", at(DUAL, "six-1", "", 80, Health.PASSING), at(NODE1, "six-2", "fd00::77", 81, Health.PASSING)),
            service("down", at(NODE1, "down-1", "", 80, Health.CRITICAL)),
            service("far", at(REMOTE, "far-1", "", 80, Health.PASSING), at(NODE1, "far-2", "", 80, Health.PASSING)),
            service("ext", at(NODE1, "ext-1", "www.example.com", 443, Health.PASSING), at(NODE1, "ext-2", "alt.example.com", 443, Health.PASSING)),
            service("mixed", at(NODE1, "m-1", "www.example.com", 443, Health.PASSING), at(NODE1, "m-2", "10.0.1.9", 443, Health.PASSING)),
            service("own", at(NODE1, "own-1", "own.service.consul", 1, Health.PASSING)),
            service("inner", at(NODE1, "inner-1", "web.service.consul", 1, Health.PASSING)),
            service("onnamed", at(NAMED, "n-1", "", 1, Health.PASSING)),
            service("ports", at(NODE1, "p-1", "", 1, Health.PASSING), at(NODE1, "p-2", "", 2, Health.PASSING)),
            service("a.b", at(NODE1, "ab", "", 1, Health.PASSING)),
            service("x".repeat(64), at(NODE1, "x", "", 1, Health.PASSING)),
            service("odd", at(NODE1, "odd", "not an address", 1, Health.PASSING, "urlprefix-/foo", "_x", "", "tcp", "ok-tag")));

    private final ServiceZone zone = ServiceZone.of(CATALOG, PASSING, 3);

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            web.service.consul              | A     | NOERROR  | 10.0.0.1 10.0.0.2
            web.service.dc1.consul          | A     | NOERROR  | 10.0.0.1 10.0.0.2
            web.service.dc2.consul          | A     | NXDOMAIN |
            web.service.consul              | AAAA  | NOERROR  |
            web.service.consul              | SRV   | NOERROR  | 1_1_8080_node1.node.dc1.consul. 1_1_8081_Node2.node.dc1.consul.
            v1.web.service.consul           | A     | NOERROR  | 10.0.0.1
            BLUE.web.service.consul         | A     | NOERROR  | 10.0.0.1
            v3.web.service.consul           | A     | NOERROR  |
            v4.web.service.consul           | A     | NXDOMAIN |
            _web._tcp.service.consul        | SRV   | NOERROR  | 1_1_8080_node1.node.dc1.consul. 1_1_8081_Node2.node.dc1.consul.
            _web._tcp.service.consul        | A     | NOERROR  | 10.0.0.1 10.0.0.2
            _web._tcp.consul                | SRV   | NOERROR  | 1_1_8080_node1.node.dc1.consul. 1_1_8081_Node2.node.dc1.consul.
            _web._tcp.dc1.consul            | SRV   | NOERROR  | 1_1_8080_node1.node.dc1.consul. 1_1_8081_Node2.node.dc1.consul.
            _web._tcp.consul                | A     | NOERROR  |
            _web._v1.service.consul         | SRV   | NOERROR  | 1_1_8080_node1.node.dc1.consul.
            _web._udp.service.consul        | SRV   | NXDOMAIN |
            db.service.consul               | A     | NOERROR  | 10.0.1.1
            db.service.consul               | SRV   | NOERROR  | 1_10_5432_0a000101.addr.dc1.consul.
            v1.dotted.db.service.consul     | A     | NOERROR  | 10.0.1.1
            dotted.db.service.consul        | A     | NOERROR  |
            six.service.consul              | A     | NOERROR  | 10.0.0.3
            six.service.consul              | AAAA  | NOERROR  | fd00:0:0:0:0:0:0:3 fd00:0:0:0:0:0:0:77
            six.service.consul              | SRV   | NOERROR  | 1_1_80_dual.node.dc1.consul. 1_1_81_fd000000000000000000000000000077.addr.dc1.consul.
            down.service.consul             | A     | NOERROR  |
            down.service.consul             | SRV   | NOERROR  |
            gone.service.consul             | A     | NXDOMAIN |
            far.service.consul              | A     | NOERROR  | 10.2.0.1 10.0.0.1
            far.service.dc2.consul          | A     | NOERROR  | 10.2.0.1
            ext.service.consul              | A     | NOERROR  | www.example.com.
            ext.service.consul              | SRV   | NOERROR  | 1_1_443_www.example.com. 1_1_443_alt.example.com.
            mixed.service.consul            | A     | NOERROR  | 10.0.1.9
            own.service.consul              | A     | NOERROR  | 10.0.0.1
            inner.service.consul            | A     | NOERROR  | web.service.consul. 10.0.0.1 10.0.0.2
            onnamed.service.consul          | A     | NOERROR  | box.example.com.
            ports.service.consul            | A     | NOERROR  | 10.0.0.1
            ports.service.consul            | SRV   | NOERROR  | 1_1_1_node1.node.dc1.consul. 1_1_2_node1.node.dc1.consul.
            b.service.consul                | A     | NXDOMAIN |
            odd.service.consul              | A     | NOERROR  |
            ok-tag.odd.service.consul       | A     | NOERROR  |
            urlprefix-/foo.odd.service.consul | A   | NXDOMAIN |
            _odd._tcp.service.consul        | SRV   | NOERROR  |
            node1.node.consul               | A     | NOERROR  | 10.0.0.1
            NODE2.node.dc1.consul           | A     | NOERROR  | 10.0.0.2
            node1.node.dc2.consul           | A     | NXDOMAIN |
            node1.node.consul               | TXT   | NOERROR  | rack=r1 hello a`=b=c
            a.b.node.consul                 | A     | NOERROR  | 10.0.0.8
            dual.node.consul                | AAAA  | NOERROR  | fd00:0:0:0:0:0:0:3
            named.node.consul               | A     | NOERROR  | box.example.com.
            nobody.node.consul              | A     | NXDOMAIN |
            0a000101.addr.dc1.consul        | A     | NOERROR  | 10.0.1.1
            0a000101.addr.consul            | A     | NOERROR  | 10.0.1.1
            1.0.0.10.in-addr.arpa           | PTR   | NOERROR  | node1.node.dc1.consul.
            1.1.0.10.in-addr.arpa           | PTR   | NOERROR  | Db.service.dc1.consul.
            7.7.0.10.in-addr.arpa           | PTR   | NXDOMAIN |
            service.consul                  | A     | NOERROR  |
            service.dc2.consul              | A     | NOERROR  |
            node.consul                     | A     | NOERROR  |
            dc1.consul                      | A     | NOERROR  |
            dc3.consul                      | A     | NXDOMAIN |
            ns.consul                       | A     | NOERROR  | 127.0.0.1
            """)
    void answers(String name, String type, String rcode, String expected) {
        Answer answer = Answer.of(zone.zone(), DomainName.of(name), RRType.parse(type).orElseThrow());
        assertEquals(rcode, Rcode.name(answer.rcode()));
        assertEquals(expected == null ? Set.of() : Set.of(expected.split(" ")), answer.answers().stream().map(ServiceZoneTest::rdata).collect(Collectors.toSet()));
        assertEquals(answer.answers().isEmpty() ? 1 : 0, answer.authority().size());
    }

    @Test
    void sendsTheAddressesOfSrvTargetsAlong() {
        Answer answer = Answer.of(zone.zone(), DomainName.of("six.service.consul"), RRType.SRV);
        assertEquals(
                Set.of("dual.node.dc1.consul. A 10.0.0.3", "dual.node.dc1.consul. AAAA fd00:0:0:0:0:0:0:3",
                        "fd000000000000000000000000000077.addr.dc1.consul. AAAA fd00:0:0:0:0:0:0:77"),
                answer.additional().stream().map(line -> line.replaceAll(" +\\d+ IN ", " ").replaceAll("  +", " ")).collect(Collectors.toSet()));
    }

    /// Whatever an SRV record points at within the zone must resolve there.
    @Test
    void everySrvTargetOfOursResolves() {
        for (Service service : CATALOG.services().values()) {
            if (!Names.isLabel(service.name())) {
                continue;
            }
            for (String line : Answer.of(zone.zone(), DomainName.of("consul").prependLabels(service.name() + ".service"), RRType.SRV).answers()) {
                DomainName target = DomainName.of(line.substring(line.lastIndexOf(' ') + 1));
                if (target.isWithin(DomainName.of("consul"))) {
                    int addresses = Answer.of(zone.zone(), target, RRType.A).answers().size() + Answer.of(zone.zone(), target, RRType.AAAA).answers().size();
                    assertTrue(addresses > 0, () -> target + " has no address");
                }
            }
        }
    }

    @Test
    void warningInstancesFollowTheGatesRule() {
        ServiceZone lenient = ServiceZone.of(CATALOG, settings(HealthRule.WARNING), 1);
        Answer answer = Answer.of(lenient.zone(), DomainName.of("db.service.consul"), RRType.SRV);
        assertEquals(Set.of("1_10_5432_0a000101.addr.dc1.consul.", "1_3_5432_0a000102.addr.dc1.consul."), answer.answers().stream().map(ServiceZoneTest::rdata).collect(Collectors.toSet()));
    }

    @Test
    void whatDnsCannotNameIsLeftOutWithTheReason() {
        assertEquals(Set.of("service a.b", "service " + "x".repeat(64), "node bad name"), zone.leftOut().keySet());
        assertEquals("name 'a.b' (expected: one label of letters, digits, '-' and '_')", zone.leftOut().get("service a.b"));
    }

    @Test
    void healthComesAndGoes() {
        Snapshot up = snapshot(List.of(NODE1), service("web", at(NODE1, "web-1", "", 80, Health.PASSING)));
        Snapshot sick = snapshot(List.of(NODE1), service("web", at(NODE1, "web-1", "", 80, Health.CRITICAL)));
        Snapshot gone = snapshot(List.of(NODE1));
        DomainName web = DomainName.of("web.service.consul");

        ServiceZone first = ServiceZone.of(up, PASSING, 1);
        ServiceZone second = first.next(sick, 2);
        ServiceZone third = second.next(gone, 3);

        assertEquals(1, Answer.of(first.zone(), web, RRType.A).answers().size());
        assertEquals(new Answer(Rcode.NOERROR, List.of(), Answer.of(second.zone(), web, RRType.A).authority(), List.of()), Answer.of(second.zone(), web, RRType.A));
        assertEquals(Rcode.NXDOMAIN, Answer.of(third.zone(), web, RRType.A).rcode());
        assertEquals(1, Answer.of(third.next(up, 4).zone(), web, RRType.A).answers().size());
        assertEquals(4, third.next(up, 4).zone().revision());
    }

    @Test
    void servicesThatDifferInCaseAloneAreOne() {
        Snapshot both = snapshot(List.of(NODE1, NODE2), service("Web", at(NODE1, "a", "", 80, Health.PASSING)), service("web", at(NODE2, "b", "", 80, Health.PASSING)));
        ServiceZone merged = ServiceZone.of(both, PASSING, 1);
        assertEquals(2, Answer.of(merged.zone(), DomainName.of("web.service.consul"), RRType.A).answers().size());
        ServiceZone one = merged.next(snapshot(List.of(NODE1, NODE2), service("Web", at(NODE1, "a", "", 80, Health.PASSING))), 2);
        assertEquals(1, Answer.of(one.zone(), DomainName.of("web.service.consul"), RRType.A).answers().size());
    }

    @Test
    void keepsTheRecordsOfServicesThatDidNotChange() {
        Map<String, Service> services = new HashMap<>(CATALOG.services());
        services.put("web", service("web"));
        ServiceZone next = zone.next(new Snapshot(services, CATALOG.nodes()), 4);
        DomainName db = DomainName.of("db.service.consul");
        assertSame(zone.zone().at(db).getFirst(), next.zone().at(db).getFirst());
        assertEquals(List.of(), next.zone().at(DomainName.of("web.service.consul")));
    }

    /// Any way to a snapshot leads to the same zone.
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void stepByStepAgreesWithFromNothing(long seed) {
        var random = new Random(seed);
        Map<String, Service> services = new HashMap<>();
        Map<String, Node> nodes = new HashMap<>();
        ServiceZone step = ServiceZone.of(Snapshot.EMPTY, PASSING, 0);
        Set<DomainName> everSeen = new HashSet<>();
        for (int round = 0; round < 60; round++) {
            for (int i = random.nextInt(4); i >= 0; i--) {
                String nodeName = "n" + random.nextInt(5);
                if (random.nextInt(5) == 0) {
                    nodes.remove(nodeName);
                } else {
                    nodes.put(nodeName, node(nodeName, "10.0.0." + random.nextInt(4), "dc" + random.nextInt(2), Map.of()));
                }
                String name = (random.nextBoolean() ? "s" : "S") + random.nextInt(6) + (random.nextInt(9) == 0 ? ".bad" : "");
                if (random.nextInt(4) == 0 || nodes.isEmpty()) {
                    services.remove(name);
                } else {
                    var instances = new ArrayList<Instance>();
                    for (int n = random.nextInt(4); n > 0; n--) {
                        Node on = List.copyOf(nodes.values()).get(random.nextInt(nodes.size()));
                        String address = random.nextBoolean() ? "" : "10.0." + random.nextInt(2) + "." + random.nextInt(4);
                        instances.add(at(on, "i" + n, address, n, random.nextBoolean() ? Health.PASSING : Health.CRITICAL, "t" + random.nextInt(3)));
                    }
                    services.put(name, new Service(name, instances));
                }
            }
            var snapshot = new Snapshot(services, nodes);
            step = step.next(snapshot, round);
            ServiceZone scratch = ServiceZone.of(snapshot, PASSING, round);
            for (Service each : snapshot.services().values()) {
                if (Names.isLabel(each.name())) {
                    everSeen.addAll(scratch.records().ofService(each.name(), each.instances(), ServiceRecords.Surroundings.NONE).keySet());
                }
            }
            for (int a = 0; a < 8; a++) {
                everSeen.add(DomainName.of(a % 4 + "." + a / 4 + ".0.10.in-addr.arpa"));
            }
            for (int n = 0; n < 5; n++) {
                everSeen.add(DomainName.of("n" + n + ".node.consul"));
            }
            assertEquals(scratch.zone().names(), step.zone().names());
            assertEquals(scratch.leftOut(), step.leftOut());
            for (DomainName name : everSeen) {
                assertEquals(scratch.zone().contains(name), step.zone().contains(name), name::toString);
                assertEquals(records(scratch, name), records(step, name), name::toString);
            }
        }
    }

    // Explaining.

    @Test
    void explainsWhichInstancesAreAnsweredAndWhichCheckKeepsAnotherOut() {
        DnsExplanation explained = zone.explain(DomainName.of("web.service.consul"), RRType.A);
        assertEquals("answer", explained.outcome());
        assertEquals(2, explained.answers().size());
        assertEquals("2 of 3 instances answered", explained.why());
        assertEquals(3, explained.revision());
        assertEquals(
                List.of(
                        new DnsExplanation.Considered("Node2/web-2", "10.0.0.2", 8081, "passing", true, ""),
                        new DnsExplanation.Considered("Node2/web-3", "10.0.0.2", 8082, "critical", false, "check 'service:web-3' is critical"),
                        new DnsExplanation.Considered("node1/web-1", "10.0.0.1", 8080, "passing", true, "")),
                explained.considered());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            down.service.consul        | A    | nodata   | the service is registered; none of its 1 instances can be answered to A
            gone.service.consul        | A    | nxdomain | no service 'gone' is registered
            v9.web.service.dc1.consul  | A    | nxdomain | no instance of 'web' has this tag or datacenter
            _web._v1.service.consul    | SRV  | answer   | 1 of 3 instances answered
            _web._tcp.consul           | SRV  | answer   | 2 of 3 instances answered
            node1.node.consul          | A    | answer   | the zone has A records or an alias at this name
            node1.node.consul          | MX   | nodata   | the name exists and has no MX records
            x.node.consul              | A    | nxdomain | no such name in node.consul.
            www.example.com            | A    | refused  | not a name of ours, and nothing to forward it to
            ext.service.consul         | A    | answer   | 2 of 2 instances answered
            mixed.service.consul       | A    | answer   | 1 of 2 instances answered
            """)
    void explainsTheOutcome(String name, String type, String outcome, String why) {
        DnsExplanation explained = zone.explain(DomainName.of(name), RRType.parse(type).orElseThrow());
        assertEquals(outcome, explained.outcome());
        assertEquals(why, explained.why());
    }

    private static List<List<dev.gatepost.dns.Rdata>> records(ServiceZone zone, DomainName name) {
        return zone.zone().at(name).stream().map(RRset::records).toList();
    }

    private static String rdata(String line) {
        String[] fields = line.trim().split("\\s+", 5);
        return fields[4].replace(' ', '_');
    }

    private static ZoneSettings settings(HealthRule rule) {
        return ZoneSettings.strict(DomainName.of("consul"), Duration.ofSeconds(2), Duration.ofSeconds(1), rule, List.of(InetAddress.ofLiteral("127.0.0.1")));
    }

    private static Snapshot snapshot(List<Node> nodes, Service... services) {
        return new Snapshot(
                List.of(services).stream().collect(Collectors.toMap(Service::name, s -> s)), nodes.stream().collect(Collectors.toMap(Node::name, n -> n)));
    }

    private static Service service(String name, Instance... instances) {
        return new Service(name, List.of(instances).stream().map(i -> new Instance(i.id(), name, i.node(), i.serviceAddress(), i.port(), i.tags(), i.meta(), i.taggedAddresses(), name.equals("Db") ? new Weights(10, 3) : i.weights(), i.checks())).toList());
    }

    private static Instance at(Node node, String id, String address, int port, Health health, String... tags) {
        return new Instance(id, "", node, address, port, List.of(tags), Map.of(), Map.of(), Weights.DEFAULT, List.of(new Check("service:" + id, id, health), new Check("serfHealth", "node", Health.PASSING)));
    }

    private static Node node(String name, String address, String datacenter, Map<String, String> meta) {
        return new Node(name, "", address, datacenter, Map.of(), meta);
    }
}
