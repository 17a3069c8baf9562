package dev.gatepost.gateway.route;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Host names to their routes: an immutable hash table in shards, probed with the bytes of a request. A change copies the
/// shards it touches.
final class HostMap {
    static final HostMap EMPTY = new HostMap(new Shard[] {Shard.EMPTY}, 0);

    /// Few enough that copying a shard is cheap, enough that there are few shards.
    private static final int HOSTS_PER_SHARD = 16;

    private final Shard[] shards;
    private final int size;
    private final int maxPriority;

    private static final class Shard {
        static final Shard EMPTY = of(List.of());

        /// Open addressing, a power of two of them, at most half full.
        final @Nullable HostRoutes[] slots;
        final int maxPriority;

        private Shard(@Nullable HostRoutes[] slots, int maxPriority) {
            this.slots = slots;
            this.maxPriority = maxPriority;
        }

        static Shard of(List<HostRoutes> hosts) {
            @Nullable HostRoutes[] slots = new HostRoutes[Integer.highestOneBit(Math.max(1, hosts.size())) * 4];
            int max = Integer.MIN_VALUE;
            for (HostRoutes host : hosts) {
                int slot = spread(host.hash()) & (slots.length - 1);
                while (slots[slot] != null) {
                    slot = (slot + 1) & (slots.length - 1);
                }
                slots[slot] = host;
                max = Math.max(max, host.maxPriority());
            }
            return new Shard(slots, max);
        }
    }

    private HostMap(Shard[] shards, int size) {
        this.shards = shards;
        this.size = size;
        int max = Integer.MIN_VALUE;
        for (Shard shard : shards) {
            max = Math.max(max, shard.maxPriority);
        }
        this.maxPriority = max;
    }

    int size() {
        return size;
    }

    /// The highest priority of any route in here.
    int maxPriority() {
        return maxPriority;
    }

    /// @param hash `String.hashCode()` of the lower-case name that `host[from, to)` holds in any case
    @Nullable HostRoutes find(byte[] host, int from, int to, int hash) {
        int spread = spread(hash);
        @Nullable HostRoutes[] slots = shards[shard(spread, shards.length)].slots;
        int mask = slots.length - 1;
        for (int slot = spread & mask; ; slot = (slot + 1) & mask) {
            HostRoutes routes = slots[slot];
            if (routes == null || (routes.hash() == hash && routes.isNamed(host, from, to))) {
                return routes;
            }
        }
    }

    @Nullable HostRoutes find(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        return find(bytes, 0, bytes.length, name.hashCode());
    }

    /// This map with each of the hosts in place of the one of the same name; an empty one is left out.
    HostMap with(Map<String, HostRoutes> changes) {
        if (changes.isEmpty()) {
            return this;
        }
        int newSize = size;
        Map<Integer, Map<String, HostRoutes>> byShard = new HashMap<>();
        for (Map.Entry<String, HostRoutes> change : changes.entrySet()) {
            boolean known = find(change.getKey()) != null;
            newSize += (change.getValue().isEmpty() ? 0 : 1) - (known ? 1 : 0);
            int shard = shard(spread(change.getKey().hashCode()), shards.length);
            byShard.computeIfAbsent(shard, _ -> new HashMap<>()).put(change.getKey(), change.getValue());
        }
        int wanted = Integer.highestOneBit(Math.max(1, newSize / HOSTS_PER_SHARD));
        if (wanted > shards.length * 2 || wanted * 4 < shards.length) {
            return rebuilt(wanted, newSize, changes);
        }
        Shard[] newShards = shards.clone();
        byShard.forEach((index, changed) -> {
            List<HostRoutes> hosts = new ArrayList<>();
            for (HostRoutes host : newShards[index].slots) {
                if (host != null && !changed.containsKey(host.name())) {
                    hosts.add(host);
                }
            }
            changed.values().stream().filter(host -> !host.isEmpty()).forEach(hosts::add);
            newShards[index] = Shard.of(hosts);
        });
        return new HostMap(newShards, newSize);
    }

    private HostMap rebuilt(int shardCount, int newSize, Map<String, HostRoutes> changes) {
        List<List<HostRoutes>> buckets = new ArrayList<>();
        for (int i = 0; i < shardCount; i++) {
            buckets.add(new ArrayList<>());
        }
        Consumer<HostRoutes> place = host -> buckets.get(shard(spread(host.hash()), shardCount)).add(host);
        forEach(host -> {
            if (!changes.containsKey(host.name())) {
                place.accept(host);
            }
        });
        changes.values().stream().filter(host -> !host.isEmpty()).forEach(place);
        return new HostMap(buckets.stream().map(Shard::of).toArray(Shard[]::new), newSize);
    }

    void forEach(Consumer<HostRoutes> each) {
        for (Shard shard : shards) {
            for (HostRoutes host : shard.slots) {
                if (host != null) {
                    each.accept(host);
                }
            }
        }
    }

    /// Shards by the upper bits, slots by the lower ones.
    private static int shard(int spread, int count) {
        return (spread >>> 16) & (count - 1);
    }

    private static int spread(int hash) {
        int product = hash * 0x9E3779B9;
        return product ^ (product >>> 15);
    }
}
