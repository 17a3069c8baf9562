package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/// What the gate counted since it started, at one moment.
///
/// @param requests           by hundreds of the status, 0 to 5; at 0 those that ended without one
/// @param causes             exchanges by cause
/// @param durations          exchanges by duration, not cumulative: bucket i holds those up to `BUCKETS.get(i)`, the last one the rest
/// @param connections        downstream connections open now
/// @param accepted           downstream connections served so far
/// @param refusedConnections closed at once, since there were too many
/// @param handshakes         TLS handshakes completed, resumed ones among them
/// @param resumedHandshakes  TLS handshakes without a certificate, since the client had a ticket
/// @param failedHandshakes   TLS handshakes begun and not completed
/// @param exchanges          in flight now
/// @param refusedRetries     requests that failed since too many others had been sent again
/// @param waiting            requests that wait for an endpoint with room now
/// @param leaving            requests in flight to endpoints that no route leads to any more
/// @param circuitsOpened     routes left alone for a while, since all that was asked ran into timeouts, so far
/// @param ejections          endpoints taken out of turn so far
/// @param upstreamConnects   connections opened to endpoints
/// @param upstreamReuses     requests sent on a kept-alive connection
public record GateMetrics(
        List<Long> requests,
        Map<Cause, Long> causes,
        List<Long> durations,
        Duration durationSum,
        long requestBytes,
        long responseBytes,
        long connections,
        long accepted,
        long refusedConnections,
        long handshakes,
        long resumedHandshakes,
        long failedHandshakes,
        long exchanges,
        long retries,
        long refusedRetries,
        long waiting,
        long leaving,
        long circuitsOpened,
        long ejections,
        long upstreamConnects,
        long upstreamReuses) {
    /// Upper bounds of the duration buckets but the last.
    public static final List<Duration> BUCKETS =
            Arrays.stream(LoopCounters.BUCKET_NANOS).mapToObj(Duration::ofNanos).toList();

    /// @param requests  as in the whole
    /// @param durations as in the whole
    public record RouteMetrics(List<Long> requests, List<Long> durations, Duration durationSum, long requestBytes, long responseBytes, long retries) {}

    static GateMetrics of(List<GateLoop> loops) {
        long[] requests = new long[6];
        long[] durations = new long[LoopCounters.BUCKET_NANOS.length + 1];
        Map<Cause, Long> causes = new EnumMap<>(Cause.class);
        for (GateLoop loop : loops) {
            LoopCounters counters = loop.counters;
            add(requests, counters.requests);
            add(durations, counters.durations);
            counters.causes.forEach((cause, count) -> causes.merge(cause, count.value, Long::sum));
        }
        return new GateMetrics(
                list(requests),
                Map.copyOf(causes),
                list(durations),
                Duration.ofNanos(sum(loops, loop -> loop.counters.durationNanos)),
                sum(loops, loop -> loop.counters.requestBytes),
                sum(loops, loop -> loop.counters.responseBytes),
                sum(loops, loop -> loop.counters.connections),
                sum(loops, loop -> loop.counters.accepted),
                sum(loops, loop -> loop.counters.refusedConnections),
                sum(loops, loop -> loop.counters.handshakes),
                sum(loops, loop -> loop.counters.resumedHandshakes),
                sum(loops, loop -> loop.counters.failedHandshakes),
                sum(loops, loop -> loop.counters.exchanges),
                sum(loops, loop -> loop.counters.retries),
                sum(loops, loop -> loop.counters.refusedRetries),
                sum(loops, loop -> loop.counters.waiting),
                sum(loops, loop -> loop.counters.leaving),
                sum(loops, loop -> loop.counters.circuitsOpened),
                sum(loops, loop -> loop.counters.ejections),
                sum(loops, loop -> loop.counters.connects),
                sum(loops, loop -> loop.counters.reuses));
    }

    static Map<String, RouteMetrics> routes(List<GateLoop> loops) {
        Map<String, RouteMetrics> routes = new TreeMap<>();
        loops.forEach(loop -> loop.routeCounters().forEach((id, counted) -> routes.merge(id, routeMetrics(counted), GateMetrics::sum)));
        return routes;
    }

    private static RouteMetrics routeMetrics(RouteCounters counters) {
        return new RouteMetrics(
                list(counters.requests),
                list(counters.durations),
                Duration.ofNanos(counters.durationNanos),
                counters.requestBytes,
                counters.responseBytes,
                counters.retries);
    }

    private static RouteMetrics sum(RouteMetrics a, RouteMetrics b) {
        return new RouteMetrics(
                sum(a.requests, b.requests),
                sum(a.durations, b.durations),
                a.durationSum.plus(b.durationSum),
                a.requestBytes + b.requestBytes,
                a.responseBytes + b.responseBytes,
                a.retries + b.retries);
    }

    private static List<Long> sum(List<Long> a, List<Long> b) {
        return IntStream.range(0, a.size()).mapToObj(i -> a.get(i) + b.get(i)).toList();
    }

    private static long sum(List<GateLoop> loops, ToLongFunction<GateLoop> counter) {
        return loops.stream().mapToLong(counter).sum();
    }

    private static void add(long[] sums, long[] values) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += values[i];
        }
    }

    private static List<Long> list(long[] values) {
        return Arrays.stream(values).boxed().toList();
    }
}
