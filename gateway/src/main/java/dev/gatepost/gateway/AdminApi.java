package dev.gatepost.gateway;

import dev.gatepost.admin.Admin;
import dev.gatepost.admin.BadParameter;
import dev.gatepost.admin.Readiness;
import dev.gatepost.admin.Request;
import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRType;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.route.Explanation;
import dev.gatepost.gateway.zone.DnsExplanation;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// The admin API of a gateway: which resource shows what of it. Each answer is made from one state.
final class AdminApi implements AutoCloseable {
    private final Admin admin;
    private final Gateway gateway;

    private AdminApi(InetSocketAddress address, Gateway gateway) throws IOException {
        this.gateway = gateway;
        this.admin = Admin.builder(address)
                .ready(() -> gateway.notReady().map(Readiness::not).orElse(Readiness.READY))
                .metrics(GatewayMetrics.of(gateway))
                .get("/api/v1/state", _ -> StateView.of(gateway))
                .get("/api/v1/services", _ -> services())
                .get("/api/v1/services/{name}", this::service)
                .get("/api/v1/routes", _ -> routes())
                .get("/api/v1/routes/{id}", this::route)
                .get("/api/v1/rejected", _ -> RejectedView.all(gateway))
                .get("/api/v1/conflicts", _ -> ConflictsView.of(gateway.state().routes()))
                .get("/api/v1/upstreams", _ -> gateway.gate().endpoints())
                .get("/api/v1/history", this::history)
                .get("/api/v1/explain", this::explain)
                .get("/api/v1/dns/explain", this::explainName)
                .get("/api/v1/dns/cache", this::cached)
                .delete("/api/v1/dns/cache", List.of("name", "below"), this::flush)
                .post("/api/v1/dns/cache/flush", List.of("name", "below"), this::flush)
                .get("/api/v1/dns/upstreams", _ -> gateway.forwarder().map(forwarder -> forwarder.counters().upstreams()).orElse(List.of()))
                .post("/api/v1/drain", _ -> drain())
                .start();
    }

    static AdminApi start(InetSocketAddress address, Gateway gateway) throws IOException {
        return new AdminApi(address, gateway);
    }

    InetSocketAddress address() {
        return admin.address();
    }

    @Override
    public void close() {
        admin.close();
    }

    private List<ServiceView> services() {
        Collection<Service> services = gateway.state().catalog().services().values();
        return services.stream().map(service -> ServiceView.of(service, gateway.settings().routes().health())).toList();
    }

    private Optional<ServiceView> service(Request request) {
        return Optional.ofNullable(gateway.state().catalog().services().get(request.name()))
                .map(service -> ServiceView.of(service, gateway.settings().routes().health()));
    }

    private List<RouteView> routes() {
        return gateway.state().routes().routes().stream().map(RouteView::of).toList();
    }

    private Optional<RouteView> route(Request request) {
        return gateway.state().routes().routes().stream().filter(route -> route.id().equals(request.name())).findFirst().map(RouteView::of);
    }

    /// All of it, or the difference between two revisions.
    private Object history(Request request) {
        Optional<String> from = request.optional("from");
        Optional<String> to = request.optional("to");
        return from.isEmpty() && to.isEmpty() ? HistoryView.of(gateway.history()) : DiffView.of(gateway.history(), from, to);
    }

    private Object explain(Request request) {
        String url = request.required("url", "a URL such as https://shop.example.com/api");
        String method = request.optional("method").orElse("GET");
        List<String> headers = request.all("header");
        Optional<String> client = request.optional("client");
        try {
            GatewayState state = gateway.state();
            Explanation routed = state.routes().explain(url, method, headers, client, state.fragments().unread());
            Optional<PostExplanation> posted = gateway.postPath().flatMap(served -> PostExplanation.of(served, url, method, routed, this::explained));
            return posted.isPresent() ? posted.get() : routed;
        } catch (IllegalArgumentException e) {
            throw new BadParameter("url", url, e.getMessage() == null ? "a URL such as https://shop.example.com/api" : e.getMessage());
        }
    }

    private Object explainName(Request request) {
        String name = request.required("name", "a DNS name such as web.service.consul");
        String type = request.optional("type").orElse("A");
        OptionalInt number = RRType.parse(type);
        if (number.isEmpty()) {
            throw new BadParameter("type", type, "a record type such as A, AAAA, SRV or TYPE65");
        }
        try {
            return explained(DomainName.of(name), number.getAsInt());
        } catch (IllegalArgumentException e) {
            throw new BadParameter("name", name, e.getMessage() == null ? "a DNS name" : e.getMessage());
        }
    }

    private Object explained(DomainName name, int type) {
        DnsExplanation explanation = gateway.state().names().explain(name, type);
        boolean ours = !explanation.outcome().equals("refused") || gateway.forwarder().isEmpty();
        return ours ? explanation : ForwardExplanation.of(gateway.forwarder().get(), name, type);
    }

    private Object cached(Request request) {
        DomainName name = name(request);
        return gateway.forwarder().map(forwarder -> forwarder.cached(name)).orElse(List.of());
    }

    private Map<String, Integer> flush(Request request) {
        DomainName name = name(request);
        String below = request.optional("below").orElse("false");
        if (!below.equals("true") && !below.equals("false")) {
            throw new BadParameter("below", below, "true or false");
        }
        return Map.of("flushed", gateway.forwarder().map(forwarder -> forwarder.flush(name, below.equals("true"))).orElse(0));
    }

    private static DomainName name(Request request) {
        String name = request.required("name", "a DNS name such as www.example.com");
        try {
            return DomainName.of(name);
        } catch (IllegalArgumentException e) {
            throw new BadParameter("name", name, e.getMessage() == null ? "a DNS name" : e.getMessage());
        }
    }

    /// Answers at once; the draining itself may take as long as its timeouts allow.
    private Map<String, Boolean> drain() {
        Thread.ofVirtual().name("drain").start(gateway::drain);
        return Map.of("draining", true);
    }
}
