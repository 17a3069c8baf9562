package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.proxy.Ejection;
import dev.gatepost.gateway.proxy.Gate;
import dev.gatepost.gateway.zone.Withheld;
import java.net.InetAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Decides what DNS leaves out though the catalog calls it healthy: instances that the gate passes over, from its first
/// failures to its next success, and this gateway's own addresses while it drains.
///
/// For one thread at a time.
final class Withholding {
    /// How long an ejection counts after its end when nobody has asked for the endpoint since, so that it was not tried.
    private static final Duration UNTRIED = Duration.ofSeconds(10);

    private final Gate gate;
    private final Set<InetAddress> ownAddresses;
    private final Set<Integer> ownPorts;
    private long verdicts;
    private List<Ejection> ejections = List.of();

    /// @param ownAddresses at which clients reach this gateway
    /// @param ownPorts     its listeners' of HTTP and HTTPS
    Withholding(Gate gate, Set<InetAddress> ownAddresses, Set<Integer> ownPorts) {
        this.gate = gate;
        this.ownAddresses = Set.copyOf(ownAddresses);
        this.ownPorts = Set.copyOf(ownPorts);
    }

    /// What is to be withheld from the names of a snapshot.
    Withheld from(Snapshot snapshot, boolean draining, long nowNanos) {
        long judged = gate.verdicts();
        if (judged != verdicts) {
            verdicts = judged;
            ejections = gate.ejections();
        }
        if (ejections.isEmpty() && !draining) {
            return Withheld.NOTHING;
        }
        Map<String, Map<String, String>> instances = new HashMap<>();
        for (Ejection each : ejections) {
            if (nowNanos - each.untilNanos() < UNTRIED.toNanos() && isInstance(snapshot, each)) {
                instances.computeIfAbsent(each.service(), _ -> new LinkedHashMap<>()).put(each.instance(), each.why());
            }
        }
        if (draining) {
            snapshot.services().values().forEach(service -> service.instances().stream().filter(this::isOwn).forEach(own ->
                    instances.computeIfAbsent(service.name(), _ -> new LinkedHashMap<>()).putIfAbsent(own.key(), "this gateway drains")));
        }
        return new Withheld(instances, draining ? ownAddresses : Set.of());
    }

    /// Whether it is where the catalog says that the instance is: routes may lead to other ports of it.
    private static boolean isInstance(Snapshot snapshot, Ejection ejection) {
        return Optional.ofNullable(snapshot.services().get(ejection.service())).map(Service::instances).orElse(List.of()).stream()
                .anyMatch(each -> each.key().equals(ejection.instance()) && each.address().equals(ejection.host()) && each.port() == ejection.port());
    }

    /// Whether the instance is one of this gateway's own listeners.
    private boolean isOwn(Instance instance) {
        return ownPorts.contains(instance.port()) && OwnAddresses.literal(instance.address()).filter(ownAddresses::contains).isPresent();
    }
}
