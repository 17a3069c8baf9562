package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// A real agent's death and return, and its limits.
final class ConsulOutageTest {
    @Test
    void keepsServingWhenTheAgentIsKilledAndFollowsOneThatCameBackEmpty() {
        try (ConsulAgent consul = ConsulAgent.start()) {
            for (int i = 0; i < 30; i++) {
                consul.register("filler-" + i, "filler", 10_000 + i); // so that the index is lower after the restart
            }
            consul.register("web-1", "web", 80, "a");
            try (Follower follower = Follower.of(consul.address()).awaitFirst()) {
                follower.awaitInstance("web-1", "web", "web-1", _ -> true);
                Snapshot before = follower.snapshot();
                Instant killed = Instant.now();
                consul.kill();
                Await.until("the outage is noticed", Follower.PATIENTLY, () -> !follower.status().reachable());
                SourceStatus status = follower.status();
                assertSame(before, follower.snapshot());
                assertTrue(status.stale());
                assertTrue(status.lastError().orElse("").startsWith("unreachable"), status.toString());
                Duration apart = Duration.between(status.confirmedAt().orElseThrow(), killed).abs();
                assertTrue(apart.toSeconds() < 5, "confirmed until it died: " + status + ", killed " + killed);

                consul.restart();
                follower.await("the empty catalog is followed", Follower.PATIENTLY, now -> now.services().keySet().equals(Set.of("consul")));
                consul.register("web-1", "web", 81, "a");
                follower.awaitInstance("web-1 again", "web", "web-1", instance -> instance.port() == 81);
                Await.until("all is well", Follower.PATIENTLY, () -> follower.status().reachable() && !follower.status().stale());
            }
        }
    }

    @Test
    void waitsForAnAgentThatIsNotThereYet() {
        try (ConsulAgent consul = ConsulAgent.start()) {
            consul.kill();
            try (Follower follower = Follower.of(consul.address())) {
                Await.until("it is missed", Follower.PATIENTLY, () -> follower.status().lastError().isPresent());
                assertEquals(List.of(), follower.delivered());
                assertEquals(Optional.empty(), follower.status().confirmedAt());
                consul.restart();
                follower.awaitFirst();
                assertEquals(Set.of("consul"), follower.snapshot().services().keySet());
            }
        }
    }

    @Test
    void followsFiveHundredServicesAndLeavesTheAgentRoomForOthers() {
        try (ConsulAgent consul = ConsulAgent.start()) {
            try (Follower follower = Follower.of(consul.address()).awaitFirst()) {
                AtomicInteger most = new AtomicInteger();
                for (int i = 0; i < 500; i++) {
                    consul.service("svc-" + i).id("svc-" + i).port(1000 + i).tag("gatepost.route=s" + i + ".example/").check(Health.PASSING).register();
                    if (i % 25 == 0) {
                        most.accumulateAndGet(ConsulAgent.connections(consul.httpPort()), Math::max);
                    }
                }
                Snapshot all = follower.await("all 500", Follower.PATIENTLY, snapshot -> snapshot.services().size() == 501);
                most.accumulateAndGet(ConsulAgent.connections(consul.httpPort()), Math::max);
                assertEquals(501, all.instanceCount());
                assertTrue(consul.cli("members").contains(consul.nodeName()));
                assertEquals(501, consul.cli("catalog", "services").lines().count());

                consul.service("svc-250").id("svc-250").port(7777).tag("gatepost.route=s250.example/").check(Health.PASSING).register();
                follower.await("one of 500 moves", Duration.ofSeconds(5), snapshot -> Follower.instance(snapshot, "svc-250", "svc-250")
                        .filter(instance -> instance.port() == 7777).isPresent());
                consul.checkStatus("service:svc-499", Health.CRITICAL);
                follower.await("one of 500 fails", Duration.ofSeconds(5), snapshot -> Follower.instance(snapshot, "svc-499", "svc-499")
                        .filter(instance -> instance.health() == Health.CRITICAL).isPresent());
                most.accumulateAndGet(ConsulAgent.connections(consul.httpPort()), Math::max);
                // One of them is the fixture's own.
                assertTrue(most.get() <= ConsulClient.MOST_CONNECTIONS + 1, "connections to the agent: " + most);
            }
        }
    }
}
