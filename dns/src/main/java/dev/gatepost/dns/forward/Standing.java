package dev.gatepost.dns.forward;

import java.util.concurrent.TimeUnit;

/// What one event loop has lately seen of an upstream: how fast it answers, and whether it does. Confined to the loop.
final class Standing {
    private static final long SHORTEST_WAIT = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long LONGEST_WAIT = TimeUnit.MILLISECONDS.toNanos(800);
    private static final long UNKNOWN_WAIT = TimeUnit.MILLISECONDS.toNanos(300);
    /// So many questions without an answer, and silence for so long, before it counts as down.
    private static final int MISSES = 3;
    private static final long SILENCE = TimeUnit.MILLISECONDS.toNanos(750);
    private static final long FIRST_PAUSE = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(30);
    private static final long PROBE_EVERY = TimeUnit.SECONDS.toNanos(5);
    private static final long PLAIN_FOR = TimeUnit.MINUTES.toNanos(15);
    /// What isn't asked gets better with time, so that it is asked again some day.
    private static final double FADING = 0.98;

    private final Upstream upstream;
    private final int index;
    private final String name;
    private double smoothNanos;
    private double deviationNanos;
    private int misses;
    private long heardNanos;
    private boolean down;
    private long pauseNanos = FIRST_PAUSE;
    private long plainUntilNanos;
    private boolean plain;
    private boolean loops;
    private boolean probed;
    private long probedNanos;

    Standing(Upstream upstream, int index, long nowNanos) {
        this.upstream = upstream;
        this.index = index;
        this.name = upstream.toString();
        this.heardNanos = nowNanos;
    }

    Upstream upstream() {
        return upstream;
    }

    /// Its place among all upstreams.
    int index() {
        return index;
    }

    String name() {
        return name;
    }

    /// An answer came, whatever it says.
    void answered(long tookNanos, long nowNanos) {
        heardNanos = nowNanos;
        misses = 0;
        down = false;
        pauseNanos = FIRST_PAUSE;
        if (smoothNanos == 0) {
            smoothNanos = tookNanos;
            deviationNanos = tookNanos / 2.0;
            return;
        }
        // As TCP does (RFC 6298 section 2).
        deviationNanos += (Math.abs(smoothNanos - tookNanos) - deviationNanos) / 4;
        smoothNanos += (tookNanos - smoothNanos) / 8;
    }

    /// No answer came in the time that it should have.
    ///
    /// @return whether it has just gone down
    boolean missed(long nowNanos) {
        misses++;
        smoothNanos = Math.min(Math.max(smoothNanos, (double) SHORTEST_WAIT) * 2, 2.0 * LONGEST_WAIT);
        return !down && misses >= MISSES && nowNanos - heardNanos >= SILENCE && goDown();
    }

    /// It said that nobody is there.
    ///
    /// @return whether it has just gone down
    boolean refused() {
        misses++;
        return !down && misses >= MISSES && goDown();
    }

    private boolean goDown() {
        down = true;
        return true;
    }

    /// Until it is tried again.
    long nextPauseNanos() {
        long pause = pauseNanos;
        pauseNanos = Math.min(LONGEST_PAUSE, pause * 2);
        return pause;
    }

    boolean isUsable() {
        return !down && !loops;
    }

    boolean isDown() {
        return down;
    }

    /// What it is asked comes back to us.
    boolean loops() {
        return loops;
    }

    void loops(boolean now) {
        loops = now;
    }

    /// Whether it is time to see again if what it is asked comes back: at first, and then not too often.
    boolean isProbeDue(boolean suspected, long nowNanos) {
        if (probed && (!suspected || nowNanos - probedNanos < PROBE_EVERY)) {
            return false;
        }
        probed = true;
        probedNanos = nowNanos;
        return true;
    }

    /// It can't read EDNS (RFC 6891 section 6.2.2), so it is spared for a while.
    void speaksPlain(long nowNanos) {
        plain = true;
        plainUntilNanos = nowNanos + PLAIN_FOR;
    }

    boolean isPlain(long nowNanos) {
        return plain && nowNanos - plainUntilNanos < 0;
    }

    void passedOver() {
        smoothNanos *= FADING;
    }

    double smoothNanos() {
        return smoothNanos;
    }

    /// After this long without an answer somebody else is asked as well.
    long waitNanos() {
        return smoothNanos == 0 ? UNKNOWN_WAIT : Math.clamp((long) (smoothNanos + 4 * deviationNanos), SHORTEST_WAIT, LONGEST_WAIT);
    }
}
