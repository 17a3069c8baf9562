package dev.gatepost.dns;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/// Writes record sets into an answer: all of one beginning anywhere in it, or as much as fits, and the addresses of the names
/// that its records point at. Reusable scratch of one thread, free of garbage.
final class SetWriter {
    private static final int MOST_ALIASES = 8;
    /// Most draws by weight for one answer: what they leave is filled up in order.
    private static final int DRAWS = 128;

    private final Draft draft;
    private final NameKey key;
    private int[] picks = new int[128];
    private long[] numbers = new long[16];
    private long random = ThreadLocalRandom.current().nextLong() | 1;

    SetWriter(Draft draft, NameKey key) {
        this.draft = draft;
        this.key = key;
    }

    /// Adds what fits of a set to the answers, beginning anywhere in it, so that no record is first for everybody; more often
    /// where more weight is.
    void addAnswers(Zone zone, RRset set, int ownerAt) {
        int first = set.count == 1 || set.ordered ? 0 : below(set.near);
        if (set.lot != null) {
            first = set.lot.draw(first, below(Integer.MAX_VALUE));
        }
        if (set.near < set.count) {
            addNearFirst(zone, set, first, ownerAt);
        } else if (set.blocks.length <= draft.room()) {
            addWhole(zone, set, first, ownerAt);
        } else {
            draft.truncated = true;
            addPicked(zone, set, pickFitting(set, first), ownerAt);
        }
    }

    /// Adds a set to the authority section; false where it doesn't fit.
    boolean addAuthority(Zone zone, RRset set, int ownerAt) {
        if (set.blocks.length > draft.room()) {
            return false;
        }
        int from = draft.at;
        copy(set, ownerAt);
        draft.authority += set.count;
        if (set.glue.length > 0) {
            addGlue(zone, set, 0, set.count, from, false);
        }
        return true;
    }

    private void addWhole(Zone zone, RRset set, int first, int ownerAt) {
        int from = draft.at;
        int split = set.offsets[first];
        int rest = set.blocks.length - split;
        System.arraycopy(set.blocks, split, draft.out, from, rest);
        System.arraycopy(set.blocks, 0, draft.out, from + rest, split);
        draft.at = from + set.blocks.length;
        draft.answers += set.count;
        if (ownerAt != Query.HEADER) {
            repoint(set, first, from, ownerAt);
        }
        if (set.glue.length > 0) {
            addGlue(zone, set, first, set.count, from, false);
        }
    }

    /// Those that are near in one turn and then the others in theirs, as far as they fit.
    private void addNearFirst(Zone zone, RRset set, int first, int ownerAt) {
        if (picks.length < set.count) {
            picks = new int[set.count];
        }
        int far = set.count - set.near;
        int firstFar = below(far);
        int room = draft.room();
        int fitting = 0;
        while (fitting < set.count) {
            int block = fitting < set.near ? wrap(first + fitting, set.near) : set.near + wrap(firstFar + fitting - set.near, far);
            room -= set.offsets[block + 1] - set.offsets[block];
            if (room < 0) {
                draft.truncated = true;
                break;
            }
            picks[fitting++] = block;
        }
        addPicked(zone, set, fitting, ownerAt);
    }

    private void addPicked(Zone zone, RRset set, int fitting, int ownerAt) {
        byte[] out = draft.out;
        int from = draft.at;
        int at = from;
        for (int i = 0; i < fitting; i++) {
            int block = picks[i];
            int size = set.offsets[block + 1] - set.offsets[block];
            System.arraycopy(set.blocks, set.offsets[block], out, at, size);
            draft.pointer(at, ownerAt);
            at += size;
        }
        draft.at = at;
        draft.answers += fitting;
        if (set.glue.length > 0) {
            addGlue(zone, set, 0, fitting, from, true);
        }
    }

    /// Which records of a set that is too long are sent, each with its glue: half an answer that can be used beats a whole
    /// one that needs more questions. Where there are weights, as many as a few draws find are drawn by them.
    private int pickFitting(RRset set, int first) {
        int room = draft.room();
        if (picks.length < set.count) {
            picks = new int[set.count];
        }
        long[] taken = noneTaken(set.count);
        int fitting = 0;
        int draws = set.lot == null ? 0 : DRAWS;
        int next = first;
        for (int tried = 0; tried < draws + set.count; tried++) {
            int block = next;
            next = tried < draws && set.lot != null ? set.lot.draw(below(set.count), below(Integer.MAX_VALUE)) : wrap(next + 1, set.count);
            if (isTaken(taken, block)) {
                continue;
            }
            room -= set.offsets[block + 1] - set.offsets[block] + (set.glue.length > 0 ? set.glue[block].length : 0);
            if (room < 0) {
                break;
            }
            take(taken, block);
            picks[fitting++] = block;
        }
        return fitting;
    }

    /// Adds addresses of the targets just written, each target's once, while they fit; glue left out is no reason for TC
    /// (RFC 2181 section 9).
    ///
    /// @param picked whether they are those of [#picks], else `count` of them in their order
    private void addGlue(Zone zone, RRset set, int first, int count, int from, boolean picked) {
        long[] taken = noneTaken(set.glueGroups);
        int block = from;
        for (int i = 0; i < count; i++) {
            int index = picked ? picks[i] : wrap(first + i, set.count);
            int size = set.offsets[index + 1] - set.offsets[index];
            int target = block + set.targetAt;
            block += size;
            byte[] glue = set.glue[index];
            int group = set.glueGroup[index];
            if (isTaken(taken, group)) {
                continue;
            }
            if (glue.length == 0 && set.type == RRType.SRV) {
                take(taken, group);
                addHost(zone, target, size - set.targetAt);
                continue;
            }
            if (glue.length > draft.room() || target > Draft.POINTER_REACH) {
                return;
            }
            take(taken, group);
            int record = draft.at;
            draft.copy(glue, 0, glue.length);
            while (record < draft.at) {
                draft.pointer(record, target);
                draft.additional++;
                record += RRset.RECORD_HEADER + Query.u16(draft.out, record + 10);
            }
        }
    }

    /// Addresses of a host name that is one of the zone's, with the aliases that lead to them.
    private void addHost(Zone zone, int hostAt, int hostLength) {
        int nameAt = hostAt;
        int length = hostLength;
        for (int hops = 0; hops < MOST_ALIASES; hops++) {
            Owner owner = zone.owners.find(key.read(draft.out, nameAt, length));
            int aliasAt = 0;
            for (RRset each : owner.sets) {
                boolean alias = each.type == RRType.CNAME;
                if (each.type != RRType.A && each.type != RRType.AAAA && !alias) {
                    continue;
                }
                if (each.blocks.length > draft.room() || nameAt > Draft.POINTER_REACH) {
                    return;
                }
                aliasAt = alias ? draft.at + RRset.RECORD_HEADER : aliasAt;
                copy(each, nameAt);
                draft.additional += each.count;
            }
            if (aliasAt == 0) {
                return;
            }
            nameAt = aliasAt;
            length = draft.at - aliasAt;
        }
    }

    private void copy(RRset set, int ownerAt) {
        int from = draft.at;
        draft.copy(set.blocks, 0, set.blocks.length);
        repoint(set, 0, from, ownerAt);
    }

    /// Has the records of a whole set, written from there on, belong to a name other than the question's.
    private void repoint(RRset set, int first, int from, int ownerAt) {
        int block = from;
        for (int i = 0; i < set.count; i++) {
            draft.pointer(block, ownerAt);
            int index = wrap(first + i, set.count);
            block += set.offsets[index + 1] - set.offsets[index];
        }
    }

    /// An empty set of numbers below a bound.
    private long[] noneTaken(int bound) {
        int words = (bound + 63) >>> 6;
        if (numbers.length < words) {
            numbers = new long[words];
        }
        Arrays.fill(numbers, 0, words, 0);
        return numbers;
    }

    private static boolean isTaken(long[] taken, int number) {
        return (taken[number >>> 6] & 1L << number) != 0;
    }

    private static void take(long[] taken, int number) {
        taken[number >>> 6] |= 1L << number;
    }

    private static int wrap(int index, int count) {
        return index < count ? index : index - count;
    }

    /// Uniform enough and cheap: xorshift, scaled (Lemire).
    private int below(int bound) {
        random ^= random << 13;
        random ^= random >>> 7;
        random ^= random << 17;
        return (int) (((random >>> 32) * bound) >>> 32);
    }
}
