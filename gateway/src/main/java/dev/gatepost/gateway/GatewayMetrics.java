package dev.gatepost.gateway;

import dev.gatepost.admin.Metrics;
import dev.gatepost.admin.Metrics.Buckets;
import dev.gatepost.admin.Metrics.Distribution;
import dev.gatepost.admin.Metrics.Sample;
import dev.gatepost.dns.DnsCounters;
import dev.gatepost.dns.DnsServer;
import dev.gatepost.dns.QueryRecord;
import dev.gatepost.dns.QueryRecord.Transport;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.Rcode;
import dev.gatepost.dns.forward.ForwardCounters;
import dev.gatepost.dns.forward.Forwarder;
import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.catalog.OtherDatacenter;
import dev.gatepost.gateway.catalog.Safeguards;
import dev.gatepost.gateway.catalog.SourceStatus;
import dev.gatepost.gateway.proxy.EndpointView;
import dev.gatepost.gateway.proxy.GateMetrics;
import dev.gatepost.gateway.proxy.GateMetrics.RouteMetrics;
import dev.gatepost.gateway.route.Route;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/// What `/metrics` shows of a gateway. The numbers are kept where the work is done, in plain counters; here they get names.
final class GatewayMetrics {
    /// Most samples of a family whose labels come from the catalog.
    private static final int MOST_SAMPLES = 5_000;
    /// The same for distributions, each of which is eleven samples.
    private static final int MOST_ROUTES = 1_000;
    /// Of the gate's buckets these are told apart for each route.
    private static final List<Duration> ROUTE_BUCKETS =
            Stream.of(5, 25, 100, 250, 500, 1_000, 2_500, 10_000).map(Duration::ofMillis).toList();
    private static final List<String> STATUS_CLASSES = List.of("none", "1xx", "2xx", "3xx", "4xx", "5xx");
    private static final double NANOS_PER_SECOND = 1e9;

    private final Gateway gateway;
    private final Metrics metrics = new Metrics();

    private GatewayMetrics(Gateway gateway) {
        this.gateway = gateway;
    }

    static Metrics of(Gateway gateway) {
        GatewayMetrics named = new GatewayMetrics(gateway);
        named.catalog();
        named.gate();
        named.routes();
        gateway.dns().ifPresent(named::dns);
        gateway.forwarder().ifPresent(named::forwarder);
        named.metrics.counter("gatepost_access_log_dropped_total", "Log lines lost because the sink did not keep up or failed.", gateway.accessLog()::dropped);
        named.certificates();
        return named.metrics;
    }

    private void catalog() {
        metrics.gauge("gatepost_revision", "Revision of the state that is served.", () -> gateway.state().revision())
                .gauge("gatepost_ready", "1 when traffic may come.", () -> gateway.notReady().isEmpty() ? 1 : 0)
                .gauge("gatepost_catalog_services", "Services in the served catalog.", () -> gateway.state().catalog().services().size())
                .gauge("gatepost_catalog_instances", "Instances in the served catalog, healthy or not.", () -> gateway.state().catalog().instanceCount())
                .gauge("gatepost_catalog_panicking", "Services served with all instances since none is healthy.", () -> gateway.state().panicking().size())
                .gauge("gatepost_routes", "Routes in the served table.", () -> gateway.state().routes().size())
                .gauge("gatepost_conflicts", "Declarations that were overruled by another of the same route.", () -> gateway.state().routes().conflicts().size())
                .gauge("gatepost_rejected", "Tags, Meta and fragments that did not parse.", () -> gateway.state().routes().rejected().size() + gateway.state().fragments().rejected().size())
                .gauges("gatepost_routes_elsewhere", "Routes served by another datacenter, since no nearer one has a healthy instance.", List.of("datacenter"), MOST_SAMPLES,
                        () -> gateway.catalog().others().stream()
                                .map(other -> new Sample(List.of(other.name()), gateway.state().routesServedBy(other.name())))
                                .toList())
                .gauge("gatepost_dns_names", "Names in the served zone.", () -> gateway.state().zone().names())
                .gauges("gatepost_source_reachable", "1 when the catalog source answered last time.", List.of("source"), MOST_SAMPLES,
                        () -> sources(status -> status.reachable() ? 1.0 : 0.0))
                .gauges("gatepost_source_stale", "1 when what is served may lag behind the source.", List.of("source"), MOST_SAMPLES,
                        () -> sources(status -> status.stale() ? 1.0 : 0.0))
                .gauges("gatepost_source_age_seconds", "Since the source last confirmed what is served.", List.of("source"), MOST_SAMPLES,
                        () -> sources(this::ageSeconds))
                .gauges("gatepost_source_stale_services", "Services kept from an earlier read because their own read failed.", List.of("source"), MOST_SAMPLES,
                        () -> sources(status -> (double) status.staleServices().size()))
                .gauges("gatepost_source_safeguard", "1 while a safeguard is in effect: watchdog, removal-guard, last-good, rights.",
                        List.of("source", "safeguard"), MOST_SAMPLES, this::safeguards);
    }

    private List<Sample> safeguards() {
        List<Sample> samples = new ArrayList<>();
        for (SourceStatus status : statuses()) {
            Safeguards active = status.safeguards();
            samples.add(safeguard(status, "watchdog", active.alarm().isPresent()));
            samples.add(safeguard(status, "removal-guard", active.held().isPresent()));
            samples.add(safeguard(status, "last-good", active.copyFrom().isPresent()));
            samples.add(safeguard(status, "rights", !active.missingRules().isEmpty()));
        }
        return samples;
    }

    private static Sample safeguard(SourceStatus source, String name, boolean active) {
        return new Sample(List.of(source.address(), name), active ? 1 : 0);
    }

    private List<SourceStatus> statuses() {
        return Stream.concat(gateway.catalog().status().stream(), gateway.catalog().others().stream().map(OtherDatacenter::status)).toList();
    }

    private List<Sample> sources(Function<SourceStatus, Double> value) {
        return statuses().stream().map(status -> new Sample(List.of(status.address()), value.apply(status))).toList();
    }

    private double ageSeconds(SourceStatus status) {
        Instant now = gateway.clock().instant();
        return status.confirmedAt().map(at -> Duration.between(at, now).toNanos() / NANOS_PER_SECOND).orElse(Double.NaN);
    }

    private void gate() {
        metrics.counters("gatepost_http_requests_total", "Exchanges by class of the status sent; none: the client got no status.",
                        List.of("status"), MOST_SAMPLES, () -> byStatus(List.of(), gate(GateMetrics::requests)))
                .counters("gatepost_http_outcomes_total", "Exchanges by cause, the word of the access log.", List.of("cause"), MOST_SAMPLES, this::causes)
                .histogram("gatepost_http_duration_seconds", "From a request's first byte to its response's last.",
                        GateMetrics.BUCKETS.stream().map(GatewayMetrics::seconds).toList(),
                        () -> new Buckets(gate(GateMetrics::durations), seconds(gate(GateMetrics::durationSum))))
                .counter("gatepost_http_request_bytes_total", "Bytes of requests, framing included.", () -> gate(GateMetrics::requestBytes))
                .counter("gatepost_http_response_bytes_total", "Bytes of responses, framing included.", () -> gate(GateMetrics::responseBytes))
                .gauge("gatepost_http_connections", "Downstream connections open.", () -> gate(GateMetrics::connections))
                .counter("gatepost_http_connections_accepted_total", "Downstream connections served.", () -> gate(GateMetrics::accepted))
                .counter("gatepost_http_connections_refused_total", "Downstream connections closed at once: there were too many.", () -> gate(GateMetrics::refusedConnections))
                .counters("gatepost_tls_handshakes_total", "TLS handshakes by how they ended: full, resumed by a ticket, or failed.", List.of("result"), MOST_SAMPLES, this::handshakes)
                .gauge("gatepost_http_exchanges", "Exchanges in flight.", () -> gate(GateMetrics::exchanges))
                .counter("gatepost_upstream_retries_total", "Requests sent once more, to another connection or endpoint.", () -> gate(GateMetrics::retries))
                .counter("gatepost_upstream_retries_refused_total", "Requests that failed since too many others had been sent again.", () -> gate(GateMetrics::refusedRetries))
                .gauge("gatepost_upstream_waiting", "Requests that wait for an endpoint with room.", () -> gate(GateMetrics::waiting))
                .gauge("gatepost_upstream_leaving", "Requests and WebSockets in flight to instances that get no new ones, as no route leads there any more.", () -> gate(GateMetrics::leaving))
                .counter("gatepost_upstream_circuits_opened_total", "Routes left alone but for one request a second, since all of the last ones ran into timeouts.", () -> gate(GateMetrics::circuitsOpened))
                .counter("gatepost_upstream_ejections_total", "Endpoints passed over for a while since their requests failed.", () -> gate(GateMetrics::ejections))
                .counter("gatepost_upstream_connects_total", "Connections opened to endpoints.", () -> gate(GateMetrics::upstreamConnects))
                .counter("gatepost_upstream_reuses_total", "Requests sent on a kept-alive connection.", () -> gate(GateMetrics::upstreamReuses));
    }

    private <T> T gate(Function<GateMetrics, T> value) {
        return value.apply(gateway.gate().metrics());
    }

    private List<Sample> handshakes() {
        GateMetrics counted = gateway.gate().metrics();
        return List.of(
                new Sample(List.of("full"), counted.handshakes() - counted.resumedHandshakes()),
                new Sample(List.of("resumed"), counted.resumedHandshakes()),
                new Sample(List.of("failed"), counted.failedHandshakes()));
    }

    private List<Sample> causes() {
        Map<Cause, Long> causes = gateway.gate().metrics().causes();
        return causes.entrySet().stream().map(entry -> new Sample(List.of(entry.getKey().word()), entry.getValue())).toList();
    }

    private void routes() {
        metrics.counters("gatepost_route_requests_total", "Exchanges of a route by class of the status sent.", List.of("route", "status"), MOST_SAMPLES, () -> {
                    List<Sample> samples = new ArrayList<>();
                    gateway.gate().routeMetrics().forEach((id, route) -> samples.addAll(byStatus(List.of(id), route.requests())));
                    return samples;
                })
                .histograms("gatepost_route_duration_seconds", "From a request's first byte to its response's last, by route.", List.of("route"),
                        ROUTE_BUCKETS.stream().map(GatewayMetrics::seconds).toList(), MOST_ROUTES, () -> gateway.gate().routeMetrics().entrySet().stream()
                                .map(entry -> new Distribution(List.of(entry.getKey()), new Buckets(coarse(entry.getValue().durations()), seconds(entry.getValue().durationSum()))))
                                .toList())
                .counters("gatepost_route_request_bytes_total", "Bytes of a route's requests, framing included.", List.of("route"), MOST_SAMPLES,
                        () -> byRoute(route -> (double) route.requestBytes()))
                .counters("gatepost_route_response_bytes_total", "Bytes of a route's responses, framing included.", List.of("route"), MOST_SAMPLES,
                        () -> byRoute(route -> (double) route.responseBytes()))
                .counters("gatepost_route_retries_total", "Retries of a route.", List.of("route"), MOST_SAMPLES, () -> byRoute(route -> (double) route.retries()))
                .gauges("gatepost_route_healthy_instances", "Endpoints of a route that get traffic; 0 answers 503.", List.of("route"), MOST_SAMPLES,
                        () -> gateway.state().routes().routes().stream().map(GatewayMetrics::healthy).toList())
                .counters("gatepost_endpoint_requests_total", "Requests sent to an endpoint.", List.of("service", "instance"), MOST_SAMPLES,
                        () -> byEndpoint(endpoint -> (double) endpoint.requests()))
                .counters("gatepost_endpoint_answers_total", "Responses of an endpoint that have begun.", List.of("service", "instance"), MOST_SAMPLES,
                        () -> byEndpoint(endpoint -> (double) endpoint.answers()))
                .counters("gatepost_endpoint_answer_seconds_total", "From requests sent to an endpoint to the header sections of its responses, together.",
                        List.of("service", "instance"), MOST_SAMPLES, () -> byEndpoint(EndpointView::answerSeconds))
                .counters("gatepost_endpoint_failures_total", "Connections to an endpoint that failed or broke, and responses that did not parse.",
                        List.of("service", "instance"), MOST_SAMPLES, () -> byEndpoint(endpoint -> (double) endpoint.failures()))
                .gauges("gatepost_endpoint_ejected", "1 for an endpoint that is passed over since its requests failed.", List.of("service", "instance"), MOST_SAMPLES,
                        () -> byEndpoint(endpoint -> endpoint.ejected() ? 1.0 : 0.0))
                .gauges("gatepost_endpoint_connections", "Connections open to an endpoint.", List.of("service", "instance"), MOST_SAMPLES,
                        () -> byEndpoint(endpoint -> (double) endpoint.active() + endpoint.idle()));
    }

    /// The counts of the whole's buckets put together as [#ROUTE_BUCKETS].
    private static List<Long> coarse(List<Long> counts) {
        long[] sums = new long[ROUTE_BUCKETS.size() + 1];
        for (int fine = 0, at = 0; fine < counts.size(); fine++) {
            sums[at] += counts.get(fine);
            if (at < ROUTE_BUCKETS.size() && GateMetrics.BUCKETS.get(fine).equals(ROUTE_BUCKETS.get(at))) {
                at++;
            }
        }
        return boxed(sums);
    }

    private static Sample healthy(Route route) {
        return new Sample(List.of(route.id()), route.upstream().endpoints().size());
    }

    private List<Sample> byRoute(Function<RouteMetrics, Double> value) {
        return gateway.gate().routeMetrics().entrySet().stream()
                .map(entry -> new Sample(List.of(entry.getKey()), value.apply(entry.getValue())))
                .toList();
    }

    private List<Sample> byEndpoint(Function<EndpointView, Double> value) {
        return gateway.gate().endpoints().stream()
                .map(endpoint -> new Sample(List.of(endpoint.service(), endpoint.instance()), value.apply(endpoint)))
                .toList();
    }

    private static List<Sample> byStatus(List<String> labels, List<Long> counts) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < counts.size(); i++) {
            List<String> all = new ArrayList<>(labels);
            all.add(STATUS_CLASSES.get(i));
            samples.add(new Sample(all, counts.get(i)));
        }
        return samples;
    }

    private void dns(DnsServer server) {
        DnsCounters counters = server.counters();
        metrics.counters("gatepost_dns_answers_total", "Answers sent by transport and rcode.", List.of("transport", "rcode"), MOST_SAMPLES, () -> {
                    List<Sample> samples = new ArrayList<>();
                    for (Transport transport : Transport.values()) {
                        for (int rcode = 0; rcode <= Rcode.BADCOOKIE; rcode++) {
                            long count = counters.answered(transport, rcode);
                            if (count > 0) {
                                samples.add(new Sample(List.of(transport.name().toLowerCase(Locale.ROOT), Rcode.name(rcode)), count));
                            }
                        }
                    }
                    return samples;
                })
                .counters("gatepost_dns_types_total", "Answers sent by the type that was asked for.", List.of("type"), MOST_SAMPLES, () -> {
                    List<Sample> samples = new ArrayList<>();
                    DnsCounters.TYPES.forEach(type -> samples.add(new Sample(List.of(RRType.name(type)), counters.answered(type))));
                    samples.add(new Sample(List.of("other"), counters.answered(DnsCounters.OTHER_TYPE)));
                    return samples;
                })
                .counters("gatepost_dns_sources_total", "Answers sent by who knew them: the zone, the cache, an upstream, or nobody.", List.of("source"), MOST_SAMPLES,
                        () -> Arrays.stream(QueryRecord.Source.values())
                                .map(source -> new Sample(List.of(source.name().toLowerCase(Locale.ROOT)), counters.answered(source))).toList())
                .counters("gatepost_dns_zone_answers_total", "Answers sent by the zone that the name belongs to, `.` for none of ours, and rcode.", List.of("zone", "rcode"), MOST_SAMPLES, () -> {
                    List<Sample> samples = new ArrayList<>();
                    counters.answeredByZone().forEach((zone, counts) -> {
                        for (int rcode = 0; rcode < counts.length; rcode++) {
                            if (counts[rcode] > 0) {
                                samples.add(new Sample(List.of(zone.toString(), Rcode.name(rcode)), counts[rcode]));
                            }
                        }
                    });
                    return samples;
                })
                .histogram("gatepost_dns_duration_seconds", "From a query's receipt to its answer.",
                        DnsCounters.DURATION_BOUNDS_NANOS.stream().map(nanos -> nanos / NANOS_PER_SECOND).toList(),
                        () -> new Buckets(boxed(counters.durations()), counters.durationNanos() / NANOS_PER_SECOND))
                .counter("gatepost_dns_dropped_total", "Messages that were no queries, or cut short of a header.", counters::dropped)
                .counter("gatepost_dns_denied_total", "Queries of clients that may not ask them (dns.allow, dns.allow-forwarding).", counters::denied)
                .counter("gatepost_dns_limited_total", "Answers truncated or not sent, since their network had too many (dns.rate-limit).", server::limited)
                .counter("gatepost_dns_shed_total", "Queries dropped unread: more came than can be answered, and those of other clients went before.", counters::shed)
                .counter("gatepost_dns_truncated_total", "Answers with the TC bit.", counters::truncated)
                .counter("gatepost_dns_unsent_total", "Answers that the socket did not take.", counters::unsent)
                .gauge("gatepost_dns_connections", "TCP connections open, those with TLS included.", server::connections)
                .counter("gatepost_dns_connections_rejected_total", "Connections closed at once: there were too many.", counters::connectionsRejected)
                .counter("gatepost_dns_failed_handshakes_total", "TLS handshakes that came to no good end.", counters::failedHandshakes);
    }

    private void forwarder(Forwarder forwarder) {
        ForwardCounters counters = forwarder.counters();
        metrics.counters("gatepost_dns_forward_total", "What became of questions about names outside the zone.", List.of("event"), MOST_SAMPLES,
                        () -> counters.events().entrySet().stream()
                                .map(entry -> new Sample(List.of(entry.getKey().name().toLowerCase(Locale.ROOT)), entry.getValue()))
                                .toList())
                .counters("gatepost_dns_upstream_questions_total", "Questions sent to an upstream.", List.of("upstream"), MOST_SAMPLES,
                        () -> byUpstream(forwarder, upstream -> (double) upstream.questions()))
                .counters("gatepost_dns_upstream_answers_total", "Answers of an upstream.", List.of("upstream"), MOST_SAMPLES,
                        () -> byUpstream(forwarder, upstream -> (double) upstream.answers()))
                .counters("gatepost_dns_upstream_missed_total", "Questions that an upstream did not answer, or not in time.", List.of("upstream"), MOST_SAMPLES,
                        () -> byUpstream(forwarder, upstream -> (double) upstream.missed()))
                .counters("gatepost_dns_upstream_seconds_total", "Time that the answers of an upstream took together.", List.of("upstream"), MOST_SAMPLES,
                        () -> byUpstream(forwarder, upstream -> upstream.nanos() / NANOS_PER_SECOND))
                .gauges("gatepost_dns_upstream_up", "1 when an upstream is asked first, 0 while it does not answer.", List.of("upstream"), MOST_SAMPLES,
                        () -> byUpstream(forwarder, upstream -> upstream.usable() ? 1.0 : 0.0))
                .gauge("gatepost_dns_cache_answers", "Forwarded answers in the cache.", forwarder::cachedAnswers)
                .gauge("gatepost_dns_cache_bytes", "Memory that they take, about.", forwarder::cachedBytes);
    }

    private static List<Sample> byUpstream(Forwarder forwarder, Function<ForwardCounters.UpstreamCount, Double> value) {
        return forwarder.counters().upstreams().stream().map(upstream -> new Sample(List.of(upstream.upstream()), value.apply(upstream))).toList();
    }

    private void certificates() {
        metrics.gauges("gatepost_certificate_expiry_timestamp_seconds", "When a served certificate ends, in seconds since the epoch.", List.of("file"), MOST_SAMPLES,
                () -> gateway.certificates().stream()
                        .flatMap(certificates -> certificates.all().stream())
                        .map(certificate -> new Sample(List.of(certificate.file().toString()), certificate.notAfter().getEpochSecond()))
                        .toList());
    }

    private static List<Long> boxed(long[] values) {
        List<Long> boxed = new ArrayList<>();
        for (long value : values) {
            boxed.add(value);
        }
        return boxed;
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / NANOS_PER_SECOND;
    }
}
