package dev.gatepost.gateway.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

/// Hashes that are the same in every process and on every day: all gateways before a service send a key the same way.
final class Hash {
    private static final long OFFSET = 0xcbf29ce484222325L;
    private static final long PRIME = 0x100000001b3L;

    private Hash() {}

    /// FNV-1a, mixed; never 0.
    static long of(byte[] bytes, int from, int to) {
        long hash = OFFSET;
        for (int i = from; i < to; i++) {
            hash = (hash ^ (bytes[i] & 0xff)) * PRIME;
        }
        hash = mix(hash);
        return hash == 0 ? 1 : hash;
    }

    static long of(String text) {
        byte[] bytes = text.getBytes(UTF_8);
        return of(bytes, 0, bytes.length);
    }

    /// The finishing step of SplitMix64: every bit of the input changes half of the output's.
    static long mix(long bits) {
        long z = bits;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
