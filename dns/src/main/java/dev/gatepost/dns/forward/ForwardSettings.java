package dev.gatepost.dns.forward;

import java.time.Duration;
import java.util.List;

/// Who is asked, and what is remembered.
///
/// @param cacheBytes     most bytes that answers may take, keys and objects included
/// @param maxTtl         longest that a positive answer is believed
/// @param maxNegativeTtl longest that NXDOMAIN and NODATA are believed
/// @param stale          how long after its TTL an answer may serve while no upstream answers (RFC 8767); zero: not at all
/// @param questions      most that may be in flight on one event loop
/// @param deadline       an upstream's answer that is later is no answer
/// @param patience       a client with a stale answer to be had waits this long for a fresh one (RFC 8767 section 5)
public record ForwardSettings(
        List<ForwardZone> zones,
        long cacheBytes,
        Duration maxTtl,
        Duration maxNegativeTtl,
        Duration stale,
        int questions,
        Duration deadline,
        Duration patience) {
    public ForwardSettings {
        zones = List.copyOf(zones);
    }

    public static ForwardSettings of(List<ForwardZone> zones) {
        return new ForwardSettings(
                zones, 64 << 20, Duration.ofDays(1), Duration.ofHours(1), Duration.ofDays(1), 4096, Duration.ofSeconds(4), Duration.ofMillis(1800));
    }

    public ForwardSettings withCache(long bytes, Duration longest, Duration longestNegative, Duration staleFor) {
        return new ForwardSettings(zones, bytes, longest, longestNegative, staleFor, questions, deadline, patience);
    }

    public ForwardSettings withLimits(int inFlight, Duration atMost, Duration patient) {
        return new ForwardSettings(zones, cacheBytes, maxTtl, maxNegativeTtl, stale, inFlight, atMost, patient);
    }
}
