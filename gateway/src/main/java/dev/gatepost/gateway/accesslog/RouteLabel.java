package dev.gatepost.gateway.accesslog;

/// The facts of one route that each of its log lines repeats, encoded once.
public final class RouteLabel {
    public static final RouteLabel NONE = new RouteLabel("", "", "");

    private final String id;
    private final byte[] json;

    /// @param rule   what it matches, e.g. `shop.example.com/api`
    /// @param source where it comes from: `tag`, `meta`, `kv`, `file`, `default-host`
    public RouteLabel(String id, String rule, String source) {
        this.id = id;
        this.json = id.isEmpty()
                ? new byte[0]
                : new Json().open("route").member("id", id).member("rule", rule).member("source", source).close().bytes();
    }

    public String id() {
        return id;
    }

    /// `route`; empty when there is none.
    byte[] json() {
        return json;
    }
}
