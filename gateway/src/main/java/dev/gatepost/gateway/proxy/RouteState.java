package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.RouteLabel;
import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.route.FieldEdit;
import dev.gatepost.gateway.route.Forwarding.Lasting;
import dev.gatepost.gateway.route.PathEdit;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.RouteOptions.HostRewrite;
import java.net.InetAddress;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// What one event loop keeps of a route: everything that a request of it needs, resolved once.
final class RouteState {
    final Route route;
    final RouteLabel label;
    final RouteCounters counters;
    final Balancer balancer;
    final RetryBudget budget;
    final WaitingLine line;
    final UpstreamLoad load;
    final long responseHeaderNanos;
    final long streamNanos;
    final long totalNanos;
    final byte[] strip;
    final byte[] prepend;
    final List<PathEdit> edits;
    final List<FieldEdit> requestFields;
    final List<FieldEdit> responseFields;
    final int mostAttempts;
    final byte[] fixedHost;
    /// Something may answer a request in the endpoints' place.
    final boolean hasRules;
    final Decision.Forward forward = new Decision.Forward(this);

    /// @param previous the state of the route of this id before it changed, if there was one
    RouteState(GateLoop loop, Route route, @Nullable RouteState previous) {
        RouteOptions options = route.options();
        this.route = route;
        this.counters = previous == null ? new RouteCounters() : previous.counters;
        this.balancer = new Balancer(loop, route, previous == null ? null : previous.balancer);
        this.budget = loop.retryBudget(route.upstream().serving());
        this.line = new WaitingLine(loop);
        this.load = previous == null ? new UpstreamLoad() : previous.load;
        int limit = options.forwarding().limit();
        this.load.limit(limit == 0 ? Integer.MAX_VALUE : Math.ceilDiv(limit, loop.loops));
        String source = route.declarations().isEmpty() ? "" : route.declarations().getFirst().kind();
        this.label = new RouteLabel(route.id(), route.id(), source);
        this.responseHeaderNanos = options.timeout().orElse(loop.settings.timeouts().responseHeader()).toNanos();
        Lasting lasting = options.forwarding().lasting();
        this.streamNanos = lasting.stream().isZero() ? loop.streamNanos : lasting.stream().toNanos();
        this.totalNanos = lasting.total().isZero() ? loop.totalNanos : lasting.total().toNanos();
        this.strip = options.strip().getBytes(ISO_8859_1);
        this.prepend = options.prepend().getBytes(ISO_8859_1);
        this.edits = options.edits();
        this.requestFields = options.requestFields();
        this.responseFields = options.responseFields();
        this.mostAttempts = Math.min(Attempts.MOST, 1 + options.retries().orElse(Attempts.MOST - 1));
        this.fixedHost = options.host().value().getBytes(ISO_8859_1);
        this.hasRules = !options.allow().isEmpty() || !options.deny().isEmpty() || !route.condition().methods().isEmpty()
                || options.redirect().isPresent() || !options.redirects().isEmpty();
    }

    boolean allows(RequestHead request) {
        Set<String> methods = route.condition().methods();
        return methods.isEmpty() || methods.contains(request.methodName());
    }

    /// Deny wins; an allow list that does not name the address denies it.
    boolean admits(InetAddress client) {
        List<Cidr> allow = route.options().allow();
        List<Cidr> deny = route.options().deny();
        if (allow.isEmpty() && deny.isEmpty()) {
            return true;
        }
        byte[] address = client.getAddress();
        return !Cidr.anyContains(deny, address) && (allow.isEmpty() || Cidr.anyContains(allow, address));
    }

    /// Whether a response of that status is worth asking another endpoint.
    boolean repeatsAfter(int status) {
        List<Integer> statuses = route.options().forwarding().retryStatuses();
        return !statuses.isEmpty() && statuses.contains(status);
    }

    HostRewrite.Kind hostRewrite() {
        return route.options().host().kind();
    }
}
