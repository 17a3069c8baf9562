package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.EndpointLabel;
import dev.gatepost.gateway.route.EndpointProtocol;
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
/// @param inFlight requests that it has not answered to the end
/// @param ejected  passed over for now, by one event loop at least, since its requests failed
/// @param why      it is ejected; empty when it is not
/// @param ejections so far
/// @param latencyMillis time to the head of a response, of late; the slowest of what the event loops see
/// @param answers       responses that have begun so far
/// @param answerSeconds from a request sent to the head of its response, all together
public record EndpointView(
        String service,
        String instance,
        String host,
        int port,
        int active,
        int idle,
        long requests,
        long failures,
        int inFlight,
        boolean ejected,
        String why,
        long ejections,
        double latencyMillis,
        long answers,
        double answerSeconds) {

    static List<EndpointView> of(List<GateLoop> loops) {
        Map<EndpointKey, EndpointView> views = new LinkedHashMap<>();
        for (GateLoop loop : loops) {
            for (EndpointPool pool : loop.pools()) {
                EndpointView view = of(pool);
                views.merge(new EndpointKey(view.instance, view.host, view.port, EndpointProtocol.HTTP), view, EndpointView::plus);
            }
        }
        return views.values().stream()
                .sorted(Comparator.comparing(EndpointView::service).thenComparing(EndpointView::instance))
                .toList();
    }

    private static EndpointView of(EndpointPool pool) {
        EndpointLabel label = pool.label;
        return new EndpointView(
                label.service(), label.instance(), pool.host, pool.port, pool.active(), pool.idle(), pool.requests, pool.failures,
                pool.inFlight(), pool.health.isEjected(), pool.health.why(), pool.health.ejections, pool.latencyNanos(System.nanoTime()) / 1e6,
                pool.answers, pool.answerNanos / 1e9);
    }

    private EndpointView plus(EndpointView other) {
        return new EndpointView(
                service, instance, host, port, active + other.active, idle + other.idle, requests + other.requests, failures + other.failures,
                inFlight + other.inFlight, ejected || other.ejected, ejected ? why : other.why, ejections + other.ejections, Math.max(latencyMillis, other.latencyMillis),
                answers + other.answers, answerSeconds + other.answerSeconds);
    }
}
