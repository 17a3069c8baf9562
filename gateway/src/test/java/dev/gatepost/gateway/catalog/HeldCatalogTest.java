package dev.gatepost.gateway.catalog;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

class HeldCatalogTest {
    private static final Node NODE = new Node("n1", "", "10.0.0.1", "dc1", Map.of(), Map.of());

    private final HeldCatalog held = new HeldCatalog();
    private final Map<String, Set<String>> listed = new TreeMap<>();

    @Test
    void knowsInWhatASnapshotDiffersFromTheOneBefore() {
        Random random = new Random(11);
        Snapshot before = Snapshot.EMPTY;
        for (int round = 0; round < 500; round++) {
            for (int change = random.nextInt(3); change >= 0; change--) {
                change("svc-" + random.nextInt(12), random);
            }
            Snapshot now = held.snapshot();
            assertEquals(changes(new Snapshot(now.services(), now.nodes()), before), changes(now, before), "round " + round);
            before = now;
        }
    }

    @Test
    void comparesWithASnapshotThatIsNotTheOneBefore() {
        list("a", "b");
        held.put(service("a", 1, Health.PASSING));
        Snapshot first = held.snapshot();
        held.put(service("b", 1, Health.PASSING));
        Snapshot second = held.snapshot();
        held.put(service("a", 2, Health.PASSING));
        Snapshot third = held.snapshot();
        assertEquals(List.of("a"), changes(third, second));
        assertEquals(List.of("a", "b"), changes(third, first));
        assertEquals(List.of(), changes(third, third));
    }

    @Test
    void namesServicesWhoseTagsAreNotAsListedUntilTheyAreRead() {
        list("a", "b");
        assertEquals(Set.of("a", "b"), held.tagsDiffer());
        held.put(service("a", 1, Health.PASSING));
        assertEquals(Set.of("b"), held.tagsDiffer());
        listed.put("a", Set.of("blue"));
        assertEquals(Set.of("a", "b"), held.list(listed, false));
        listed.remove("b");
        assertEquals(Set.of("a"), held.list(listed, false));
    }

    @Test
    void comparesFailingChecksOfThoseThatFailHereOrThere() {
        list("a", "b", "c");
        held.put(service("a", 1, Health.PASSING));
        held.put(service("b", 1, Health.CRITICAL));
        held.put(service("c", 1, Health.PASSING));
        assertEquals(Set.of("b"), held.sick(Health.CRITICAL, List.of()), "fails here alone");
        assertEquals(Set.of("b", "c"), held.sick(Health.CRITICAL, List.of(sick("c", Health.CRITICAL))));
        held.put(service("c", 1, Health.CRITICAL));
        assertEquals(Set.of("b"), held.checksDiffer());
        assertEquals(Set.of(), held.sick(Health.CRITICAL, List.of(sick("b", Health.CRITICAL), sick("c", Health.CRITICAL))));
        ConsulJson.Sick node = new ConsulJson.Sick("n1", "serfHealth", "", "", Health.CRITICAL);
        assertEquals(Set.of("a", "b", "c"), held.sick(Health.CRITICAL, List.of(node)), "a check of the node counts for all on it");
    }

    @Test
    void countsInstancesAsTheyComeAndGo() {
        list("a", "b");
        held.put(service("a", 3, Health.PASSING));
        held.put(service("b", 2, Health.PASSING));
        held.put(service("a", 1, Health.PASSING));
        assertEquals(3, held.instanceCount());
        assertEquals(held.snapshot().instanceCount(), held.instanceCount());
        long roster = held.roster();
        held.put(service("a", 4, Health.PASSING));
        assertEquals(roster, held.roster(), "the same services have instances");
        listed.remove("b");
        held.list(listed, false);
        assertEquals(4, held.instanceCount());
        assertEquals(List.of("a"), List.copyOf(held.present()));
    }

    private void change(String name, Random random) {
        if (random.nextInt(4) == 0) {
            listed.remove(name);
        } else {
            listed.put(name, Set.of());
        }
        held.list(listed, false);
        held.put(service(name, random.nextInt(3), random.nextBoolean() ? Health.PASSING : Health.CRITICAL));
    }

    private void list(String... names) {
        for (String name : names) {
            listed.put(name, Set.of());
        }
        held.list(listed, false);
    }

    private static List<String> changes(Snapshot now, Snapshot before) {
        List<String> names = new ArrayList<>();
        now.servicesChangedFrom(before, (was, is) -> names.add(was.or(() -> is).map(Service::name).orElseThrow()));
        return names.stream().sorted().toList();
    }

    private static ConsulJson.Sick sick(String service, Health status) {
        return new ConsulJson.Sick("n1", "service:" + service + "-0", service, service + "-0", status);
    }

    private static Service service(String name, int instances, Health health) {
        List<Instance> all = new ArrayList<>();
        for (int i = 0; i < instances; i++) {
            String id = name + "-" + i;
            List<Check> checks = List.of(new Check("service:" + id, id, health));
            all.add(new Instance(id, name, NODE, "", 80 + i, List.of(), Map.of(), Map.of(), Weights.DEFAULT, checks));
        }
        return new Service(name, all);
    }
}
