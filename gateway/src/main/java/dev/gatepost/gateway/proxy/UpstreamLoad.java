package dev.gatepost.gateway.proxy;

/// What the endpoints of one route have to do together, and whether they answer at all: a circuit breaker beside the ejection of
/// single endpoints, which always leaves one. One per event loop and route.
///
/// Only what ran into a timeout counts. A refused connection costs nobody anything, and an error is an answer; but requests that
/// wait for a service that hangs fill the gateway and the service's own queues.
final class UpstreamLoad {
    /// In a row, whichever endpoint.
    private static final int MOST_TIMEOUTS = 20;
    /// Then one request in so long is let through, until one is answered.
    private static final long TRY_NANOS = 1_000_000_000L;

    private int most = Integer.MAX_VALUE;
    private int inFlight;
    private int timeouts;
    private long triedAt;

    /// @param requests of this event loop
    void limit(int requests) {
        most = requests;
    }

    boolean isFull() {
        return inFlight >= most;
    }

    void begin() {
        inFlight++;
    }

    void over() {
        inFlight--;
    }

    /// Whether it is worth a try.
    boolean admits(long now) {
        if (timeouts < MOST_TIMEOUTS) {
            return true;
        }
        if (now - triedAt < TRY_NANOS) {
            return false;
        }
        triedAt = now;
        return true;
    }

    /// True when that was the one too many.
    boolean timedOut(long now) {
        boolean opens = ++timeouts == MOST_TIMEOUTS;
        if (opens) {
            triedAt = now;
        }
        return opens;
    }

    /// Something came back.
    void answered() {
        timeouts = 0;
    }
}
