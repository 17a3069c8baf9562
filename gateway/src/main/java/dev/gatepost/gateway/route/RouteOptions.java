package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a route does with a request beside forwarding it.
///
/// @param strip          removed from the front of the forwarded path; empty for nothing
/// @param prepend        put in front of it, after `strip`; empty for nothing
/// @param edits          further changes of the path, after these two
/// @param host           the Host sent upstream
/// @param timeout        replaces the gateway's response-header timeout
/// @param retries        most attempts after the first; replaces the gateway's number
/// @param redirect       answer instead of forwarding
/// @param redirects      the same for requests whose URL matches, the first that does
/// @param allow          only these client addresses; empty for all
/// @param deny           not these client addresses, even where `allow` has them
/// @param requestFields  headers of the forwarded request
/// @param responseFields headers of the response
/// @param forwarding     how requests are spread over the endpoints
public record RouteOptions(
        String strip,
        String prepend,
        List<PathEdit> edits,
        HostRewrite host,
        Optional<Duration> timeout,
        OptionalInt retries,
        Optional<Redirect> redirect,
        List<MatchRedirect> redirects,
        List<Cidr> allow,
        List<Cidr> deny,
        List<FieldEdit> requestFields,
        List<FieldEdit> responseFields,
        Forwarding forwarding) {
    public static final RouteOptions NONE = new RouteOptions(
            "", "", List.of(), HostRewrite.KEEP, Optional.empty(), OptionalInt.empty(), Optional.empty(), List.of(), List.of(), List.of(), List.of(), List.of(), Forwarding.DEFAULT);

    public RouteOptions {
        edits = List.copyOf(edits);
        redirects = List.copyOf(redirects);
        allow = List.copyOf(allow);
        deny = List.copyOf(deny);
        requestFields = List.copyOf(requestFields);
        responseFields = List.copyOf(responseFields);
    }

    public RouteOptions withPath(String newStrip, String newPrepend, List<PathEdit> newEdits) {
        return new RouteOptions(
                newStrip, newPrepend, newEdits, host, timeout, retries, redirect, redirects, allow, deny, requestFields, responseFields, forwarding);
    }

    public RouteOptions withHost(HostRewrite other) {
        return new RouteOptions(strip, prepend, edits, other, timeout, retries, redirect, redirects, allow, deny, requestFields, responseFields, forwarding);
    }

    public RouteOptions withTimeout(Duration other) {
        return new RouteOptions(
                strip, prepend, edits, host, Optional.of(other), retries, redirect, redirects, allow, deny, requestFields, responseFields, forwarding);
    }

    public RouteOptions withRetries(int most) {
        return new RouteOptions(
                strip, prepend, edits, host, timeout, OptionalInt.of(most), redirect, redirects, allow, deny, requestFields, responseFields, forwarding);
    }

    public RouteOptions withRedirect(Redirect other) {
        return new RouteOptions(
                strip, prepend, edits, host, timeout, retries, Optional.of(other), redirects, allow, deny, requestFields, responseFields, forwarding);
    }

    public RouteOptions withRedirects(List<MatchRedirect> others) {
        return new RouteOptions(strip, prepend, edits, host, timeout, retries, redirect, others, allow, deny, requestFields, responseFields, forwarding);
    }

    public RouteOptions withAddresses(List<Cidr> newAllow, List<Cidr> newDeny) {
        return new RouteOptions(
                strip, prepend, edits, host, timeout, retries, redirect, redirects, newAllow, newDeny, requestFields, responseFields, forwarding);
    }

    public RouteOptions withFields(List<FieldEdit> request, List<FieldEdit> response) {
        return new RouteOptions(strip, prepend, edits, host, timeout, retries, redirect, redirects, allow, deny, request, response, forwarding);
    }

    public RouteOptions withForwarding(Forwarding other) {
        return new RouteOptions(strip, prepend, edits, host, timeout, retries, redirect, redirects, allow, deny, requestFields, responseFields, other);
    }

    /// Which Host the upstream sees: the client's, the endpoint's `host:port`, or a fixed one.
    public record HostRewrite(Kind kind, String value) {
        public static final HostRewrite KEEP = new HostRewrite(Kind.KEEP, "");
        public static final HostRewrite ENDPOINT = new HostRewrite(Kind.ENDPOINT, "");

        public enum Kind { KEEP, ENDPOINT, FIXED }
    }

    /// A redirect of requests whose whole URL, as the client sent it, matches; one that would lead to itself is none.
    ///
    /// @param replacement for every match; `$1` and `${1}` stand for groups
    public record MatchRedirect(Regex regex, String replacement, boolean permanent) {
        /// @param url `scheme://host[:port]/path[?query]`
        public Optional<String> locate(String url) {
            String target = regex.find(url) ? regex.replaceAll(url, replacement) : url;
            return target.equals(url) ? Optional.empty() : Optional.of(target);
        }

        /// Methods other than GET are to be kept (RFC 9110 section 15.4).
        public int status(String method) {
            boolean get = method.equals("GET");
            return permanent ? get ? 301 : 308 : get ? 302 : 307;
        }
    }

    /// @param status   300 to 399
    /// @param location may hold `$host` and `$path`; what stands before `$path` doesn't end in `/`
    public record Redirect(int status, String location) {
        private static final Pattern URL =
                Pattern.compile("(?:(?<scheme>https?)://(?<host>\\[[^\\]]*\\]|[^/:?]*)(?::(?<port>\\d{1,5}))?)?(?<path>/[^?]*)(?:\\?(?<query>.*))?");

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

        /// Whether it leads from plain HTTP to TLS, or back: what most redirects do, and it costs no look at the request to know.
        boolean changesScheme(boolean secure) {
            return location.startsWith(secure ? "http://" : "https://");
        }

        /// Whether the client is where it is sent.
        ///
        /// @param port the port the client named or implied
        /// @param path the request's path after `strip` and `prepend`
        boolean leadsTo(RequestFacts request, int port, String path) {
            Matcher target = URL.matcher(locate(request.host(), path, ""));
            if (!target.matches() || !target.group("path").equals(request.path())) {
                return false;
            }
            String query = target.group("query");
            if (query != null && !query.equals(request.query())) {
                return false;
            }
            String scheme = target.group("scheme");
            if (scheme == null) {
                return true;
            }
            String written = target.group("port");
            int targetPort = written == null ? scheme.equals("https") ? 443 : 80 : Integer.parseInt(written);
            return scheme.equals(request.secure() ? "https" : "http") && target.group("host").equalsIgnoreCase(request.host()) && targetPort == port;
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

    /// These options, with those that `other` sets in their place.
    RouteOptions overlaidWith(RouteOptions other) {
        return new RouteOptions(
                other.strip.isEmpty() ? strip : other.strip,
                other.prepend.isEmpty() ? prepend : other.prepend,
                either(other.edits, edits),
                other.host.equals(HostRewrite.KEEP) ? host : other.host,
                other.timeout.or(() -> timeout),
                other.retries.isPresent() ? other.retries : retries,
                other.redirect.or(() -> redirect),
                either(other.redirects, redirects),
                either(other.allow, allow),
                either(other.deny, deny),
                either(other.requestFields, requestFields),
                either(other.responseFields, responseFields),
                forwarding.overlaidWith(other.forwarding));
    }

    private static <T> List<T> either(List<T> first, List<T> second) {
        return first.isEmpty() ? second : first;
    }

    /// The path that is forwarded.
    String forwarded(String path) {
        List<PathEdit> all = new ArrayList<>();
        if (!strip.isEmpty()) {
            all.add(new PathEdit.Strip(List.of(strip)));
        }
        if (!prepend.isEmpty()) {
            all.add(new PathEdit.Prepend(prepend));
        }
        all.addAll(edits);
        return PathEdit.applyAll(all, path).path();
    }

    /// Whether the path that is forwarded differs from the one that came.
    public boolean rewritesPath() {
        return !strip.isEmpty() || !prepend.isEmpty() || !edits.isEmpty();
    }
}
