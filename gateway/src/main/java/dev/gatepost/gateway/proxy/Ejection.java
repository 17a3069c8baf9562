package dev.gatepost.gateway.proxy;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// An endpoint that the gate passes over, for whoever sends clients elsewhere.
///
/// @param sinceNanos in the terms of [System#nanoTime()]
/// @param untilNanos when it may be tried again: it stays passed over until that went well, or as long as nobody asks for it. What fails its active check
///                   is not tried before that passes: a moment that never comes
public record Ejection(String service, String instance, String host, int port, String why, long sinceNanos, long untilNanos) {
    private static final long NEVER_NANOS = Long.MAX_VALUE / 2;

    /// Where an instance is, whatever is spoken to it.
    private record Place(String instance, String host, int port) {}

    /// What one event loop found out last about an endpoint.
    record Verdict(boolean ejected, String why, long atNanos, long untilNanos) {
        static final Verdict NONE = new Verdict(false, "", 0, 0);
    }

    /// One that fails its active check.
    static Ejection byCheck(String service, EndpointKey endpoint, String why, long nowNanos) {
        return new Ejection(service, endpoint.instance(), endpoint.host(), endpoint.port(), why, nowNanos, nowNanos + NEVER_NANOS);
    }

    /// The longest ejected first. Of what the event loops say about an endpoint the last word counts, before that the word of a check that fails.
    static List<Ejection> of(List<GateLoop> loops, List<Ejection> failingChecks) {
        Map<Place, Verdict> last = new HashMap<>();
        Map<Place, String> services = new HashMap<>();
        for (GateLoop loop : loops) {
            for (EndpointPool pool : loop.pools()) {
                Verdict verdict = pool.health.verdict();
                if (!verdict.equals(Verdict.NONE)) {
                    Place key = new Place(pool.label.instance(), pool.host, pool.port);
                    last.merge(key, verdict, (one, other) -> one.atNanos - other.atNanos > 0 ? one : other);
                    services.put(key, pool.label.service());
                }
            }
        }
        Map<Place, Ejection> found = new HashMap<>();
        last.forEach((key, verdict) -> {
            if (verdict.ejected) {
                found.put(key, new Ejection(
                        services.getOrDefault(key, ""), key.instance(), key.host(), key.port(), verdict.why, verdict.atNanos, verdict.untilNanos));
            }
        });
        failingChecks.forEach(each -> found.put(new Place(each.instance, each.host, each.port), each));
        List<Ejection> ejections = new ArrayList<>(found.values());
        ejections.sort(Comparator.comparing(Ejection::instance));
        ejections.sort((one, other) -> Long.signum(one.sinceNanos - other.sinceNanos));
        return List.copyOf(ejections);
    }
}
