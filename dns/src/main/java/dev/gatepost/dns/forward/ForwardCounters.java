package dev.gatepost.dns.forward;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;

/// What forwarding has done since it started: the sum of plain counters, one set per event loop, each written by its loop
/// alone and read by anybody.
public final class ForwardCounters {
    /// What is counted of all questions together.
    public enum Event {
        /// Answered from the cache.
        HIT,
        /// Not in the cache, or no longer fresh.
        MISS,
        /// Answered past its TTL.
        STALE,
        /// A failure answered again without asking (RFC 9520).
        FAILURE_HIT,
        /// Joined a question that was in flight already.
        COALESCED,
        /// Asked for again before its TTL ended.
        PREFETCH,
        /// A second upstream was asked, since the first took long.
        HEDGED,
        /// Asked again by TCP, since the answer was too long.
        TCP_RETRY,
        /// Nobody answered.
        FAILED,
        /// Not asked, since too many questions were in flight.
        OVERLOAD,
        /// Messages that did not fit the question that was sent.
        FORGED,
        /// Records that had nothing to do with the question, left out of answers.
        DROPPED_RECORD,
        /// A question of ours came back to us.
        LOOP,
        /// Answered by a hosts file or a block list.
        LOCAL
    }

    /// Of one upstream.
    ///
    /// @param nanos time that the answers took together
    public record UpstreamCount(String upstream, long questions, long answers, long missed, long nanos, double smoothNanos, boolean usable) {}

    private static final int EVENTS = Event.values().length;
    private static final int QUESTIONS = 0;
    private static final int ANSWERS = 1;
    private static final int MISSED = 2;
    private static final int NANOS = 3;
    private static final int SMOOTH = 4;
    private static final int USABLE = 5;
    private static final int PER_UPSTREAM = 6;

    private final List<String> upstreams;
    private final List<Loop> loops = new CopyOnWriteArrayList<>();

    ForwardCounters(List<String> upstreams) {
        this.upstreams = List.copyOf(upstreams);
    }

    Loop loop() {
        Loop loop = new Loop(upstreams.size());
        loops.add(loop);
        return loop;
    }

    @SuppressWarnings("EnumOrdinal") // an index within this class
    public long count(Event event) {
        return sum(event.ordinal());
    }

    public List<UpstreamCount> upstreams() {
        List<UpstreamCount> counts = new ArrayList<>();
        for (int i = 0; i < upstreams.size(); i++) {
            int at = EVENTS + i * PER_UPSTREAM;
            long loopsAsking = loops.stream().filter(loop -> loop.get(at + SMOOTH) > 0).count();
            counts.add(new UpstreamCount(
                    upstreams.get(i),
                    sum(at + QUESTIONS),
                    sum(at + ANSWERS),
                    sum(at + MISSED),
                    sum(at + NANOS),
                    loopsAsking == 0 ? 0 : (double) sum(at + SMOOTH) / loopsAsking,
                    loops.stream().allMatch(loop -> loop.get(at + USABLE) == 0)));
        }
        return counts;
    }

    public Map<Event, Long> events() {
        Map<Event, Long> all = new LinkedHashMap<>();
        for (Event each : Event.values()) {
            all.put(each, count(each));
        }
        return all;
    }

    private long sum(int index) {
        long sum = 0;
        for (Loop each : loops) {
            sum += each.get(index);
        }
        return sum;
    }

    /// The counters of one event loop.
    static final class Loop {
        private final AtomicLongArray counts;

        Loop(int upstreams) {
            counts = new AtomicLongArray(EVENTS + upstreams * PER_UPSTREAM);
        }

        @SuppressWarnings("EnumOrdinal") // an index within this class
        void count(Event event) {
            add(event.ordinal(), 1);
        }

        @SuppressWarnings("EnumOrdinal") // an index within this class
        void count(Event event, long amount) {
            add(event.ordinal(), amount);
        }

        void asked(int upstream) {
            add(EVENTS + upstream * PER_UPSTREAM + QUESTIONS, 1);
        }

        void answered(int upstream, long tookNanos) {
            int at = EVENTS + upstream * PER_UPSTREAM;
            add(at + ANSWERS, 1);
            add(at + NANOS, tookNanos);
        }

        void missed(int upstream) {
            add(EVENTS + upstream * PER_UPSTREAM + MISSED, 1);
        }

        void standing(int upstream, Standing standing) {
            int at = EVENTS + upstream * PER_UPSTREAM;
            counts.setRelease(at + SMOOTH, (long) standing.smoothNanos());
            counts.setRelease(at + USABLE, standing.isUsable() ? 0 : 1);
        }

        /// Only the loop's own thread writes, so a plain read and an ordered write do.
        private void add(int index, long amount) {
            counts.setRelease(index, counts.getPlain(index) + amount);
        }

        long get(int index) {
            return counts.getAcquire(index);
        }
    }
}
