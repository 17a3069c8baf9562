package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import static org.junit.jupiter.api.Assertions.assertEquals;

/// Three servers that agree on a leader, and the moments when they don't.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ConsulClusterTest {
    /// Waits short enough to notice a server that says nothing.
    private static final ConsulCatalog.Timing TIMING = new ConsulCatalog.Timing(
            Duration.ofSeconds(2),
            Duration.ofMillis(1500),
            Duration.ofMillis(5),
            Duration.ofMillis(20),
            Duration.ofHours(1),
            Duration.ofMillis(50),
            Duration.ofMillis(50),
            Duration.ofMillis(500),
            Duration.ofMillis(100),
            Duration.ofSeconds(3),
            Duration.ofSeconds(2));

    private List<ConsulAgent> servers = List.of();

    @BeforeAll
    void startServers() {
        servers = ConsulAgent.cluster(3);
    }

    @AfterEach
    void allAgree() {
        Await.until("all three servers know the same leader", Follower.PATIENTLY.multipliedBy(2), () -> {
            try {
                return servers.stream().map(server -> server.get("/v1/status/leader?" + server.get("/v1/catalog/services?consistent").size())).distinct().count() == 1;
            } catch (AssertionError | RuntimeException e) {
                return false; // no leader yet
            }
        });
    }

    @AfterAll
    void stopServers() {
        servers.forEach(ConsulAgent::close);
    }

    @Test
    void losesNothingWhileANewLeaderIsElectedAndFollowsIt() {
        ConsulAgent leader = leader();
        ConsulAgent ours = other(leader);
        ours.register("web-1", "web", 80, "a");
        try (Follower follower = follow(ours, "web-1")) {
            leader.kill();
            ours.service("web").id("web-1").port(81).tag("a").check(Health.PASSING).register();
            follower.await("the change under the new leader is followed", Follower.PATIENTLY, snapshot -> Follower.instance(snapshot, "web", "web-1")
                    .filter(instance -> instance.port() == 81).isPresent());
            assertEquals(List.of(), lacking(follower, "web"));
            Await.until("all is well", Follower.PATIENTLY, () -> follower.status().reachable() && !follower.status().stale());
        } finally {
            leader.restart();
        }
    }

    @Test
    void keepsServingWhenItsServerIsCutOffFromTheOthers() {
        ConsulAgent ours = other(leader());
        List<ConsulAgent> others = servers.stream().filter(server -> server != ours).toList();
        ours.register("app-1", "app", 80, "a");
        try (Follower follower = follow(ours, "app-1")) {
            others.forEach(ConsulAgent::suspend);
            Await.until("the cut is noticed", Follower.PATIENTLY, () -> follower.status().stale());
            assertEquals(80, Follower.instance(follower.snapshot(), "app", "app-1").orElseThrow().port());
            others.forEach(ConsulAgent::resume);
            ours.service("app").id("app-1").port(82).tag("a").check(Health.PASSING).register();
            follower.await("what comes after is followed", Follower.PATIENTLY, snapshot -> Follower.instance(snapshot, "app", "app-1")
                    .filter(instance -> instance.port() == 82).isPresent());
            assertEquals(List.of(), lacking(follower, "app"));
            Await.until("all is well", Follower.PATIENTLY, () -> follower.status().reachable() && !follower.status().stale());
        }
    }

    /// The service names of each delivered snapshot that lacks one that it should have.
    private static List<String> lacking(Follower follower, String service) {
        List<Snapshot> delivered = follower.delivered();
        return delivered.stream()
                .filter(snapshot -> !snapshot.services().keySet().containsAll(Set.of(service, "consul")))
                .map(snapshot -> "snapshot " + (delivered.indexOf(snapshot) + 1) + " of " + delivered.size() + ": " + snapshot.services().keySet())
                .toList();
    }

    private static Follower follow(ConsulAgent agent, String id) {
        String service = id.substring(0, id.indexOf('-'));
        Await.until(service + " is in the catalog", Follower.PATIENTLY, () -> !agent.get("/v1/health/service/" + service).isEmpty());
        return Follower.of(Follower.consul(agent.address(), ""), TIMING).awaitFirst();
    }

    private ConsulAgent leader() {
        return servers.stream().filter(ConsulAgent::isLeader).findFirst().orElseThrow();
    }

    private ConsulAgent other(ConsulAgent leader) {
        return servers.stream().filter(server -> server != leader).findFirst().orElseThrow();
    }
}
