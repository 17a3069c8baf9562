package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a route does with a request beside forwarding it.
///
/// @param strip    removed from the front of the forwarded path; empty for nothing
/// @param prepend  put in front of it, after `strip`; empty for nothing
/// @param host     the Host sent upstream
/// @param methods  allowed methods; empty for all
/// @param timeout  replaces the gateway's response-header timeout
/// @param redirect answer instead of forwarding
/// @param allow    only these client addresses; empty for all
/// @param deny     not these client addresses
public record RouteOptions(
        String strip,
        String prepend,
        HostRewrite host,
        Set<String> methods,
        Optional<Duration> timeout,
        Optional<Redirect> redirect,
        List<Cidr> allow,
        List<Cidr> deny) {
    public static final RouteOptions NONE =
            new RouteOptions("", "", HostRewrite.KEEP, Set.of(), Optional.empty(), Optional.empty(), List.of(), List.of());

    /// Which Host the upstream sees: the client's, the endpoint's `host:port`, or a fixed one.
    public record HostRewrite(Kind kind, String value) {
        public static final HostRewrite KEEP = new HostRewrite(Kind.KEEP, "");
        public static final HostRewrite ENDPOINT = new HostRewrite(Kind.ENDPOINT, "");

        public enum Kind { KEEP, ENDPOINT, FIXED }
    }

    /// @param status   300 to 399
    /// @param location may hold `$host` and `$path`
    public record Redirect(int status, String location) {}

    /// Whether the path that is forwarded differs from the one that came.
    public boolean rewritesPath() {
        return !strip.isEmpty() || !prepend.isEmpty();
    }
}
