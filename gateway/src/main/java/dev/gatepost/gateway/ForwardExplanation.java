package dev.gatepost.gateway;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.forward.CachedEntry;
import dev.gatepost.dns.forward.ForwardZone;
import dev.gatepost.dns.forward.Forwarder;
import dev.gatepost.dns.forward.Upstream;
import java.util.List;
import java.util.Optional;

/// How a name is answered that is none of ours.
///
/// @param outcome   in one word: `cached`, `forwarded`, `local` (a hosts file or block list decides), `refused`
/// @param zone      the `dns.forward` zone that it is asked about in
/// @param upstreams who is asked
/// @param cached    what the cache has for the name and type
/// @param why       the outcome in a sentence
record ForwardExplanation(
        String name, String type, String outcome, Optional<String> zone, List<String> upstreams, List<CachedEntry> cached, String why) {

    static ForwardExplanation of(Forwarder forwarder, DomainName name, int type) {
        List<CachedEntry> cached = forwarder.cached(name).stream().filter(entry -> entry.type().equals(RRType.name(type))).toList();
        Optional<ForwardZone> zone = forwarder.zoneOf(name);
        Optional<String> local = forwarder.local().about(name);
        String outcome = !cached.isEmpty() ? "cached" : local.isPresent() ? "local" : zone.isPresent() ? "forwarded" : "refused";
        return new ForwardExplanation(
                name.toString(),
                RRType.name(type),
                outcome,
                zone.map(each -> each.name().toString()),
                zone.map(each -> each.upstreams().stream().map(Upstream::toString).toList()).orElse(List.of()),
                cached,
                switch (outcome) {
                    case "cached" -> "not a name of ours; the cache has an answer, " + cached.getFirst().state();
                    case "local" -> local.orElseThrow();
                    case "forwarded" -> "not a name of ours; asked of the upstreams of " + zone.orElseThrow().name() + ", not in the cache now";
                    default -> "not a name of ours, and in no zone of dns.forward";
                });
    }
}
