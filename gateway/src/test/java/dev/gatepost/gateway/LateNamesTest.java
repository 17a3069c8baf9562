package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.catalog.ConsulAgent;
import dev.gatepost.gateway.catalog.Health;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Names that Consul is asked for when somebody asks: prepared queries, the mesh, another datacenter; and what is left of
/// all names when Consul dies.
class LateNamesTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path home;

    @Test
    void asksConsulWhenSomebodyAsks() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start();
                ConsulAgent far = ConsulAgent.start("-datacenter=dc2");
                RunningGateway gateway = RunningGateway.start(
                        home, "dns: { address: \"127.0.0.1:0\", alternative-domain: fleet.test }", "consul: { address: \"" + consul.address() + "\" }")) {
            consul.service("web").id("web-1").port(9001).address("10.1.0.1").tag("blue").check(Health.PASSING).register();
            consul.service("web").id("web-2").port(9002).address("10.1.0.2").check(Health.WARNING).register();
            consul.put("/v1/agent/service/register", "{\"Name\":\"native\",\"Port\":9003,\"Address\":\"10.1.0.3\",\"Connect\":{\"Native\":true}}");
            far.registerOnNode("far1", "10.2.0.1", "web", "web-f", 9100, Health.PASSING);
            far.registerOnNode("far2", "10.2.0.2", "web", "web-g", 9100, Health.CRITICAL);
            post(consul, "/v1/query", "{\"Name\":\"my.web\",\"Service\":{\"Service\":\"web\",\"Tags\":[\"blue\"]},\"DNS\":{\"TTL\":\"7s\"}}");
            consul.cli("join", "-wan", "127.0.0.1:" + far.get("/v1/agent/self").path("DebugConfig").path("SerfPortWAN").asText());
            Await.until("the catalog is served", SOON, () -> gateway.dig("native.service.consul", "A").contains("10.1.0.3"));

            String query = gateway.dig("my.web.query.consul", "A");
            assertTrue(query.contains("my.web.query.consul.\t7\tIN\tA\t10.1.0.1"), query);
            assertFalse(query.contains("10.1.0.2"), query);
            assertTrue(query.contains("flags: qr aa rd;"), query);
            String services = gateway.dig("My.Web.query.fleet.test", "SRV");
            assertTrue(services.contains("SRV\t1 1 9001 0a010001.addr.consul.") && services.contains("My.Web.query.fleet.test."), services);
            assertTrue(gateway.dig("my.web.query.consul", "MX").contains("status: NOERROR"));
            assertTrue(gateway.dig("nope.query.consul", "A").contains("status: NXDOMAIN"));
            assertTrue(gateway.dig("nope.query.consul", "A").contains("query.consul.\t\t1\tIN\tSOA"));
            assertEquals("10.1.0.3", gateway.dig("native.connect.consul", "A", "+short", "+tcp").strip());
            assertTrue(gateway.dig("web.connect.consul", "A").contains("status: NXDOMAIN"));
            assertTrue(gateway.dig("web.ingress.consul", "A").contains("status: NXDOMAIN"));

            Await.until("the other datacenter is known", SOON, () -> gateway.dig("web.service.dc2.consul", "A", "+short").strip().equals("10.2.0.1"));
            assertTrue(gateway.dig("web.service.dc2.consul", "SRV").contains("1 1 9100 0a020001.addr.consul."));
            assertEquals("10.2.0.1", gateway.dig("far1.node.dc2.consul", "A", "+short").strip());
            assertEquals("1 1 9100 0a020001.addr.consul.", gateway.dig("_web._tcp.dc2.consul", "SRV", "+short").strip());
            assertTrue(gateway.dig("web.service.dc9.consul", "A").contains("status: NXDOMAIN"));
            assertTrue(gateway.dig("www.example.com", "A").contains("status: REFUSED"));

            consul.kill();
            Await.until("answers say that they are old", SOON, () -> gateway.dig("web.service.consul", "A", "+edns").contains("EDE: 3"));
            assertEquals("10.1.0.1", gateway.dig("web.service.consul", "A", "+short").strip());
            Await.until("a query's answer says so as well", SOON, () -> gateway.dig("my.web.query.consul", "A").contains("EDE: 3"));
            assertEquals("10.1.0.1", gateway.dig("my.web.query.consul", "A", "+short").strip());
            String unknown = gateway.dig("another.query.consul", "A");
            assertTrue(unknown.contains("status: SERVFAIL") && unknown.contains("EDE: 22"), unknown);
        }
    }

    private static void post(ConsulAgent consul, String path, String body) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(consul.address() + path)).POST(HttpRequest.BodyPublishers.ofString(body)).build();
            assertEquals(200, client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
    }
}
