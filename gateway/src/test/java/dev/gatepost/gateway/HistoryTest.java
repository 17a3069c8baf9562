package dev.gatepost.gateway;

import dev.gatepost.admin.BadParameter;
import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Zone;
import dev.gatepost.gateway.DiffView.ChangedView;
import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.catalog.Weights;
import dev.gatepost.gateway.config.GatewayConfig.Routes.Dialect;
import dev.gatepost.gateway.fragment.Fragments;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteSettings;
import dev.gatepost.gateway.zone.ZoneSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class HistoryTest {
    private static final Node NODE = new Node("n1", "", "10.0.0.1", "dc1", Map.of(), Map.of());
    private static final GatewayState.Settings SETTINGS = new GatewayState.Settings(
            new RouteSettings(Set.of(Dialect.GATEPOST), HealthRule.PASSING, ""),
            ZoneSettings.strict(DomainName.of("consul"), Duration.ofSeconds(2), Duration.ofSeconds(1), HealthRule.PASSING, List.of()));

    private final History history = new History();
    private final Map<Long, GatewayState> published = new HashMap<>();
    private GatewayState state = GatewayState.unknown(SETTINGS, Instant.EPOCH);

    @Test
    void beginsWithTheFirstCompleteState() {
        publish(Map.of("web", service("web", 8000, Health.PASSING)));
        HistoryView view = HistoryView.of(history);
        assertEquals(List.of(1L), view.revisions().stream().map(HistoryView.RevisionView::revision).toList());
        assertEquals(List.of(), view.revisions().getFirst().services().added());
        assertEquals(11, view.revisions().getFirst().index());
        assertThrows(BadParameter.class, () -> DiffView.of(history, Optional.of("0"), Optional.of("1")));
    }

    @Test
    void namesWhatAFlapChanges() {
        publish(Map.of("web", service("web", 8000, Health.PASSING), "api", service("api", 8001, Health.PASSING)));
        publish(Map.of("web", service("web", 8000, Health.CRITICAL), "api", published(1).catalog().services().get("api")));
        HistoryView.RevisionView flap = HistoryView.of(history).revisions().getFirst();
        assertEquals(2, flap.revision());
        assertEquals(List.of("web"), flap.services().changed());
        assertEquals(List.of("n1/web-0"), flap.instances().changed());
        assertEquals(List.of("web.test/"), flap.routes().changed());
        assertTrue(flap.names().changed().contains("web.service.consul."), () -> flap.names().toString());
        assertEquals(List.of(), flap.names().added());
        assertEquals(12, flap.index());
        assertEquals("/api/v1/history?from=1&to=2", flap.diff());

        DiffView diff = DiffView.of(history, Optional.of("1"), Optional.of("2"));
        assertEquals(Map.of("health", "passing", "weight", 1, "checks", Map.of("service:web-0", "passing")), diff.instances().getFirst().was());
        assertEquals(Map.of("health", "critical", "weight", 0, "checks", Map.of("service:web-0", "critical")), diff.instances().getFirst().is());
        assertEquals(List.of(), diff.routes().getFirst().is().get("endpoints"));
        assertEquals(Map.of("A", "10.0.0.1 ttl 2s"), without(named(diff.names(), "web.service.consul.").was(), "SRV"));
        assertEquals(Map.of(), named(diff.names(), "web.service.consul.").is());
    }

    @Test
    void whatChangedBackIsNoDifference() {
        publish(Map.of("web", service("web", 8000, Health.PASSING)));
        publish(Map.of("web", service("web", 8000, Health.CRITICAL)));
        publish(Map.of("web", service("web", 8000, Health.PASSING)));
        DiffView diff = DiffView.of(history, Optional.of("1"), Optional.of("3"));
        assertEquals(List.of(), diff.services());
        assertEquals(List.of(), diff.instances());
        assertEquals(List.of(), diff.routes());
        assertEquals(List.of(), diff.names());
    }

    @Test
    void comparesTheOtherWayRound() {
        publish(Map.of());
        publish(Map.of("web", service("web", 8000, Health.PASSING)));
        assertEquals(List.of("web.test/ added"), DiffView.of(history, Optional.of("1"), Optional.of("2")).routes().stream().map(HistoryTest::brief).toList());
        assertEquals(List.of("web.test/ removed"), DiffView.of(history, Optional.of("2"), Optional.of("1")).routes().stream().map(HistoryTest::brief).toList());
        assertEquals(List.of("web.test/ added"), DiffView.of(history, Optional.empty(), Optional.of("2")).routes().stream().map(HistoryTest::brief).toList());
        assertEquals(List.of("web.test/ added"), DiffView.of(history, Optional.of("1"), Optional.empty()).routes().stream().map(HistoryTest::brief).toList());
    }

    @Test
    void refusesWhatIsNotRemembered() {
        publish(Map.of());
        for (int port = 1; port <= 300; port++) {
            publish(Map.of("web", service("web", port, Health.PASSING)));
        }
        HistoryView view = HistoryView.of(history);
        assertEquals(256, view.revisions().size());
        assertEquals(46, view.from());
        assertEquals(301, view.to());
        assertEquals("", view.revisions().getLast().diff());
        BadParameter forgotten = assertThrows(BadParameter.class, () -> DiffView.of(history, Optional.of("45"), Optional.empty()));
        assertTrue(String.valueOf(forgotten.getMessage()).contains("from 46 to 301"), forgotten::toString);
        assertThrows(BadParameter.class, () -> DiffView.of(history, Optional.of("46"), Optional.of("302")));
        assertThrows(BadParameter.class, () -> DiffView.of(history, Optional.of("x"), Optional.empty()));
        assertEquals(Map.of("port", 45), DiffView.of(history, Optional.of("46"), Optional.of("301")).instances().getFirst().was());
    }

    @Test
    void aChangeOfMostOfEverythingBeginsItAnew() {
        publish(Map.of());
        Map<String, Service> many = new HashMap<>();
        for (int i = 0; i < 9_000; i++) {
            many.put("s" + i, service("s" + i, 8000, Health.PASSING));
        }
        publish(many);
        assertEquals(2, HistoryView.of(history).from());
        publish(many);
        assertEquals(2, HistoryView.of(history).revisions().size());
    }

    /// The differences that were added up from step to step are those that a comparison of everything finds.
    @Test
    void addsUpToTheWholeDifference() {
        Random random = new Random(7);
        Map<String, Service> services = new TreeMap<>();
        for (int step = 0; step < 60; step++) {
            for (int i = 0; i < 1 + random.nextInt(4); i++) {
                String name = (random.nextBoolean() ? "Web" : "web") + random.nextInt(8);
                if (random.nextInt(3) == 0) {
                    services.remove(name);
                } else {
                    services.put(name, service(name, 8000 + random.nextInt(2), random.nextBoolean() ? Health.PASSING : Health.CRITICAL));
                }
            }
            publish(services);
        }
        for (int i = 0; i < 40; i++) {
            long from = random.nextLong(1, 61);
            long to = random.nextLong(1, 61);
            DiffView diff = DiffView.of(history, Optional.of(Long.toString(from)), Optional.of(Long.toString(to)));
            GatewayState a = published(from);
            GatewayState b = published(to);
            assertEquals(briefs(a.catalog().services(), b.catalog().services(), Object::equals), briefs(diff.services()));
            assertEquals(briefs(routes(a), routes(b), Route::isSameAs), briefs(diff.routes()));
            assertEquals(briefs(names(a), names(b), Object::equals), briefs(diff.names()));
        }
    }

    private void publish(Map<String, Service> services) {
        GatewayState last = state;
        state = state.next(new Snapshot(services, Map.of(NODE.name(), NODE)), Fragments.NONE, SETTINGS, Instant.EPOCH);
        published.put(state.revision(), state);
        if (last.revision() == 0) {
            history.begin(state, 11);
        } else {
            history.add(state, 10 + state.revision(), Changeset.between(last, state));
        }
    }

    private GatewayState published(long revision) {
        return Objects.requireNonNull(published.get(revision));
    }

    private static Service service(String name, int port, Health health) {
        return new Service(name, List.of(new Instance(
                name + "-0",
                name,
                NODE,
                "",
                port,
                List.of("gatepost.route=" + name + ".test/", "blue"),
                Map.of(),
                Map.of(),
                Weights.DEFAULT,
                List.of(new Check("service:" + name + "-0", "alive", health)))));
    }

    private static Map<String, Object> without(Map<String, Object> facts, String fact) {
        return facts.entrySet().stream().filter(each -> !each.getKey().equals(fact)).collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static ChangedView named(List<ChangedView> all, String key) {
        return all.stream().filter(each -> each.key().equals(key)).findFirst().orElseThrow();
    }

    private static String brief(ChangedView change) {
        return change.key() + " " + change.change();
    }

    private static Set<String> briefs(List<ChangedView> changes) {
        Set<String> briefs = changes.stream().map(HistoryTest::brief).collect(Collectors.toCollection(TreeSet::new));
        assertEquals(briefs.size(), changes.size());
        return briefs;
    }

    private interface Same<T> {
        boolean test(T a, T b);
    }

    private static <T> Set<String> briefs(Map<String, T> before, Map<String, T> after, Same<T> same) {
        Set<String> keys = new HashSet<>(before.keySet());
        keys.addAll(after.keySet());
        Set<String> briefs = new TreeSet<>();
        for (String key : keys) {
            T was = before.get(key);
            T is = after.get(key);
            if (was == null || is == null) {
                briefs.add(key + (was == null ? " added" : " removed"));
            } else if (!same.test(was, is)) {
                briefs.add(key + " changed");
            }
        }
        return briefs;
    }

    private static Map<String, Route> routes(GatewayState state) {
        return state.routes().routes().stream().collect(Collectors.toMap(Route::id, route -> route));
    }

    private static Map<String, List<RRset>> names(GatewayState state) {
        Map<String, List<RRset>> names = new HashMap<>();
        for (Zone.Change name : state.zone().changesFrom(GatewayState.unknown(SETTINGS, Instant.EPOCH).zone())) {
            name.after().ifPresent(sets -> names.put(name.name().toString(), new ArrayList<>(sets)));
        }
        return names;
    }
}
