package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import java.util.EnumMap;
import java.util.Map;

/// What one event loop counts. Written by the loop alone, read by whoever scrapes, see [RouteCounters].
final class LoopCounters {
    /// Upper bounds of the duration buckets; one more bucket holds the rest.
    static final long[] BUCKET_NANOS = {
        500_000L, 1_000_000L, 2_500_000L, 5_000_000L, 10_000_000L, 25_000_000L, 50_000_000L, 100_000_000L, 250_000_000L,
        500_000_000L, 1_000_000_000L, 2_500_000_000L, 5_000_000_000L, 10_000_000_000L
    };

    /// A number that one thread writes.
    static final class Counter {
        long value;
    }

    /// By hundreds of the status; at 0 those that ended without one.
    final long[] requests = new long[6];
    final Map<Cause, Counter> causes = new EnumMap<>(Cause.class);
    final long[] durations = new long[BUCKET_NANOS.length + 1];
    long durationNanos;
    long requestBytes;
    long responseBytes;
    long connections;
    long accepted;
    long refusedConnections;
    long handshakes;
    long resumedHandshakes;
    long failedHandshakes;
    long exchanges;
    /// Exchanges that have become raw bytes both ways.
    long upgraded;
    long retries;
    /// Not made, since the budget was spent.
    long refusedRetries;
    /// Connections opened to endpoints, and requests on kept ones. Not summed up from the endpoints: when one is forgotten, no count may fall.
    long connects;
    long reuses;
    long ejections;
    /// Endpoints ejected and restored.
    long verdicts;
    /// Routes that were left alone since all that was asked ran into timeouts.
    long circuitsOpened;
    /// In flight to endpoints that get no new ones, since no route leads there any more.
    long leaving;
    /// Requests that wait for an endpoint with room.
    long waiting;

    LoopCounters() {
        for (Cause cause : Cause.values()) {
            causes.put(cause, new Counter());
        }
    }

    /// @return the bucket of the duration
    int count(Cause cause, int status, long nanos, long requestSize, long responseSize) {
        int bucket = bucket(nanos);
        requests[statusClass(status)]++;
        causes.computeIfAbsent(cause, _ -> new Counter()).value++;
        durations[bucket]++;
        durationNanos += nanos;
        requestBytes += requestSize;
        responseBytes += responseSize;
        return bucket;
    }

    static int statusClass(int status) {
        int hundreds = status / 100;
        return hundreds >= 1 && hundreds <= 5 ? hundreds : 0;
    }

    private static int bucket(long nanos) {
        int i = 0;
        while (i < BUCKET_NANOS.length && nanos > BUCKET_NANOS[i]) {
            i++;
        }
        return i;
    }
}
