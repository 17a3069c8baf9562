package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Which names claim an address: an immutable map in shards, so that the next one shares what did not change.
final class ReverseNames {
    private static final int SHARDS = 1024;
    static final ReverseNames EMPTY = new ReverseNames(Stream.generate(Map::<InetAddress, List<Claim>>of).limit(SHARDS).toList());

    private final List<Map<InetAddress, List<Claim>>> shards;

    private ReverseNames(List<Map<InetAddress, List<Claim>>> shards) {
        this.shards = shards;
    }

    /// A node's claim goes before a service's, and names go in the order of their bytes.
    record Claim(boolean node, DomainName name) implements Comparable<Claim> {
        @Override
        public int compareTo(Claim other) {
            return node == other.node ? name.compareTo(other.name) : node ? -1 : 1;
        }
    }

    /// The one name that an address is known by.
    Optional<DomainName> name(InetAddress address) {
        return shards.get(shard(address)).getOrDefault(address, List.of()).stream().findFirst().map(Claim::name);
    }

    Editor edit() {
        return new Editor();
    }

    private static int shard(InetAddress address) {
        int hash = address.hashCode() * 0x9e3779b9;
        return hash >>> 22;
    }

    /// The next map in the making.
    final class Editor {
        private final List<Map<InetAddress, List<Claim>>> edited = new ArrayList<>(shards);
        private final boolean[] copied = new boolean[SHARDS];
        /// Lists of our own, which nobody else has seen yet.
        private final Map<InetAddress, List<Claim>> lists = new HashMap<>();

        void add(InetAddress address, Claim claim) {
            Map<InetAddress, List<Claim>> shard = own(address);
            // Where containers share their host's address, all services claim it.
            List<Claim> claims = list(shard, address);
            int place = Collections.binarySearch(claims, claim);
            claims.add(place < 0 ? -place - 1 : place, claim);
        }

        /// Takes one claim away: the same may have been made twice.
        void remove(InetAddress address, Claim claim) {
            Map<InetAddress, List<Claim>> shard = own(address);
            List<Claim> left = list(shard, address);
            int place = Collections.binarySearch(left, claim);
            if (place >= 0) {
                left.remove(place);
            }
            if (left.isEmpty()) {
                shard.remove(address);
                lists.remove(address);
            }
        }

        /// Copied once a step, however many changes it makes.
        private List<Claim> list(Map<InetAddress, List<Claim>> shard, InetAddress address) {
            return lists.computeIfAbsent(address, _ -> {
                List<Claim> own = new ArrayList<>(shard.getOrDefault(address, List.of()));
                shard.put(address, own);
                return own;
            });
        }

        ReverseNames done() {
            return new ReverseNames(List.copyOf(edited));
        }

        private Map<InetAddress, List<Claim>> own(InetAddress address) {
            int index = shard(address);
            if (!copied[index]) {
                copied[index] = true;
                edited.set(index, new HashMap<>(edited.get(index)));
            }
            return edited.get(index);
        }
    }
}
