package dev.gatepost.gateway.proxy;

/// How an endpoint has done of late, as its requests tell. One that fails is ejected for a while, longer each time; then a
/// single request is let through, and how that ends decides. What the catalog says comes first: only endpoints that it calls
/// healthy are here at all.
///
/// One per event loop and endpoint: each loop finds out for itself, by its own traffic.
final class EndpointHealth {
    /// Connections refused, reset or timed out while opening, in a row.
    private static final int MOST_CONNECT_FAILURES = 2;
    /// Connections lost and responses that did not come in time or did not parse, in a row.
    private static final int MOST_FAILURES = 3;
    private static final long WINDOW_NANOS = 10_000_000_000L;
    /// Below that many responses in a window, their errors say nothing.
    private static final int FEWEST_RESPONSES = 20;
    private static final long FIRST_EJECTION_NANOS = 1_000_000_000L;
    /// 32 s at most.
    private static final int MOST_DOUBLINGS = 5;
    /// Whoever has done well for so long starts over.
    private static final long FORGIVEN_NANOS = 60_000_000_000L;

    private final EndpointPool pool;
    private int connectFailures;
    private int failures;
    private long windowFrom;
    private int responses;
    private int errors;
    private boolean ejected;
    private long ejectedUntil;
    private int ejectionsInRow;
    private long restoredAt;
    private boolean probing;
    private String why = "";
    /// Why its active check fails; empty when that passes, or there is none.
    private String failedCheck = "";
    /// So far.
    long ejections;
    /// For other threads, which see it whole.
    private volatile Ejection.Verdict verdict = Ejection.Verdict.NONE;

    EndpointHealth(EndpointPool pool) {
        this.pool = pool;
    }

    boolean isEjected() {
        return ejected || !failedCheck.isEmpty();
    }

    /// Why it is ejected; empty when it is not.
    String why() {
        return failedCheck.isEmpty() ? ejected ? why : "" : failedCheck;
    }

    /// What the active check found: empty when it passed.
    void checked(String problem) {
        if (failedCheck.isEmpty() && !problem.isEmpty()) {
            ejections++;
            pool.ejected();
        }
        failedCheck = problem;
    }

    /// The last thing that was found out.
    Ejection.Verdict verdict() {
        return verdict;
    }

    int responses() {
        return responses;
    }

    int errors() {
        return errors;
    }

    /// Whether it may get a request: it is not ejected, or may be tried once more.
    boolean admits(long now) {
        return failedCheck.isEmpty() && (!ejected || (now >= ejectedUntil && !probing));
    }

    /// It gets a request. True when that one decides whether the ejection ends.
    boolean begin(long now) {
        if (ejected && now >= ejectedUntil && !probing) {
            probing = true;
            return true;
        }
        return false;
    }

    /// The request that should decide is over.
    void probed() {
        probing = false;
    }

    /// A response has come.
    void answered(boolean error, boolean probe, long now, Balancer siblings) {
        connectFailures = 0;
        failures = 0;
        if (now - windowFrom > WINDOW_NANOS) {
            windowFrom = now;
            responses = errors = 0;
        }
        responses++;
        if (!error) {
            if (probe) {
                restore(now);
            }
            return;
        }
        errors++;
        if (probe) {
            eject("answers errors still", false, now, siblings);
        } else if (responses >= FEWEST_RESPONSES && errors * 2 >= responses && siblings.othersDoBetter(pool)) {
            eject(errors + " of " + responses + " responses were errors", false, now, siblings);
        }
    }

    void connectFailed(String detail, long now, Balancer siblings) {
        if (++connectFailures >= MOST_CONNECT_FAILURES || ejected) {
            eject(connectFailures + " connect failures in a row: " + detail, true, now, siblings);
        }
    }

    /// A connection was lost, or its response did not come in time or did not parse.
    void failed(String detail, long now, Balancer siblings) {
        if (++failures >= MOST_FAILURES || ejected) {
            eject(failures + " failures in a row: " + detail, false, now, siblings);
        }
    }

    private void eject(String reason, boolean unreachable, long now, Balancer siblings) {
        if (ejected ? now < ejectedUntil : !siblings.mayEject(pool, unreachable)) {
            return;
        }
        if (!ejected && now - restoredAt > FORGIVEN_NANOS) {
            ejectionsInRow = 0;
        }
        ejected = true;
        why = reason;
        ejectedUntil = now + (FIRST_EJECTION_NANOS << Math.min(ejectionsInRow++, MOST_DOUBLINGS));
        responses = errors = 0;
        ejections++;
        pool.ejected();
        verdict = new Ejection.Verdict(true, why, now, ejectedUntil);
        pool.judged();
    }

    private void restore(long now) {
        ejected = false;
        verdict = new Ejection.Verdict(false, "", now, now);
        pool.judged();
        restoredAt = now;
        responses = errors = 0;
    }
}
