package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Snapshot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/// All routes of one state, compiled for look-up, with everything that was rejected on the way. Immutable.
public final class RouteTable {
    public static final RouteTable EMPTY = new RouteTable(RouteIndex.EMPTY);

    private static final Match NO_ROUTE = new Match.NoRoute();

    private final RouteIndex index;

    private RouteTable(RouteIndex index) {
        this.index = index;
    }

    /// The table of a snapshot. Routes of services that are the same object as in the snapshot `previous` was made from
    /// are reused by reference.
    public static RouteTable from(Snapshot snapshot, RouteSettings settings, RouteTable previous) {
        return EMPTY;
    }

    /// A table of routes that no service declares, for tests and benchmarks of look-up. Of two routes with one key the
    /// last counts.
    public static RouteTable of(Collection<Route> routes) {
        List<Entry> entries = routes.stream().map(route -> new Entry(route.key(), route, List.of())).toList();
        return new RouteTable(RouteIndex.EMPTY.with(entries, List.of()));
    }

    /// The route of a request: the first in [look-up order][#routes()] that serves its host and path. Allocates nothing;
    /// its cost depends on the length of host and path, not on the number of routes. A route without a healthy instance
    /// is a match too ([Match.Empty]) and hides what comes after it.
    ///
    /// @param host   holds the Host in any case, without port, from `hostFrom` to `hostTo`; may be empty; a trailing dot
    ///               is ignored; an IPv6 address is in its brackets
    /// @param port   the port the client named or implied
    /// @param secure whether the request came over TLS
    /// @param path   holds the normalised path (see [PathNormalizer]) from `pathFrom` to `pathTo`
    public Match match(byte[] host, int hostFrom, int hostTo, int port, boolean secure, byte[] path, int pathFrom, int pathTo) {
        Route route = index.match(host, hostFrom, hostTo, port, secure, path, pathFrom, pathTo);
        return route == null ? NO_ROUTE : route.match();
    }

    /// In look-up order: the higher priority; then the more specific host (exact, wildcard with the longer suffix, any; with
    /// a written port before without); then the longer path; then exact path, whole segments, plain prefix; then the
    /// narrower condition.
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>(index.size());
        index.forEach(entry -> routes.add(entry.route()));
        routes.sort(Comparator.comparingInt((Route route) -> -route.priority()).thenComparing(Route::key, RouteKey.ORDER));
        return routes;
    }

    /// How many routes there are.
    public int size() {
        return index.size();
    }

    public List<Rejected> rejected() {
        return List.of();
    }
}
