package dev.gatepost.dns;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;

/// Answers of one event loop by the origin that their questions belong to and by code: written by its loop alone, read by
/// anybody.
final class ZoneCounts {
    private static final DomainName OUTSIDE = DomainName.ROOT;

    private static final class Table {
        final Origin[] origins;
        /// So many codes for each origin, and for what belongs to none.
        final AtomicLongArray counts;

        Table(Origin[] origins) {
            this.origins = origins;
            this.counts = new AtomicLongArray((origins.length + 1) * DnsCounters.RCODES);
        }

        @SuppressWarnings("ReferenceEquality") // the same from zone to zone until there are others
        boolean isOf(Zone zone) {
            return origins == zone.origins;
        }
    }

    private volatile Table table = new Table(new Origin[0]);

    /// @param origin its index in the zone, or [Owner#ISLAND]
    void count(Zone zone, int origin, int rcode) {
        Table now = table;
        if (!now.isOf(zone)) {
            now = moved(now, zone.origins);
            table = now;
        }
        int index = (origin == Owner.ISLAND ? now.origins.length : origin) * DnsCounters.RCODES + Math.min(rcode, DnsCounters.RCODES - 1);
        now.counts.setRelease(index, now.counts.getPlain(index) + 1);
    }

    /// What was counted goes on, by name; that of an origin that has gone ends.
    private static Table moved(Table from, Origin[] origins) {
        var table = new Table(origins);
        for (int i = 0; i <= origins.length; i++) {
            DomainName name = i == origins.length ? OUTSIDE : origins[i].name();
            int before = i == origins.length ? from.origins.length : Arrays.stream(from.origins).map(Origin::name).toList().indexOf(name);
            for (int rcode = 0; before >= 0 && rcode < DnsCounters.RCODES; rcode++) {
                table.counts.setPlain(i * DnsCounters.RCODES + rcode, from.counts.getPlain(before * DnsCounters.RCODES + rcode));
            }
        }
        return table;
    }

    /// Adds the counts to those of other loops: by origin, one for each code.
    void addTo(Map<DomainName, long[]> sums) {
        Table now = table;
        for (int i = 0; i <= now.origins.length; i++) {
            for (int rcode = 0; rcode < DnsCounters.RCODES; rcode++) {
                long count = now.counts.getAcquire(i * DnsCounters.RCODES + rcode);
                if (count > 0) {
                    sums.computeIfAbsent(i == now.origins.length ? OUTSIDE : now.origins[i].name(), _ -> new long[DnsCounters.RCODES])[rcode] += count;
                }
            }
        }
    }
}
