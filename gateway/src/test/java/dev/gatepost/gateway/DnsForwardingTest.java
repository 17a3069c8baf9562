package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatepost.gateway.catalog.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// A whole gateway that forwards to a real Unbound, asked with dig.
@Timeout(60)
class DnsForwardingTest {
    private static final String RECORDS = """
            local-zone: "example.net." static
            local-data: "example.net. 300 IN SOA ns.example.net. root.example.net. 1 3600 600 86400 60"
            local-data: "www.example.net. 300 IN A 192.0.2.1"
            local-data: "www.example.net. 300 IN A 192.0.2.2"
            local-data: "alias.example.net. 300 IN CNAME www.example.net."
            """;

    @TempDir
    Path home;

    @Test
    void forwardsWhatIsNotItsOwnAndAnswersFromTheCacheWhenTheUpstreamHasGone() throws Exception {
        Path upstream = Files.createDirectory(home.resolve("unbound"));
        Path edge = Files.createDirectory(home.resolve("gatepost"));
        Files.writeString(edge.resolve("services.yaml"), "services: [ { name: web, instances: [ { id: web-1, address: 127.0.0.1, port: 9001 } ] } ]\n");
        UnboundServer unbound = UnboundServer.start(upstream, RECORDS, "");
        try (unbound;
                RunningGateway gatepost = RunningGateway.start(
                        edge, "catalog: { file: services.yaml }", "dns.forward: [ { zone: \".\", to: [ 127.0.0.1:" + unbound.port() + " ] } ]")) {
            String first = gatepost.dig("www.example.net", "A");
            assertTrue(first.contains("192.0.2.1") && first.contains("192.0.2.2"), first);
            assertTrue(first.contains("flags: qr rd ra;"), first);
            assertTrue(gatepost.dig("web.service.consul", "A").contains("127.0.0.1"));
            assertTrue(gatepost.dig("nobody.example.net", "A", "+tcp").contains("status: NXDOMAIN"));

            unbound.close();
            assertTrue(gatepost.dig("www.example.net", "A").contains("192.0.2.1"));
            assertTrue(gatepost.dig("nobody.example.net", "A").contains("status: NXDOMAIN"));
            String unknown = gatepost.dig("other.example.net", "A");
            assertTrue(unknown.contains("status: SERVFAIL") && unknown.contains("EDE: 22"), unknown);

            String asked = "forward 127.0.0.1:" + unbound.port();
            Await.until("all is logged", Duration.ofSeconds(10), () -> sources(gatepost).size() == 6);
            assertEquals(List.of(asked, "zone", asked, "cache", "cache", "forward"), sources(gatepost));
        }
    }

    @Test
    void answersWhereTheRestOfAClientsSearchListLeads() throws Exception {
        Path upstream = Files.createDirectory(home.resolve("unbound"));
        Path edge = Files.createDirectory(home.resolve("gatepost"));
        Files.writeString(edge.resolve("services.yaml"), "services: [ { name: web, instances: [ { id: web-1, address: 127.0.0.1, port: 9001 } ] } ]\n");
        try (UnboundServer unbound = UnboundServer.start(upstream, RECORDS, "");
                RunningGateway gatepost = RunningGateway.start(
                        edge,
                        "catalog: { file: services.yaml }",
                        "dns.search: [ node.consul, service.consul ]",
                        "dns.forward: [ { zone: \".\", to: [ 127.0.0.1:" + unbound.port() + " ] } ]")) {
            Await.until("the service is known", Duration.ofSeconds(10), () -> gatepost.dig("web.service.consul", "A").contains("127.0.0.1"));
            assertEquals(List.of("web.service.consul.", "127.0.0.1"), gatepost.dig("Web.Node.consul", "A", "+short").toLowerCase(java.util.Locale.ROOT).lines().toList());
            for (int round = 0; round < 2; round++) { // asked for, and from the cache
                List<String> outside = gatepost.dig("www.example.net.node.consul", "A", "+short").lines().toList();
                assertEquals("www.example.net.", outside.getFirst());
                assertEquals(List.of("192.0.2.1", "192.0.2.2"), outside.stream().skip(1).sorted().toList());
                for (String no : List.of("nobody.example.net.node.consul", "nobody.node.consul")) {
                    String answer = gatepost.dig(no, "A");
                    assertTrue(answer.contains("status: NXDOMAIN") && answer.contains("ANSWER: 0, AUTHORITY: 1") && answer.contains("node.consul."), answer);
                }
            }
            assertTrue(gatepost.dig("www.example.net.service.consul", "A").contains("status: NXDOMAIN"), "not the first of the list");
            assertTrue(gatepost.dig("www.example.net.node.consul", "TXT").contains("status: NXDOMAIN"));
            assertTrue(gatepost.dig("www.example.net.node.consul", "A", "+norecurse").contains("status: NXDOMAIN"));
        }
    }

    @Test
    void showsAndForgetsWhatItRemembers() throws Exception {
        Path upstream = Files.createDirectory(home.resolve("unbound"));
        Path edge = Files.createDirectory(home.resolve("gatepost"));
        Files.writeString(edge.resolve("services.yaml"), "services: []\n");
        Path hosts = Files.writeString(edge.resolve("hosts"), "10.9.8.7 printer.corp printer # by the door\nnonsense\n");
        Files.writeString(edge.resolve("block"), "tracker.example.net\n0.0.0.0 ads.example.net\n");
        try (UnboundServer unbound = UnboundServer.start(upstream, RECORDS, "");
                RunningGateway gatepost = RunningGateway.start(
                        edge,
                        "catalog: { file: services.yaml }",
                        "dns.hosts: [ hosts ]",
                        "dns.block: [ block ]",
                        "dns.forward: [ { zone: \".\", to: [ 127.0.0.1:" + unbound.port() + " ] } ]")) {
            assertEquals("forwarded", gatepost.explainName("www.example.net", "A").path("outcome").asText());
            gatepost.dig("www.example.net", "A");
            JsonNode cached = gatepost.admin("/api/v1/dns/cache?name=www.example.net");
            assertEquals("fresh", cached.at("/0/state").asText(), cached::toString);
            assertTrue(cached.at("/0/records").toString().contains("192.0.2.1"), cached::toString);
            assertEquals("127.0.0.1:" + unbound.port(), cached.at("/0/upstream").asText());
            assertEquals("cached", gatepost.explainName("www.example.net", "A").path("outcome").asText());
            String flush = "/api/v1/dns/cache?name=example.net";
            assertTrue(gatepost.change("DELETE", flush + "&belo=true").contains("belo: unknown"));
            assertEquals("{\"flushed\":0}", gatepost.change("DELETE", flush).replaceAll("\\s", ""));
            assertEquals("{\"flushed\":1}", gatepost.change("DELETE", flush + "&below=true").replaceAll("\\s", ""));
            assertEquals(0, gatepost.admin("/api/v1/dns/cache?name=www.example.net").size());

            assertEquals("10.9.8.7", gatepost.dig("Printer", "A", "+short").strip());
            assertEquals("printer.corp.", gatepost.dig("7.8.9.10.in-addr.arpa", "PTR", "+short").strip());
            assertTrue(gatepost.dig("printer.corp", "AAAA").contains("ANSWER: 0, AUTHORITY: 1"));
            String blocked = gatepost.dig("a.tracker.example.net", "A");
            assertTrue(blocked.contains("status: NXDOMAIN") && blocked.contains("EDE: 15 (Blocked)"), blocked);
            assertTrue(gatepost.dig("ads.example.net", "A").contains("status: NXDOMAIN"));
            assertEquals("local", gatepost.explainName("printer", "A").path("outcome").asText());

            Files.writeString(hosts, "10.9.8.6 printer\n");
            Await.until("the file is reread", Duration.ofSeconds(10), () -> gatepost.dig("printer", "A", "+short").strip().equals("10.9.8.6"));
        }
    }

    @Test
    void asksOverTlsWhoCanShowTheRightName() throws Exception {
        Path upstream = Files.createDirectory(home.resolve("unbound"));
        Path edge = Files.createDirectory(home.resolve("gatepost"));
        Files.writeString(edge.resolve("services.yaml"), "services: []\n");
        TestCertificate.write(upstream, "dot", "dns.test");
        int tls = UnboundServer.freePort();
        String serving = RECORDS + "interface: 127.0.0.1@%d\ntls-port: %d\ntls-service-key: \"dot.key\"\ntls-service-pem: \"dot.pem\"\n".formatted(tls, tls);
        String right = "{ zone: example.net, to: [ \"tls://127.0.0.1:%d#dns.test\" ], ca: %s }".formatted(tls, upstream.resolve("dot.pem"));
        String wrong = "{ zone: www.example.net, to: [ \"tls://127.0.0.1:%d#other.test\" ], ca: %s }".formatted(tls, upstream.resolve("dot.pem"));
        String stranger = "{ zone: alias.example.net, to: [ \"tls://127.0.0.1:%d#dns.test\" ] }".formatted(tls);
        try (UnboundServer _ = UnboundServer.start(upstream, serving, "");
                RunningGateway gatepost = RunningGateway.start(
                        edge, "catalog: { file: services.yaml }", "dns.forward: [ " + right + ", " + wrong + ", " + stranger + " ]")) {
            assertTrue(gatepost.dig("example.net", "SOA").contains("ns.example.net."));
            for (String each : List.of("www.example.net", "alias.example.net")) {
                String refused = gatepost.dig(each, "A");
                assertTrue(refused.contains("status: SERVFAIL") && refused.contains("TLS:"), refused);
            }
        }
    }

    @Test
    void answersAtOnceWhenTheUpstreamForwardsToItself() throws Exception {
        Path upstream = Files.createDirectory(home.resolve("unbound"));
        Path edge = Files.createDirectory(home.resolve("gatepost"));
        Files.writeString(edge.resolve("services.yaml"), "services: []\n");
        int port = UnboundServer.freePort();
        try (RunningGateway gatepost = RunningGateway.start(
                        edge, "catalog: { file: services.yaml }", "dns.forward: [ { zone: \".\", to: [ 127.0.0.1:" + port + " ] } ]");
                UnboundServer _ = UnboundServer.start(
                        upstream, port, "", "forward-zone:\n  name: \".\"\n  forward-addr: 127.0.0.1@" + gatepost.dnsPort())) {
            String answer = gatepost.dig("www.example.com", "A");
            assertTrue(answer.contains("status: SERVFAIL") && answer.contains("sends our questions back to us"), answer);
        }
    }

    private static List<String> sources(RunningGateway gatepost) {
        return gatepost.log().stream()
                .map(record -> record.at("/gatepost/dns"))
                .filter(JsonNode::isObject)
                .map(dns -> (dns.path("source").asText() + " " + dns.path("upstream").asText()).strip())
                .toList();
    }
}
