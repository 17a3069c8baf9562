package dev.gatepost.gateway.route;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// A route in its place in the table.
///
/// @param claims    what it was made from, in the order of service and instance
/// @param rejected  claims that gave way
/// @param conflicts claims that were overruled
/// @param ruled     these after fabio's commands: what the route was put together from
record Entry(RouteKey key, Route route, List<Claim> claims, List<Rejected> rejected, List<Conflict> conflicts, List<Claim> ruled) {
    /// Among entries of one path.
    private static final Comparator<Entry> ORDER =
            Comparator.comparingInt((Entry e) -> -e.route().priority()).thenComparing(Entry::key, RouteKey.ORDER);

    /// Whether the request is served, its method aside, given that its path up to `at` equals the pattern's.
    ///
    /// @param port the port the client named or implied
    boolean admits(byte[] path, int at, int to, int port, RequestFacts request) {
        return key.path().admits(path, at, to, request) && key.condition().admits(request) && !route.leadsBack(port, request);
    }

    boolean takesMethod(RequestFacts request) {
        return key.condition().takesMethod(request);
    }

    Entry(RouteKey key, Route route, List<Claim> claims, List<Rejected> rejected, List<Conflict> conflicts) {
        this(key, route, claims, rejected, conflicts, claims);
    }

    /// @param declared what the claims were before fabio's commands
    Entry declaredAs(List<Claim> declared) {
        return new Entry(key, route, List.copyOf(declared), rejected, conflicts, ruled);
    }

    static Entry[] with(Entry[] entries, Entry entry) {
        Entry[] others = without(entries, entry.key());
        Entry[] result = Arrays.copyOf(others, others.length + 1);
        result[others.length] = entry;
        Arrays.sort(result, ORDER);
        return result;
    }

    static Entry[] without(Entry[] entries, RouteKey key) {
        boolean known = Arrays.stream(entries).anyMatch(entry -> entry.key().equals(key));
        return known ? Arrays.stream(entries).filter(entry -> !entry.key().equals(key)).toArray(Entry[]::new) : entries;
    }
}
