package dev.gatepost.dns.forward;

import dev.gatepost.dns.ErrorInfo;
import dev.gatepost.dns.Outside;
import dev.gatepost.dns.Query;
import dev.gatepost.dns.QueryRecord;
import dev.gatepost.dns.Rcode;
import dev.gatepost.dns.Relay;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/// What an upstream answered to a question, ready to be copied behind the question of any query for it: compression pointers
/// lead to the question or within the records. Immutable but for what is known of its use.
final class CachedAnswer implements Outside.Reply {
    /// TTL of what is answered past its own (RFC 8767 section 4).
    static final int STALE_SECONDS = 30;

    private static final byte[] NO_WORDS = {};
    private static final int LONGEST_WORDS = 160;
    /// Objects and map entry, about.
    private static final int OVERHEAD = 240;

    final byte[] records;
    /// Where the TTLs lie in the records.
    private final short[] ttlAt;
    final int rcode;
    final int answers;
    final int authority;
    final boolean authenticated;
    /// Length of each answer record when they are alike and may change places; 0 otherwise.
    private final int block;
    final String upstream;
    final long storedNanos;
    final int ttlSeconds;

    /// What went wrong, for a failure.
    private final byte[] words;

    /// Times it was answered from the cache; a hint, so nobody minds a lost count.
    int hits;
    /// A fresh one is being asked for already.
    boolean refreshing;
    /// No fresh one was to be had: it is answered at once, and somebody asked again only after [#holdNanos].
    boolean held;
    long holdNanos;

    CachedAnswer(
            byte[] records,
            short[] ttlAt,
            int rcode,
            int answers,
            int authority,
            boolean authenticated,
            int block,
            String upstream,
            long storedNanos,
            int ttlSeconds) {
        this(records, ttlAt, rcode, answers, authority, authenticated, block, upstream, storedNanos, ttlSeconds, NO_WORDS);
    }

    private CachedAnswer(
            byte[] records,
            short[] ttlAt,
            int rcode,
            int answers,
            int authority,
            boolean authenticated,
            int block,
            String upstream,
            long storedNanos,
            int ttlSeconds,
            byte[] words) {
        this.records = records;
        this.ttlAt = ttlAt;
        this.rcode = rcode;
        this.answers = answers;
        this.authority = authority;
        this.authenticated = authenticated;
        this.block = block;
        this.upstream = upstream;
        this.storedNanos = storedNanos;
        this.ttlSeconds = ttlSeconds;
        this.words = words;
    }

    /// That nobody could say (RFC 9520).
    static CachedAnswer failure(String words, long nowNanos, int ttlSeconds) {
        byte[] bytes = words.getBytes(StandardCharsets.UTF_8);
        byte[] some = bytes.length > LONGEST_WORDS ? Arrays.copyOf(bytes, LONGEST_WORDS) : bytes;
        return new CachedAnswer(new byte[0], new short[0], Rcode.SERVFAIL, 0, 0, false, 0, "", nowNanos, ttlSeconds, some);
    }

    String words() {
        return new String(words, StandardCharsets.UTF_8);
    }

    boolean isFailure() {
        return rcode == Rcode.SERVFAIL;
    }

    boolean isFresh(long nowNanos) {
        return nowNanos - storedNanos < TimeUnit.SECONDS.toNanos(ttlSeconds);
    }

    /// How long ago its TTL ended; negative before.
    long overdueNanos(long nowNanos) {
        return nowNanos - storedNanos - TimeUnit.SECONDS.toNanos(ttlSeconds);
    }

    int weight() {
        return OVERHEAD + records.length + 2 * ttlAt.length + words.length;
    }

    int recordCount() {
        return answers + authority;
    }

    /// Answers from the cache, past its TTL if it must be.
    void writeCached(byte[] out, int from, int to, Relay relay) {
        write(out, from, to, relay, QueryRecord.Source.CACHE);
        if (isFailure()) {
            relay.errorInfo = ErrorInfo.CACHED_ERROR;
        }
    }

    /// Answers as fresh from the upstream, whom it names.
    @Override
    public void write(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
        write(out, from, to, relay, QueryRecord.Source.FORWARD);
        relay.upstream = upstream;
        if (isFailure()) {
            relay.errorInfo = ErrorInfo.NO_REACHABLE_AUTHORITY;
        }
    }

    private void write(byte[] out, int from, int to, Relay relay, QueryRecord.Source source) {
        relay.rcode = rcode;
        relay.source = source;
        relay.authenticated = authenticated;
        relay.errorText = words;
        relay.end = from;
        if (records.length > to - from) {
            cut(out, from, to, relay);
        } else {
            copy(out, from);
            relay.end = from + records.length;
            relay.answers = answers;
            relay.authority = authority;
        }
        long ageNanos = relay.nowNanos - storedNanos;
        if (ageNanos >= TimeUnit.SECONDS.toNanos(ttlSeconds) && ttlSeconds > 0 && !isFailure()) {
            stale(out, from, relay);
        } else if (ageNanos >= TimeUnit.SECONDS.toNanos(1)) {
            int age = (int) (ageNanos / TimeUnit.SECONDS.toNanos(1));
            for (short at : ttlAt) {
                int where = from + (at & 0xffff);
                if (where >= relay.end) {
                    break;
                }
                putInt(out, where, Math.max(0, getInt(out, where) - age));
            }
        }
    }

    /// As many of the records as fit, with TC, so that nobody takes them for the whole set (RFC 2181 section 9): a client that
    /// can't come by TCP has something to go by. Of a chain of aliases, or of signed records, a part is of no use.
    private void cut(byte[] out, int from, int to, Relay relay) {
        relay.truncated = true;
        int fitting = block == 0 ? 0 : Math.min(answers, (to - from) / block);
        int first = fitting == 0 ? 0 : ThreadLocalRandom.current().nextInt(answers);
        for (int i = 0; i < fitting; i++) {
            System.arraycopy(records, (first + i) % answers * block, out, from + i * block, block);
        }
        relay.answers = fitting;
        relay.end = from + fitting * block;
    }

    private void stale(byte[] out, int from, Relay relay) {
        for (short at : ttlAt) {
            if (from + (at & 0xffff) < relay.end) {
                putInt(out, from + (at & 0xffff), STALE_SECONDS);
            }
        }
        relay.stale = true;
        relay.errorInfo = rcode == Rcode.NXDOMAIN ? ErrorInfo.STALE_NXDOMAIN : ErrorInfo.STALE_ANSWER;
        relay.errorText = NO_WORDS;
    }

    /// Begins with another record each time, so that a cached answer doesn't make one address the first for everybody.
    private void copy(byte[] out, int from) {
        if (block == 0) {
            System.arraycopy(records, 0, out, from, records.length);
            return;
        }
        int size = block * answers;
        int split = block * ThreadLocalRandom.current().nextInt(answers);
        System.arraycopy(records, split, out, from, size - split);
        System.arraycopy(records, 0, out, from + size - split, split);
        System.arraycopy(records, size, out, from + size, records.length - size);
    }

    private static int getInt(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 24 | (bytes[at + 1] & 0xff) << 16 | (bytes[at + 2] & 0xff) << 8 | (bytes[at + 3] & 0xff);
    }

    private static void putInt(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >> 24);
        bytes[at + 1] = (byte) (value >> 16);
        bytes[at + 2] = (byte) (value >> 8);
        bytes[at + 3] = (byte) value;
    }
}
