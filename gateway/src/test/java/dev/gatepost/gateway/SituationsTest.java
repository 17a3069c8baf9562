package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.catalog.ConsulAgent;
import dev.gatepost.gateway.catalog.Health;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Situations in which gateways are known to lose routes, seen from outside: by a client of the gate, with a real agent.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SituationsTest {
    private static final Duration SOON = Duration.ofSeconds(10);

    @AutoClose
    private final ConsulAgent consul = ConsulAgent.start();

    @Test
    void aMalformedTagTakesNothingElseAlong(@TempDir Path home) throws Exception {
        try (Origin origin = Origin.start("good"); RunningGateway gateway = follow(home)) {
            register("tidy", "tidy-1", origin.port(), "gatepost.route=tidy.test/");
            Await.until("the good route is served", SOON, () -> gateway.status("tidy.test/") == 200);
            register("messy", "messy-1", origin.port(), "gatepost.route=", "urlprefix-", "some \"quoted\" tag", "gatepost.route=messy.test/");
            register("messy two", "messy two-1", origin.port(), "gatepost.route=two.test/ weight=abc");
            Await.until("what is good of the messy one is served", SOON, () -> gateway.status("messy.test/") == 200);
            register("later", "later-1", origin.port(), "gatepost.route=later.test/");
            Await.until("and what comes later", SOON, () -> gateway.status("later.test/") == 200);
            assertEquals(200, gateway.status("tidy.test/"));
            String rejected = gateway.admin("/api/v1/rejected").toString();
            assertTrue(rejected.contains("messy-1") && rejected.contains("weight=abc"), rejected);
        }
    }

    @Test
    void aRouteAllOfWhoseInstancesAreCriticalHidesTheShorterOne(@TempDir Path home) throws Exception {
        try (Origin site = Origin.start("site"); Origin api = Origin.start("api"); RunningGateway gateway = follow(home)) {
            register("site", "site-1", site.port(), "gatepost.route=all.test/");
            register("api", "api-1", api.port(), "gatepost.route=all.test/api");
            Await.until("both are served", SOON, () -> gateway.explain("https://all.test/api").path("route").toString().contains("/api") && gateway.status("all.test/") == 200);
            consul.checkStatus("service:api-1", Health.CRITICAL);
            Await.until("the longer one is empty", SOON, () -> gateway.status("all.test/api/name") == 503);
            assertEquals(200, gateway.status("all.test/"));
        }
    }

    @Test
    void aServiceThatMayPanicIsServedWholeWhenAllIsCritical(@TempDir Path home) throws Exception {
        try (Origin origin = Origin.start("bold");
                RunningGateway gateway = RunningGateway.start(home, "consul: { address: \"" + consul.address() + "\" }", "catalog: { panic: [bold] }")) {
            register("bold", "bold-1", origin.port(), "gatepost.route=bold.test/");
            register("meek", "meek-1", origin.port(), "gatepost.route=meek.test/");
            Await.until("both are served", SOON, () -> gateway.status("bold.test/") == 200 && gateway.status("meek.test/") == 200);
            consul.checkStatus("service:bold-1", Health.CRITICAL);
            consul.checkStatus("service:meek-1", Health.CRITICAL);
            Await.until("the meek one is not", SOON, () -> gateway.status("meek.test/") == 503);
            assertEquals(200, gateway.status("bold.test/"));
            assertEquals("127.0.0.1", gateway.dig("bold.service.consul", "A", "+short").strip());
            assertEquals("", gateway.dig("meek.service.consul", "A", "+short").strip());
            assertEquals("[\"bold\"]", gateway.admin("/api/v1/state").path("panicking").toString());
            assertTrue(gateway.admin("/api/v1/services/bold").toString().contains("_gatepost_panic"));
        }
    }

    @Test
    void aRollingChangeOfOptionsIsServedAtEveryStep(@TempDir Path home) throws Exception {
        try (Origin origin = Origin.start("roll"); RunningGateway gateway = follow(home)) {
            List<String> ids = List.of("roll-1", "roll-2", "roll-3");
            ids.forEach(id -> register("roll", id, origin.port(), "gatepost.route=roll.test/ timeout=5s"));
            Await.until("all three are served", SOON, () -> endpoints(gateway, "roll.test") == 3);
            for (String id : ids) {
                register("roll", id, origin.port(), "gatepost.route=roll.test/ timeout=7s");
                Await.until("the change of " + id + " is known", SOON, () -> gateway.admin("/api/v1/services/roll").toString().split("timeout=7s", -1).length > ids.indexOf(id) + 1);
                assertEquals(200, gateway.status("roll.test/"), id);
                assertEquals(3, endpoints(gateway, "roll.test"), id);
            }
        }
    }

    @Test
    void aStartWithoutConsulServesTheCopyOnDisk(@TempDir Path home) throws Exception {
        try (ConsulAgent consul = ConsulAgent.start(); Origin origin = Origin.start("kept")) {
            String[] settings = {"consul: { address: \"" + consul.address() + "\" }", "catalog: { last-good: state/catalog.json }"};
            consul.service("kept").id("kept-1").address("127.0.0.1").port(origin.port()).tag("gatepost.route=kept.test/").check(Health.PASSING).register();
            Path copy = home.resolve("state/catalog.json");
            try (RunningGateway gateway = RunningGateway.start(home, settings)) {
                Await.until("the route is served", SOON, () -> gateway.status("kept.test/") == 200);
                Await.until("the copy is written", SOON, () -> Files.exists(copy) && read(copy).contains("kept-1"));
            }
            consul.kill();
            try (RunningGateway gateway = RunningGateway.start(home, settings)) {
                Await.until("the copy is served", SOON, () -> gateway.status("kept.test/") == 200);
                assertTrue(gateway.admin("/ready").path("ready").asBoolean());
                JsonNode source = gateway.admin("/api/v1/state").path("source");
                assertTrue(source.path("stale").asBoolean(), source::toString);
                assertFalse(source.path("safeguards").path("copyFrom").asText().isEmpty(), source::toString);
                assertTrue(gateway.text("/metrics").contains("safeguard=\"last-good\",source=\"" + consul.address() + "\"} 1"), () -> gateway.text("/metrics"));
            }
        }
    }

    private RunningGateway follow(Path home) throws Exception {
        return RunningGateway.start(home, "consul: { address: \"" + consul.address() + "\" }");
    }

    private void register(String service, String id, int port, String... tags) {
        consul.service(service).id(id).address("127.0.0.1").port(port).tag(tags).check(Health.PASSING).register();
    }

    private static int endpoints(RunningGateway gateway, String host) {
        return gateway.explain("https://" + host + "/").path("endpoints").size();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }
}
