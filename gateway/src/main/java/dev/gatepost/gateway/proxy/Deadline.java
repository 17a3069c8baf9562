package dev.gatepost.gateway.proxy;

/// A moment by which something must have happened, of one connection or exchange. Moving it is a field store: only the
/// sweep of [Deadlines] looks at it.
final class Deadline {
    static final long NEVER = Long.MAX_VALUE;

    /// In the terms of [System#nanoTime()], or [#NEVER].
    long at = NEVER;
    /// Its place in [Deadlines]; -1 when it is in none.
    int slot = -1;
    final Runnable passed;

    Deadline(Runnable passed) {
        this.passed = passed;
    }
}
