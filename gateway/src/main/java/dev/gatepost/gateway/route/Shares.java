package dev.gatepost.gateway.route;

import java.util.List;

/// Turns declared weights into whole numbers for a balancer.
///
/// Relative weights multiply with the weight in the catalog. As soon as one instance has a fixed share, the route is
/// divided into 10,000 parts, as in fabio: fixed shares take theirs, scaled to the whole when they exceed it or when
/// nothing else is there, and the rest goes to the others by their relative weights.
final class Shares {
    private static final int WHOLE = 10_000;

    private Shares() {}

    /// One number a claim, smallest terms, 0 for one that gets nothing.
    static int[] of(List<Claim> claims) {
        double fixed = 0;
        long relative = 0;
        for (Claim claim : claims) {
            switch (claim.weight()) {
                case Weight.Share(double share) -> fixed += share;
                case Weight.Relative _ -> relative += relative(claim);
            }
        }
        double scale = fixed > 1 || relative == 0 ? 1 / fixed : 1;
        double rest = Math.max(0, 1 - fixed * scale);
        long[] weights = new long[claims.size()];
        for (int i = 0; i < weights.length; i++) {
            Claim claim = claims.get(i);
            weights[i] = switch (claim.weight()) {
                case Weight.Share(double share) -> Math.max(1, Math.round(share * scale * WHOLE));
                case Weight.Relative _ -> fixed == 0 ? relative(claim) : part(relative(claim), relative, rest);
            };
        }
        return reduced(weights);
    }

    /// Whether it gets anything at all, if it is asked.
    static boolean has(Claim claim) {
        return claim.weight() instanceof Weight.Share || relative(claim) > 0;
    }

    private static long relative(Claim claim) {
        return claim.weight() instanceof Weight.Relative(int value) ? (long) value * Math.max(0, claim.instance().weight()) : 0;
    }

    private static long part(long own, long all, double rest) {
        return own == 0 || rest == 0 ? 0 : Math.max(1, Math.round(rest * WHOLE * own / all));
    }

    private static int[] reduced(long[] weights) {
        long divisor = 0;
        for (long weight : weights) {
            divisor = gcd(divisor, weight);
        }
        int[] result = new int[weights.length];
        for (int i = 0; i < weights.length; i++) {
            result[i] = divisor == 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, weights[i] / divisor);
        }
        return result;
    }

    private static long gcd(long a, long b) {
        return b == 0 ? a : gcd(b, a % b);
    }
}
