package dev.gatepost.gateway.catalog;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

final class CatalogTest {
    private static final Instant NOW = Instant.parse("2026-11-01T00:00:00Z");

    private final FakeSource file = new FakeSource();
    private final FakeSource consul = new FakeSource();
    private final List<Snapshot> published = new ArrayList<>();

    @Test
    void publishesNothingBeforeEverySourceHasSpoken() {
        try (Catalog catalog = new Catalog(List.of(file, consul))) {
            catalog.start(published::add);
            file.says(snapshot(service("web", instance("web", "file-1", "n1", 1))), NOW);
            assertEquals(List.of(), published);
            assertEquals(Optional.empty(), catalog.confirmedAt());
            consul.says(Snapshot.EMPTY, NOW.plusSeconds(1));
            assertEquals(1, published.size());
            assertEquals(Optional.of(NOW), catalog.confirmedAt());
        }
    }

    @Test
    void unitesTheInstancesOfAServiceThatBothKnow() {
        try (Catalog catalog = new Catalog(List.of(file, consul))) {
            catalog.start(published::add);
            file.says(snapshot(service("web", instance("web", "same", "n1", 1)), service("only-file", instance("only-file", "x", "n1", 9))), NOW);
            consul.says(snapshot(service("web", instance("web", "same", "n1", 2), instance("web", "other", "n2", 3))), NOW);
            Snapshot snapshot = published.getLast();
            assertEquals(List.of("n1/same", "n2/other"), get(snapshot, "web").instances().stream().map(Instance::key).toList());
            assertEquals(1, get(snapshot, "web").instances().getFirst().port(), "the first source's instance counts");
            assertEquals(2, snapshot.services().size());
            assertEquals(2, snapshot.nodes().size());
        }
    }

    @Test
    void leavesUnchangedServicesTheSameObjectEvenWhereTheyAreUnited() {
        try (Catalog catalog = new Catalog(List.of(file, consul))) {
            catalog.start(published::add);
            file.says(snapshot(service("web", instance("web", "a", "n1", 1))), NOW);
            consul.says(snapshot(service("web", instance("web", "b", "n1", 2))), NOW);
            consul.says(snapshot(service("web", instance("web", "b", "n1", 2)), service("new", instance("new", "c", "n1", 3))), NOW);
            assertSame(get(published.get(0), "web"), get(published.get(1), "web"));
            assertSame(published.get(0).nodes().get("n1"), published.get(1).nodes().get("n1"));
        }
    }

    @Test
    void publishesNothingAfterItIsClosed() {
        Catalog catalog = new Catalog(List.of(consul));
        catalog.start(published::add);
        consul.says(Snapshot.EMPTY, NOW);
        catalog.close();
        consul.says(snapshot(service("web", instance("web", "a", "n1", 1))), NOW);
        assertEquals(1, published.size());
    }

    @Test
    void asksOtherDatacentersOnceOurOwnIsServedAndWaitsForNone() {
        FakeSource near = new FakeSource();
        FakeSource own = new FakeSource();
        FakeSource far = new FakeSource();
        List<Catalog.Other> others = List.of(new Catalog.Other("dc2", near), new Catalog.Other("dc1", own), new Catalog.Other("dc3", far));
        try (Catalog catalog = new Catalog(List.of(consul), others, new Panic(Set.of(), HealthRule.PASSING))) {
            catalog.start(published::add);
            near.says(snapshot(service("web", instance("web", "early", "n1", 1))), NOW);
            assertEquals(List.of(), published);
            Snapshot local = snapshot(service("web", instance("web", "a", "n1", 1)));
            consul.says(local, NOW);
            assertSame(local, published.getFirst());
            assertEquals(Optional.of(NOW), catalog.confirmedAt());
            assertEquals(List.of("dc2", "dc3"), catalog.others().stream().map(OtherDatacenter::name).toList(), "our own is none of the others");

            own.says(snapshot(service("web", instance("web", "twice", "n1", 1))), NOW);
            assertEquals(1, published.size());
            far.says(snapshot(service("web", in("dc3", "a", 3)), service("only-far", in("dc3", "x", 9))), NOW.minusSeconds(60));
            near.says(snapshot(service("web", in("dc2", "a", 2))), NOW.minusSeconds(60));
            Snapshot snapshot = published.getLast();
            assertEquals(List.of("n1/a", "dc2:n1/a", "dc3:n1/a"), get(snapshot, "web").instances().stream().map(Instance::key).toList());
            assertEquals(List.of(0, 1, 3), get(snapshot, "web").instances().stream().map(Instance::distance).toList());
            assertEquals(Set.of("web", "only-far"), snapshot.services().keySet());
            assertSame(local, snapshot.local(), "names without a datacenter are of our own");
            assertEquals(Set.of("n1"), snapshot.nodes().keySet());
            assertEquals(Optional.of(NOW), catalog.confirmedAt());

            far.fails("no path to datacenter");
            assertFalse(catalog.status().getFirst().stale());
            consul.says(snapshot(service("new", instance("new", "b", "n1", 1))), NOW);
            assertEquals(List.of("dc2:n1/a", "dc3:n1/a"), get(published.getLast(), "web").instances().stream().map(Instance::key).toList(), "kept");
            assertSame(get(snapshot, "only-far"), get(published.getLast(), "only-far"));
            near.says(Snapshot.EMPTY, NOW);
            far.says(Snapshot.EMPTY, NOW);
            assertEquals(Set.of("new"), published.getLast().services().keySet());
        }
    }

    private static Instance in(String datacenter, String id, int port) {
        Instance here = instance("web", id, "n1", port);
        return here.withNode(new Node("n1", "", "10.0.0.1", datacenter, Map.of(), Map.of()));
    }

    static Snapshot snapshot(Service... services) {
        Map<String, Service> byName = new TreeMap<>();
        Map<String, Node> nodes = new TreeMap<>();
        for (Service service : services) {
            byName.put(service.name(), service);
            service.instances().forEach(instance -> nodes.put(instance.node().name(), instance.node()));
        }
        return new Snapshot(byName, nodes);
    }

    static Service service(String name, Instance... instances) {
        return new Service(name, List.of(instances));
    }

    static Instance instance(String service, String id, String node, int port) {
        return new Instance(
                id,
                service,
                new Node(node, "", "10.0.0.1", "dc1", Map.of("lan", "10.0.0.1"), Map.of("rack", "r1")),
                "",
                port,
                List.of("tag"),
                Map.of("k", "v"),
                Map.of("wan", new Instance.TaggedAddress("192.0.2.1", 80)),
                new Weights(3, 1),
                List.of(new Check("c", "check", Health.WARNING)));
    }

    private static Service get(Snapshot snapshot, String name) {
        return Objects.requireNonNull(snapshot.services().get(name), name);
    }
}
