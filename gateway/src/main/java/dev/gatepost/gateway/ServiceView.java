package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// A service as the catalog has it, with what each of its instances gets: those of the nearest datacenter that has a healthy one.
record ServiceView(String name, int healthy, List<InstanceView> instances) {

    /// @param served whether it gets traffic, and in our own datacenter is answered in DNS
    record InstanceView(
            String id,
            String node,
            String datacenter,
            String address,
            int port,
            String health,
            boolean served,
            int weight,
            List<String> tags,
            Map<String, String> meta,
            List<CheckView> checks) {}

    record CheckView(String id, String name, String status) {
        static CheckView of(Check check) {
            return new CheckView(check.id(), check.name(), word(check.status()));
        }
    }

    static ServiceView of(Service service, HealthRule rule) {
        int nearest = service.instances().stream()
                .filter(instance -> rule.admits(instance.health()))
                .mapToInt(Instance::distance)
                .min()
                .orElse(0);
        List<InstanceView> instances = service.instances().stream()
                .map(instance -> view(instance, rule.admits(instance.health()) && instance.distance() == nearest))
                .toList();
        return new ServiceView(service.name(), (int) instances.stream().filter(InstanceView::served).count(), instances);
    }

    private static InstanceView view(Instance instance, boolean served) {
        return new InstanceView(
                instance.id(),
                instance.node().name(),
                instance.node().datacenter(),
                instance.address(),
                instance.port(),
                word(instance.health()),
                served,
                instance.weight(),
                instance.tags(),
                instance.meta(),
                instance.checks().stream().map(CheckView::of).toList());
    }

    private static String word(Enum<?> word) {
        return word.name().toLowerCase(Locale.ROOT);
    }
}
