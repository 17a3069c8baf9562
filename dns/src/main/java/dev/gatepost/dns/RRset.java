package dev.gatepost.dns;

import java.io.ByteArrayOutputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// All records of one type at one name, encoded once, when the zone is built: each record a block of bytes that begins
/// with a pointer to the question's name, so that an answer is a copy of blocks. Immutable; shared between zones and names.
public final class RRset {
    /// Owner pointer, type, class, TTL and length before the rdata.
    static final int RECORD_HEADER = 12;
    private static final byte[] NO_GLUE = {};

    final int type;
    final int count;
    /// The records, each with owner `c0 0c`, one after the other.
    final byte[] blocks;
    /// Where record i begins; one more than there are records.
    final int[] offsets;
    /// Where in a record's block the name lies that its glue belongs to; 0 when the type has none.
    final int targetAt;
    /// Glue of each record: records with a two-byte owner to be patched; empty for a host name, which may be one of the zone's.
    /// No elements when no record has any or could have.
    final byte[][] glue;
    /// Records with the same number share their target, so that its glue is sent once.
    final int[] glueGroup;
    final int glueGroups;

    /// Which record comes first how often; null when all do alike.
    final @Nullable Lot lot;

    /// Whether the order means something: then every answer has it.
    final boolean ordered;

    /// How many of the records, the first ones, come before all others; all of them where nobody is preferred.
    final int near;

    private final List<Rdata> records;
    private final Duration ttl;

    /// @param weight how often it comes first, in proportion to those of the others
    /// @param near   whether it comes before those that are not
    public record Weighted(Rdata rdata, int weight, boolean near) {
        public Weighted(Rdata rdata, int weight) {
            this(rdata, weight, false);
        }
    }

    private RRset(int type, Duration ttl, List<Rdata> records, int[] weights, boolean ordered, int near) {
        this.ordered = ordered;
        this.near = near == 0 ? records.size() : near;
        this.lot = Lot.of(Arrays.copyOf(weights, this.near));
        this.type = type;
        this.ttl = ttl;
        this.records = records;
        this.count = records.size();
        this.offsets = new int[count + 1];
        this.targetAt = switch (type) {
            case RRType.SRV -> RECORD_HEADER + 6;
            case RRType.NS, RRType.CNAME -> RECORD_HEADER;
            default -> 0;
        };
        int seconds = Math.toIntExact(ttl.toSeconds());
        var bytes = new ByteArrayOutputStream(count * 32);
        var groups = new HashMap<DomainName, Integer>();
        byte[][] glue = new byte[count][];
        int[] group = new int[count];
        boolean anyGlue = false;
        for (int i = 0; i < count; i++) {
            Rdata rdata = records.get(i);
            record(bytes, type, seconds, rdata.encode());
            offsets[i + 1] = bytes.size();
            glue[i] = NO_GLUE;
            switch (rdata) {
                case Rdata.Srv srv -> {
                    anyGlue |= srv.glue().isEmpty(); // looked for in the zone
                    glue[i] = glue(srv.glue(), seconds);
                    group[i] = groups.computeIfAbsent(srv.target(), _ -> groups.size());
                }
                case Rdata.Ns ns -> {
                    glue[i] = glue(ns.glue(), seconds);
                    group[i] = groups.computeIfAbsent(ns.target(), _ -> groups.size());
                }
                case Rdata.Address _, Rdata.Ptr _, Rdata.Cname _, Rdata.Txt _, Rdata.Soa _, Rdata.Svcb _, Rdata.Opaque _ -> {}
            }
            anyGlue |= glue[i].length > 0;
        }
        this.blocks = bytes.toByteArray();
        this.glue = anyGlue ? glue : new byte[0][];
        this.glueGroup = anyGlue ? group : new int[0];
        this.glueGroups = groups.size();
    }

    /// One set per type among the records, in the order in which the types first appear; equal records once.
    public static List<RRset> of(Duration ttl, List<? extends Rdata> records) {
        return weighted(ttl, ones(records), false, false);
    }

    /// The same of records with weights; those of equal records add up.
    public static List<RRset> weighted(Duration ttl, List<Weighted> records) {
        return weighted(ttl, records, true, false);
    }

    /// The same of records whose order means something, nearest first: every answer begins with the first.
    public static List<RRset> ordered(Duration ttl, List<? extends Rdata> records) {
        return weighted(ttl, ones(records), false, true);
    }

    private static List<Weighted> ones(List<? extends Rdata> records) {
        return records.stream().map(each -> new Weighted(each, 1)).toList();
    }

    private static List<RRset> weighted(Duration ttl, List<Weighted> records, boolean adding, boolean ordered) {
        List<Weighted> nearest = records.stream().sorted(Comparator.comparing((Weighted each) -> !each.near)).toList();
        Map<Integer, Set<Rdata>> near = new HashMap<>();
        Map<Integer, Map<Rdata, Integer>> byType = new LinkedHashMap<>();
        records.forEach(each -> byType.computeIfAbsent(each.rdata.type(), _ -> new LinkedHashMap<>()));
        for (Weighted each : nearest) {
            if (each.near) {
                near.computeIfAbsent(each.rdata.type(), _ -> new HashSet<>()).add(each.rdata);
            }
            byType.computeIfAbsent(each.rdata.type(), _ -> new LinkedHashMap<>())
                    .merge(each.rdata, each.weight, (one, other) -> adding ? Math.clamp((long) one + other, 0, Integer.MAX_VALUE) : one);
        }
        var sets = new ArrayList<RRset>(byType.size());
        byType.forEach((type, set) ->
                sets.add(new RRset(type, ttl, List.copyOf(set.keySet()), set.values().stream().mapToInt(weight -> weight).toArray(), ordered,
                        near.getOrDefault(type, Set.of()).size())));
        return List.copyOf(sets);
    }

    public int type() {
        return type;
    }

    public Duration ttl() {
        return ttl;
    }

    /// The records in catalog order; an answer starts at any of them.
    public List<Rdata> records() {
        return records;
    }

    /// Sets are equal when they answer alike.
    @Override
    public boolean equals(Object other) {
        return other instanceof RRset that && type == that.type && near == that.near && ttl.equals(that.ttl) && records.equals(that.records);
    }

    @Override
    public int hashCode() {
        return Objects.hash(type, ttl, records);
    }

    /// Bytes of all records in an answer.
    int length() {
        return blocks.length;
    }

    private static byte[] glue(List<InetAddress> addresses, int seconds) {
        if (addresses.isEmpty()) {
            return NO_GLUE;
        }
        var bytes = new ByteArrayOutputStream(addresses.size() * 28);
        for (InetAddress each : addresses) {
            record(bytes, each instanceof Inet4Address ? RRType.A : RRType.AAAA, seconds, each.getAddress());
        }
        return bytes.toByteArray();
    }

    private static void record(ByteArrayOutputStream out, int type, int seconds, byte[] rdata) {
        out.write(0xc0);
        out.write(Query.HEADER);
        out.write(type >> 8);
        out.write(type);
        out.write(0);
        out.write(Query.CLASS_IN);
        out.write(seconds >> 24);
        out.write(seconds >> 16);
        out.write(seconds >> 8);
        out.write(seconds);
        out.write(rdata.length >> 8);
        out.write(rdata.length);
        out.writeBytes(rdata);
    }
}
