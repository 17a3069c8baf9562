package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Locality;
import dev.gatepost.gateway.route.Route.Declaration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Puts one route together from everything that claims it.
///
/// Endpoints are those of one datacenter: the nearest that has a healthy instance. What others declare then stands by.
///
/// Where claims disagree on options or priority, one of them decides: an instance that gets traffic before one that
/// doesn't, then what an operator wrote, then the first by service name, node, instance id and place in the registration. A
/// default host gives way to any explicit claim, and belongs to the first service by name. Options that an operator sets for
/// a route of others are laid over the winner's.
final class RouteAssembly {
    private RouteAssembly() {}

    /// @param claims   of one key, in [their order][Claim#ORDER], at least one
    /// @param settings for this key, the first of which counts where two set the same
    /// @param locality whose endpoints are near
    /// @param previous of the same key; its route is kept if the new one is no different
    static Entry assemble(RouteKey key, List<Claim> claims, List<RouteFragment.Sets> settings, Locality locality, Optional<Entry> previous) {
        List<Rejected> rejected = new ArrayList<>();
        List<Claim> admitted = withoutForeignDefaults(key, claims, rejected);
        int distance = servingDistance(admitted);
        Claim winner = admitted.stream().filter(claim -> claim.serving() && claim.distance() == distance).findFirst().orElse(admitted.getFirst());
        RouteOptions options = winner.options();
        int priority = winner.priority();
        for (RouteFragment.Sets each : settings.reversed()) {
            options = options.overlaidWith(each.options());
            priority = each.priority() == 0 ? priority : each.priority();
        }
        List<Declaration> declarations =
                Stream.concat(admitted.stream().map(Claim::declaration), settings.stream().map(RouteFragment.Sets::declaration)).toList();
        Route route = new Route(key, priority, options, upstream(key, admitted, distance, locality), declarations);
        Route kept = previous.map(Entry::route).filter(route::isSameAs).orElse(route);
        return new Entry(key, kept, List.copyOf(claims), List.copyOf(rejected), conflicts(key, winner, admitted));
    }

    /// How far the datacenter is that serves: the nearest with a healthy instance, else the nearest that serves all the same.
    static int servingDistance(List<Claim> claims) {
        Predicate<Claim> healthy = claim -> claim.serving()
                && claim.instance().health() != Health.PANICKING
                && (claim.options().redirect().isPresent() || Shares.has(claim));
        return Stream.of(healthy, (Predicate<Claim>) Claim::serving)
                .flatMap(serves -> claims.stream().filter(serves).map(Claim::distance).min(Integer::compare).stream())
                .findFirst()
                .orElse(0);
    }

    /// Services share a route on purpose only where they ask for it.
    private static List<Claim> withoutForeignDefaults(RouteKey key, List<Claim> claims, List<Rejected> rejected) {
        if (claims.stream().noneMatch(RouteAssembly::isDefault)) {
            return claims;
        }
        Claim owner = claims.stream().filter(claim -> !isDefault(claim)).findFirst().orElse(claims.getFirst());
        List<Claim> admitted = new ArrayList<>();
        Set<String> refused = new HashSet<>();
        for (Claim claim : claims) {
            if (!isDefault(claim) || claim.service().equals(owner.service())) {
                admitted.add(claim);
            } else if (refused.add(claim.service())) {
                rejected.add(taken(claim, key, owner));
            }
        }
        return admitted;
    }

    /// Names both parties, and the host in place of the pattern that all services share.
    static Rejected taken(Claim claim, RouteKey key, Claim owner) {
        return new Rejected(
                DefaultHost.KIND,
                claim.service(),
                claim.instance().key(),
                claim.key().id(),
                "%s belongs to %s (expected: a name that nobody else has)".formatted(key.id(), owner.isWritten() ? owner.owner() : "service " + owner.service()));
    }

    static boolean isDefault(Claim claim) {
        return claim.declaration().kind().equals(DefaultHost.KIND);
    }

    private static Upstream upstream(RouteKey key, List<Claim> claims, int distance, Locality locality) {
        Set<String> services = new TreeSet<>();
        Set<String> known = new HashSet<>();
        Set<String> near = new HashSet<>();
        Map<String, Claim> serving = new LinkedHashMap<>();
        for (Claim claim : claims) {
            services.add(claim.service());
            if (!claim.isOfNobody()) {
                known.add(claim.instance().key());
                if (locality.isNear(claim.instance())) {
                    near.add(claim.instance().key());
                }
            }
            // A redirect answers in place of its instance.
            if (claim.serving() && claim.distance() == distance && claim.options().redirect().isEmpty()) {
                serving.putIfAbsent(claim.instance().key(), claim);
            }
        }
        List<Claim> targets = List.copyOf(serving.values());
        int[] weights = Shares.of(targets);
        List<Endpoint> endpoints = new ArrayList<>();
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] > 0) {
                endpoints.add(endpoint(targets.get(i), weights[i], near));
            }
        }
        String elsewhere = distance == 0 || endpoints.isEmpty() ? "" : endpoints.getFirst().datacenter();
        return new Upstream(String.join("+", services) + "@" + key.id(), endpoints, known.size(), near.size(), elsewhere);
    }

    private static Endpoint endpoint(Claim claim, int weight, Set<String> near) {
        Instance instance = claim.instance();
        return new Endpoint(
                instance.key(), claim.service(), instance.node().name(), instance.node().datacenter(), instance.address(), claim.port(), weight, claim.protocol(),
                near.contains(instance.key()));
    }

    /// One for each text that a service's instances carry, not one an instance. Datacenters need not agree: their options
    /// come and go with their endpoints.
    private static List<Conflict> conflicts(RouteKey key, Claim winner, List<Claim> claims) {
        List<Conflict> conflicts = new ArrayList<>();
        Set<List<String>> seen = new HashSet<>();
        for (Claim claim : claims) {
            boolean agrees = claim.priority() == winner.priority() && claim.options().equals(winner.options());
            if (!agrees && claim.distance() == winner.distance() && seen.add(List.of(claim.service(), claim.declaration().text()))) {
                conflicts.add(new Conflict(key.id(), winner.service(), winner.declaration(), claim.service(), claim.declaration()));
            }
        }
        return List.copyOf(conflicts);
    }
}
