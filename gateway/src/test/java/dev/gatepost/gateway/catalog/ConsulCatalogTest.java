package dev.gatepost.gateway.catalog;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What a healthy agent says is followed: each kind of change, each within a second and none by the regular sweep.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ConsulCatalogTest {
    private Optional<ConsulAgent> started = Optional.empty();
    private Optional<Follower> following = Optional.empty();

    @BeforeAll
    void startAgent() {
        started = Optional.of(ConsulAgent.start());
    }

    @AfterAll
    void stopAgent() {
        started.ifPresent(ConsulAgent::close);
    }

    @BeforeEach
    void follow() {
        consul().service("web").id("web-1").port(9001).tag("a").meta("k", "v").weights(3, 2).check(Health.PASSING).register();
        consul().service("other").port(9009).register();
        following = Optional.of(Follower.of(consul().address()).awaitFirst());
        follower().awaitInstance("web-1 is followed", "web", "web-1", instance -> instance.port() == 9001);
    }

    @AfterEach
    void forget() {
        following.ifPresent(Follower::close);
        for (String id : consul().get("/v1/agent/services").properties().stream().map(Map.Entry::getKey).toList()) {
            consul().deregister(id);
        }
    }

    @Test
    void takesEveryFactOfARegistration() {
        consul().put("/v1/agent/service/register", """
                {"Name":"full","ID":"full-1","Address":"10.1.2.3","Port":8080,"Tags":["z","a","ü"],"Meta":{"gatepost-route":"x/"},
                 "Weights":{"Passing":7,"Warning":4},
                 "TaggedAddresses":{"lan_ipv6":{"Address":"2001:db8::1","Port":8081}},
                 "Checks":[{"CheckID":"c1","Name":"one","TTL":"1h","Status":"passing"},{"CheckID":"c2","Name":"two","TTL":"1h","Status":"warning"}]}
                """);
        Snapshot snapshot = follower().awaitInstance("full-1", "full", "full-1", instance -> instance.health() == Health.WARNING);
        Instance full = Follower.instance(snapshot, "full", "full-1").orElseThrow();
        assertEquals("10.1.2.3", full.address());
        assertEquals(8080, full.port());
        assertEquals(List.of("z", "a", "ü"), full.tags());
        assertEquals(Map.of("gatepost-route", "x/"), full.meta());
        assertEquals(new Weights(7, 4), full.weights());
        assertEquals(4, full.weight());
        assertEquals(new Instance.TaggedAddress("2001:db8::1", 8081), full.taggedAddresses().get("lan_ipv6"));
        assertTrue(full.checks().contains(new Check("c2", "two", Health.WARNING)));
        assertTrue(full.checks().contains(new Check("serfHealth", "Serf Health Status", Health.PASSING)));
        assertEquals(consul().nodeName(), full.node().name());
        assertEquals("dc1", full.node().datacenter());
        assertEquals(Optional.of("dc1"), follower().catalog().datacenter());
        assertSame(snapshot.nodes().get(consul().nodeName()), full.node());
    }

    @Test
    void usesTheNodesAddressWhereTheServiceHasNone() {
        Snapshot snapshot = follower().snapshot();
        Instance web = Follower.instance(snapshot, "web", "web-1").orElseThrow();
        assertEquals("", web.serviceAddress());
        assertEquals("127.0.0.1", web.address());
    }

    @Test
    void seesAServiceComeAndGo() {
        consul().register("new-1", "new", 9100, "tag");
        follower().awaitInstance("new-1 came", "new", "new-1", instance -> instance.tags().equals(List.of("tag")));
        consul().deregister("new-1");
        follower().await("new went", Follower.SOON, snapshot -> !snapshot.services().containsKey("new"));
    }

    @Test
    void seesOneInstanceOfSeveralGo() {
        consul().register("web-2", "web", 9002, "a");
        follower().awaitInstance("web-2 came", "web", "web-2", _ -> true);
        consul().deregister("web-2");
        follower().await("web-2 went", Follower.SOON, snapshot -> Follower.instance(snapshot, "web", "web-2").isEmpty());
        assertTrue(Follower.instance(follower().snapshot(), "web", "web-1").isPresent());
    }

    @Test
    void seesAnInstanceWithoutChecksThatAddsNoNameAndNoTag() {
        consul().service("web").id("web-bare").port(9005).tag("a").register();
        follower().awaitInstance("web-bare came", "web", "web-bare", instance -> instance.port() == 9005);
    }

    @Test
    void seesACheckTurnAndTurnBack() {
        for (Health state : List.of(Health.CRITICAL, Health.PASSING, Health.WARNING, Health.CRITICAL, Health.WARNING, Health.PASSING)) {
            consul().checkStatus("service:web-1", state);
            follower().awaitInstance("web-1 is " + state, "web", "web-1", instance -> instance.health() == state);
        }
    }

    @Test
    void seesAPortOnlyChangeThoughTheCheckIsRegisteredSeparately() {
        consul().service("split").port(9200).register();
        consul().registerCheck("split-check", "split", Health.PASSING);
        Await.until("split has its check", Follower.PATIENTLY, () -> consul().get("/v1/health/checks/split").size() == 1);
        follower().awaitInstance("split came", "split", "split", instance -> instance.port() == 9200);
        consul().service("split").port(9201).register();
        follower().awaitInstance("split moved", "split", "split", instance -> instance.port() == 9201);
    }

    @Test
    void seesAMetaOnlyChange() {
        consul().service("web").id("web-1").port(9001).tag("a").meta("k", "changed").weights(3, 2).check(Health.PASSING).register();
        follower().awaitInstance("Meta changed", "web", "web-1", instance -> "changed".equals(instance.meta().get("k")));
    }

    @Test
    void seesAWeightsOnlyChange() {
        consul().service("other").port(9009).weights(9, 1).register();
        follower().awaitInstance("weights changed", "other", "other", instance -> instance.weights().equals(new Weights(9, 1)));
    }

    @Test
    void seesATagChange() {
        consul().service("other").port(9009).tag("gatepost.route=x.example/").register();
        follower().awaitInstance("tags changed", "other", "other", instance -> instance.tags().equals(List.of("gatepost.route=x.example/")));
    }

    @Test
    void seesMaintenanceOfAServiceAndOfANode() {
        consul().maintenance("web-1", true);
        follower().awaitInstance("service maintenance", "web", "web-1", instance -> instance.health() == Health.MAINTENANCE);
        assertEquals(Health.PASSING, Follower.instance(follower().snapshot(), "other", "other").orElseThrow().health());
        consul().maintenance("web-1", false);
        follower().awaitInstance("service back", "web", "web-1", instance -> instance.health() == Health.PASSING);

        consul().nodeMaintenance(true);
        follower().awaitInstance("node maintenance", "web", "web-1", instance -> instance.health() == Health.MAINTENANCE);
        follower().awaitInstance("node maintenance", "other", "other", instance -> instance.health() == Health.MAINTENANCE);
        consul().nodeMaintenance(false);
        follower().awaitInstance("node back", "web", "web-1", instance -> instance.health() == Health.PASSING);
        follower().awaitInstance("node back", "other", "other", instance -> instance.health() == Health.PASSING);
    }

    @Test
    void seesANodesAddressChange() {
        consul().registerOnNode("far", "10.9.0.1", "remote", "remote-1", 80, Health.PASSING);
        follower().awaitInstance("remote came", "remote", "remote-1", instance -> instance.address().equals("10.9.0.1"));
        consul().put("/v1/catalog/register", "{\"Node\":\"far\",\"Address\":\"10.9.0.2\"}");
        Snapshot snapshot = follower().awaitInstance("remote moved", "remote", "remote-1", instance -> instance.address().equals("10.9.0.2"));
        assertEquals("10.9.0.2", Objects.requireNonNull(snapshot.nodes().get("far")).address());
        consul().deregisterNode("far");
        follower().await("far went", Follower.SOON, now -> !now.nodes().containsKey("far") && !now.services().containsKey("remote"));
    }

    @Test
    void keepsInstancesApartThatShareAnIdOnTwoNodes() {
        consul().registerOnNode("east", "10.9.1.1", "twin", "twin-1", 81, Health.PASSING);
        consul().registerOnNode("west", "10.9.1.2", "twin", "twin-1", 82, Health.CRITICAL);
        Predicate<Snapshot> both = snapshot -> instances(snapshot, "twin").size() == 2
                && instances(snapshot, "twin").get(0).health() == Health.PASSING
                && instances(snapshot, "twin").get(1).health() == Health.CRITICAL;
        Snapshot snapshot = follower().await("both twins", Follower.SOON, both);
        assertEquals(List.of("east/twin-1", "west/twin-1"), instances(snapshot, "twin").stream().map(Instance::key).toList());
        consul().deregisterNode("east");
        consul().deregisterNode("west");
        follower().await("twins went", Follower.SOON, now -> !now.services().containsKey("twin"));
    }

    @Test
    void followsServicesWithOddNames() {
        for (String name : List.of("has space", "a/b", "per%cent", "quest?ion", "häh#", "plus+and&")) {
            consul().service(name).port(9300).check(Health.CRITICAL).register();
            follower().awaitInstance(name, name, name, instance -> instance.health() == Health.CRITICAL);
            consul().deregister(name);
            follower().await(name + " went", Follower.SOON, snapshot -> !snapshot.services().containsKey(name));
        }
    }

    @Test
    void followsOneOfAThousandInstancesAndLeavesTheOthersTheSameObjects() {
        for (int i = 0; i < 1000; i++) {
            consul().registerOnNode("herd", "10.9.3.1", "big", "big-" + i, 10_000 + i, Health.PASSING);
        }
        Snapshot before = follower().await("all thousand", Follower.PATIENTLY, snapshot -> instances(snapshot, "big").size() == 1000);
        consul().registerOnNode("herd", "10.9.3.1", "big", "big-500", 10_500, Health.CRITICAL);
        Snapshot after = follower().awaitInstance("one turns", "big", "big-500", instance -> instance.health() == Health.CRITICAL);
        Set<Instance> known = Collections.newSetFromMap(new IdentityHashMap<>());
        known.addAll(instances(before, "big"));
        assertEquals(List.of("big-500"), instances(after, "big").stream().filter(instance -> !known.contains(instance)).map(Instance::id).toList());
        consul().deregisterNode("herd");
        follower().await("all went at once", Follower.PATIENTLY, snapshot -> !snapshot.services().containsKey("big"));
    }

    @Test
    void leavesWhatDidNotChangeTheSameObject() {
        consul().register("web-2", "web", 9002, "a");
        Snapshot before = follower().awaitInstance("web-2 came", "web", "web-2", _ -> true);
        consul().checkStatus("service:web-1", Health.CRITICAL);
        Snapshot after = follower().awaitInstance("web-1 critical", "web", "web-1", instance -> instance.health() == Health.CRITICAL);
        assertNotSame(before, after);
        assertSame(before.services().get("other"), after.services().get("other"));
        assertSame(before.services().get("consul"), after.services().get("consul"));
        assertNotSame(before.services().get("web"), after.services().get("web"));
        assertSame(
                Follower.instance(before, "web", "web-2").orElseThrow(), Follower.instance(after, "web", "web-2").orElseThrow());
        assertSame(before.nodes().get(consul().nodeName()), after.nodes().get(consul().nodeName()));
    }

    @Test
    void deliversNothingWhenOnlyOutputOrKeysChange() {
        int before = follower().delivered().size();
        consul().put("/v1/agent/check/update/service%3Aweb-1", "{\"Status\":\"passing\",\"Output\":\"still fine\"}");
        consul().kvPut("gatepost/x", "y");
        consul().register("probe-1", "probe", 1);
        follower().awaitInstance("a later change", "probe", "probe-1", _ -> true);
        for (Snapshot snapshot : follower().delivered().subList(before, follower().delivered().size())) {
            assertTrue(snapshot.services().containsKey("probe"), "a snapshot for nothing: " + snapshot);
        }
        consul().kvDelete("gatepost/x");
    }

    @Test
    void saysThatAllIsWell() {
        SourceStatus status = follower().status();
        assertTrue(status.reachable(), status.toString());
        assertFalse(status.stale(), status.toString());
        assertEquals(Optional.empty(), status.lastError());
        assertEquals(List.of(), status.staleServices());
        assertTrue(Duration.between(status.confirmedAt().orElseThrow(), Instant.now()).toSeconds() < 30);
    }

    private ConsulAgent consul() {
        return started.orElseThrow();
    }

    private Follower follower() {
        return following.orElseThrow();
    }

    private static List<Instance> instances(Snapshot snapshot, String service) {
        return Optional.ofNullable(snapshot.services().get(service)).map(Service::instances).orElse(List.of());
    }
}
