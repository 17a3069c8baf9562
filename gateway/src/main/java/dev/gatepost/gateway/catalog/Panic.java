package dev.gatepost.gateway.catalog;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serving all instances of a service rather than none, for services that the configuration names: when every one is
/// critical, it is more often the check that is broken than all of them. Instances in maintenance stay out, as somebody
/// said so. Such an instance carries a check of ours that outranks the others, so that every view tells why it is served.
///
/// Confined to whoever holds the catalog's lock.
final class Panic {
    static final String EVERY_SERVICE = "*";

    private static final Logger LOG = LoggerFactory.getLogger(Panic.class);
    private static final Check CHECK = new Check("_gatepost_panic", "no instance is healthy: all are served", Health.PANICKING);

    /// What a service was, and what it is served as.
    private record Served(Service from, Service as) {}

    private final Set<String> services;
    private final HealthRule rule;
    private Map<String, Served> panicking = Map.of();

    /// @param services names; [#EVERY_SERVICE] for all
    Panic(Set<String> services, HealthRule rule) {
        this.services = Set.copyOf(services);
        this.rule = rule;
    }

    /// The snapshot as it is to be served; a service that did not change is the same object as the last time.
    Snapshot applied(Snapshot snapshot) {
        if (services.isEmpty()) {
            return snapshot;
        }
        Map<String, Served> now = new HashMap<>();
        snapshot.services().values().stream()
                .filter(this::panics)
                .forEach(service -> now.put(service.name(), served(service)));
        panicking.keySet().stream().filter(name -> !now.containsKey(name)).forEach(name -> LOG.info("{} has a healthy instance again or is gone: panic is over", name));
        panicking = now;
        if (now.isEmpty()) {
            return snapshot;
        }
        Map<String, Service> all = new TreeMap<>(snapshot.services());
        now.forEach((name, served) -> all.put(name, served.as()));
        return new Snapshot(all, snapshot.nodes());
    }

    private boolean panics(Service service) {
        if (!services.contains(EVERY_SERVICE) && !services.contains(service.name())) {
            return false;
        }
        return service.instances().stream().noneMatch(instance -> rule.admits(instance.health()))
                && service.instances().stream().anyMatch(Panic::mayServe);
    }

    private Served served(Service service) {
        Served last = panicking.get(service.name());
        if (last != null && last.from().equals(service)) {
            return last;
        }
        List<Instance> instances = service.instances().stream().map(instance -> mayServe(instance) ? panicking(instance) : instance).toList();
        if (last == null) {
            LOG.warn("no instance of {} is healthy: serving {} of {} all the same", service.name(), instances.stream().filter(i -> i.health() == Health.PANICKING).count(), instances.size());
        }
        return new Served(service, new Service(service.name(), instances));
    }

    private static boolean mayServe(Instance instance) {
        return instance.health() != Health.MAINTENANCE;
    }

    private static Instance panicking(Instance instance) {
        List<Check> checks = new ArrayList<>(instance.checks());
        checks.add(CHECK);
        return instance.withChecks(checks);
    }
}
