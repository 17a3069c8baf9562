package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.Forwarding.Balance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// Consistent hashing by highest random weight: a key goes to the endpoint whose hash with it is the highest, so that an
/// endpoint that leaves gives away its own keys only, to all others alike. A request without the key is nobody's: least
/// request.
final class Rendezvous implements Balancer.Choice {
    private final Balancer balancer;
    private final Balance balance;
    private final byte[] cookie;
    private final LeastRequest keyless;

    Rendezvous(Balancer balancer, Balance balance) {
        this.balancer = balancer;
        this.balance = balance;
        this.cookie = balance.name().getBytes(ISO_8859_1);
        this.keyless = new LeastRequest(balancer, null);
    }

    @Override
    public int next(Exchange exchange) {
        long key = key(exchange);
        if (key == 0) {
            return keyless.next(exchange);
        }
        int best = -1;
        double highest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < balancer.size(); i++) {
            if (balancer.isUsable(i)) {
                double score = score(key, i);
                if (score > highest) {
                    best = i;
                    highest = score;
                }
            }
        }
        return best;
    }

    private double score(long key, int i) {
        // 53 bits: a number between 0 and 1.
        double uniform = ((Hash.mix(key ^ balancer.pool(i).id) >>> 11) + 0.5) * 0x1p-53;
        return balancer.weighsEqual() ? uniform : -balancer.weight(i) / Math.log(uniform);
    }

    /// 0 for a request without one.
    private long key(Exchange exchange) {
        FieldSection fields = exchange.request().fields;
        return switch (balance.method()) {
            case HEADER -> {
                for (int i = 0; i < fields.count(); i++) {
                    if (!fields.isDropped(i) && fields.isNamed(i, balance.name())) {
                        yield Hash.of(fields.bytes, fields.valueFrom(i), fields.valueTo(i));
                    }
                }
                yield 0;
            }
            case COOKIE -> {
                long range = StickyCookie.range(fields, cookie);
                yield range < 0 ? 0 : Hash.of(fields.bytes, (int) (range >>> 32), (int) range);
            }
            case ADDRESS -> exchange.client().hash();
            case DEFAULT, LEAST_REQUEST, ROUND_ROBIN -> 0;
        };
    }
}
