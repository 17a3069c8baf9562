package dev.gatepost.gateway.proxy;

/// What one event loop counts of one route, kept as long as a route of that id is in the table. Written by the loop alone,
/// read by whoever scrapes: a value may be seen late, but is never torn on a 64-bit machine.
final class RouteCounters {
    /// By hundreds of the status; at 0 those that ended without one.
    final long[] requests = new long[6];
    /// As [LoopCounters#durations].
    final long[] durations = new long[LoopCounters.BUCKET_NANOS.length + 1];
    long durationNanos;
    long requestBytes;
    long responseBytes;
    long retries;

    /// @param bucket that of the duration, as [LoopCounters#count] says
    void count(int status, int bucket, long nanos, long requestSize, long responseSize) {
        requests[LoopCounters.statusClass(status)]++;
        durations[bucket]++;
        durationNanos += nanos;
        requestBytes += requestSize;
        responseBytes += responseSize;
    }
}
