package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.Upstream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The endpoints of one route, and who gets the next request: the one that the client's cookie names, else the [Choice] of
/// the route's method; never one that was tried already, one that is ejected or full only where no other is left. Those in
/// the gateway's own zone come first, as long as enough of them are there, but where a key or a cookie decides: that is to
/// lead to one place, whichever gateway is asked.
///
/// What it remembers is kept by endpoint and survives a change of the others. One per event loop and route.
final class Balancer {
    /// An endpoint that is new gets this part of its share at once.
    private static final int FIRST_PERCENT = 10;
    private static final long ALWAYS = Long.MIN_VALUE;
    private static final long LOOK_NANOS = 50_000_000;

    private final GateLoop loop;
    private final EndpointPool[] pools;
    private final int[] weights;
    /// When an endpoint was new, in the terms of [GateLoop#now()].
    private final long[] startedAt;
    private final boolean equal;
    /// Which are in our own zone; empty where all are, or none.
    private final boolean[] near;
    private final Upstream upstream;
    /// Whether enough of those work, and when that was looked at.
    private boolean enoughNear;
    private long lookedNearAt;
    /// The pick in progress looks at those alone.
    private boolean nearOnly;
    private final long slowStartNanos;
    private final @Nullable StickyCookie sticky;
    private final Choice choice;

    /// @param previous what chose before, if anything did: its memory is taken over
    Balancer(GateLoop loop, Route route, @Nullable Balancer previous) {
        List<Endpoint> endpoints = route.upstream().endpoints();
        this.loop = loop;
        pools = new EndpointPool[endpoints.size()];
        weights = new int[pools.length];
        startedAt = new long[pools.length];
        boolean same = true;
        for (int i = 0; i < pools.length; i++) {
            pools[i] = loop.pool(endpoints.get(i));
            weights[i] = endpoints.get(i).weight();
            int before = previous == null ? -1 : previous.indexOf(pools[i]);
            startedAt[i] = previous == null ? ALWAYS : before >= 0 ? previous.startedAt[before] : pools[i].createdAt;
            same &= weights[i] == weights[0];
        }
        equal = same;
        long close = endpoints.stream().filter(Endpoint::near).count();
        near = new boolean[close == 0 || close == pools.length ? 0 : pools.length];
        for (int i = 0; i < near.length; i++) {
            near[i] = endpoints.get(i).near();
        }
        upstream = route.upstream();
        lookedNearAt = loop.now() - LOOK_NANOS - 1;
        var forwarding = route.options().forwarding();
        slowStartNanos = forwarding.balance().slowStart().toNanos();
        sticky = forwarding.sticky().isEmpty() ? null : new StickyCookie(forwarding.sticky(), pools);
        choice = switch (forwarding.balance().method()) {
            case DEFAULT -> equal ? new LeastRequest(this, previous) : new RoundRobin(this, previous);
            case LEAST_REQUEST -> new LeastRequest(this, previous);
            case ROUND_ROBIN -> new RoundRobin(this, previous);
            case HEADER, COOKIE, ADDRESS -> new Rendezvous(this, forwarding.balance());
        };
    }

    /// Picks one of a balancer's endpoints.
    sealed interface Choice permits LeastRequest, RoundRobin, Rendezvous {
        /// The number of an endpoint that [Balancer#isUsable(int)]; -1 when none is.
        int next(Exchange exchange);
    }

    int size() {
        return pools.length;
    }

    EndpointPool pool(int i) {
        return pools[i];
    }

    int weight(int i) {
        return weights[i];
    }

    boolean weighsEqual() {
        return equal;
    }

    GateLoop loop() {
        return loop;
    }

    Choice choice() {
        return choice;
    }

    @Nullable StickyCookie sticky() {
        return sticky;
    }

    int indexOf(EndpointPool pool) {
        for (int i = 0; i < pools.length; i++) {
            if (pools[i] == pool) {
                return i;
            }
        }
        return -1;
    }

    /// The next endpoint's pool that is not among those tried; null when all are. It may be full.
    @Nullable EndpointPool pick(Exchange exchange, EndpointPool[] tried, int triedCount) {
        if (triedCount > 0) {
            return another(tried, triedCount);
        }
        if (sticky != null) {
            int kept = sticky.find(exchange.request().fields);
            if (kept >= 0 && pools[kept].health.admits(loop.now())) {
                return pools[kept];
            }
        }
        int next = near.length > 0 && !(choice instanceof Rendezvous) && isEnoughNear() ? nextNear(exchange) : choice.next(exchange);
        return next >= 0 ? pools[next] : another(tried, 0);
    }

    private int nextNear(Exchange exchange) {
        nearOnly = true;
        int next = choice.next(exchange);
        nearOnly = false;
        return next >= 0 ? next : choice.next(exchange);
    }

    /// A look at all of them, and so not at each request: one that stops working meanwhile gets none anyway.
    private boolean isEnoughNear() {
        if (loop.now() - lookedNearAt > LOOK_NANOS) {
            lookedNearAt = loop.now();
            enoughNear = upstream.isEnoughNear(usableNear());
        }
        return enoughNear;
    }

    private int usableNear() {
        int usable = 0;
        for (int i = 0; i < near.length; i++) {
            if (near[i] && pools[i].health.admits(loop.now())) {
                usable++;
            }
        }
        return usable;
    }

    /// A further attempt takes no turn: or else one endpoint that is down would get the first attempt of every request
    /// beside a single healthy one. Where all are ejected, that is no reason to serve nobody.
    private @Nullable EndpointPool another(EndpointPool[] tried, int triedCount) {
        EndpointPool full = null;
        EndpointPool ejected = null;
        int start = pools.length == 0 ? 0 : loop.random(pools.length);
        for (int i = 0; i < pools.length; i++) {
            EndpointPool pool = pools[(start + i) % pools.length];
            if (contains(tried, triedCount, pool)) {
                continue;
            }
            if (!pool.health.admits(loop.now())) {
                ejected = pool;
            } else if (pool.isFull()) {
                full = pool;
            } else {
                return pool;
            }
        }
        return full != null ? full : ejected;
    }

    /// Whether an endpoint may get a first attempt now.
    boolean isUsable(int i) {
        EndpointPool pool = pools[i];
        return (!nearOnly || near[i]) && pool.health.admits(loop.now()) && !pool.isFull() && (slowStartNanos == 0 || hasItsTurn(i));
    }

    /// An endpoint that is new declines most of its turns at first, and ever fewer.
    private boolean hasItsTurn(int i) {
        if (startedAt[i] == ALWAYS) {
            return true;
        }
        long age = loop.now() - startedAt[i];
        if (age >= slowStartNanos) {
            startedAt[i] = ALWAYS;
            return true;
        }
        return loop.random(100) < Math.max(FIRST_PERCENT, age * 100 / slowStartNanos);
    }

    /// Whether one more of the endpoints may be ejected: never the last, and for anything but refused connections, which
    /// serve nobody anyway, no more than half of them.
    boolean mayEject(EndpointPool pool, boolean unreachable) {
        int ejected = 0;
        for (EndpointPool other : pools) {
            if (other != pool && other.health.isEjected()) {
                ejected++;
            }
        }
        return unreachable ? ejected + 1 < pools.length : (ejected + 1) * 2 <= pools.length;
    }

    /// Whether the other endpoints answer with errors less than half as often: a fault that all share is none of this one.
    boolean othersDoBetter(EndpointPool pool) {
        long errors = 0;
        long responses = 0;
        for (EndpointPool other : pools) {
            if (other != pool) {
                errors += other.health.errors();
                responses += other.health.responses();
            }
        }
        return responses > 0 && errors * 2 * pool.health.responses() < (long) pool.health.errors() * responses;
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
