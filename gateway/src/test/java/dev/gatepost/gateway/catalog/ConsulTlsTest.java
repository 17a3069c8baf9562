package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.TestCertificate;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.ClientTls;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// A real agent over TLS that asks for a certificate: HTTP/2, and a watch for each service.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ConsulTlsTest {
    private static final int SERVICES = 300;

    @TempDir
    static Path folder = Path.of("");

    private Optional<ConsulAgent> started = Optional.empty();
    private int port;

    @BeforeAll
    void startAgent() throws Exception {
        TestCertificate.write(folder, "agent", "localhost");
        TestCertificate.write(folder, "client", "gatepost");
        TestCertificate.write(folder, "stranger", "stranger");
        port = ConsulAgent.freePort();
        ConsulAgent consul = ConsulAgent.start(options(port));
        started = Optional.of(consul);
        for (int i = 0; i < SERVICES; i++) {
            consul.registerOnNode("n" + i % 3, "10.9.0." + i % 3, "svc-" + i, "svc-" + i, 8000 + i, Health.PASSING);
        }
    }

    @AfterAll
    void stopAgent() {
        started.ifPresent(ConsulAgent::close);
    }

    @Test
    void seesEveryKindOfChangeThroughTheServicesOwnWatch() throws IOException {
        try (Follower follower = follow("client", true).awaitFirst()) {
            assertEquals(SERVICES + 1, follower.snapshot().services().size());
            consul().register("web-1", "web", 80, "a");
            follower.awaitInstance("web came", "web", "web-1", instance -> instance.port() == 80);
            consul().service("web").id("web-1").port(81).tag("a").check(Health.PASSING).register();
            follower.awaitInstance("web moved", "web", "web-1", instance -> instance.port() == 81);
            consul().checkStatus("service:web-1", Health.CRITICAL);
            follower.awaitInstance("web fails", "web", "web-1", instance -> instance.health() == Health.CRITICAL);
            consul().service("web").id("web-1").port(81).tag("a").meta("k", "v").weights(5, 1).check(Health.PASSING).register();
            follower.awaitInstance("web's Meta and weights", "web", "web-1", instance -> instance.meta().containsKey("k") && instance.weights().passing() == 5);
            consul().register("web-2", "web", 82, "a");
            follower.awaitInstance("a second one", "web", "web-2", instance -> instance.port() == 82);
            consul().deregister("web-1");
            follower.await("the first one went", Follower.SOON, snapshot -> Follower.instance(snapshot, "web", "web-1").isEmpty());
            consul().deregister("web-2");
            follower.await("web went", Follower.SOON, snapshot -> !snapshot.services().containsKey("web"));
        }
    }

    @Test
    void watchesHundredsOfServicesOverAFewConnections() throws IOException {
        try (Follower follower = follow("client", true).awaitFirst()) {
            Await.until("every service has its own watch", Follower.PATIENTLY, () -> follower.catalog().directlyWatched() == SERVICES + 1);
            int most = 0;
            for (int i = 0; i < SERVICES; i += 30) {
                int changed = 9000 + i;
                String name = "svc-" + i;
                consul().registerOnNode("n" + i % 3, "10.9.0." + i % 3, name, name, changed, Health.PASSING);
                follower.awaitInstance(name + " moved", name, name, instance -> instance.port() == changed);
                most = Math.max(most, ConsulAgent.connections(port));
            }
            // 300 watches need two connections of 250 streams each; a third may be opening.
            assertTrue(most >= 1 && most <= 3, "connections: " + most);
            assertEquals(List.of(), follower.status().staleServices());
        }
    }

    @Test
    void asksNoMoreOnAConnectionThanTheAgentTakes() throws Exception {
        int questions = 300;
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        GatewayConfig.Consul config = consul("client", "agent", true);
        try (ClientTls tls = ClientTls.of(config).orElseThrow();
                Http2Lines lines = new Http2Lines(tls, URI.create(config.address()), Duration.ofSeconds(20))) {
            assertEquals(8 * 250, lines.room());
            String index = lines.ask("/v1/health/service/svc-1", "", Duration.ofSeconds(20)).header("x-consul-index");
            List<Future<Integer>> answers = new ArrayList<>();
            for (int i = 0; i < questions; i++) {
                answers.add(threads.submit(() -> lines.ask("/v1/health/service/svc-1?wait=1s&index=" + index, "", Duration.ofSeconds(20)).status()));
            }
            for (Future<Integer> answer : answers) {
                assertEquals(200, answer.get());
            }
            assertEquals(2, ConsulAgent.connections(port));
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void leavesAConnectionThatWentDeafForAnother() throws IOException {
        // No watch comes back by itself for a minute: it is the silence of the connection that tells.
        ConsulCatalog.Timing patient = new ConsulCatalog.Timing(
                Duration.ofSeconds(60), Duration.ofMillis(1500), Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofHours(1), Duration.ofMillis(50),
                Duration.ofMillis(50), Duration.ofMillis(300), Duration.ofMillis(50), Duration.ofSeconds(60), Duration.ofSeconds(10));
        try (CountingProxy between = CountingProxy.start(port)) {
            GatewayConfig.Consul config = consul(between.port(), "client", "agent", true);
            consul().register("deaf-1", "deaf", 80);
            try (Follower follower = Follower.of(config, ClientTls.of(config), patient).awaitFirst()) {
                Await.until("every service has its own watch", Follower.PATIENTLY, () -> follower.catalog().directlyWatched() == follower.snapshot().services().size());
                between.forgetConnections();
                consul().register("deaf-1", "deaf", 81);
                follower.await("what was written meanwhile", Follower.PATIENTLY, snapshot -> Follower.instance(snapshot, "deaf", "deaf-1").filter(each -> each.port() == 81).isPresent());
                Await.until("all is well", Follower.PATIENTLY, () -> follower.status().reachable() && !follower.status().stale());
            } finally {
                consul().deregister("deaf-1");
            }
        }
    }

    @Test
    void comesBackToAnAgentThatHungAndToOneThatWasRestarted() throws Exception {
        int ownPort = ConsulAgent.freePort();
        ConsulCatalog.Timing impatient = new ConsulCatalog.Timing(
                Duration.ofMillis(800), Duration.ofMillis(700), Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofHours(1), Duration.ofMillis(50),
                Duration.ofMillis(50), Duration.ofMillis(300), Duration.ofMillis(50), Duration.ofSeconds(60), Duration.ofSeconds(2));
        try (ConsulAgent agent = ConsulAgent.start(options(ownPort))) {
            GatewayConfig.Consul config = consul(ownPort, "client", "agent", true);
            agent.register("web-1", "web", 80);
            try (Follower follower = Follower.of(config, ClientTls.of(config), impatient).awaitFirst()) {
                follower.await("web", Follower.PATIENTLY, snapshot -> snapshot.services().containsKey("web"));
                agent.suspend();
                Await.until("the silence is noticed", Follower.PATIENTLY, () -> !follower.status().reachable());
                agent.resume();
                agent.register("web-1", "web", 81);
                follower.await("it is followed again", Follower.PATIENTLY, snapshot -> hasPort(snapshot, 81));
                agent.restart();
                agent.register("web-1", "web", 82);
                follower.await("and after its restart", Follower.PATIENTLY, snapshot -> hasPort(snapshot, 82));
                Await.until("all is well", Follower.PATIENTLY, () -> follower.status().reachable() && !follower.status().stale());
            }
        }
    }

    private static boolean hasPort(Snapshot snapshot, int port) {
        return Follower.instance(snapshot, "web", "web-1").filter(instance -> instance.port() == port).isPresent();
    }

    @Test
    void takesAHandfulOfConnectionsWhereOnlyHttp1IsSpoken() throws IOException {
        try (ClientTls tls = ClientTls.of(consul("agent", "client", true)).orElseThrow();
                FakeConsul fake = FakeConsul.startWithTls(tls.context()).has("consul", "consul", 8300, Health.PASSING)) {
            for (int i = 0; i < 50; i++) {
                fake.has("svc-" + i, "svc-" + i, 8000 + i, Health.PASSING);
            }
            GatewayConfig.Consul config = consul(fake.port(), "client", "agent", true);
            try (Follower follower = Follower.of(config, ClientTls.of(config), Follower.TIMING).awaitFirst()) {
                assertEquals(51, follower.snapshot().services().size());
                fake.has("svc-7", "svc-7", 9007, Health.PASSING);
                follower.awaitInstance("svc-7 moved", "svc-7", "svc-7", instance -> instance.port() == 9007);
                assertEquals(0, follower.catalog().directlyWatched());
                assertTrue(ConsulAgent.connections(fake.port()) <= 16, "connections: " + ConsulAgent.connections(fake.port()));
            }
        }
    }

    @Test
    void isRefusedWithoutACertificateThatTheAgentKnowsAndSaysSo() throws IOException {
        try (Follower follower = follow("stranger", true)) {
            Await.until("the refusal is noticed", Follower.PATIENTLY, () -> follower.status().lastError().isPresent());
            assertEquals(List.of(), follower.delivered());
        }
    }

    @Test
    void believesNoAgentWhoseCertificateItDoesNotKnow() throws IOException {
        GatewayConfig.Consul distrusting = consul("client", "stranger", true);
        try (Follower follower = Follower.of(distrusting, ClientTls.of(distrusting), Follower.TIMING)) {
            Await.until("the distrust is noticed", Follower.PATIENTLY, () -> follower.status().lastError().isPresent());
            String error = follower.status().lastError().orElseThrow();
            assertTrue(error.contains("certification path"), error);
            assertEquals(List.of(), follower.delivered());
        }
        GatewayConfig.Consul careless = consul("client", "stranger", false);
        try (Follower follower = Follower.of(careless, ClientTls.of(careless), Follower.TIMING)) {
            follower.awaitFirst();
        }
    }

    private static String[] options(int port) {
        return new String[] {
            "-hcl=ports { https = " + port + " }",
            "-hcl=cert_file = \"" + folder.resolve("agent.pem") + "\" key_file = \"" + folder.resolve("agent.key") + "\"",
            "-hcl=ca_file = \"" + folder.resolve("client.pem") + "\" verify_incoming_https = true"
        };
    }

    private Follower follow(String certificate, boolean verify) throws IOException {
        GatewayConfig.Consul config = consul(certificate, "agent", verify);
        return Follower.of(config, ClientTls.of(config), Follower.TIMING);
    }

    private GatewayConfig.Consul consul(String certificate, String authority, boolean verify) {
        return consul(port, certificate, authority, verify);
    }

    private static GatewayConfig.Consul consul(int where, String certificate, String authority, boolean verify) {
        return new GatewayConfig.Consul(
                "https://localhost:" + where, "", Optional.empty(), "gatepost", "",
                Optional.of(folder.resolve(authority + ".pem")),
                Optional.of(folder.resolve(certificate + ".pem")),
                Optional.of(folder.resolve(certificate + ".key")),
                verify,
                Duration.ofSeconds(1));
    }

    private ConsulAgent consul() {
        return started.orElseThrow();
    }
}
