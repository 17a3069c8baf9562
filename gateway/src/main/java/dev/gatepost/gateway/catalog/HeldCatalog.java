package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.catalog.ConsulJson.Sick;

import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What we hold of Consul's catalog, and how it differs from what Consul's lists say. Each list is compared with
/// what we hold and not with the list before it: whatever got lost on the way, the next list finds it.
///
/// Values that did not change stay the same objects, down to the instance and the node. Confined to one thread.
final class HeldCatalog {
    private final NavigableMap<String, Service> services = new TreeMap<>();
    private NavigableMap<String, Set<String>> listed = new TreeMap<>();
    private Map<String, Node> nodes = Map.of();
    private final Map<Health, List<Sick>> sick = new EnumMap<>(Health.class);

    /// Listed names whose own read shows no instance: deregistered a moment ago, or not ours to see.
    private final NavigableSet<String> hidden = new TreeSet<>();

    /// Listed services that are not held, or with other tags than they are listed with.
    private final NavigableSet<String> otherTags = new TreeSet<>();

    /// Held services some instance of which has a failing check.
    private final Set<String> failing = new HashSet<>();

    /// Names of held services by the nodes that they have instances on.
    private final Map<String, Set<String>> onNode = new HashMap<>();

    /// What became another service, or none, since the last snapshot, and which one that was.
    private NavigableSet<String> changed = new TreeSet<>();

    private Snapshot.Mark last = Snapshot.EMPTY.mark();
    private int instances;
    private long edition;
    private long roster;

    /// Takes the list of names and forgets services that are no longer on it.
    ///
    /// @param partial names that are not on it may be there all the same
    /// @return names to read: those not held, and those whose tags are not the ones we hold
    Set<String> list(Map<String, Set<String>> names, boolean partial) {
        List<String> retagged = names.entrySet().stream().filter(each -> !each.getValue().equals(listed.get(each.getKey()))).map(Map.Entry::getKey).toList();
        if (partial) {
            listed.putAll(names);
        } else {
            listed = new TreeMap<>(names);
        }
        services.keySet().stream().filter(name -> !listed.containsKey(name)).toList().forEach(this::forget);
        if (hidden.retainAll(listed.keySet())) {
            roster++;
        }
        otherTags.retainAll(listed.keySet());
        retagged.forEach(this::compareTags);
        return tagsDiffer();
    }

    /// Listed services that are not held, and those whose tags are not the ones we hold.
    Set<String> tagsDiffer() {
        return Collections.unmodifiableSet(otherTags);
    }

    private void compareTags(String name) {
        Service held = services.get(name);
        boolean same = held != null && tagsOf(held).equals(listed.get(name));
        boolean _ = same ? otherTags.remove(name) : otherTags.add(name);
    }

    /// Takes the list of nodes.
    ///
    /// @param partial nodes that are not on it may be there all the same
    /// @return services with an instance whose node is not as listed
    Set<String> nodes(Map<String, Node> current, boolean partial) {
        if (current.isEmpty()) {
            return Set.of(); // a catalog lists at least its own servers: this is what a token without node:read gets to see
        }
        Map<String, Node> kept = partial ? new TreeMap<>(nodes) : new TreeMap<>();
        current.forEach((name, node) -> {
            Node held = nodes.get(name);
            kept.put(name, node.equals(held) ? held : node);
        });
        if (!kept.equals(nodes)) {
            edition++;
        }
        nodes = kept;
        return services.values().stream()
                .filter(service -> service.instances().stream().anyMatch(instance -> !instance.node().equals(kept.get(instance.node().name()))))
                .map(Service::name)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /// Takes the checks that have the state and compares all that don't pass with ours.
    ///
    /// @return services some instance of which has other failing checks than these
    Set<String> sick(Health state, List<Sick> checks) {
        sick.put(state, checks);
        return checksDiffer();
    }

    /// Services some instance of which has other failing checks than were listed last.
    Set<String> checksDiffer() {
        Map<String, Map<String, Health>> ofNode = new HashMap<>();
        Map<String, Map<String, Health>> ofInstance = new HashMap<>();
        Map<String, String> unseen = new HashMap<>();
        sick.values().stream().flatMap(List::stream).forEach(check -> {
            if (check.serviceId().isEmpty()) {
                ofNode.computeIfAbsent(check.node(), _ -> new HashMap<>()).put(check.checkId(), check.status());
            } else {
                String key = check.node() + "/" + check.serviceId();
                ofInstance.computeIfAbsent(key, _ -> new HashMap<>()).put(check.checkId(), check.status());
                unseen.put(key, check.service());
            }
        });
        // Nobody else has a failing check, here or there.
        Set<String> suspects = new HashSet<>(failing);
        suspects.addAll(unseen.values());
        ofNode.keySet().forEach(node -> suspects.addAll(onNode.getOrDefault(node, Set.of())));
        Set<String> differing = new TreeSet<>();
        for (Service service : held(suspects)) {
            for (Instance instance : service.instances()) {
                Map<String, Health> nodes = ofNode.getOrDefault(instance.node().name(), Map.of());
                Map<String, Health> own = ofInstance.isEmpty() ? Map.of() : ofInstance.getOrDefault(instance.key(), Map.of());
                if (!own.isEmpty()) {
                    unseen.remove(instance.key());
                }
                if (!fails(instance, nodes, own)) {
                    differing.add(service.name());
                }
            }
        }
        unseen.values().stream().filter(listed::containsKey).forEach(differing::add);
        return differing;
    }

    private List<Service> held(Set<String> names) {
        return names.stream().map(services::get).filter(Objects::nonNull).toList();
    }

    /// Compares what nodes say of their services with ours, checks left out.
    ///
    /// @param said by node; nothing of a node that was not asked
    /// @return services of which an instance came, went or changed on one of these nodes
    Set<String> survey(Map<String, List<Instance>> said) {
        Map<String, Map<String, Instance>> unseen = new HashMap<>();
        said.forEach((node, instances) -> {
            Map<String, Instance> byId = new HashMap<>();
            instances.forEach(instance -> byId.put(instance.id(), instance));
            unseen.put(node, byId);
        });
        Set<String> differing = new TreeSet<>();
        for (Service service : services.values()) {
            for (Instance instance : service.instances()) {
                Map<String, Instance> ofNode = unseen.get(instance.node().name());
                if (ofNode == null) {
                    continue;
                }
                Instance now = ofNode.remove(instance.id());
                if (now == null || !instance.registeredAs(now)) {
                    differing.add(service.name());
                }
            }
        }
        unseen.values().forEach(ofNode -> ofNode.values().stream()
                .map(Instance::service)
                .filter(listed::containsKey)
                .forEach(differing::add));
        return differing;
    }

    /// Takes what a service's own read said.
    ///
    /// @return whether an instance came, went or is registered otherwise than before; a check alone is not meant
    boolean put(Service read) {
        String name = read.name();
        if (!listed.containsKey(name)) {
            return false; // left the list while it was read
        }
        if (read.instances().isEmpty()) {
            // Only the list of names removes a service. Until it does, an empty read is a contradiction, not a fact.
            if (hidden.add(name)) {
                roster++;
            }
            return false;
        }
        if (hidden.remove(name)) {
            roster++;
        }
        Service held = services.get(name);
        if (read.equals(held)) {
            return false;
        }
        hold(sharing(read, Optional.ofNullable(held)));
        compareTags(name);
        return held == null || !registeredAlike(held, read);
    }

    /// Both in their order.
    private static boolean registeredAlike(Service one, Service other) {
        int size = one.instances().size();
        return size == other.instances().size()
                && IntStream.range(0, size).allMatch(i -> one.instances().get(i).key().equals(other.instances().get(i).key())
                        && one.instances().get(i).registeredAs(other.instances().get(i)));
    }

    private void hold(Service fresh) {
        String name = fresh.name();
        Service before = services.put(name, fresh);
        changed.add(name);
        if (before == null) {
            roster++;
        } else {
            leaveNodes(before);
        }
        fresh.instances().forEach(instance -> onNode.computeIfAbsent(instance.node().name(), _ -> new HashSet<>()).add(name));
        boolean fails = fresh.instances().stream().anyMatch(HeldCatalog::fails);
        boolean _ = fails ? failing.add(name) : failing.remove(name);
        instances += fresh.instances().size() - (before == null ? 0 : before.instances().size());
        edition++;
    }

    private void forget(String name) {
        Service gone = services.remove(name);
        if (gone != null) {
            changed.add(name);
            leaveNodes(gone);
            failing.remove(name);
            instances -= gone.instances().size();
            edition++;
            roster++;
        }
    }

    private void leaveNodes(Service service) {
        for (Instance instance : service.instances()) {
            onNode.computeIfPresent(instance.node().name(), (_, names) -> (names.remove(service.name()) && names.isEmpty()) ? null : names);
        }
    }

    NavigableSet<String> names() {
        return Collections.unmodifiableNavigableSet(listed.navigableKeySet());
    }

    /// Services that have an instance.
    Collection<String> present() {
        return services.keySet().stream().filter(name -> !hidden.contains(name)).toList();
    }

    Set<String> nodeNames() {
        return Collections.unmodifiableSet(nodes.keySet());
    }

    int instancesOf(String name) {
        Service held = services.get(name);
        return held == null ? 0 : held.instances().size();
    }

    /// Listed services that were never read.
    Set<String> missing() {
        Set<String> missing = new HashSet<>(listed.keySet());
        missing.removeAll(services.keySet());
        missing.removeAll(hidden);
        return missing;
    }

    /// Grows with every change of what is held.
    long edition() {
        return edition;
    }

    /// Changes whenever other services have an instance than before.
    long roster() {
        return roster;
    }

    int instanceCount() {
        return instances;
    }

    /// To be called by one who compares each with the one before.
    Snapshot snapshot() {
        Snapshot now = new Snapshot(services, nodes, new Snapshot.Step(last, changed));
        changed = new TreeSet<>();
        last = now.mark();
        return now;
    }

    private Service sharing(Service read, Optional<Service> held) {
        Map<String, Instance> known = held.map(Service::instances).orElse(List.of()).stream()
                .collect(Collectors.toMap(Instance::key, instance -> instance, (first, _) -> first));
        return new Service(read.name(), read.instances().stream()
                .map(instance -> {
                    Instance same = known.get(instance.key());
                    return instance.equals(same) ? same : sharingNode(instance);
                })
                .toList());
    }

    private Instance sharingNode(Instance instance) {
        Node shared = nodes.get(instance.node().name());
        return shared != null && shared.equals(instance.node()) ? instance.withNode(shared) : instance;
    }

    private static Set<String> tagsOf(Service service) {
        return service.instances().stream().flatMap(instance -> instance.tags().stream()).collect(Collectors.toCollection(TreeSet::new));
    }

    private static boolean fails(Instance instance) {
        return instance.checks().stream().anyMatch(check -> check.status() != Health.PASSING);
    }

    /// Whether the instance's failing checks are exactly these.
    private static boolean fails(Instance instance, Map<String, Health> ofNode, Map<String, Health> own) {
        int failing = 0;
        for (Check check : instance.checks()) {
            if (check.status() != Health.PASSING) {
                failing++;
                if (check.status() != own.getOrDefault(check.id(), ofNode.getOrDefault(check.id(), Health.PASSING))) {
                    return false;
                }
            }
        }
        return failing == ofNode.size() + own.size();
    }
}
