package dev.gatepost.gateway.catalog;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What keeps the served picture from being just what the source said last. All is empty in good times.
///
/// @param alarm        the watchdog's: a question that should have been answered by now was not
/// @param held         a loss of instances that is not believed yet
/// @param copyFrom     the copy on disk speaks, last confirmed by the source at that time
/// @param missingRules ACL rules that the source's token seems to lack
public record Safeguards(Optional<String> alarm, Optional<String> held, Optional<Instant> copyFrom, List<String> missingRules) {
    static final Safeguards NONE = new Safeguards(Optional.empty(), Optional.empty(), Optional.empty(), List.of());

    public Safeguards {
        missingRules = List.copyOf(missingRules);
    }

    Safeguards withCopyFrom(Instant confirmedAt) {
        return new Safeguards(alarm, held, Optional.of(confirmedAt), missingRules);
    }
}
