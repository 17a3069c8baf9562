package dev.gatepost.gateway.catalog;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

final class PanicTest {
    private static final Service SICK = service("web", Health.CRITICAL, Health.CRITICAL, Health.MAINTENANCE);
    private static final Service WELL = service("api", Health.CRITICAL, Health.PASSING);

    @Test
    void servesAllButThoseInMaintenanceWhereNoneIsHealthy() {
        Panic panic = new Panic(Set.of("web"), HealthRule.PASSING);
        Snapshot served = panic.applied(snapshot(SICK, WELL));
        assertEquals(List.of(Health.PANICKING, Health.PANICKING, Health.MAINTENANCE), health(served, "web"));
        assertEquals(List.of(1, 1, 0), weights(served));
        assertSame(WELL, served.services().get("api"));
    }

    @Test
    void asksOnlyForServicesThatAreNamed() {
        Snapshot snapshot = snapshot(SICK, WELL);
        assertSame(snapshot, new Panic(Set.of("api"), HealthRule.PASSING).applied(snapshot));
        assertSame(snapshot, new Panic(Set.of(), HealthRule.PASSING).applied(snapshot));
        assertEquals(List.of(Health.PANICKING, Health.PANICKING, Health.MAINTENANCE), health(new Panic(Set.of("*"), HealthRule.PASSING).applied(snapshot), "web"));
    }

    @Test
    void servesThoseThatWarnAloneWhereWarningIsHealthy() {
        Snapshot snapshot = snapshot(service("web", Health.WARNING, Health.CRITICAL));
        assertSame(snapshot, new Panic(Set.of("*"), HealthRule.WARNING).applied(snapshot));
        assertEquals(List.of(Health.PANICKING, Health.PANICKING), health(new Panic(Set.of("*"), HealthRule.PASSING).applied(snapshot), "web"));
    }

    @Test
    void keepsAnInstanceThatWasTakenOutOfTrafficOut() {
        Snapshot snapshot = snapshot(service("web", Health.MAINTENANCE, Health.MAINTENANCE));
        assertSame(snapshot, new Panic(Set.of("*"), HealthRule.PASSING).applied(snapshot));
    }

    @Test
    void isOverOnceOneIsHealthyAndUntilThenTheSameObject() {
        Panic panic = new Panic(Set.of("*"), HealthRule.PASSING);
        Snapshot first = panic.applied(snapshot(SICK));
        assertSame(first.services().get("web"), panic.applied(snapshot(SICK, WELL)).services().get("web"));
        Service recovered = service("web", Health.PASSING, Health.CRITICAL, Health.MAINTENANCE);
        assertSame(recovered, panic.applied(snapshot(recovered)).services().get("web"));
    }

    private static List<Integer> weights(Snapshot snapshot) {
        return snapshot.services().values().stream().filter(service -> service.name().equals("web"))
                .flatMap(service -> service.instances().stream()).map(Instance::weight).toList();
    }

    private static Snapshot snapshot(Service... services) {
        return CatalogTest.snapshot(services);
    }

    private static List<Health> health(Snapshot snapshot, String service) {
        return snapshot.services().getOrDefault(service, new Service(service, List.of())).instances().stream().map(Instance::health).toList();
    }

    private static Service service(String name, Health... states) {
        Node node = new Node("n1", "", "10.0.0.1", "dc1", Map.of(), Map.of());
        List<Instance> instances = new ArrayList<>();
        for (int i = 0; i < states.length; i++) {
            instances.add(new Instance(name + "-" + i, name, node, "", 80, List.of(), Map.of(), Map.of(), Weights.DEFAULT, List.of(new Check("c" + i, "check", states[i]))));
        }
        return new Service(name, instances);
    }
}
