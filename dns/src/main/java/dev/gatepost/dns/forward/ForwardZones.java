package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Who is asked about a name: the longest zone that it lies in. Immutable.
final class ForwardZones {
    private final Map<DomainName, ForwardZone> zones = new HashMap<>();
    private final boolean[] lengths = new boolean[DomainName.MAX_LENGTH + 1];

    ForwardZones(List<ForwardZone> all) {
        for (ForwardZone each : all) {
            zones.put(each.name(), each);
            lengths[each.name().length()] = true;
        }
    }

    Optional<ForwardZone> find(byte[] bytes, int nameAt, int nameLength) {
        int end = nameAt + nameLength;
        for (int at = nameAt; at < end; at += 1 + bytes[at]) {
            if (lengths[end - at]) {
                ForwardZone zone = zones.get(DomainName.copyOf(bytes, at, end));
                if (zone != null) {
                    return Optional.of(zone);
                }
            }
        }
        return Optional.empty();
    }
}
