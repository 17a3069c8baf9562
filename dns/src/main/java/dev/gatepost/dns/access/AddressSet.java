package dev.gatepost.dns.access;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/// Addresses, given as blocks of which the longest decides. A look-up is a binary search and allocates nothing.
public final class AddressSet {
    /// Loopback, link-local, and what is routed inside an organisation alone (RFC 1918, RFC 4193, RFC 6598).
    public static final List<AddressBlock> PRIVATE_NETWORKS = List.of(
            AddressBlock.of("127.0.0.0", 8), AddressBlock.of("10.0.0.0", 8), AddressBlock.of("172.16.0.0", 12), AddressBlock.of("192.168.0.0", 16),
            AddressBlock.of("169.254.0.0", 16), AddressBlock.of("100.64.0.0", 10),
            AddressBlock.of("::1", 128), AddressBlock.of("fe80::", 10), AddressBlock.of("fc00::", 7));
    public static final List<AddressBlock> ALL_NETWORKS = List.of(AddressBlock.of("0.0.0.0", 0), AddressBlock.of("::", 0));

    /// What hosts anywhere may have of IPv6 (RFC 4291 section 2.4, as far as it is given out).
    private static final AddressBlock GLOBAL_UNICAST = AddressBlock.of("2000::", 3);

    public static final AddressSet NOBODY = of(List.of());

    private final Edges ipv4;
    private final Edges ipv6;

    private AddressSet(Edges ipv4, Edges ipv6) {
        this.ipv4 = ipv4;
        this.ipv6 = ipv6;
    }

    public static AddressSet of(List<AddressBlock> blocks) {
        return new AddressSet(
                Edges.of(blocks.stream().filter(AddressBlock::isIpv4).toList(), AddressBlock.of("0.0.0.0", 0)),
                Edges.of(blocks.stream().filter(Predicate.not(AddressBlock::isIpv4)).toList(), GLOBAL_UNICAST));
    }

    /// @param address 4 or 16 bytes; an IPv4 address is not mapped into IPv6
    public boolean contains(byte[] address) {
        return address.length == 4 ? ipv4.contain(0, word(address, 0, 4)) : ipv6.contain(word(address, 0, 8), word(address, 8, 8));
    }

    /// Whether it holds most of the internet, by IPv4 or by IPv6.
    public boolean isWorld() {
        return ipv4.world || ipv6.world;
    }

    private static long word(byte[] address, int from, int bytes) {
        long word = 0;
        for (int i = 0; i < bytes; i++) {
            word = word << 8 | (address[from + i] & 0xff);
        }
        return word;
    }

    /// The sorted addresses at which the set begins, ends, begins again and so on.
    private static final class Edges {
        private final long[] high;
        private final long[] low;
        private final boolean world;

        private Edges(List<BigInteger> edges, boolean world) {
            this.world = world;
            high = edges.stream().mapToLong(edge -> edge.shiftRight(64).longValue()).toArray();
            low = edges.stream().mapToLong(BigInteger::longValue).toArray();
        }

        /// @param world more than half of it is most of the internet
        static Edges of(List<AddressBlock> blocks, AddressBlock world) {
            BigInteger end = BigInteger.ONE.shiftLeft(world.network().getAddress().length * 8);
            Set<BigInteger> candidates = new TreeSet<>();
            for (AddressBlock each : blocks) {
                candidates.add(first(each));
                candidates.add(last(each).add(BigInteger.ONE));
            }
            candidates.remove(end);
            List<AddressBlock> longestFirst = blocks.stream()
                    .sorted(Comparator.comparingInt(AddressBlock::prefixLength).reversed().thenComparing(AddressBlock::included)).toList();
            List<BigInteger> edges = new ArrayList<>();
            for (BigInteger each : candidates) {
                boolean in = longestFirst.stream().filter(block -> first(block).compareTo(each) <= 0 && each.compareTo(last(block)) <= 0)
                        .findFirst().filter(AddressBlock::included).isPresent();
                if (in == (edges.size() % 2 == 0)) {
                    edges.add(each);
                }
            }
            BigInteger held = BigInteger.ZERO;
            BigInteger worldEnd = last(world).add(BigInteger.ONE);
            for (int i = 0; i < edges.size(); i += 2) {
                BigInteger to = i + 1 < edges.size() ? edges.get(i + 1) : end;
                held = held.add(to.min(worldEnd).subtract(edges.get(i).max(first(world))).max(BigInteger.ZERO));
            }
            return new Edges(edges, held.shiftLeft(1).compareTo(worldEnd.subtract(first(world))) > 0);
        }

        private static BigInteger first(AddressBlock block) {
            return new BigInteger(1, block.edge(false).getAddress());
        }

        private static BigInteger last(AddressBlock block) {
            return new BigInteger(1, block.edge(true).getAddress());
        }

        /// Whether the edges up to and including this address are odd in number.
        boolean contain(long addressHigh, long addressLow) {
            int from = 0;
            int to = high.length;
            while (from < to) {
                int middle = (from + to) >>> 1;
                int order = Long.compareUnsigned(high[middle], addressHigh);
                if (order < 0 || (order == 0 && Long.compareUnsigned(low[middle], addressLow) <= 0)) {
                    from = middle + 1;
                } else {
                    to = middle;
                }
            }
            return (from & 1) != 0;
        }
    }
}
