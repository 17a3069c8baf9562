package dev.gatepost.gateway.proxy;

import org.jspecify.annotations.Nullable;

/// Smooth weighted round robin: over any run of picks each endpoint gets its share, and a heavy one's turns are spread out.
final class RoundRobin implements Balancer.Choice {
    private final Balancer balancer;
    private final long[] credits;
    private int cursor;

    RoundRobin(Balancer balancer, @Nullable Balancer previous) {
        this.balancer = balancer;
        credits = new long[balancer.size()];
        RoundRobin before = previous != null && previous.choice() instanceof RoundRobin same ? same : null;
        for (int i = 0; i < credits.length && before != null; i++) {
            int at = before.balancer.indexOf(balancer.pool(i));
            credits[i] = at < 0 ? 0 : before.credits[at];
        }
        // Every loop would begin with the first endpoint otherwise.
        cursor = before != null ? before.cursor : credits.length == 0 ? 0 : balancer.loop().random(credits.length);
    }

    @Override
    public int next(Exchange exchange) {
        return balancer.weighsEqual() ? inTurn() : byCredit();
    }

    private int inTurn() {
        int size = credits.length;
        for (int n = 0; n < size; n++) {
            int at = cursor < size ? cursor : 0;
            cursor = at + 1;
            if (balancer.isUsable(at)) {
                return at;
            }
        }
        return -1;
    }

    private int byCredit() {
        int best = -1;
        long total = 0;
        for (int i = 0; i < credits.length; i++) {
            if (balancer.isUsable(i)) {
                credits[i] += balancer.weight(i);
                total += balancer.weight(i);
                if (best < 0 || credits[i] > credits[best]) {
                    best = i;
                }
            }
        }
        if (best >= 0) {
            credits[best] -= total;
        }
        return best;
    }
}
