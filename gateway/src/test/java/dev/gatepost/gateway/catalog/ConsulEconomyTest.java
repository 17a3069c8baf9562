package dev.gatepost.gateway.catalog;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What following costs a real agent: requests are counted on their way to it.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class ConsulEconomyTest {
    private static final int SERVICES = 1000;

    private Optional<ConsulAgent> started = Optional.empty();

    @BeforeAll
    void startAgent() {
        ConsulAgent consul = ConsulAgent.start();
        started = Optional.of(consul);
        for (int i = 0; i < SERVICES; i++) {
            consul.registerOnNode("n" + i % 3, "10.9.0." + i % 3, "svc-" + i, "svc-" + i, 8000 + i, Health.PASSING);
        }
        consul.register("web-1", "web", 80, "a");
        consul.service("split").port(9200).register();
        consul.registerCheck("split-check", "split", Health.PASSING);
    }

    @AfterAll
    void stopAgent() {
        started.ifPresent(ConsulAgent::close);
    }

    @Test
    void aFlapCostsThreeRequestsAtMost() {
        try (CountingProxy counting = CountingProxy.start(consul().httpPort());
                Follower follower = Follower.of(counting.address()).awaitFirst()) {
            awaitQuiet(counting);
            int flaps = 20;
            int before = counting.requests().size();
            for (int i = 0; i < flaps; i++) {
                Health state = i % 2 == 0 ? Health.CRITICAL : Health.PASSING;
                consul().checkStatus("service:web-1", state);
                follower.awaitInstance("web-1 is " + state, "web", "web-1", instance -> instance.health() == state);
            }
            awaitQuiet(counting);
            List<String> requests = counting.requests().subList(before, counting.requests().size());
            assertTrue(requests.size() <= 3 * flaps, requests.size() + " requests for " + flaps + " flaps: " + requests);
            assertEquals(flaps, requests.stream().filter(request -> request.contains("/v1/health/service/web")).count(), requests.toString());
            assertTrue(requests.stream().noneMatch(request -> request.contains("svc-")), requests.toString());
        }
    }

    @Test
    void aPortThatChangesCostsARequestForEachNodeAndOneForTheService() {
        try (CountingProxy counting = CountingProxy.start(consul().httpPort());
                Follower follower = Follower.of(counting.address()).awaitFirst()) {
            awaitQuiet(counting);
            int before = counting.requests().size();
            consul().service("split").port(9299).register();
            follower.awaitInstance("split moved", "split", "split", instance -> instance.port() == 9299);
            awaitQuiet(counting);
            List<String> requests = new ArrayList<>(counting.requests().subList(before, counting.requests().size()));
            requests.removeIf(request -> request.contains("index="));
            requests.sort(String::compareTo);
            assertEquals(
                    List.of("GET /v1/catalog/node/n0?", "GET /v1/catalog/node/n1?", "GET /v1/catalog/node/n2?",
                            "GET /v1/catalog/node/" + consul().nodeName() + "?", "GET /v1/health/service/split?"),
                    requests.stream().map(request -> request.contains("?") ? request : request + "?").toList());
            consul().service("split").port(9200).register();
        }
    }

    @Test
    void takesAHandfulOfTheAgentsConnections() {
        try (CountingProxy counting = CountingProxy.start(consul().httpPort());
                Follower follower = Follower.of(counting.address()).awaitFirst()) {
            assertEquals(SERVICES + 3, follower.snapshot().services().size());
            consul().checkStatus("service:web-1", Health.WARNING);
            follower.awaitInstance("web-1 warns", "web", "web-1", instance -> instance.health() == Health.WARNING);
            consul().checkStatus("service:web-1", Health.PASSING);
            assertTrue(counting.mostConnections() <= 16, "connections: " + counting.mostConnections());
        }
    }

    /// Until all four watches wait again and nothing else was asked for as long as any answer takes.
    private static void awaitQuiet(CountingProxy counting) {
        int[] known = {-1};
        long[] since = {System.nanoTime()};
        Await.until("nobody asks anything", Follower.PATIENTLY, () -> {
            int now = counting.requests().size();
            if (now != known[0]) {
                known[0] = now;
                since[0] = System.nanoTime();
            }
            return System.nanoTime() - since[0] > 150_000_000;
        });
    }

    private ConsulAgent consul() {
        return started.orElseThrow();
    }
}
