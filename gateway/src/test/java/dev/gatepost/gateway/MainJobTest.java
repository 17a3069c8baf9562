package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.catalog.ConsulAgent;
import dev.gatepost.gateway.catalog.Health;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// The main job, end to end, with a real Consul agent, real curl and real dig.
class MainJobTest {
    private static final Duration SOON = Duration.ofSeconds(10);

    @TempDir
    Path home;

    @Test
    void followsAServiceFromRegistrationToDeregistration() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start();
                Origin origin = Origin.start("web-1");
                RunningGateway gateway = RunningGateway.start(home, "consul: { address: \"" + consul.address() + "\" }")) {
            Await.until("the first catalog is served", SOON, () -> gateway.status("shop.test/") == 404);
            assertTrue(gateway.dig("web.service.consul", "A").contains("NXDOMAIN"));
            assertEquals("no-route", gateway.explain("https://shop.test/").path("outcome").asText());

            consul.service("web").id("web-1").port(origin.port()).address("127.0.0.1").tag("gatepost.route=shop.test/").check(Health.PASSING).register();
            Await.until("the route is served", SOON, () -> gateway.status("shop.test/name") == 200);
            assertTrue(gateway.curl("shop.test/name").startsWith("web-1\n200"));
            assertTrue(gateway.curl("shop.test/name", "--http2").endsWith("200 2"));
            assertTrue(gateway.curl("shop.test/name", "--http1.1").endsWith("200 1.1"));
            assertEquals("127.0.0.1", gateway.dig("web.service.consul", "A", "+short").strip());
            assertTrue(gateway.dig("web.service.consul", "SRV", "+short").startsWith("1 1 " + origin.port() + " "));
            JsonNode found = gateway.explain("https://shop.test/name");
            assertEquals("found", found.path("outcome").asText());
            assertTrue(found.path("endpoints").toString().contains(String.valueOf(origin.port())), found::toString);

            consul.checkStatus("service:web-1", Health.CRITICAL);
            Await.until("the route has no healthy instance", SOON, () -> gateway.status("shop.test/name") == 503);
            assertTrue(gateway.curl("shop.test/name", "-i").toLowerCase(Locale.ROOT).contains("retry-after:"));
            assertEquals("", gateway.dig("web.service.consul", "A", "+short").strip());
            JsonNode empty = gateway.explain("https://shop.test/name");
            assertEquals("empty", empty.path("outcome").asText());
            assertTrue(empty.toString().contains("service:web-1"), () -> "names the check: " + empty);
            assertTrue(gateway.explainName("web.service.consul", "A").toString().contains("service:web-1"));

            consul.deregister("web-1");
            Await.until("the route is gone", SOON, () -> gateway.status("shop.test/name") == 404);
            assertTrue(gateway.dig("web.service.consul", "A").contains("NXDOMAIN"));
            assertEquals("no-route", gateway.explain("https://shop.test/name").path("outcome").asText());

            JsonNode history = gateway.admin("/api/v1/history").path("revisions");
            assertEquals("web", history.path(0).path("services").path("removed").path(0).asText(), history::toString);
            assertTrue(history.path(0).path("index").asLong() > history.path(2).path("index").asLong(), history::toString);
            String diff = gateway.admin(history.path(1).path("diff").asText()).toString();
            assertTrue(diff.contains("\"was\":{\"health\":\"passing\""), diff);

            Await.until("every outcome is in the log", SOON, () -> causes(gateway).containsAll(List.of("ok", "no_route", "no_healthy_instance")));
            assertTrue(gateway.log().stream().anyMatch(record -> record.path("dns").path("response_code").asText().equals("NXDOMAIN")));
        }
    }

    @Test
    void keepsServingWhenConsulDiesAndFollowsItWhenItIsBack() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start();
                Origin origin = Origin.start("web-1");
                RunningGateway gateway = RunningGateway.start(home, "consul: { address: \"" + consul.address() + "\" }")) {
            consul.service("web").id("web-1").port(origin.port()).address("127.0.0.1").tag("gatepost.route=shop.test/").check(Health.PASSING).register();
            Await.until("the route is served", SOON, () -> gateway.status("shop.test/name") == 200);

            consul.kill();
            Await.until("the state is stale", SOON, () -> gateway.admin("/api/v1/state").path("source").path("stale").asBoolean());
            JsonNode source = gateway.admin("/api/v1/state").path("source");
            assertFalse(source.path("reachable").asBoolean());
            assertTrue(source.path("ageMillis").asLong() > 0);
            assertEquals(200, gateway.status("shop.test/name"));
            assertEquals("127.0.0.1", gateway.dig("web.service.consul", "A", "+short").strip());

            consul.restart();
            Await.until("the empty catalog is followed", Duration.ofSeconds(40), () -> gateway.status("shop.test/name") == 404);
            consul.service("web").id("web-1").port(origin.port()).address("127.0.0.1").tag("gatepost.route=shop.test/").check(Health.PASSING).register();
            Await.until("the service is back", SOON, () -> gateway.status("shop.test/name") == 200);
            assertFalse(gateway.admin("/api/v1/state").path("source").path("stale").asBoolean());
        }
    }

    @Test
    void deniesNothingBeforeTheFirstCatalog() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start()) {
            consul.kill();
            try (RunningGateway gateway = RunningGateway.start(home, "consul: { address: \"" + consul.address() + "\" }")) {
                assertEquals(503, gateway.status("shop.test/"));
                assertTrue(gateway.dig("web.service.consul", "A").contains("SERVFAIL"));
                assertFalse(gateway.admin("/ready").path("ready").asBoolean());
                consul.restart();
                Await.until("the catalog is there", Duration.ofSeconds(40), () -> gateway.admin("/ready").path("ready").asBoolean());
                assertEquals(404, gateway.status("shop.test/"));
                assertTrue(gateway.dig("web.service.consul", "A").contains("NXDOMAIN"));
            }
        }
    }

    @Test
    void routesFiveHundredServicesOfAStockAgentWithoutStarvingIt() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start();
                Origin origin = Origin.start("many");
                RunningGateway gateway = RunningGateway.start(home, "consul: { address: \"" + consul.address() + "\" }")) {
            for (int i = 0; i < 500; i++) {
                consul.service("s" + i).id("s" + i + "-1").port(origin.port()).address("127.0.0.1").tag("gatepost.route=s" + i + ".test/").check(Health.PASSING).register();
            }
            Await.until("all are routed", Duration.ofSeconds(60), () -> gateway.admin("/api/v1/state").path("counts").path("routes").asInt() == 500);
            for (int i = 0; i < 500; i += 99) {
                assertEquals(200, gateway.status("s" + i + ".test/name"));
                assertEquals("127.0.0.1", gateway.dig("s" + i + ".service.consul", "A", "+short").strip());
            }
            assertTrue(consul.cli("members").contains("alive"));
            assertTrue(consul.cli("catalog", "services").contains("s499"));
        }
    }

    @Test
    void failsNoRequestWhileInstancesComeAndGo() throws Exception {
        try (ConsulAgent consul = ConsulAgent.start();
                Origin stays = Origin.start("stays");
                RunningGateway gateway = RunningGateway.start(home, "consul: { address: \"" + consul.address() + "\" }");
                ExecutorService background = Executors.newVirtualThreadPerTaskExecutor()) {
            consul.register("web-0", "web", stays.port(), "gatepost.route=shop.test/");
            Await.until("the route is served", SOON, () -> gateway.status("shop.test/name") == 200);

            Future<Command> load = background.submit(() -> Command.run(
                    "h2load", "-n", "1000", "-c", "4", "-m", "4", "--rps", "40", "--connect-to=127.0.0.1:" + gateway.httpsPort(),
                    "https://shop.test/name"));
            List<String> served = new ArrayList<>();
            for (int i = 1; !load.isDone(); i++) {
                String id = "web-" + i;
                try (Origin comes = Origin.start(id)) {
                    consul.register(id, "web", comes.port(), "gatepost.route=shop.test/");
                    Await.until(id + " gets traffic", SOON, () -> comes.requests() > 0 || load.isDone());
                    served.add(id);
                    consul.deregister(id);
                    Await.until(id + " is out of the table", SOON,
                            () -> !gateway.admin("/api/v1/services/web").toString().contains(id));
                }
            }
            assertTrue(load.get().output().contains("1000 succeeded, 0 failed"), load.get().output());
            assertTrue(load.get().output().contains("1000 2xx"), load.get().output());
            assertTrue(served.size() > 1, () -> "instances came and went: " + served);
        }
    }

    private static List<String> causes(RunningGateway gateway) {
        return gateway.log().stream().map(record -> record.path("gatepost").path("cause").asText()).distinct().toList();
    }
}
