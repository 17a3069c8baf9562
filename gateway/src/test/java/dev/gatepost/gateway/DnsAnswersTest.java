package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.catalog.ConsulAgent;
import dev.gatepost.gateway.catalog.Health;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What only a process that is gate and post at once can answer, with a real agent, real instances and real clients.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DnsAnswersTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @AutoClose
    private final ConsulAgent consul = ConsulAgent.start();

    @Test
    void aServicesNameLeadsToTheGatewayThatServesIt(@TempDir Path home) throws Exception {
        try (Origin origin = Origin.start("web"); RunningGateway gateway = follow(home, "dns: { address: 127.0.0.1:0, answer: gateway }")) {
            register("web", "web-1", "127.0.0.9", origin.port(), "gatepost.route=web.service.consul/");
            register("store", "store-1", "127.0.0.9", 5432);
            Await.until("the gateway is answered", SOON, () -> Set.of("127.0.0.1").equals(lines(gateway, "web.service.consul", "A")));
            assertEquals(Set.of("127.0.0.9"), lines(gateway, "store.service.consul", "A"), "has no route");
            String https = "alpn=\"h2,http/1.1\" port=" + gateway.httpsPort() + " ipv4hint=127.0.0.1";
            assertEquals(Set.of("1 . " + https), lines(gateway, "web.service.consul", "HTTPS"));
            assertEquals(Set.of("1 web.service.consul. " + https), lines(gateway, "_" + gateway.httpsPort() + "._https.web.service.consul", "HTTPS"));
            for (String name : new String[] {"store.service.consul", "consul", "nothing.here.consul"}) {
                String none = gateway.dig(name, "TYPE65");
                assertTrue(none.contains("ANSWER: 0, AUTHORITY: 1") && none.contains("SOA"), none);
            }
            assertTrue(gateway.explainName("web.service.consul", "A").path("why").asText().startsWith("the gateway's addresses in place of 1 instances"));
            register("web", "web-1", "127.0.0.9", origin.port(), "gatepost.route=web.service.consul/", "gatepost.dns-answer=instances");
            Await.until("the service has its own way", SOON, () -> Set.of("127.0.0.9").equals(lines(gateway, "web.service.consul", "A")));
            register("web", "web-1", "127.0.0.9", origin.port(), "gatepost.route=web.service.consul/", "gatepost.dns-answer=both");
            Await.until("what makes no sense is said", SOON, () -> gateway.admin("/api/v1/rejected").toString().contains("expected: gateway or instances"));
        }
    }

    @Test
    void anInstanceThatTheGateHasEjectedLeavesDnsThoughConsulStillCallsItPassing(@TempDir Path home) throws Exception {
        Origin failing = Origin.start("failing");
        int port = failing.port();
        failing.close();
        try (Origin sound = Origin.start("sound"); RunningGateway gateway = follow(home)) {
            String both = "1 1 " + sound.port() + " 7f000001.addr.dc1.consul. 1 1 " + port + " 7f000001.addr.dc1.consul.";
            register("pair", "pair-1", "127.0.0.1", sound.port(), "gatepost.route=pair.test/");
            register("pair", "pair-2", "127.0.0.1", port, "gatepost.route=pair.test/");
            Await.until("both are answered", SOON, () -> words(both).equals(words(String.join(" ", lines(gateway, "pair.service.consul", "SRV")))));
            Await.until("the one that refuses connections has left", SOON, () -> {
                assertEquals(200, gateway.status("pair.test/"));
                return Set.of("1 1 " + sound.port() + " 7f000001.addr.dc1.consul.").equals(lines(gateway, "pair.service.consul", "SRV"));
            });
            assertTrue(gateway.dig("pair.service.consul", "SRV").contains("pair.service.consul.\t1\tIN\tSRV"), "for a short time");
            String why = gateway.explainName("pair.service.consul", "SRV").toString();
            assertTrue(why.contains("the gate passes it over: 2 connect failures in a row") && why.contains("\"health\":\"passing\",\"answered\":false"), why);
            try (Origin back = Origin.start("back", port)) {
                Await.until("it is back", SOON, () -> {
                    assertEquals(200, gateway.status("pair.test/"));
                    return words(both).equals(words(String.join(" ", lines(gateway, "pair.service.consul", "SRV"))));
                });
                assertTrue(back.requests() > 0, "a request has tried it");
            }
        }
    }

    @Test
    void anInstanceWhoseActiveCheckFailsLeavesDnsThoughTheGateHasNoRequestForIt(@TempDir Path home) throws Exception {
        Origin failing = Origin.start("failing");
        int port = failing.port();
        failing.close();
        try (Origin sound = Origin.start("sound"); RunningGateway gateway = follow(home)) {
            register("checked", "checked-1", "127.0.0.1", sound.port(), "gatepost.route=checked.test/ health-check=/|100ms");
            register("checked", "checked-2", "127.0.0.1", port, "gatepost.route=checked.test/ health-check=/|100ms");
            String left = "1 1 " + sound.port() + " 7f000001.addr.dc1.consul.";
            Await.until("the one that answers no check has left", SOON, () -> Set.of(left).equals(lines(gateway, "checked.service.consul", "SRV")));
            String why = gateway.explainName("checked.service.consul", "SRV").toString();
            assertTrue(why.contains("the gate passes it over: health check /: "), why);
            try (Origin back = Origin.start("back", port)) {
                Await.until("it is back", SOON, () ->
                        words(left + " 1 1 " + port + " 7f000001.addr.dc1.consul.").equals(words(String.join(" ", lines(gateway, "checked.service.consul", "SRV")))));
                assertTrue(back.requests() > 0, "a check has asked it");
            }
        }
    }

    @Test
    void theOnlyInstanceStaysInDnsWhateverTheGateThinksOfIt(@TempDir Path home) throws Exception {
        Origin gone = Origin.start("gone");
        int port = gone.port();
        gone.close();
        try (RunningGateway gateway = follow(home)) {
            register("single", "single-1", "127.0.0.1", port, "gatepost.route=single.test/");
            Await.until("it is answered", SOON, () -> Set.of("127.0.0.1").equals(lines(gateway, "single.service.consul", "A")));
            for (int i = 0; i < 5; i++) {
                assertEquals(502, gateway.status("single.test/"));
            }
            assertEquals(Set.of("127.0.0.1"), lines(gateway, "single.service.consul", "A"));
            consul.checkStatus("service:single-1", Health.CRITICAL);
            Await.until("until Consul says so", SOON, () -> lines(gateway, "single.service.consul", "A").isEmpty());
        }
    }

    @Test
    void aGatewayThatDrainsLeavesDnsBeforeItClosesItsListeners(@TempDir Path home) throws Exception {
        try (Origin origin = Origin.start("calm");
                RunningGateway gateway = follow(home, "dns: { address: 127.0.0.1:0, ttl: 10m, answer: [ { service: calm, answer: gateway } ], gateway: [127.0.0.1, 192.0.2.77] }")) {
            register("calm", "calm-1", "127.0.0.1", origin.port(), "gatepost.route=calm.test/");
            register("edge", "edge-1", "127.0.0.1", gateway.httpsPort());
            register("edge", "edge-2", "192.0.2.78", 443);
            Await.until("both gateways are answered", SOON, () -> Set.of("127.0.0.1", "192.0.2.77").equals(lines(gateway, "calm.service.consul", "A")));
            Await.until("and their own name", SOON, () -> Set.of("127.0.0.1", "192.0.2.78").equals(lines(gateway, "edge.service.consul", "A")));
            gateway.change("POST", "/api/v1/drain");
            Await.until("the other one is", SOON, () -> Set.of("192.0.2.77").equals(lines(gateway, "calm.service.consul", "A")));
            assertEquals(Set.of("192.0.2.78"), lines(gateway, "edge.service.consul", "A"));
            // Clients may remember the address for ten minutes.
            assertEquals(200, gateway.status("calm.test/"));
            assertEquals("draining", gateway.admin("/ready").path("reason").asText());
        }
    }

    private RunningGateway follow(Path home, String... settings) throws Exception {
        String[] all = Arrays.copyOf(settings, settings.length + 1);
        all[settings.length] = "consul: { address: \"" + consul.address() + "\" }";
        return RunningGateway.start(home, all);
    }

    private void register(String service, String id, String address, int port, String... tags) {
        consul.service(service).id(id).address(address).port(port).tag(tags).check(Health.PASSING).register();
    }

    private static Set<String> lines(RunningGateway gateway, String name, String type) {
        return gateway.dig(name, type, "+short").lines().collect(Collectors.toSet());
    }

    private static Set<String> words(String text) {
        return Set.of(text.split("(?<=consul\\.) ", -1));
    }
}
