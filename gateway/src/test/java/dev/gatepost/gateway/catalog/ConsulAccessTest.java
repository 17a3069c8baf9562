package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.GatewayConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// A real agent that refuses whoever has no rights.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ConsulAccessTest {
    private static final ConsulCatalog.Timing IMPATIENT = new ConsulCatalog.Timing(
            Duration.ofMillis(500), Duration.ofSeconds(5), Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofHours(1),
            Duration.ofMillis(50), Duration.ofMillis(50), Duration.ofMillis(200), Duration.ofMillis(100), Duration.ofSeconds(3), Duration.ofSeconds(2));
    private static final String UNKNOWN = "3f2504e0-4f89-11d3-9a0c-0305e82c3301";

    @TempDir
    Path folder = Path.of("");

    private Optional<ConsulAgent> started = Optional.empty();

    @BeforeAll
    void startAgent() {
        ConsulAgent consul = ConsulAgent.start("-hcl=acl { enabled = true default_policy = \"deny\" tokens { master = \"root-token\" } }");
        started = Optional.of(consul);
        consul.useToken("root-token");
        Await.until("ACLs are up", Follower.PATIENTLY, () -> consul.get("/v1/catalog/services").has("consul"));
        consul.register("web-1", "web", 80);
    }

    @AfterAll
    void stopAgent() {
        started.ifPresent(ConsulAgent::close);
    }

    @Test
    void keepsServingWhileItsTokenIsRefusedAndRereadsTheTokenFile() throws IOException {
        Path file = Files.writeString(folder.resolve("token"), "root-token\n");
        try (Follower follower = Follower.of(tokenFrom(file), IMPATIENT).awaitFirst()) {
            follower.await("web", Follower.PATIENTLY, snapshot -> snapshot.services().containsKey("web"));
            Snapshot before = follower.snapshot();

            Files.writeString(file, UNKNOWN); // 403
            Await.until("the refusal is noticed", Follower.PATIENTLY, () -> follower.status().lastError().orElse("").contains("refuses the token"));
            assertSame(before, follower.snapshot());

            Files.writeString(file, ""); // anonymous: 200 and nothing to see
            Await.until("the empty list is noticed", Follower.PATIENTLY, () -> follower.status().lastError().orElse("").contains("service:read"));
            assertSame(before.services(), follower.snapshot().services());

            Files.writeString(file, "root-token");
            Await.until("all is well", Follower.PATIENTLY, () -> !follower.status().stale());
            consul().register("web-2", "web", 81);
            follower.await("followed again", Follower.PATIENTLY, snapshot -> Follower.instance(snapshot, "web", "web-2").isPresent());
        }
    }

    @Test
    void startsWithAWrongTokenAndFollowsOnceItIsRight() throws IOException {
        Path file = Files.writeString(folder.resolve("token"), UNKNOWN);
        try (Follower follower = Follower.of(tokenFrom(file), IMPATIENT)) {
            Await.until("the refusal is noticed", Follower.PATIENTLY, () -> follower.status().lastError().orElse("").contains("refuses the token"));
            assertEquals(List.of(), follower.delivered());
            Files.writeString(file, "root-token");
            follower.awaitFirst();
            assertTrue(follower.snapshot().services().containsKey("web"), follower.snapshot().toString());
        }
    }

    @Test
    void namesTheRuleThatItsTokenLacksAndStartsOnceItIsThere() throws IOException {
        String services = "service_prefix \\\"\\\" { policy = \\\"read\\\" }";
        String nodes = "node_prefix \\\"\\\" { policy = \\\"read\\\" }";
        consul().put("/v1/acl/policy", "{\"Name\":\"edge\",\"Rules\":\"%s\"}".formatted(services));
        consul().put("/v1/acl/token", "{\"SecretID\":\"7d1c7a52-6a0e-4c4e-8f8b-0d7e1a3c5b90\",\"Policies\":[{\"Name\":\"edge\"}]}");
        Path file = Files.writeString(folder.resolve("token"), "7d1c7a52-6a0e-4c4e-8f8b-0d7e1a3c5b90");
        try (Follower follower = Follower.of(tokenFrom(file), IMPATIENT)) {
            Await.until("the missing rule is named", Follower.PATIENTLY,
                    () -> follower.status().safeguards().missingRules().equals(List.of("node_prefix \"\" { policy = \"read\" }")));
            assertTrue(follower.status().lastError().orElse("").contains("node_prefix"), follower.status().toString());
            assertEquals(List.of(), follower.delivered(), "a token that sees no instance denies nobody's existence");

            String id = consul().get("/v1/acl/policies").valueStream().filter(policy -> policy.path("Name").asText().equals("edge")).findFirst().orElseThrow().path("ID").asText();
            consul().put("/v1/acl/policy/" + id, "{\"Name\":\"edge\",\"Rules\":\"%s %s\"}".formatted(services, nodes));
            follower.awaitFirst();
            assertTrue(Follower.instance(follower.snapshot(), "web", "web-1").isPresent(), follower.snapshot().toString());
            Await.until("nothing lacks", Follower.PATIENTLY, () -> follower.status().safeguards().missingRules().isEmpty());
        }
    }

    private GatewayConfig.Consul tokenFrom(Path file) {
        return new GatewayConfig.Consul(
                consul().address(), "", Optional.of(file), "gatepost", "", Optional.empty(), Optional.empty(), Optional.empty(), true, Duration.ofSeconds(1));
    }

    private ConsulAgent consul() {
        return started.orElseThrow();
    }
}
