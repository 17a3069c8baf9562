package dev.gatepost.dns.access;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/// Which queries are answered of more than can be, and which of them first. Confined to one event loop.
///
/// Time is cut into periods. What every client wanted in one, and how many were answered, tells what each may have in the
/// next: the level at which all that can be answered would be taken (max-min fairness). Above it a client's queries are dropped. Whoever stays
/// below the level at which half of that would be taken is answered before everybody else. So one client's flood costs
/// that client alone. And since it is periods that count and not what is read at once, a lump of queries that gathered
/// during a pause is not taken for a flood.
public final class FairShare {
    /// When a query is answered.
    public enum Place {
        /// Before all others: its client asks little.
        FIRST,
        /// When there is time: its client asks much, and has not had its share.
        LATER,
        NEVER
    }

    /// Longer than the pauses that are to be expected, so that a lump is at most another period's worth.
    static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int CLIENT_BITS = 12;
    private static final int CLIENTS = 1 << CLIENT_BITS;
    /// The numbers of [#slot].
    public static final int MIX = 0x85ebca6b;
    public static final int SPREAD = 0x9e3779b1;
    public static final int SHIFT = Integer.SIZE - CLIENT_BITS;
    /// More than anything answers in a period.
    private static final int MOST = 1 << 20;
    /// Few enough to look through for each datagram.
    public static final int MOST_FLOODS = 32;
    private static final double LEAST_PART = 1.0 / 1024;

    /// What each client has wanted in this period, and what it wanted in the one before.
    private int[] wanted = new int[CLIENTS];
    private int[] before = new int[CLIENTS];
    /// Until when a client's queries have used up what it may have. What it doesn't use it keeps for a period.
    private final long[] used = new long[CLIENTS];
    private int secret;
    /// Which slots' queries are to be dropped before anybody reads them, all but a part of them, and how many slots those are.
    private final int[] floods = new int[MOST_FLOODS];
    private final double[] parts = new double[MOST_FLOODS];
    private int floodCount;
    private long nowNanos;
    private long beganNanos;
    private int answered;
    /// How long that took, with all that is read and dropped beside it.
    private long busyNanos;
    /// As many as can be answered in a period.
    private int all;
    private int few;
    private long intervalNanos;

    public FairShare() {
        this(ThreadLocalRandom.current().nextInt());
    }

    /// @param secret so that nobody can tell from outside who shares a slot with whom
    FairShare(int secret) {
        this.secret = secret;
    }

    /// Begins the first period, in which all that can be answered is: [#seen].
    public void begin(long now) {
        // Who shares a slot with a flood now does so only this time.
        secret = secret * 0x5851f42d + 1;
        floodCount = 0;
        Arrays.fill(wanted, 0);
        Arrays.fill(before, 0);
        Arrays.fill(used, now);
        nowNanos = now;
        beganNanos = now;
        answered = 0;
        busyNanos = 0;
        all = 0;
        few = Integer.MAX_VALUE;
        intervalNanos = 0;
    }

    /// A query is answered that nobody asked about.
    public void seen(byte[] client) {
        wanted[slot(client)]++;
        answered++;
    }

    /// What is asked about from now on comes at this time.
    ///
    /// @return whether a period has ended, so that [#floods] may be others
    public boolean turnTo(long now) {
        nowNanos = now;
        long period = now - beganNanos;
        if (period < PERIOD_NANOS) {
            return false;
        }
        settle(period);
        beganNanos = now;
        return true;
    }

    /// Nobody drops any before they come here.
    public void takeAll() {
        floodCount = 0;
    }

    /// How many slots ask for much more than they may have.
    public int floods() {
        return floodCount;
    }

    /// Its slot, as [#slot] has it.
    public int flood(int index) {
        return floods[index];
    }

    /// Which part of its queries is enough. It is taken for granted that only so many of them come here.
    public double part(int index) {
        return parts[index];
    }

    /// What a slot is told from a client by: see [#slot].
    public int secret() {
        return secret;
    }

    /// The place of one more query.
    ///
    /// @param client 4 or 16 bytes: an IPv6 client is its /64
    public Place place(byte[] client) {
        int slot = slot(client);
        int wants = ++wanted[slot];
        long ahead = Math.max(0, used[slot] - nowNanos);
        if (ahead > PERIOD_NANOS) {
            return Place.NEVER;
        }
        used[slot] = nowNanos + ahead + intervalNanos;
        answered++;
        return Math.max(wants, before[slot]) <= few ? Place.FIRST : Place.LATER;
    }

    /// So many that had their place have not been answered.
    public void missed(int queries) {
        answered -= queries;
    }

    /// Reading, dropping and answering has taken so long.
    public void worked(long nanos) {
        busyNanos += nanos;
    }

    /// Ends a period.
    ///
    /// @param period how long it was
    private void settle(long period) {
        double scale = (double) PERIOD_NANOS / period; // counts are those of a period of usual length from here on
        for (int i = 0; i < CLIENTS; i++) {
            before[i] = 0;
            wanted[i] = (int) Math.ceil(wanted[i] * scale);
        }
        for (int i = 0; i < floodCount; i++) {
            wanted[floods[i]] = (int) (wanted[floods[i]] / parts[i]);
        }
        int[] fresh = before;
        before = wanted;
        wanted = fresh;
        // What the server would do without rest; in the first period it had none. A pause amid its work makes that look like less, which is
        // believed little by little.
        long worked = busyNanos == 0 ? period : busyNanos;
        int could = (int) Math.min(MOST, (double) answered * PERIOD_NANOS / worked);
        all = Math.max(could, all - all / 4);
        few = level(all / 2);
        int share = level(all);
        intervalNanos = PERIOD_NANOS / share;
        findFloods(share);
        answered = 0;
        busyNanos = 0;
    }

    /// Those who ask for more than one and a half of their share; the largest, if there are too many.
    private void findFloods(int share) {
        int enough = share + share / 2;
        floodCount = 0;
        for (int i = 0; i < CLIENTS; i++) {
            if (before[i] <= enough) {
                continue;
            }
            if (floodCount < MOST_FLOODS) {
                floods[floodCount++] = i;
                continue;
            }
            int least = 0;
            for (int j = 1; j < MOST_FLOODS; j++) {
                least = before[floods[j]] < before[floods[least]] ? j : least;
            }
            if (before[floods[least]] < before[i]) {
                floods[least] = i;
            }
        }
        for (int i = 0; i < floodCount; i++) {
            // What it may have, as it comes: where that is less than its share for once, others have more.
            parts[i] = Math.max(LEAST_PART, (double) share / before[floods[i]]);
        }
    }

    /// The most that everybody could have of so many; one, if there is not enough for that.
    private int level(int places) {
        int low = 1;
        int high = Math.max(1, places);
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (takenUpTo(middle) <= places) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    private long takenUpTo(int level) {
        long taken = 0;
        for (int each : before) {
            taken += Math.min(each, level);
        }
        return taken;
    }

    /// Where a client is counted, by arithmetic that a classic BPF program can do: of 32 bits.
    ///
    /// @param client 4 or 16 bytes
    int slot(byte[] client) {
        int word = word(client, client.length == 4 ? 0 : 4) ^ (client.length == 4 ? 0 : word(client, 0) * MIX);
        return ((word ^ secret) * SPREAD) >>> SHIFT;
    }

    private static int word(byte[] bytes, int at) {
        return bytes[at] << 24 | (bytes[at + 1] & 0xff) << 16 | (bytes[at + 2] & 0xff) << 8 | (bytes[at + 3] & 0xff);
    }
}
