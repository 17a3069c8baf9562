package dev.gatepost.gateway.route;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Routes compiled for look-up: by host name, then by path. Immutable; a change shares all it doesn't touch.
///
/// Routes are in one total order: the higher priority; then the more specific host (exact; wildcard or pattern with the
/// longer suffix, the pattern first; any; with a written port before without); then the longer path, that of a glob up to
/// its first wildcard; then exact path, glob, segments, plain prefix; then the narrower condition, which asks for more; then
/// the id. The first that serves a request is its match. So a host without a path that fits falls through to the wildcards
/// above it and to the routes of any host. Only what shares host and path is searched one by one, and patterns with the
/// same suffix.
final class RouteIndex {
    static final RouteIndex EMPTY = new RouteIndex(HostMap.EMPTY, HostMap.EMPTY, HostRoutes.of(""), 0);

    /// The inverse of 31 modulo 2^32: `31 * INVERSE_OF_31 == 1`.
    private static final int INVERSE_OF_31 = 0xBDEF7BDF;

    private final HostMap exact;
    /// By suffix, the part after `*.`.
    private final HostMap wildcards;
    private final HostRoutes any;
    private final int size;
    /// The highest priority of any route whose host is not exact: only those can outrank an exact host's.
    private final int maxLoosePriority;

    private RouteIndex(HostMap exact, HostMap wildcards, HostRoutes any, int size) {
        this.exact = exact;
        this.wildcards = wildcards;
        this.any = any;
        this.size = size;
        this.maxLoosePriority = Math.max(wildcards.maxPriority(), any.maxPriority());
    }

    int size() {
        return size;
    }

    @Nullable Route match(byte[] host, int hostFrom, int hostTo, int port, byte[] path, int pathFrom, int pathTo, RequestFacts request) {
        int to = withoutTrailingDot(host, hostFrom, hostTo);
        int hash = hash(host, hostFrom, to);
        HostRoutes named = exact.find(host, hostFrom, to, hash);
        Route best = named == null ? null : named.match(port, path, pathFrom, pathTo, request);
        if (best != null && best.priority() >= maxLoosePriority) {
            return best;
        }
        if (wildcards.size() > 0) {
            // The hash of a suffix follows from that of the whole by taking the leading bytes' terms away.
            int power = power(to - hostFrom - 1);
            for (int i = hostFrom; i < to; i++) {
                byte b = HostRoutes.lower(host[i]);
                hash -= b * power;
                power *= INVERSE_OF_31;
                if (b != '.' || i == hostFrom) {
                    continue;
                }
                HostRoutes wildcard = wildcards.find(host, i + 1, to, hash);
                Route route = wildcard == null ? null : wildcard.match(port, path, pathFrom, pathTo, request);
                best = first(best, route);
                if (best != null && best.priority() >= maxLoosePriority) {
                    return best;
                }
            }
        }
        return first(best, any.match(port, path, pathFrom, pathTo, request));
    }

    /// The more specific one unless the other's priority is higher.
    static @Nullable Route first(@Nullable Route specific, @Nullable Route other) {
        return specific == null || (other != null && other.priority() > specific.priority()) ? other : specific;
    }

    /// All routes that serve the request, in no order.
    void candidates(byte[] host, int port, byte[] path, RequestFacts request, Consumer<Route> each) {
        forEachHost(host, routes -> routes.candidates(port, path, 0, path.length, request, each));
    }

    /// The route sets whose host pattern, ports aside, fits the host.
    void forEachHost(byte[] host, Consumer<HostRoutes> each) {
        int to = withoutTrailingDot(host, 0, host.length);
        HostRoutes named = exact.find(host, 0, to, hash(host, 0, to));
        if (named != null) {
            each.accept(named);
        }
        for (int i = 1; i < to; i++) {
            HostRoutes wildcard = host[i] == '.' ? wildcards.find(host, i + 1, to, hash(host, i + 1, to)) : null;
            if (wildcard != null) {
                each.accept(wildcard);
            }
        }
        each.accept(any);
    }

    private static int withoutTrailingDot(byte[] host, int from, int to) {
        return to > from && host[to - 1] == '.' ? to - 1 : to;
    }

    /// `String.hashCode()` of the lower-case name.
    private static int hash(byte[] host, int from, int to) {
        int hash = 0;
        for (int i = from; i < to; i++) {
            hash = 31 * hash + HostRoutes.lower(host[i]);
        }
        return hash;
    }

    /// 31 to the power of `exponent`, modulo 2^32.
    private static int power(int exponent) {
        int power = 1;
        for (int i = 0; i < exponent; i++) {
            power *= 31;
        }
        return power;
    }

    @Nullable Entry get(RouteKey key) {
        HostRoutes routes = host(key.host());
        return routes == null ? null : routes.get(key);
    }

    /// Routes of the key's host and path, whatever their conditions.
    void forEachBeside(RouteKey key, Consumer<Entry> each) {
        HostRoutes routes = host(key.host());
        if (routes != null) {
            routes.forEachBeside(key, each);
        }
    }

    private @Nullable HostRoutes host(HostPattern host) {
        return switch (host.kind()) {
            case EXACT -> exact.find(host.name());
            case WILDCARD -> wildcards.find(host.name());
            case PATTERN -> host.suffix().isEmpty() ? any : wildcards.find(host.suffix());
            case ANY -> any;
        };
    }

    /// Under which name its routes are kept.
    private static String place(HostPattern host) {
        return host.kind() == HostPattern.Kind.PATTERN ? host.suffix() : host.name();
    }

    /// This index with the entries, each in place of the one of its key, and without the removed keys.
    RouteIndex with(Collection<Entry> entries, Collection<RouteKey> removed) {
        if (entries.isEmpty() && removed.isEmpty()) {
            return this;
        }
        Map<String, HostRoutes> newExact = new HashMap<>();
        Map<String, HostRoutes> newWildcards = new HashMap<>();
        Map<String, HostRoutes> newAny = new HashMap<>();
        int newSize = size;
        for (RouteKey key : removed) {
            HostPattern host = key.host();
            Map<String, HostRoutes> changes = changes(host, newExact, newWildcards, newAny);
            HostRoutes routes = present(host, changes);
            if (routes.get(key) != null) {
                newSize--;
                changes.put(place(host), routes.without(key));
            }
        }
        for (Entry entry : entries) {
            HostPattern host = entry.key().host();
            Map<String, HostRoutes> changes = changes(host, newExact, newWildcards, newAny);
            HostRoutes routes = present(host, changes);
            newSize += routes.get(entry.key()) == null ? 1 : 0;
            changes.put(place(host), routes.with(entry));
        }
        return new RouteIndex(exact.with(newExact), wildcards.with(newWildcards), newAny.getOrDefault("", any), newSize);
    }

    private static Map<String, HostRoutes> changes(
            HostPattern host, Map<String, HostRoutes> exact, Map<String, HostRoutes> wildcards, Map<String, HostRoutes> any) {
        return switch (host.kind()) {
            case EXACT -> exact;
            case WILDCARD -> wildcards;
            case PATTERN -> host.suffix().isEmpty() ? any : wildcards;
            case ANY -> any;
        };
    }

    private HostRoutes present(HostPattern host, Map<String, HostRoutes> changes) {
        HostRoutes changed = changes.get(place(host));
        if (changed != null) {
            return changed;
        }
        HostRoutes known = host(host);
        return known == null ? HostRoutes.of(place(host)) : known;
    }

    void forEach(Consumer<Entry> each) {
        exact.forEach(host -> host.forEach(each));
        wildcards.forEach(host -> host.forEach(each));
        any.forEach(each);
    }
}
