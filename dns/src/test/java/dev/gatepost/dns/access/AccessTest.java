package dev.gatepost.dns.access;

import dev.gatepost.dns.access.Access.Admission;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

class AccessTest {
    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, ALL", "127.255.255.255, ALL", "126.255.255.255, REFUSED", "128.0.0.0, REFUSED",
        "10.0.0.0, ALL", "10.255.255.255, ALL", "11.0.0.0, REFUSED", "9.255.255.255, REFUSED",
        "172.15.255.255, REFUSED", "172.16.0.0, ALL", "172.31.255.255, ALL", "172.32.0.0, REFUSED",
        "192.168.3.4, ALL", "192.169.0.0, REFUSED", "169.254.1.1, ALL", "100.64.0.1, ALL", "100.128.0.0, REFUSED",
        "0.0.0.0, REFUSED", "255.255.255.255, REFUSED", "8.8.8.8, REFUSED",
        "::1, ALL", "::, REFUSED", "::2, REFUSED", "fe80::1, ALL", "febf:ffff::, ALL", "fec0::, REFUSED",
        "fd00::1, ALL", "fc00::, ALL", "fe00::, REFUSED", "2001:db8::1, REFUSED", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, REFUSED",
    })
    void privateNetworksAreAnsweredAndOthersAreNot(String client, Admission expected) {
        assertEquals(expected, Access.PRIVATE.of(bytes(client)));
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.2.3, ALL", "10.66.0.0, IGNORED", "10.66.255.255, IGNORED", "10.66.7.1, OWN_NAMES", "10.67.0.0, ALL", "2001:db8::1, OWN_NAMES", "2001:db9::, IGNORED"
    })
    void theLongestBlockDecides(String client, Admission expected) {
        var access = new Access(
                List.of(block("10.0.0.0/8", true), block("10.66.0.0/16", false), block("10.66.7.0/24", true), block("2001:db8::/32", true)),
                List.of(block("10.0.0.0/8", true), block("10.66.0.0/16", false)),
                Admission.IGNORED);
        assertEquals(expected, access.of(bytes(client)));
    }

    @Test
    void everybodyIsEverybodyAndNobodyIsNobody() {
        var nobody = new Access(List.of(), List.of(), Admission.REFUSED);
        for (String client : List.of("0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1.2.3.4")) {
            assertEquals(Admission.ALL, Access.EVERYBODY.of(bytes(client)));
            assertEquals(Admission.REFUSED, nobody.of(bytes(client)));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0/0, true", "::/0, true", "2000::/3, true", "0.0.0.0/1 128.0.0.0/1, true", "0.0.0.0/0 !10.0.0.0/8, true", "0.0.0.0/0 !0.0.0.0/1, false",
        "10.0.0.0/8 192.168.0.0/16, false", "198.51.0.0/16 2001:db8::/32, false", "0.0.0.0/0 !0.0.0.0/0, false", "2000::/4 3000::/5, true", "2000::/4, false", "fc00::/7, false"
    })
    void knowsWhenItIsMostOfTheInternet(String blocks, boolean world) {
        List<AddressBlock> list = Arrays.stream(blocks.split(" ", -1)).map(each -> block(each.replace("!", ""), !each.startsWith("!"))).toList();
        assertEquals(world, AddressSet.of(list).isWorld());
        assertEquals(world, new Access(list, AddressSet.PRIVATE_NETWORKS, Admission.REFUSED).isOpen());
        assertEquals(world, new Access(list, list, Admission.REFUSED).isForwardingOpen());
        assertFalse(new Access(AddressSet.PRIVATE_NETWORKS, list, Admission.REFUSED).isForwardingOpen());
    }

    @Test
    void findsWhatASearchThroughAllBlocksFinds() {
        var random = new Random(7);
        for (int round = 0; round < 200; round++) {
            int bytes = random.nextBoolean() ? 4 : 16;
            List<AddressBlock> blocks = new ArrayList<>();
            for (int i = random.nextInt(12); i >= 0; i--) {
                blocks.add(new AddressBlock(address(random, bytes), random.nextInt(bytes * 8 + 1), random.nextInt(3) > 0));
            }
            AddressSet set = AddressSet.of(blocks);
            for (int i = 0; i < 200; i++) {
                byte[] client = address(random, bytes).getAddress();
                if (random.nextBoolean()) {
                    // Near an edge.
                    client = blocks.get(random.nextInt(blocks.size())).edge(random.nextBoolean()).getAddress();
                    client[bytes - 1] += (byte) (random.nextInt(3) - 1);
                }
                byte[] asked = client;
                boolean expected = blocks.stream().filter(block -> covers(block, asked))
                        .min(Comparator.comparingInt(AddressBlock::prefixLength).reversed().thenComparing(AddressBlock::included))
                        .filter(AddressBlock::included).isPresent();
                assertEquals(expected, set.contains(asked), () -> Arrays.toString(asked) + " in " + blocks);
            }
        }
    }

    @Test
    void aPrefixLongerThanItsAddressIsRefused() {
        InetAddress network = InetAddress.ofLiteral("10.0.0.0");
        assertThrows(IllegalArgumentException.class, () -> new AddressBlock(network, 33, true));
    }

    private static boolean covers(AddressBlock block, byte[] client) {
        byte[] network = block.network().getAddress();
        for (int bit = 0; bit < block.prefixLength(); bit++) {
            int mask = 0x80 >>> (bit & 7);
            if ((network[bit >> 3] & mask) != (client[bit >> 3] & mask)) {
                return false;
            }
        }
        return true;
    }

    /// Few different bits, so that blocks lie in one another.
    private static InetAddress address(Random random, int bytes) {
        byte[] address = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            address[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt(4) * 85 : 0);
        }
        try {
            return InetAddress.getByAddress(address);
        } catch (java.net.UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    private static AddressBlock block(String text, boolean included) {
        int slash = text.indexOf('/');
        return new AddressBlock(InetAddress.ofLiteral(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1)), included);
    }

    private static byte[] bytes(String address) {
        return InetAddress.ofLiteral(address).getAddress();
    }
}
