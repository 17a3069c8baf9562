package dev.gatepost.dns;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.ToLongFunction;

/// What the server has done since it started: the sum of plain counters, one set per event loop, each written by its loop
/// alone and read by anybody.
@SuppressWarnings("EnumOrdinal") // an index within this class, never stored
public final class DnsCounters {
    /// Types that have a counter of their own; all others share [#OTHER_TYPE].
    public static final List<Integer> TYPES =
            List.of(RRType.A, RRType.AAAA, RRType.SRV, RRType.PTR, RRType.TXT, RRType.NS, RRType.SOA, RRType.CNAME, RRType.HTTPS, RRType.ANY);
    public static final int OTHER_TYPE = 0;

    /// Upper bounds of the duration histogram; what took longer is in one more bucket.
    public static final List<Long> DURATION_BOUNDS_NANOS =
            List.of(10_000L, 25_000L, 50_000L, 100_000L, 250_000L, 1_000_000L, 5_000_000L, 25_000_000L, 100_000_000L, 1_000_000_000L);

    private static final long[] BOUNDS = DURATION_BOUNDS_NANOS.stream().mapToLong(Long::longValue).toArray();
    static final int RCODES = 24;
    private static final int TRANSPORTS = QueryRecord.Transport.values().length;

    private final List<Loop> loops;

    DnsCounters(List<Loop> loops) {
        this.loops = List.copyOf(loops);
    }

    /// Answers sent.
    public long answered(QueryRecord.Transport transport, int rcode) {
        return sum(loop -> loop.get(Loop.answered(transport.ordinal(), rcode)));
    }

    /// Answers sent to queries of a type of [#TYPES], or of all others together.
    public long answered(int type) {
        return sum(loop -> loop.get(Loop.TYPE + Math.max(0, TYPES.indexOf(type) + 1)));
    }

    public long answered(QueryRecord.Source source) {
        return sum(loop -> loop.get(Loop.SOURCE + source.ordinal()));
    }

    /// Answers sent by the origin that their question belongs to, one number for each code; those that belong to none are at
    /// the root.
    public Map<DomainName, long[]> answeredByZone() {
        Map<DomainName, long[]> sums = new TreeMap<>();
        loops.forEach(loop -> loop.zones.addTo(sums));
        return sums;
    }

    /// Messages that were not answered: no queries, or cut short of a header.
    public long dropped() {
        return sum(loop -> loop.get(Loop.DROPPED));
    }

    /// Queries of clients that may not ask them, answered or not.
    public long denied() {
        return sum(loop -> loop.get(Loop.DENIED));
    }

    /// Queries by UDP that were dropped unread: more came than can be answered, and those of other clients went before.
    public long shed() {
        return sum(loop -> loop.get(Loop.SHED));
    }

    /// Answers with the TC bit.
    public long truncated() {
        return sum(loop -> loop.get(Loop.TRUNCATED));
    }

    /// Answers that were not sent, since the socket took no more.
    public long unsent() {
        return sum(loop -> loop.get(Loop.UNSENT));
    }

    public long connectionsAccepted() {
        return sum(loop -> loop.get(Loop.ACCEPTED));
    }

    /// Connections closed at once: there were too many.
    public long connectionsRejected() {
        return sum(loop -> loop.get(Loop.REJECTED));
    }

    /// TLS handshakes that came to no good end.
    public long failedHandshakes() {
        return sum(loop -> loop.get(Loop.FAILED_HANDSHAKES));
    }

    /// Answers that took at most each of [#DURATION_BOUNDS_NANOS], and longer than the bound before; the last is the rest.
    public long[] durations() {
        long[] buckets = new long[BOUNDS.length + 1];
        for (int i = 0; i < buckets.length; i++) {
            int index = Loop.DURATION + i;
            buckets[i] = sum(loop -> loop.get(index));
        }
        return buckets;
    }

    public long durationNanos() {
        return sum(loop -> loop.get(Loop.DURATION_SUM));
    }

    private long sum(ToLongFunction<Loop> counter) {
        return loops.stream().mapToLong(counter).sum();
    }

    /// The counters of one event loop.
    static final class Loop {
        static final int DROPPED = 0;
        static final int TRUNCATED = 1;
        static final int UNSENT = 2;
        static final int ACCEPTED = 3;
        static final int REJECTED = 4;
        static final int DURATION_SUM = 5;
        static final int FAILED_HANDSHAKES = 6;
        static final int DENIED = 7;
        static final int SHED = 8;
        static final int SOURCE = 9;
        static final int TYPE = SOURCE + QueryRecord.Source.values().length;
        static final int DURATION = TYPE + TYPES.size() + 1;
        static final int ANSWERED = DURATION + BOUNDS.length + 1;

        private static final byte[] TYPE_INDEX = new byte[256];

        static {
            for (int i = 0; i < TYPES.size(); i++) {
                TYPE_INDEX[TYPES.get(i)] = (byte) (i + 1);
            }
        }

        private final AtomicLongArray counts = new AtomicLongArray(ANSWERED + TRANSPORTS * RCODES);

        private final ZoneCounts zones = new ZoneCounts();

        /// @param zone that the query was answered from
        void count(QueryRecord query, Zone zone) {
            if (query.denied) {
                add(DENIED, 1);
            }
            if (query.rcode < 0) {
                add(DROPPED, 1);
                return;
            }
            add(answered(query.transport.ordinal(), query.rcode), 1);
            zones.count(zone, query.origin, query.rcode);
            add(TYPE + (query.type < TYPE_INDEX.length ? TYPE_INDEX[query.type] : 0), 1);
            add(SOURCE + query.source.ordinal(), 1);
            if (query.truncated) {
                add(TRUNCATED, 1);
            }
            add(DURATION_SUM, query.durationNanos);
            int bucket = 0;
            while (bucket < BOUNDS.length && query.durationNanos > BOUNDS[bucket]) {
                bucket++;
            }
            add(DURATION + bucket, 1);
        }

        /// Only the loop's own thread writes, so a plain read and an ordered write do.
        void add(int index, long amount) {
            counts.setRelease(index, counts.getPlain(index) + amount);
        }

        long get(int index) {
            return counts.getAcquire(index);
        }

        static int answered(int transport, int rcode) {
            return ANSWERED + transport * RCODES + Math.min(rcode, RCODES - 1);
        }
    }

    @Override
    public String toString() {
        long[] durations = durations();
        long answers = 0;
        for (long each : durations) {
            answers += each;
        }
        return answers + " answered, " + dropped() + " dropped, " + (answers == 0 ? 0 : TimeUnit.NANOSECONDS.toMicros(durationNanos() / answers)) + " us each";
    }
}
