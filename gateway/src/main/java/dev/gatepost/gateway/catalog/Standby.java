package dev.gatepost.gateway.catalog;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The instances of other datacenters, put beside those of our own: each knows its distance, by which a route chooses.
/// A service that did not change anywhere is the same object as before.
///
/// Confined to whoever holds the catalog's lock.
final class Standby {
    /// What one of the others said last, and its services as they are seen from here.
    private static final class Elsewhere {
        private Snapshot said = Snapshot.EMPTY;
        private final Map<String, Service> seen = new HashMap<>();
    }

    private final List<Elsewhere> others = new ArrayList<>();
    private final Map<String, Service> united = new TreeMap<>();
    private Snapshot local = Snapshot.EMPTY;

    /// @param datacenters how many others there are
    Standby(int datacenters) {
        for (int i = 0; i < datacenters; i++) {
            others.add(new Elsewhere());
        }
    }

    /// Takes what is known of our own datacenter.
    void here(Snapshot next) {
        Snapshot before = local;
        local = next;
        next.servicesChangedFrom(before, (was, is) -> unite(name(was, is)));
    }

    /// Takes what is known of another one.
    ///
    /// @param distance from 1 on
    void elsewhere(int distance, Snapshot next) {
        Elsewhere other = others.get(distance - 1);
        Snapshot before = other.said;
        other.said = next;
        next.servicesChangedFrom(before, (was, is) -> {
            String name = name(was, is);
            is.ifPresentOrElse(service -> other.seen.put(name, service.at(distance)), () -> other.seen.remove(name));
            unite(name);
        });
    }

    /// All there is; what is known of our own datacenter where there is nothing else.
    Snapshot snapshot() {
        return others.stream().allMatch(other -> other.seen.isEmpty()) ? local : local.withStandby(united);
    }

    private void unite(String name) {
        Optional<Service> own = Optional.ofNullable(local.services().get(name));
        List<Instance> instances = new ArrayList<>(own.map(Service::instances).orElse(List.of()));
        for (Elsewhere other : others) {
            Optional.ofNullable(other.seen.get(name)).ifPresent(service -> instances.addAll(service.instances()));
        }
        boolean ownAlone = own.isPresent() && own.get().instances().size() == instances.size();
        if (ownAlone) {
            united.put(name, own.get());
        } else if (instances.isEmpty()) {
            united.remove(name);
        } else {
            united.put(name, new Service(name, instances));
        }
    }

    private static String name(Optional<Service> was, Optional<Service> is) {
        return was.or(() -> is).map(Service::name).orElseThrow();
    }
}
