package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.Upstream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Chooses endpoints of one route by smooth weighted round robin: over any run of picks each endpoint gets its share, and
/// a heavy one's turns are spread out. Its memory is kept by endpoint and survives a change of the others. One per event
/// loop and route.
final class Balancer {
    private final EndpointPool[] pools;
    private final int[] weights;
    private final long[] credits;
    private final long total;
    private final boolean equal;
    private int cursor;

    /// @param previous what chose before, if anything did: its memory is taken over
    Balancer(GateLoop loop, Upstream upstream, @Nullable Balancer previous) {
        List<Endpoint> endpoints = upstream.endpoints();
        pools = new EndpointPool[endpoints.size()];
        weights = new int[pools.length];
        credits = new long[pools.length];
        long sum = 0;
        boolean same = true;
        for (int i = 0; i < pools.length; i++) {
            pools[i] = loop.pool(endpoints.get(i));
            weights[i] = endpoints.get(i).weight();
            credits[i] = previous == null ? 0 : previous.creditOf(pools[i]);
            sum += weights[i];
            same &= weights[i] == weights[0];
        }
        total = sum;
        equal = same;
        // Every loop would begin with the first endpoint otherwise.
        cursor = previous != null ? previous.cursor : pools.length == 0 ? 0 : loop.random(pools.length);
    }

    private long creditOf(EndpointPool pool) {
        for (int i = 0; i < pools.length; i++) {
            if (pools[i] == pool) {
                return credits[i];
            }
        }
        return 0;
    }

    int size() {
        return pools.length;
    }

    /// The next endpoint's pool that is not among those tried; null when all are. A further attempt takes no turn: or else
    /// one endpoint that is down would get the first attempt of every request beside a single healthy one.
    @Nullable EndpointPool pick(EndpointPool[] tried, int triedCount) {
        if (triedCount == 0) {
            return pools.length == 0 ? null : next();
        }
        int start = cursor;
        for (int i = 0; i < pools.length; i++) {
            EndpointPool pool = pools[(start + i) % pools.length];
            if (!contains(tried, triedCount, pool)) {
                return pool;
            }
        }
        return null;
    }

    private EndpointPool next() {
        if (equal) {
            int at = cursor < pools.length ? cursor : 0;
            cursor = at + 1;
            return pools[at];
        }
        int best = 0;
        for (int i = 0; i < pools.length; i++) {
            credits[i] += weights[i];
            if (credits[i] > credits[best]) {
                best = i;
            }
        }
        credits[best] -= total;
        return pools[best];
    }

    private static boolean contains(EndpointPool[] tried, int count, EndpointPool pool) {
        for (int i = 0; i < count; i++) {
            if (tried[i] == pool) {
                return true;
            }
        }
        return false;
    }
}
