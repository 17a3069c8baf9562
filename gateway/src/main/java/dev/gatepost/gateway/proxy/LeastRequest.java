package dev.gatepost.gateway.proxy;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Least request by the power of two choices: of two endpoints the one that is expected to answer sooner, by its latency of
/// late and what it has in flight. The first of the two comes in turn, so that at rest it is round robin; the second at
/// random, so that a single fast endpoint does not draw everybody at once.
final class LeastRequest implements Balancer.Choice {
    /// Latencies are compared as if all were longer by this: differences below it are noise.
    private static final long FLOOR_NANOS = 5_000_000;

    private final Balancer balancer;
    private final int size;
    /// Sums of the weights up to each endpoint, itself included; empty where all weigh the same.
    private final long[] sums;
    private int cursor;

    LeastRequest(Balancer balancer, @Nullable Balancer previous) {
        this.balancer = balancer;
        this.size = balancer.size();
        // Every loop would begin with the first endpoint otherwise.
        this.cursor = previous != null && previous.choice() instanceof LeastRequest before
                ? before.cursor
                : size == 0 ? 0 : balancer.loop().random(size);
        this.sums = new long[balancer.weighsEqual() ? 0 : size];
        long sum = 0;
        for (int i = 0; i < sums.length; i++) {
            sum += balancer.weight(i);
            sums[i] = sum;
        }
    }

    @Override
    public int next(Exchange exchange) {
        int first = usableFrom(sums.length == 0 ? cursor : drawn());
        if (first < 0 || size == 1) {
            return first;
        }
        cursor = first + 1;
        int second = usableFrom(sums.length == 0 ? (first + 1 + balancer.loop().random(size - 1)) % size : drawn());
        return second >= 0 && second != first && isBetter(second, first) ? second : first;
    }

    /// One at random, each by its weight.
    private int drawn() {
        long number = balancer.loop().random(sums[size - 1]);
        int found = Arrays.binarySearch(sums, number + 1);
        return found < 0 ? -found - 1 : found;
    }

    private int usableFrom(int start) {
        for (int n = 0; n < size; n++) {
            int at = start + n < size ? start + n : (start + n) % size;
            if (balancer.isUsable(at)) {
                return at;
            }
        }
        return -1;
    }

    /// Costs that differ by less than a factor of two count as equal: then what is in flight decides.
    private boolean isBetter(int a, int b) {
        EndpointPool one = balancer.pool(a);
        EndpointPool other = balancer.pool(b);
        long now = balancer.loop().now();
        long inFlightOne = one.inFlight();
        long inFlightOther = other.inFlight();
        if (sums.length > 0) {
            // Each relative to its weight.
            inFlightOne *= balancer.weight(b);
            inFlightOther *= balancer.weight(a);
        }
        double cost = (double) (one.latencyNanos(now) + FLOOR_NANOS) * (inFlightOne + 1);
        double otherCost = (double) (other.latencyNanos(now) + FLOOR_NANOS) * (inFlightOther + 1);
        if (cost * 2 <= otherCost) {
            return true;
        }
        return otherCost * 2 > cost && inFlightOne < inFlightOther;
    }
}
