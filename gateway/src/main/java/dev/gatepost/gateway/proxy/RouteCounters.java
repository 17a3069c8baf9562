package dev.gatepost.gateway.proxy;

/// What one event loop counts of one route, kept as long as a route of that id is in the table. Written by the loop alone,
/// read by whoever scrapes: a value may be seen late, but is never torn on a 64-bit machine.
final class RouteCounters {
    /// By hundreds of the status; at 0 those that ended without one.
    final long[] requests = new long[6];
    long durationNanos;
    long requestBytes;
    long responseBytes;
    long retries;

    void count(int status, long nanos, long requestSize, long responseSize) {
        requests[LoopCounters.statusClass(status)]++;
        durationNanos += nanos;
        requestBytes += requestSize;
        responseBytes += responseSize;
    }
}
