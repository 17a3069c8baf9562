package dev.gatepost.gateway.config;

import java.net.InetAddress;
import java.util.List;

/// A block of IP addresses in CIDR notation (RFC 4632, RFC 4291 section 2.3); a single address is its own block.
/// An IPv4-mapped IPv6 address counts as its IPv4 address.
public record Cidr(InetAddress network, int prefixLength) {
    /// @throws IllegalArgumentException with the value and what was expected
    public static Cidr parse(String text) {
        int slash = text.indexOf('/');
        String host = slash < 0 ? text : text.substring(0, slash);
        boolean ipv6 = host.contains(":");
        // `10.0.0` is 10.0.0.0 to some and 10.0.0.0/24 to others: who writes it is asked which.
        if (host.isEmpty() || (!ipv6 && host.chars().filter(c -> c == '.').count() != 3) || !host.chars().allMatch(c -> Character.digit(c, 16) >= 0 || c == '.' || c == ':')) {
            throw malformed(text);
        }
        try {
            InetAddress network = InetAddress.ofLiteral(host);
            int bits = network.getAddress().length * 8;
            int length = slash < 0 ? bits : Integer.parseInt(text.substring(slash + 1));
            if (length < 0 || length > bits) {
                throw malformed(text);
            }
            return new Cidr(network, length);
        } catch (IllegalArgumentException e) {
            throw malformed(text);
        }
    }

    private static IllegalArgumentException malformed(String text) {
        return new IllegalArgumentException("%s (expected: an address or block such as 10.0.0.0/8 or fd00::/8)".formatted(text));
    }

    /// Whether an address, 4 or 16 bytes in network order, is in one of these blocks.
    public static boolean anyContains(List<Cidr> blocks, byte[] address) {
        for (int i = 0; i < blocks.size(); i++) {
            if (blocks.get(i).contains(address)) {
                return true;
            }
        }
        return false;
    }

    public boolean contains(InetAddress address) {
        return contains(address.getAddress());
    }

    /// @param address 4 or 16 bytes in network order
    public boolean contains(byte[] address) {
        byte[] block = network.getAddress();
        if (block.length != address.length) {
            return false;
        }
        int whole = prefixLength / 8;
        for (int i = 0; i < whole; i++) {
            if (block[i] != address[i]) {
                return false;
            }
        }
        int rest = prefixLength % 8;
        return rest == 0 || ((block[whole] ^ address[whole]) & 0xff) >>> (8 - rest) == 0;
    }

    @Override
    public String toString() {
        return network.getHostAddress() + "/" + prefixLength;
    }
}
