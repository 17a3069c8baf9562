package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What a route does with a request beside forwarding it.
///
/// @param strip    removed from the front of the forwarded path; empty for nothing
/// @param prepend  put in front of it, after `strip`; empty for nothing
/// @param host     the Host sent upstream
/// @param timeout  replaces the gateway's response-header timeout
/// @param redirect answer instead of forwarding
/// @param allow    only these client addresses; empty for all
/// @param deny     not these client addresses, even where `allow` has them
public record RouteOptions(
        String strip,
        String prepend,
        HostRewrite host,
        Optional<Duration> timeout,
        Optional<Redirect> redirect,
        List<Cidr> allow,
        List<Cidr> deny) {
    public static final RouteOptions NONE =
            new RouteOptions("", "", HostRewrite.KEEP, Optional.empty(), Optional.empty(), List.of(), List.of());

    public RouteOptions {
        allow = List.copyOf(allow);
        deny = List.copyOf(deny);
    }

    /// Which Host the upstream sees: the client's, the endpoint's `host:port`, or a fixed one.
    public record HostRewrite(Kind kind, String value) {
        public static final HostRewrite KEEP = new HostRewrite(Kind.KEEP, "");
        public static final HostRewrite ENDPOINT = new HostRewrite(Kind.ENDPOINT, "");

        public enum Kind { KEEP, ENDPOINT, FIXED }
    }

    /// @param status   300 to 399
    /// @param location may hold `$host` and `$path`; what stands before `$path` doesn't end in `/`
    public record Redirect(int status, String location) {
        public Redirect {
            // The value of `$path` begins with a slash anyway.
            location = location.replace("/$path", "$path");
        }

        /// The Location of the answer. The request's query is added unless the location has one itself.
        ///
        /// @param host  as the client named it, without port
        /// @param path  the request's path after `strip` and `prepend`, as it came, not normalised
        /// @param query without `?`; empty for none
        public String locate(String host, String path, String query) {
            String target = location.replace("$host", host).replace("$path", path);
            int authority = target.indexOf("://");
            if (authority >= 0 && target.indexOf('/', authority + 3) < 0) {
                int end = target.indexOf('?');
                target = end < 0 ? target + "/" : target.substring(0, end) + "/" + target.substring(end);
            }
            return query.isEmpty() || location.indexOf('?') >= 0 ? target : target + "?" + query;
        }

        /// Whether it leads to the same host and path over TLS.
        boolean upgrades(HostPattern pattern) {
            if (!location.startsWith("https://") || !location.endsWith("$path")) {
                return false;
            }
            String host = location.substring("https://".length(), location.length() - "$path".length());
            return host.equals("$host") || (pattern.kind() == HostPattern.Kind.EXACT && host.equalsIgnoreCase(pattern.name()));
        }
    }

    /// Whether the path that is forwarded differs from the one that came.
    public boolean rewritesPath() {
        return !strip.isEmpty() || !prepend.isEmpty();
    }
}
