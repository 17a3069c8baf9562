package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.EndpointLabel;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// How the gate gets on with one endpoint, at one moment.
///
/// @param active   connections that carry a request, or are being opened
/// @param idle     kept-alive connections
/// @param requests sent so far, retries included
/// @param failures connections that failed or were lost, and responses that did not parse
public record EndpointView(
        String service, String instance, String host, int port, int active, int idle, long requests, long failures) {

    static List<EndpointView> of(List<GateLoop> loops) {
        Map<EndpointKey, EndpointView> views = new LinkedHashMap<>();
        for (GateLoop loop : loops) {
            for (EndpointPool pool : loop.pools()) {
                EndpointView view = of(pool);
                views.merge(new EndpointKey(view.instance, view.host, view.port), view, EndpointView::plus);
            }
        }
        return views.values().stream()
                .sorted(Comparator.comparing(EndpointView::service).thenComparing(EndpointView::instance))
                .toList();
    }

    private static EndpointView of(EndpointPool pool) {
        EndpointLabel label = pool.label;
        return new EndpointView(
                label.service(), label.instance(), pool.host, pool.port, pool.active(), pool.idle(), pool.requests, pool.failures);
    }

    private EndpointView plus(EndpointView other) {
        return new EndpointView(
                service, instance, host, port, active + other.active, idle + other.idle, requests + other.requests, failures + other.failures);
    }
}
