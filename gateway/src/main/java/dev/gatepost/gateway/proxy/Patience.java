package dev.gatepost.gateway.proxy;

/// How long an exchange waits for whoever's turn it is: for the request's body, for the response, for the client to take it, and for all
/// of it together. Part of its exchange, and reused with it.
final class Patience {
    /// A body may begin slowly.
    private static final long BODY_GRACE_NANOS = 20_000_000_000L;

    private final GateLoop loop;
    private final Deadline deadline;
    private long arrivedAt;
    private long totalAt;
    /// What the client set itself; never, where it did not.
    private long clientsLimit;
    /// Longest silence inside a body.
    private long streamNanos;
    /// When the response's head must be there; never, before the request is complete.
    private long headBy;
    /// When the request's body began to go to the endpoint, later by all the time that the endpoint did not take it.
    private long bodyFrom;
    private long pausedAt;
    /// Messages come when they come: no rate is asked of the body.
    private boolean streaming;
    /// What the client had not taken at the last look.
    private long backlog;

    /// @param over it has waited for too long
    Patience(GateLoop loop, Runnable over) {
        this.loop = loop;
        this.deadline = new Deadline(over);
    }

    /// Another request arrives.
    void arrive(long now) {
        arrivedAt = now;
        totalAt = now + loop.totalNanos;
        clientsLimit = Deadline.NEVER;
        streamNanos = loop.streamNanos;
        headBy = Deadline.NEVER;
        bodyFrom = pausedAt = backlog = 0;
        streaming = false;
    }

    /// From here on, until the end, it counts.
    void begin() {
        loop.deadlines.add(deadline);
    }

    void end() {
        loop.deadlines.remove(deadline);
        deadline.at = Deadline.NEVER;
    }

    /// The whole takes no longer than that for its client, measured as [#arrive(long)].
    void limit(long moment) {
        clientsLimit = moment;
        totalAt = Math.min(totalAt, moment);
    }

    /// A route has its own ideas.
    void takes(RouteState route) {
        totalAt = Math.min(arrivedAt + route.totalNanos, clientsLimit);
        streamNanos = route.streamNanos;
    }

    void within(long nanos) {
        deadline.at = Math.min(loop.now() + nanos, Math.min(totalAt, headBy));
    }

    /// Inside a body: something must come, or be taken.
    void withinStream() {
        within(streamNanos);
    }

    /// Raw bytes both ways: no end of it is in sight.
    void withinTunnel() {
        deadline.at = loop.now() + loop.upgradedNanos;
    }

    boolean isTotalOver() {
        return loop.now() >= totalAt;
    }

    /// The time for the whole of it, or for the response's head, is over.
    boolean isOver() {
        return isTotalOver() || loop.now() >= headBy;
    }

    // ---- the request's body ----

    /// It begins to go to an endpoint.
    ///
    /// @param messages it may rest between one and the next
    void bodyBegins(boolean messages) {
        if (bodyFrom == 0) {
            bodyFrom = loop.now();
            streaming = messages;
        }
    }

    /// More of it must come: some before long, and of the whole as much as its time allows.
    void awaitBody(long received, boolean awaits100) {
        withinStream();
        deadline.at = Math.min(deadline.at, bodyBy(received, awaits100));
    }

    /// Whether it is slower than what is asked of clients.
    boolean isBodySlow(long received, boolean awaits100) {
        return loop.now() >= bodyBy(received, awaits100);
    }

    /// By when more than what has come must have come. Who waits for 100 owes nothing.
    private long bodyBy(long received, boolean awaits100) {
        if (loop.bodyRate == 0 || streaming || (awaits100 && received == 0)) {
            return Deadline.NEVER;
        }
        return bodyFrom + Math.min(BODY_GRACE_NANOS, streamNanos) + received * (1_000_000_000L / loop.bodyRate);
    }

    /// The endpoint does not take it.
    void bodyPauses() {
        pausedAt = loop.now();
        withinStream();
    }

    void bodyGoesOn() {
        if (pausedAt != 0) {
            bodyFrom += loop.now() - pausedAt;
            pausedAt = 0;
        }
    }

    // ---- the response ----

    /// All attempts together have the time that one would have.
    void awaitHead(long nanos) {
        if (headBy == Deadline.NEVER) {
            headBy = loop.now() + nanos;
        }
        within(nanos);
    }

    void headCame() {
        headBy = Deadline.NEVER;
    }

    /// The client does not take it.
    void responsePauses(long unsent) {
        backlog = unsent;
    }

    /// Whether the client has taken enough since the last look of what waits for its socket.
    boolean isTaken(long unsent) {
        long before = backlog;
        backlog = unsent;
        long least = Math.max(1, (long) (loop.bodyRate * (streamNanos / 1e9)));
        return before - backlog >= least;
    }
}
