package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.route.Match;
import dev.gatepost.gateway.route.PathNormalizer;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.RouteOptions.MatchRedirect;
import java.net.InetAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Decides by its head what is done with a request: the gate's own limits, the route that it takes, then that route's rules in
/// order. One per event loop.
final class Decider {
    private final GateLoop loop;
    /// Which requests are answered in this process.
    private final @Nullable LocalPath localPath;
    private final MatchedRequest matched = new MatchedRequest();
    /// The request's normalised path, for the time of its matching.
    private byte[] path = new byte[8192];

    Decider(GateLoop loop, Optional<LocalPath> localPath) {
        this.loop = loop;
        this.localPath = localPath.orElse(null);
    }

    /// @param client after evaluation of trusted proxies
    /// @param secure whether the client speaks TLS
    Decision decide(RequestHead request, Serving serving, InetAddress client, boolean secure) {
        if (loop.bodyLimit > 0 && request.contentLength > loop.bodyLimit) {
            return Decision.Answer.of(Refusal.BODY_TOO_LARGE);
        }
        if (loop.isOverloaded()) {
            return Decision.Answer.of(unavailable(Cause.OVERLOAD)).because("too many requests in flight (limits.requests)");
        }
        int length = normalizePath(request);
        if (length < 0) {
            return Decision.Answer.of(Refusal.TARGET);
        }
        LocalPath own = localPath;
        if (own != null && secure && own.matches(request.bytes(), request.authorityFrom, request.hostTo, path, length)) {
            return new Decision.Serve(own);
        }
        int port = request.port != 0 ? request.port : secure ? 443 : 80;
        Match match = serving.routes().match(
                request.bytes(), request.authorityFrom, request.hostTo, port, path, 0, length, matched.of(request, secure, path, length, client));
        return switch (match) {
            case Match.Found(Route found) -> rule(loop.routeState(found), request, serving, client, secure);
            case Match.Empty(Route empty) -> Decision.Answer.of(loop.routeState(empty), unavailable(Cause.NO_HEALTHY_INSTANCE));
            case Match.NoRoute() when serving.isUnknown() -> Decision.Answer.of(unavailable(Cause.NO_CATALOG));
            case Match.NoRoute() -> Decision.Answer.of(LocalAnswer.of(404, Cause.NO_ROUTE));
        };
    }

    private LocalAnswer unavailable(Cause cause) {
        return LocalAnswer.of(503, cause).retryAfter(loop.retryAfterSeconds());
    }

    /// For matching only; what is forwarded is the raw target. `OPTIONS *` belongs to whoever serves the host's root.
    private int normalizePath(RequestHead request) {
        byte[] b = request.bytes();
        int length = request.pathTo - request.originFrom;
        if (path.length < length) {
            path = new byte[length * 2];
        }
        if (b[request.originFrom] == '*') {
            path[0] = '/';
            return 1;
        }
        return PathNormalizer.normalize(b, request.originFrom, request.pathTo, path);
    }

    private Decision rule(RouteState found, RequestHead request, Serving serving, InetAddress client, boolean secure) {
        if (found.hasRules) {
            Optional<LocalAnswer> ruled = answer(found, request, serving, client, secure);
            if (ruled.isPresent()) {
                return Decision.Answer.of(found, ruled.get());
            }
        }
        if (!found.load.admits(loop.now())) {
            return Decision.Answer.of(found, unavailable(Cause.CIRCUIT_OPEN)).because("the last requests all ran into their timeouts");
        }
        return found.forward;
    }

    private static Optional<LocalAnswer> answer(RouteState found, RequestHead request, Serving serving, InetAddress client, boolean secure) {
        if (!found.admits(client)) {
            return Optional.of(LocalAnswer.of(403, Cause.DENIED_IP));
        }
        if (!found.allows(request)) {
            return Optional.of(LocalAnswer.of(405, Cause.METHOD_NOT_ALLOWED).allow(String.join(", ", serving.routes().allowedMethods(found.route))));
        }
        RouteOptions options = found.route.options();
        return options.redirect().map(redirect -> LocalAnswer.redirect(redirect, request, found)).or(() -> redirect(options, request, secure));
    }

    private static Optional<LocalAnswer> redirect(RouteOptions options, RequestHead request, boolean secure) {
        String url = options.redirects().isEmpty() ? "" : Rewriting.url(request, secure);
        for (MatchRedirect redirect : options.redirects()) {
            Optional<String> location = redirect.locate(url);
            if (location.isPresent()) {
                return Optional.of(LocalAnswer.redirect(redirect.status(request.methodName()), location.get()));
            }
        }
        return Optional.empty();
    }
}
