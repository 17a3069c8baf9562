package dev.gatepost.gateway.accesslog;

/// The facts of one route that each of its log lines repeats.
///
/// @param rule   what it matches, e.g. `shop.example.com/api`
/// @param source where it comes from: `tag`, `meta`, `kv`, `file`, `default-host`
public record RouteLabel(String id, String rule, String source) {
    public static final RouteLabel NONE = new RouteLabel("", "", "");
}
