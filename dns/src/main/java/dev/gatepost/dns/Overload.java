package dev.gatepost.dns;

import dev.gatepost.dns.access.FairShare;
import java.util.concurrent.TimeUnit;

/// Whether a socket brings more queries than are answered. A burst, or what came during a pause, is not that: it waits in
/// the socket until it is answered. Only what stays behind for longer is.
final class Overload {
    /// Longer than it takes to answer all that the socket holds.
    private static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long CALM_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long SAID_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final FairShare shares = new FairShare();
    private boolean on;
    private boolean behind;
    /// Since when it is behind, or, while it is on, when it last had to drop something.
    private long sinceNanos;
    /// It is said at most once a minute; when it is over, if it was said.
    private boolean said;
    private long saidNanos = System.nanoTime() - SAID_NANOS;

    boolean isOn() {
        return on;
    }

    /// Who is answered meanwhile.
    FairShare shares() {
        return shares;
    }

    /// A query is answered. What each client wants is known before it has to share.
    void seen(byte[] client) {
        if (behind) {
            shares.seen(client);
        }
    }

    /// The socket is empty.
    void caughtUp() {
        behind = false;
    }

    /// A turn ended and there may be more.
    ///
    /// @param deep whether what waits takes longer to answer than a client that asks again when it is answered makes it wait
    /// @return whether that makes it an overload
    boolean fellBehind(long nowNanos, boolean deep) {
        if (!deep) {
            behind = false;
            return false;
        }
        if (!behind) {
            behind = true;
            sinceNanos = nowNanos;
            shares.begin(nowNanos);
        }
        if (nowNanos - sinceNanos <= PATIENCE_NANOS) {
            return false;
        }
        on = true;
        behind = false;
        sinceNanos = nowNanos;
        return true;
    }

    /// Something had to be dropped. As long as nothing has, it may be clients that ask again as soon as they are answered.
    ///
    /// @return whether that ought to be said
    boolean drops(long nowNanos) {
        sinceNanos = nowNanos;
        if (said || nowNanos - saidNanos < SAID_NANOS) {
            return false;
        }
        said = true;
        saidNanos = nowNanos;
        return true;
    }

    /// A turn of an overload ended.
    ///
    /// @return whether it is over, and that ought to be said
    boolean isOver(long nowNanos) {
        on = nowNanos - sinceNanos <= CALM_NANOS;
        boolean says = said && !on;
        said &= on;
        return says;
    }
}
