package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.catalog.ConsulAgent;
import dev.gatepost.gateway.catalog.Health;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Two datacenters of real agents, joined: the second serves what the first can't, and nothing waits for a third that isn't there.
class DatacentersTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path home;

    @Test
    void anotherDatacenterServesWhatOurOwnCannot() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start();
                ConsulAgent far = ConsulAgent.start("-datacenter=dc2");
                Origin here = Origin.start("here");
                Origin there = Origin.start("there");
                RunningGateway gateway = RunningGateway.start(
                        home, "consul: { address: \"" + consul.address() + "\", datacenters: [ dc1, dc3, dc2 ] }")) {
            register(consul, here, "web", "gatepost.route=shop.test/");
            Await.until("our own is served, though no other datacenter can be reached", SOON, () -> gateway.status("shop.test/name") == 200);
            assertTrue(gateway.admin("/ready").path("ready").asBoolean());
            Await.until("the state says which is missing", SOON, () -> datacenter(gateway, "dc3").path("source").path("lastError").asText().contains("No path to datacenter"));
            assertTrue(gateway.admin("/api/v1/state").path("source").path("reachable").asBoolean());
            assertFalse(gateway.dig("web.service.consul", "A", "+edns").contains("EDE"), "what is ours is not stale");

            register(far, there, "web", "gatepost.route=shop.test/");
            register(far, there, "far-only", "gatepost.route=far.test/");
            consul.cli("join", "-wan", "127.0.0.1:" + far.get("/v1/agent/self").path("DebugConfig").path("SerfPortWAN").asText());
            Await.until("what only the other has is served", SOON, () -> gateway.status("far.test/name") == 200);
            assertTrue(who(gateway).equals("here"));
            assertEquals("dc2", gateway.admin("/api/v1/services/web").path("instances").path(1).path("datacenter").asText());
            assertFalse(gateway.admin("/api/v1/services/web").path("instances").path(1).path("served").asBoolean());
            assertTrue(gateway.dig("far-only.service.consul", "A").contains("status: NXDOMAIN"), "local names are of local instances");

            consul.checkStatus("service:web", Health.CRITICAL);
            Await.until("the other serves", SOON, () -> who(gateway).equals("there"));
            JsonNode why = gateway.explain("https://shop.test/");
            assertEquals("1 of 2 instances get traffic, those of datacenter dc2 since none nearer is healthy", why.path("why").asText());
            assertEquals("dc2", why.path("endpoints").path(0).path("datacenter").asText());
            assertEquals(2, datacenter(gateway, "dc2").path("routes").asInt());
            assertTrue(gateway.text("/metrics").contains("gatepost_routes_elsewhere{datacenter=\"dc2\"} 2"), () -> gateway.text("/metrics"));
            assertEquals("", gateway.dig("web.service.consul", "A", "+short").strip());
            assertEquals("127.0.0.1", gateway.dig("web.service.dc2.consul", "A", "+short").strip());

            far.kill();
            Await.until("the other is away", SOON, () -> datacenter(gateway, "dc2").path("source").path("stale").asBoolean());
            assertTrue(who(gateway).equals("there"), "what it said last is kept");
            assertTrue(gateway.admin("/ready").path("ready").asBoolean());
            consul.checkStatus("service:web", Health.PASSING);
            Await.until("our own is back", SOON, () -> who(gateway).equals("here"));
            assertFalse(gateway.admin("/api/v1/state").path("source").path("stale").asBoolean());
        }
    }

    /// Which origin answers.
    private static String who(RunningGateway gateway) {
        try {
            return gateway.curl("shop.test/name").lines().findFirst().orElse("");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static void register(ConsulAgent consul, Origin origin, String service, String tag) {
        consul.service(service).address("127.0.0.1").port(origin.port()).tag(tag).check(Health.PASSING).register();
    }

    private static JsonNode datacenter(RunningGateway gateway, String name) {
        for (JsonNode each : gateway.admin("/api/v1/state").path("datacenters")) {
            if (each.path("name").asText().equals(name)) {
                return each;
            }
        }
        throw new AssertionError("no datacenter " + name + " in " + gateway.admin("/api/v1/state"));
    }
}
