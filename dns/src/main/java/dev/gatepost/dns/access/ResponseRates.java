package dev.gatepost.dns.access;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How often a network is sent answers of one kind: response rate limiting, as BIND and Knot do it. A network has credit for
/// a second's worth of answers, and debt for at most [#WINDOW_NANOS]'s worth: it is answered again when it has been quiet
/// for as long.
///
/// Each account is one word of a fixed table: whose it is, and the moment at which its debt is paid. Event loops share the table
/// and write without a lock; where two write the same account at once, one answer goes uncounted.
public final class ResponseRates {
    /// What becomes of an answer.
    public enum Verdict {
        SEND,
        /// Sent without records: a real client comes again by TCP or with a cookie, a forged address doesn't.
        CHALLENGE,
        DROP
    }

    /// What is counted apart from each other.
    public enum Kind {
        RECORDS,
        NODATA,
        NXDOMAIN,
        ERROR
    }

    private static final Logger LOG = LoggerFactory.getLogger(ResponseRates.class);
    private static final long SAID_NANOS = TimeUnit.MINUTES.toNanos(1);

    public static final ResponseRates NONE = new ResponseRates(0, AddressSet.NOBODY);

    static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(15);
    /// Of the answers above the limit one in so many is sent without records.
    static final int SLIP = 2;

    private static final int WAYS = 4;
    private static final int ACCOUNTS = 1 << 16;
    private static final int TIME_BITS = 40;
    private static final long TIME_MASK = (1L << TIME_BITS) - 1;
    private static final long WINDOW_MICROS = TimeUnit.NANOSECONDS.toMicros(WINDOW_NANOS);
    private static final long CREDIT_MICROS = TimeUnit.SECONDS.toMicros(1);
    private static final long IPV4_NETWORK = 0xffff_ff00L;
    private static final long IPV6_NETWORK = 0xffff_ffff_ffff_ff00L;

    private final int perSecond;
    private final long costMicros;
    private final AddressSet exempt;
    private final AtomicLongArray accounts;
    private final AtomicLong limited = new AtomicLong();
    private final AtomicLong networks = new AtomicLong();
    private final AtomicLong saidNanos = new AtomicLong(System.nanoTime() - SAID_NANOS);
    private final long secret = ThreadLocalRandom.current().nextLong();

    /// @param perSecond answers of one kind to one network; 0 is no limit
    /// @param exempt    whom it doesn't hold for
    public ResponseRates(int perSecond, AddressSet exempt) {
        this.perSecond = perSecond;
        this.costMicros = perSecond == 0 ? 0 : Math.max(1, CREDIT_MICROS / perSecond);
        this.exempt = exempt;
        this.accounts = new AtomicLongArray(perSecond == 0 ? 0 : ACCOUNTS);
    }

    public boolean isLimiting() {
        return perSecond > 0;
    }

    /// Answers that were not sent as they were.
    public long limited() {
        return limited.get();
    }

    /// How often a network has come above its limit.
    public long networks() {
        return networks.get();
    }

    /// Counts an answer.
    ///
    /// @param client   4 or 16 bytes
    /// @param nowNanos [System#nanoTime]
    @SuppressWarnings("EnumOrdinal") // part of a key that nobody keeps
    public Verdict count(byte[] client, Kind kind, long nowNanos) {
        if (perSecond == 0 || exempt.contains(client)) {
            return Verdict.SEND;
        }
        long hash = hash(network(client) * Kind.values().length + kind.ordinal());
        long now = TimeUnit.NANOSECONDS.toMicros(nowNanos) & TIME_MASK;
        int account = account(hash, now);
        long before = debt(accounts.get(account), hash, now);
        long after = before + costMicros;
        accounts.setRelease(account, (hash & ~TIME_MASK) | ((now + Math.min(after, WINDOW_MICROS)) & TIME_MASK));
        if (after <= CREDIT_MICROS) {
            return Verdict.SEND;
        }
        if (before <= CREDIT_MICROS) {
            networks.incrementAndGet();
            say(client, kind, nowNanos);
        }
        return limited.incrementAndGet() % SLIP == 0 ? Verdict.CHALLENGE : Verdict.DROP;
    }

    /// Once a minute, whoever it is: the counters have the rest. Any loop may be the first.
    private void say(byte[] client, Kind kind, long nowNanos) {
        long last = saidNanos.get();
        if (nowNanos - last < SAID_NANOS || !saidNanos.compareAndSet(last, nowNanos)) {
            return;
        }
        try {
            LOG.warn("dns: the network of {} asks for more than {} answers a second ({}): one in {} above that has no records, the others are dropped",
                    InetAddress.getByAddress(client).getHostAddress(), perSecond, kind.name().toLowerCase(Locale.ROOT), SLIP);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("client address of " + client.length + " bytes (expected: 4 or 16)", e);
        }
    }

    /// /24 of IPv4, /56 of IPv6: what one customer of a provider has.
    private static long network(byte[] client) {
        long word = 0;
        for (int i = 0; i < Math.min(client.length, 8); i++) {
            word = word << 8 | (client[i] & 0xff);
        }
        return client.length == 4 ? word & IPV4_NETWORK : word & IPV6_NETWORK;
    }

    /// Nobody can tell from outside who shares an account with whom (the finalizer of SplitMix64).
    private long hash(long key) {
        long hash = key + secret;
        hash = (hash ^ (hash >>> 30)) * 0xbf58476d1ce4e5b9L;
        hash = (hash ^ (hash >>> 27)) * 0x94d049bb133111ebL;
        return hash ^ (hash >>> 31);
    }

    /// The network's own account, or of the four that it may have the one that owes least.
    private int account(long hash, long now) {
        int first = (int) hash & (ACCOUNTS - 1) & -WAYS;
        int least = first;
        long leastDebt = Long.MAX_VALUE;
        for (int i = first; i < first + WAYS; i++) {
            long word = accounts.get(i);
            if (((word ^ hash) & ~TIME_MASK) == 0) {
                return i;
            }
            long debt = debt(word, word, now);
            if (debt < leastDebt) {
                leastDebt = debt;
                least = i;
            }
        }
        return least;
    }

    /// The time wraps after twelve days: what would be further ahead than debt can be is long past.
    private static long debt(long word, long owner, long now) {
        long ahead = (word - now) & TIME_MASK;
        return ((word ^ owner) & ~TIME_MASK) != 0 || ahead > WINDOW_MICROS ? 0 : ahead;
    }
}
