package dev.gatepost.dns;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Draws one of several records, each as often as its weight says, in the same time for any number of them (Walker's alias
/// method, in Vose's form). Immutable.
final class Lot {
    private final int[] other;
    /// Of 2^31: how often a place is its own.
    private final int[] own;

    private Lot(int[] other, int[] own) {
        this.other = other;
        this.own = own;
    }

    /// Null where all weigh the same, or nothing: then no lot needs drawing.
    static @Nullable Lot of(int[] weights) {
        long sum = Arrays.stream(weights).asLongStream().sum();
        if (sum == 0 || Arrays.stream(weights).distinct().count() < 2) {
            return null;
        }
        int count = weights.length;
        double[] share = Arrays.stream(weights).mapToDouble(weight -> (double) weight * count / sum).toArray();
        int[] small = new int[count];
        int[] large = new int[count];
        int smalls = 0;
        int larges = 0;
        for (int i = 0; i < count; i++) {
            if (share[i] < 1) {
                small[smalls++] = i;
            } else {
                large[larges++] = i;
            }
        }
        int[] other = new int[count];
        int[] own = new int[count];
        Arrays.fill(own, Integer.MAX_VALUE);
        while (smalls > 0 && larges > 0) {
            int less = small[--smalls];
            int more = large[larges - 1];
            own[less] = (int) (share[less] * Integer.MAX_VALUE);
            other[less] = more;
            share[more] -= 1 - share[less];
            if (share[more] < 1) {
                larges--;
                small[smalls++] = more;
            }
        }
        return new Lot(other, own);
    }

    /// @param place  evenly drawn among all
    /// @param chance evenly drawn in [0, 2^31)
    int draw(int place, int chance) {
        return chance < own[place] ? place : other[place];
    }
}
