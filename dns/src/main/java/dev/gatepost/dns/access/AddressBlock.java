package dev.gatepost.dns.access;

import java.net.InetAddress;
import java.net.UnknownHostException;

/// A block of addresses that is in a list, or, inside a larger one, is not.
///
/// @param prefixLength how many leading bits of `network` all its addresses have
/// @param included     false for an exception to a larger block
public record AddressBlock(InetAddress network, int prefixLength, boolean included) {
    public AddressBlock {
        int bits = network.getAddress().length * 8;
        if (prefixLength < 0 || prefixLength > bits) {
            throw new IllegalArgumentException("/%d of %s (expected: 0 to %d)".formatted(prefixLength, network.getHostAddress(), bits));
        }
    }

    static AddressBlock of(String network, int prefixLength) {
        return new AddressBlock(InetAddress.ofLiteral(network), prefixLength, true);
    }

    boolean isIpv4() {
        return network.getAddress().length == 4;
    }

    /// The network with all bits behind the prefix cleared or set.
    InetAddress edge(boolean last) {
        byte[] edge = network.getAddress();
        for (int bit = prefixLength; bit < edge.length * 8; bit++) {
            int mask = 0x80 >>> (bit & 7);
            edge[bit >> 3] = (byte) (last ? edge[bit >> 3] | mask : edge[bit >> 3] & ~mask);
        }
        try {
            return InetAddress.getByAddress(edge);
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }
}
