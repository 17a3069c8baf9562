package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.catalog.FakeConsul.Fault;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What a Consul in trouble says is not believed, and what it said before is kept.
final class ConsulTroubleTest {
    /// A wait long enough to see who waits it out, an answer's silence short enough not to wait for.
    private static final ConsulCatalog.Timing TIMING = new ConsulCatalog.Timing(
            Duration.ofMillis(1500),
            Duration.ofMillis(700),
            Duration.ofMillis(5),
            Duration.ofMillis(20),
            Duration.ofHours(1),
            Duration.ofMillis(30),
            Duration.ofMillis(30),
            Duration.ofMillis(200),
            Duration.ofMillis(50),
            Duration.ofSeconds(3),
            Duration.ofSeconds(1));

    private final FakeConsul consul = FakeConsul.start()
            .has("consul", "consul", 8300, Health.PASSING)
            .has("web", "web-1", 80, Health.PASSING, "a")
            .has("api", "api-1", 81, Health.PASSING, "b");

    @AfterEach
    void stop() {
        consul.close();
    }

    @Test
    void followsAnIndexThatGoesBack() {
        try (Follower follower = follow()) {
            consul.indexIs(3);
            consul.movesSilently("web-1", 90);
            follower.await("the lower index is followed", Follower.PATIENTLY, snapshot -> port(snapshot, "web") == 90);
            consul.has("web", "web-1", 91, Health.PASSING, "a");
            follower.await("and from there on as ever", Follower.SOON, snapshot -> port(snapshot, "web") == 91);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"status", "nonsense", "empty", "half", "hang"})
    void keepsAServiceWhoseOwnReadFailsAndFollowsTheOthers(String kind) {
        try (Follower follower = follow()) {
            Service before = service(follower.snapshot(), "web");
            consul.fails("/v1/health/service/web", fault(kind));
            consul.has("web", "web-1", 99, Health.PASSING, "changed").has("api", "api-1", 82, Health.PASSING, "b");
            follower.await("api is followed", Follower.PATIENTLY, snapshot -> port(snapshot, "api") == 82);
            Await.until("web is listed as kept", Follower.PATIENTLY, () -> follower.status().staleServices().equals(List.of("web")));
            assertSame(before, service(follower.snapshot(), "web"));
            assertTrue(follower.status().stale());
            assertTrue(follower.status().lastError().orElse("").contains("web"), follower.status().toString());
            consul.recovers();
            follower.await("web is followed again", Follower.PATIENTLY, snapshot -> port(snapshot, "web") == 99);
            Await.until("nothing is kept", Follower.PATIENTLY, () -> !follower.status().stale());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"status", "nonsense", "empty", "half", "hang"})
    void keepsEverythingWhileNothingIsAnsweredAndCatchesUpAfterwards(String kind) {
        try (Follower follower = follow()) {
            Snapshot before = follower.snapshot();
            consul.failsEverywhere(fault(kind));
            Await.until("the trouble is noticed", Follower.PATIENTLY, () -> !follower.status().reachable());
            assertTrue(follower.status().stale());
            assertTrue(follower.status().confirmedAt().isPresent());
            consul.has("web", "web-1", 99, Health.CRITICAL, "a");
            assertSame(before, follower.snapshot());
            consul.recovers();
            follower.await("what happened meanwhile is followed", Follower.PATIENTLY, snapshot -> port(snapshot, "web") == 99);
            Await.until("all is well", Follower.PATIENTLY, () -> follower.status().reachable() && !follower.status().stale());
        }
    }

    @Test
    void servesOnWhenTheTokenIsRefusedAndSaysSo() {
        try (Follower follower = follow()) {
            Snapshot before = follower.snapshot();
            consul.failsEverywhere(new Fault.Status(403, "ACL not found"));
            Await.until("the refusal is noticed", Follower.PATIENTLY, () -> follower.status().lastError().orElse("").contains("ACL not found"));
            assertTrue(follower.status().lastError().orElse("").contains("refuses the token"), follower.status().toString());
            assertSame(before, follower.snapshot());
        }
    }

    @Test
    void believesNoEmptyListFromAServerThatWasOnIt() {
        try (Follower follower = follow()) {
            Snapshot before = follower.snapshot();
            consul.lacksEverything();
            Await.until("the empty list is noticed", Follower.PATIENTLY, () -> follower.status().lastError().orElse("").contains("service:read"));
            assertSame(before, follower.snapshot());
            consul.has("consul", "consul", 8300, Health.PASSING).has("web", "web-1", 85, Health.PASSING).has("api", "api-1", 81, Health.PASSING);
            follower.await("the list is back", Follower.PATIENTLY, snapshot -> port(snapshot, "web") == 85);
            Await.until("nothing is held any more", Follower.PATIENTLY, () -> !follower.status().stale());
        }
    }

    @Test
    void readsASuddenLossASecondTimeAndThenFollowsIt() {
        try (Follower follower = follow()) {
            int reads = consul.asked("/v1/catalog/services");
            consul.lacks("web-1").lacks("api-1");
            follower.await("the loss is followed", Follower.PATIENTLY, snapshot -> snapshot.services().keySet().equals(Set.of("consul")));
            assertTrue(consul.asked("/v1/catalog/services") > reads);
            assertTrue(consul.requests().stream().anyMatch(request -> request.startsWith("/v1/catalog/services?") && request.contains("consistent")),
                    consul.requests().toString());
        }
    }

    @ParameterizedTest
    @CsvSource({"10, true", "50, false", "100, false"})
    void confirmsALossThatIsGreaterThanTheSetShare(int percent, boolean confirmed) {
        try (Follower follower = Follower.of(Follower.consul(consul.address(), ""), percent, TIMING).awaitFirst()) {
            int before = consul.requests().size();
            consul.lacks("api-1");
            follower.await("the loss is followed", Follower.PATIENTLY, snapshot -> !snapshot.services().containsKey("api"));
            assertEquals(confirmed, consul.requests().stream().skip(before).anyMatch(request -> request.startsWith("/v1/catalog/services?") && request.contains("consistent")));
        }
    }

    @Test
    void holdsASuddenLossThatIsNotConfirmedAndSaysSo() {
        try (Follower follower = follow()) {
            Snapshot before = follower.snapshot();
            consul.failsToConfirm("/v1/catalog/services", new Fault.Status(500, "rpc error"));
            consul.lacks("web-1", "api-1");
            Await.until("the loss is held", Follower.PATIENTLY, () -> follower.status().safeguards().held().isPresent());
            assertSame(before, follower.snapshot());
            assertEquals(1, follower.delivered().size());
            consul.has("web", "web-1", 80, Health.PASSING, "a").has("api", "api-1", 81, Health.PASSING, "b").recovers();
            follower.await("everything is back", Follower.PATIENTLY, snapshot -> snapshot.services().keySet().equals(before.services().keySet()));
            Await.until("nothing is held any more", Follower.PATIENTLY, () -> follower.status().safeguards().held().isEmpty());
        }
    }

    @Test
    void neverAsksForAServiceThatIsNotListed() {
        try (Follower follower = follow()) {
            consul.lacks("api-1");
            follower.await("api went", Follower.SOON, snapshot -> !snapshot.services().containsKey("api"));
            int asked = consul.asked("/v1/health/service/api");
            for (int i = 0; i < 5; i++) {
                int port = 100 + i;
                consul.has("web", "web-1", port, Health.PASSING, "a");
                follower.await("web moves", Follower.SOON, snapshot -> port(snapshot, "web") == port);
            }
            assertEquals(asked, consul.asked("/v1/health/service/api"));
            Set<String> paths = consul.requests().stream().map(request -> request.replaceAll("\\?.*", "")).collect(Collectors.toCollection(TreeSet::new));
            assertEquals(
                    Set.of("/v1/catalog/nodes", "/v1/catalog/node/n1", "/v1/catalog/services", "/v1/health/state/critical",
                            "/v1/health/state/warning", "/v1/health/service/api", "/v1/health/service/consul", "/v1/health/service/web"),
                    paths);
        }
    }

    @Test
    void neverBlocksOnIndexZeroAndDoesNotSpin() {
        consul.indexIs(0);
        try (Follower follower = follow()) {
            assertEquals(80, port(follower.snapshot(), "web"));
            int before = consul.asked("/v1/catalog/services");
            long start = System.nanoTime();
            Await.until("some more rounds", Follower.PATIENTLY, () -> consul.asked("/v1/catalog/services") >= before + 10);
            assertTrue(System.nanoTime() - start > Duration.ofMillis(100).toNanos(), "ten rounds faster than their pace");
            assertTrue(consul.requests().stream().noneMatch(request -> request.contains("index=0")), consul.requests().toString());
        }
    }

    @Test
    void wakesForNothingWithoutDeliveringAnything() {
        try (Follower follower = follow()) {
            consul.wakesForNothing();
            Await.until("the node is asked what changed", Follower.PATIENTLY, () -> consul.asked("/v1/catalog/node/n1") > 0);
            consul.has("web", "web-1", 86, Health.PASSING, "a");
            follower.await("a change", Follower.SOON, snapshot -> port(snapshot, "web") == 86);
            assertEquals(2, follower.delivered().size());
        }
    }

    @Test
    void readsEveryServiceWhenANodeCanNotBeAsked() {
        try (Follower follower = follow()) {
            consul.fails("/v1/catalog/node/", new Fault.Status(500, "rpc error"));
            consul.movesSilently("web-1", 87).wakesForNothing();
            follower.await("web moved", Follower.PATIENTLY, snapshot -> port(snapshot, "web") == 87);
        }
    }

    @Test
    void readsEachServiceOnceInAWhileThoughNothingAsksForIt() {
        ConsulCatalog.Timing sweeping = new ConsulCatalog.Timing(
                TIMING.sleep(), TIMING.answer(), TIMING.settle(), TIMING.pace(), Duration.ofMillis(300), TIMING.searchPause(),
                TIMING.retryFirst(), TIMING.retryLongest(), TIMING.confirm(), TIMING.doze(), TIMING.patience());
        try (Follower follower = Follower.of(Follower.consul(consul.address(), ""), sweeping).awaitFirst()) {
            consul.movesSilently("web-1", 88).movesSilently("api-1", 89);
            follower.await("both moved", Follower.PATIENTLY, snapshot -> port(snapshot, "web") == 88 && port(snapshot, "api") == 89);
        }
    }

    @Test
    void asksTheLeaderWhereTheServerThatHoldsAWatchIsTooFarBehind() {
        try (Follower follower = follow()) {
            consul.aFollowerStaysBehind().theFollowerAnswers(Duration.ofSeconds(10));
            consul.has("web", "web-1", 92, Health.PASSING, "a");
            follower.await("the leader's word counts", Follower.PATIENTLY, snapshot -> port(snapshot, "web") == 92);
        }
    }

    @Test
    void takesNothingFromAServerThatKnowsLessThanWeHeardAlready() {
        consul.aFollowerStaysBehind();
        consul.has("new", "new-1", 93, Health.PASSING);
        try (Follower follower = follow()) {
            assertEquals(93, port(follower.snapshot(), "new"));
            long before = leaderAsked();
            consul.theFollowerAnswers(Duration.ofMillis(10));
            consul.wakesForNothing();
            Await.until("the leader is asked instead", Follower.PATIENTLY, () -> leaderAsked() > before);
            consul.has("newer", "newer-1", 94, Health.PASSING);
            follower.await("what it says is followed", Follower.PATIENTLY, snapshot -> port(snapshot, "newer") == 94);
            follower.delivered().forEach(snapshot -> assertEquals(93, port(snapshot, "new")));
        }
    }

    @Test
    void takesNoListFromALeaderThatHasNotCaughtUpSinceItsElection() {
        consul.aFollowerStaysBehind();
        consul.has("new", "new-1", 93, Health.PASSING);
        try (Follower follower = follow()) {
            consul.failsEverywhere(new Fault.Status(500, "No cluster leader"));
            Await.until("the election is noticed", Follower.PATIENTLY, () -> !follower.status().reachable());
            int before = consul.requests().size();
            consul.theFollowerLeads().recovers();
            Await.until("a majority is asked", Follower.PATIENTLY, () -> consul.requests().stream().skip(before)
                    .anyMatch(request -> request.startsWith("/v1/catalog/services") && request.contains("consistent")));
            Await.until("all is well", Follower.PATIENTLY, () -> follower.status().reachable());
            follower.delivered().forEach(snapshot -> assertEquals(93, port(snapshot, "new")));
        }
    }

    @Test
    void takesNoFirstListFromALeaderThatHasNotCaughtUp() {
        consul.aFollowerStaysBehind();
        consul.has("new", "new-1", 93, Health.PASSING);
        consul.theFollowerLeadsAndCatchesUp();
        try (Follower follower = follow()) {
            follower.delivered().forEach(snapshot -> assertEquals(93, port(snapshot, "new")));
        }
    }

    @Test
    void raisesAnAlarmWhileAWatchIsNeverAnswered() {
        ConsulCatalog.Timing impatient = new ConsulCatalog.Timing(
                Duration.ofMillis(250), Duration.ofMillis(250), TIMING.settle(), TIMING.pace(), TIMING.sweepEvery(), TIMING.searchPause(),
                TIMING.retryFirst(), TIMING.retryLongest(), TIMING.confirm(), TIMING.doze(), TIMING.patience());
        try (Follower follower = Follower.of(Follower.consul(consul.address(), ""), impatient).awaitFirst()) {
            assertEquals(Optional.empty(), follower.status().safeguards().alarm());
            consul.fails("/v1/catalog/services", new Fault.Hang());
            Await.until("the alarm", Follower.PATIENTLY, () -> follower.status().safeguards().alarm().orElse("").contains("/v1/catalog/services"));
            consul.recovers();
            Await.until("its end", Follower.PATIENTLY, () -> follower.status().safeguards().alarm().isEmpty() && !follower.status().stale());
        }
    }

    @Test
    void keepsWhatATokenThatLostItsRightsNoLongerShows() {
        try (Follower follower = follow()) {
            consul.filters("/v1/catalog/services").lacks("api-1");
            Await.until("the lost rights are named", Follower.PATIENTLY, () -> follower.status().safeguards().missingRules().equals(List.of("service_prefix \"\" { policy = \"read\" }")));
            consul.has("web", "web-1", 95, Health.PASSING, "a");
            follower.await("others are followed", Follower.SOON, snapshot -> port(snapshot, "web") == 95);
            assertEquals(81, port(follower.snapshot(), "api"));
            consul.filtersNothing().wakesForNothing();
            follower.await("the whole list is believed", Follower.PATIENTLY, snapshot -> !snapshot.services().containsKey("api"));
            assertFalse(follower.status().stale());
        }
    }

    @Test
    void keepsTheInstancesThatATokenNoLongerShows() {
        consul.has("web", "web-2", 96, Health.PASSING, "a");
        try (Follower follower = follow()) {
            consul.filters("/v1/health/service/web").lacks("web-2");
            Await.until("web is listed as kept", Follower.PATIENTLY, () -> follower.status().staleServices().equals(List.of("web")));
            assertEquals(2, service(follower.snapshot(), "web").instances().size());
            consul.filtersNothing();
            follower.await("the whole answer is believed", Follower.PATIENTLY, snapshot -> service(snapshot, "web").instances().size() == 1);
        }
    }

    @Test
    void followsWhatATokenSeesThatNeverSawAll() {
        consul.filters("/");
        try (Follower follower = follow()) {
            assertFalse(follower.status().safeguards().missingRules().isEmpty());
            consul.lacks("api-1");
            follower.await("api went", Follower.SOON, snapshot -> !snapshot.services().containsKey("api"));
        }
    }

    @Test
    void startsWithoutAServiceThatNeverAnswersOnceItsPatienceEnds() {
        consul.fails("/v1/health/service/api", new Fault.Status(500, "rpc error"));
        try (Follower follower = follow()) {
            assertEquals(Set.of("consul", "web"), follower.snapshot().services().keySet());
            assertEquals(List.of("api"), follower.status().staleServices());
            consul.recovers();
            follower.await("api came", Follower.PATIENTLY, snapshot -> snapshot.services().containsKey("api"));
        }
    }

    @Test
    void deliversNothingBeforeItHasReadEverything() {
        consul.failsEverywhere(new Fault.Status(500, "No cluster leader"));
        try (Follower follower = Follower.of(Follower.consul(consul.address(), ""), TIMING)) {
            Await.until("the trouble is noticed", Follower.PATIENTLY, () -> follower.status().lastError().isPresent());
            assertFalse(follower.status().reachable());
            assertTrue(follower.status().confirmedAt().isEmpty());
            assertEquals(List.of(), follower.delivered());
            consul.recovers();
            follower.awaitFirst();
            assertEquals(Set.of("api", "consul", "web"), follower.snapshot().services().keySet());
        }
    }

    private long leaderAsked() {
        return consul.requests().stream().filter(request -> request.startsWith("/v1/catalog/services") && !request.contains("stale")).count();
    }

    private Follower follow() {
        return Follower.of(Follower.consul(consul.address(), ""), TIMING).awaitFirst();
    }

    private static Fault fault(String kind) {
        return switch (kind) {
            case "status" -> new Fault.Status(500, "rpc error making call: EOF");
            case "nonsense" -> new Fault.Body("<html><body>Gateway error</body></html>");
            case "empty" -> new Fault.Body("");
            case "half" -> new Fault.Half();
            case "hang" -> new Fault.Hang();
            default -> throw new IllegalArgumentException(kind);
        };
    }

    private static Service service(Snapshot snapshot, String name) {
        return Objects.requireNonNull(snapshot.services().get(name), name);
    }

    private static int port(Snapshot snapshot, String name) {
        Service service = snapshot.services().get(name);
        return service == null ? 0 : service.instances().getFirst().port();
    }
}
