package dev.gatepost.gateway.catalog;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// How a catalog source stands at this moment, for the admin API and the log.
///
/// @param address       `http://127.0.0.1:8500`, or the path of the file catalog
/// @param reachable     the last attempt succeeded
/// @param confirmedAt   when the served data was last confirmed by the source; empty before the first complete read
/// @param stale         what is served may lag behind: unreachable, or parts of it kept from an earlier read
/// @param staleServices services whose last good state is kept because their own read failed
/// @param safeguards    what is in effect to keep the picture whole
/// @param lastError     what went wrong last, in one line; empty when nothing is wrong
public record SourceStatus(
        String address,
        boolean reachable,
        Optional<Instant> confirmedAt,
        boolean stale,
        List<String> staleServices,
        Safeguards safeguards,
        Optional<String> lastError) {}
