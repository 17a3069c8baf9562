package dev.gatepost.gateway.route;

import java.util.List;

/// A host pattern and a path pattern that lead to an upstream. Everything a request needs of it is made once, here.
/// Not a record: routes compare by identity, and a route that did not change is the same object in the next table.
public final class Route {
    private final String id;
    private final RouteKey key;
    private final int priority;
    private final RouteOptions options;
    private final Upstream upstream;
    private final List<Declaration> declarations;
    private final Match match;
    private final boolean redirects;

    /// Where a route was declared.
    ///
    /// @param kind     `tag`, `meta`, `kv`, `file` or `default-host`
    /// @param text     as it was written
    /// @param instance the instance that carries it; empty for one from KV or a file
    public record Declaration(String kind, String dialect, String text, String instance) {}

    /// A route outside any catalog, for tests and benchmarks of look-up.
    public static Route of(HostPattern host, PathPattern path, int priority, RouteOptions options, Upstream upstream) {
        return of(host, path, Condition.NONE, priority, options, upstream);
    }

    public static Route of(HostPattern host, PathPattern path, Condition condition, int priority, RouteOptions options, Upstream upstream) {
        return new Route(new RouteKey(host, path, condition), priority, options, upstream, List.of());
    }

    Route(RouteKey key, int priority, RouteOptions options, Upstream upstream, List<Declaration> declarations) {
        this.id = key.id();
        this.key = key;
        this.priority = priority;
        this.options = options;
        this.upstream = upstream;
        this.declarations = List.copyOf(declarations);
        this.redirects = options.redirect().isPresent();
        boolean answers = redirects || !upstream.endpoints().isEmpty();
        this.match = answers ? new Match.Found(this) : new Match.Empty(this);
    }

    /// Stable over restarts: `shop.example.com/api`.
    public String id() {
        return id;
    }

    public HostPattern host() {
        return key.host();
    }

    public PathPattern path() {
        return key.path();
    }

    public Condition condition() {
        return key.condition();
    }

    RouteKey key() {
        return key;
    }

    /// Of several routes that serve a request, the highest priority wins, whatever their hosts and paths.
    public int priority() {
        return priority;
    }

    public RouteOptions options() {
        return options;
    }

    public Upstream upstream() {
        return upstream;
    }

    public List<Declaration> declarations() {
        return declarations;
    }

    /// Whether everything that is said of the two is equal, so that one can stand for the other.
    public boolean isSameAs(Route other) {
        return key.equals(other.key)
                && priority == other.priority
                && options.equals(other.options)
                && upstream.equals(other.upstream)
                && declarations.equals(other.declarations);
    }

    /// Whether it would redirect the request to where it is: a client that follows would never arrive, so the next route in
    /// order is what is meant.
    ///
    /// @param port the port the client named or implied
    boolean leadsBack(int port, RequestFacts request) {
        return redirects
                && options.redirect()
                        .filter(redirect -> !redirect.changesScheme(request.secure()) && redirect.leadsTo(request, port, options.forwarded(request.path())))
                        .isPresent();
    }

    Match match() {
        return match;
    }
}
