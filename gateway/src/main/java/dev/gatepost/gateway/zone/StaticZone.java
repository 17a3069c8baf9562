package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Origin;
import dev.gatepost.dns.RRset;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Records that are not the catalog's: a zone file, entries of the key-value store.
///
/// @param soa     its own start of authority; without one it is made up, as the catalog's is
/// @param records every name at or below the origin with its sets; a name that has a CNAME has nothing else
///                (RFC 1034 section 3.6.2); `*` as first label answers for names that don't exist (RFC 4592)
public record StaticZone(DomainName origin, Optional<Origin.Authority> soa, Map<DomainName, List<RRset>> records) {
    public StaticZone {
        records = Map.copyOf(records);
    }

    Origin asOrigin() {
        return new Origin(origin, false, Optional.empty(), soa);
    }
}
