package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatepost.gateway.catalog.ConsulAgent;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// The catalog that Consul and Gatepost are compared over, and the names that are asked for: what Consul's own DNS tests
/// set up and ask, and what its users stumbled over.
final class ComparedCatalog {
    static final int MANY = 120;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FOO_ID = "40e4a748-2192-161a-0510-9bf59fe950b5";

    private final ConsulAgent consul;

    private ComparedCatalog(ConsulAgent consul) {
        this.consul = consul;
    }

    /// Names below the domain, without it; the empty one is the domain itself. Those that are `.` at the end are absolute.
    static List<String> names() {
        Stream<String> nodes = Stream.of(
                "Foo.node", "Foo.node.dc1", "foo.node.DC1", "nofoo.node", "nofoo.node.dc1", "foo.node.dc9", "foo.bar.node", "bar6.node",
                "google.node", "inner.node", "lan.node", "mapped.node", "crit.node", "sick.node", "long.node", "sp\\032ace.node",
                "40e4a748.node", "40e4a748-2192.node", FOO_ID + ".node", "4.node", "no.node");
        Stream<String> services = Stream.of(
                "db.service", "Db.service.dc1", "db.service.dc9", "nodb.service", "v1.primary.db.service", "pRIMARY.db.service", "none.db.service",
                "v1.primary2.db.service", "udp.db.service", "self.service", "web.service", "alias.service", "alias2.service", "loop1.service",
                "ext.service", "mixed.service", "six.service", "dual.service", "lan.service", "ports.service", "same.service", "nport.service",
                "weighted.service", "states.service", "allcrit.service", "onsick.service", "unk.service", "under_score.service", "a.b.service",
                "onext.service", "onlan.service", "maint.service", "other.service");
        Stream<String> rfc2782 = Stream.of(
                "_db._tcp.service", "_db._tcp", "_db._primary.service", "_db._primary", "_db._primary.dc1", "_db._udp.service", "_db._tcp.service.dc1",
                "x._db._tcp.service", "_db.service", "_nodb._tcp.service", "_nodb._tcp");
        Stream<String> addresses = Stream.of(
                "7f000001.addr", "7F000001.addr.dc1", "26070020400508080000000000200e0e.addr", "7f00000.addr", "7f0000011.addr", "zf000001.addr", "7f000001.addr.dc9",
                "7f000001.addr.dc1.extra", "x.7f000001.addr");
        Stream<String> odd = Stream.of(
                "", "node", "service", "query", "addr", "connect", "ingress", "dc1", "service.dc1", "node.dc1", "foo.node.dc1.extra.more",
                "db.service.dc1.extra.more", "nonexisting", "nope.query", "db.virtual", "ns", "nodb.connect", "nodb.ingress", "consul.service", "some\\.dot.service", "a.nonexisting");
        Stream<String> reverse = Stream.of(
                "1.0.0.10.in-addr.arpa.", "2.0.0.10.in-addr.arpa.", "2.4.2.4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.4.2.ip6.arpa.",
                "2.4.2.4.2.4.2.4.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa.", "9.1.0.10.in-addr.arpa.", "99.0.0.10.in-addr.arpa.", "8.8.8.8.in-addr.arpa.");
        Stream<String> outside = Stream.of("www.google.com.", "fooconsul.", "consul.example.");
        return Stream.of(nodes, services, rfc2782, addresses, odd, reverse, outside).flatMap(names -> names).toList();
    }

    /// Services with more instances than some answers hold.
    static List<String> manyNames() {
        return List.of("many.service", "Four-seven-57-characters-long-0123456789-0123456789-01234.service", "many6.service", "odd.many.service", "_many._tcp");
    }

    static void register(ConsulAgent consul) {
        new ComparedCatalog(consul).all();
    }

    private void all() {
        Map<String, String> none = Map.of();
        node("Foo", FOO_ID, "10.0.0.1", Map.of("wan", "127.0.0.2"), Map.of("key", "value", "rfc1035-00", "value0"));
        node("foo.bar", "", "10.0.0.2", none, none);
        node("bar6", "", "::4242:4242", none, none);
        node("google", "", "www.google.com", none, Map.of("k", "v"));
        node("inner", "", "foo.node.consul", none, none);
        node("lan", "", "10.0.0.4", Map.of("lan_ipv4", "10.0.0.5", "lan_ipv6", "fd00::5"), none);
        node("mapped", "", "::ffff:10.0.0.7", none, none);
        node("crit", "", "10.0.0.8", none, none);
        node("sick", "", "10.0.0.9", none, none);
        node("long", "", "10.0.0.10", none, Map.of("long", "x".repeat(300)));
        node("sp ace", "", "10.0.0.11", none, none);
        node("plain", "", "10.0.0.12", none, none);
        check("crit", "", "c", "critical");
        check("sick", "", "w", "warning");

        instance("Foo", "db", "db1", "", 12345, "Primary");
        instance("foo.bar", "db", "db2", "10.0.1.9", 12346, "v1.primary");
        instance("plain", "self", "self", "self.service.consul", 1);
        instance("plain", "web", "web", "", 80);
        instance("plain", "alias", "alias", "web.service.consul", 81);
        instance("plain", "alias2", "alias2", "alias.service.consul", 82);
        instance("plain", "loop1", "loop1", "loop2.service.consul", 83);
        instance("plain", "loop2", "loop2", "loop1.service.consul", 84);
        instance("plain", "ext", "ext", "www.google.com", 443);
        instance("plain", "mixed", "m1", "www.google.com", 443);
        instance("plain", "mixed", "m2", "198.18.0.1", 443);
        instance("bar6", "six", "six1", "", 80);
        instance("plain", "six", "six2", "2607:20:4005:808::200e", 81);
        instance("plain", "dual", "d1", "fd00::9", 80);
        instance("Foo", "dual", "d2", "", 80);
        tagged("plain", "lan", "lan", "10.0.2.1", Map.of("lan_ipv4", "10.0.2.2", "lan_ipv6", "fd00::2:2"));
        instance("lan", "onlan", "onlan", "", 80);
        instance("plain", "ports", "p1", "", 1);
        instance("plain", "ports", "p2", "", 2);
        instance("plain", "same", "s1", "", 1);
        instance("plain", "same", "s2", "", 1);
        instance("plain", "nport", "nport", "", 0);
        weighted("plain", "weighted", "w1", 7, 2, "passing");
        weighted("Foo", "weighted", "w2", 7, 2, "warning");
        for (String status : List.of("passing", "warning", "critical")) {
            instance("plain", "states", "states-" + status, "10.0.3." + status.length(), 80);
            check("plain", "states-" + status, "states", status);
        }
        instance("crit", "states", "states-crit", "", 80);
        instance("sick", "onsick", "onsick", "", 80);
        instance("plain", "allcrit", "allcrit", "", 80);
        check("plain", "allcrit", "allcrit", "critical");
        instance("plain", "unk", "unk", "", 80);
        check("plain", "unk", "unk", "strange");
        instance("plain", "maint", "maint", "", 80);
        check("plain", "maint", "_service_maintenance:maint", "critical");
        instance("plain", "under_score", "under", "", 80);
        instance("plain", "a.b", "ab", "", 80);
        instance("google", "onext", "onext", "", 80);
        instance("Foo", "other", "other", "", 80);
        many();
    }

    private void many() {
        IntStream.range(0, MANY).forEach(i -> {
            String number = String.valueOf(100 + i);
            node("many" + number, "", "10.9.0." + (i + 1), Map.of(), Map.of());
            instance("many" + number, "many", "m", "", 8000, i % 2 == 0 ? "even" : "odd");
            instance("many" + number, "many6", "m6", "fd00:9::" + number, 8000);
        });
        for (int i = 0; i < 4; i++) {
            instance("many10" + i, "four-seven-57-characters-long-0123456789-0123456789-01234", "f", "", 8000);
        }
    }

    private void node(String name, String id, String address, Map<String, String> tagged, Map<String, String> meta) {
        ObjectNode body = JSON.createObjectNode().put("Node", name).put("Address", address);
        if (!id.isEmpty()) {
            body.put("ID", id);
        }
        body.set("TaggedAddresses", JSON.valueToTree(tagged));
        body.set("NodeMeta", JSON.valueToTree(meta));
        register(body);
    }

    private void instance(String node, String service, String id, String address, int port, String... tags) {
        register(body(node, service, id, address, port, tags));
    }

    private void tagged(String node, String service, String id, String address, Map<String, String> tagged) {
        ObjectNode body = body(node, service, id, address, 80);
        ObjectNode all = ((ObjectNode) body.get("Service")).putObject("TaggedAddresses");
        tagged.forEach((tag, value) -> all.putObject(tag).put("Address", value).put("Port", 80));
        register(body);
    }

    private void weighted(String node, String service, String id, int passing, int warning, String status) {
        ObjectNode body = body(node, service, id, "", 80);
        ((ObjectNode) body.get("Service")).putObject("Weights").put("Passing", passing).put("Warning", warning);
        register(body);
        check(node, id, "check-" + id, status);
    }

    private static ObjectNode body(String node, String service, String id, String address, int port, String... tags) {
        ObjectNode body = JSON.createObjectNode().put("Node", node).put("SkipNodeUpdate", true);
        ObjectNode own = body.putObject("Service").put("Service", service).put("ID", id).put("Address", address).put("Port", port);
        own.set("Tags", JSON.valueToTree(tags));
        return body;
    }

    private void check(String node, String serviceId, String id, String status) {
        ObjectNode body = JSON.createObjectNode().put("Node", node).put("SkipNodeUpdate", true);
        body.putObject("Check").put("Node", node).put("CheckID", id).put("Name", id).put("ServiceID", serviceId).put("Status", status);
        register(body);
    }

    private void register(ObjectNode body) {
        consul.put("/v1/catalog/register", body.toString());
    }
}
