package dev.gatepost.gateway.proxy;

/// How many retries one event loop may still send to one service: a fifth of its requests, by whichever route they come, with
/// something in reserve, so that a service in trouble is not asked many times over. A connection that was never made costs nothing: nobody has
/// worked for it.
final class RetryBudget {
    private static final int RETRY = 100;
    private static final int REQUEST = RETRY / 5;
    private static final int MOST = 256 * RETRY;
    /// One retry in so long, even where there are hardly any requests.
    private static final long TRICKLE_NANOS = 100_000_000L;

    private int balance = 32 * RETRY;
    private long lastAt;

    void request() {
        if (balance < MOST) {
            balance += REQUEST;
        }
    }

    boolean take(long now) {
        if (balance < RETRY && now - lastAt >= TRICKLE_NANOS) {
            balance = RETRY;
        }
        if (balance < RETRY) {
            return false;
        }
        balance -= RETRY;
        lastAt = now;
        return true;
    }
}
