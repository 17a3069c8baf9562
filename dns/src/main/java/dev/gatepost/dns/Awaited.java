package dev.gatepost.dns;

import java.util.Map;
import java.util.Optional;

/// What has to be known before a query can be answered.
///
/// @param name  that somebody is asked about, unless it is the query's own
/// @param heard what a mimic knows by now of the names that its answer leads to: the messages about them
/// @param mimic whether it is a mimic that waits
record Awaited(Optional<DomainName> name, Map<DomainName, byte[]> heard, boolean mimic) {
    /// The answer to the query itself.
    static final Awaited ANSWER = new Awaited(Optional.empty(), Map.of(), false);

    /// The rest of a chain of aliases.
    static Awaited chain(DomainName name) {
        return new Awaited(Optional.of(name), Map.of(), false);
    }
}
