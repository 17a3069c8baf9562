package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.AccessLog;
import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.HostPattern;
import dev.gatepost.gateway.route.PathPattern;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.RouteTable;
import dev.gatepost.gateway.route.Upstream;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// How much may be sent again.
final class RetryBudgetTest {
    private static void spend(RetryBudget budget) {
        int spent = 0;
        while (budget.take(50)) {
            spent++;
        }
        assertEquals(32, spent, "in reserve at first");
    }

    @Test
    void isAFifthOfTheRequests() {
        RetryBudget budget = new RetryBudget();
        spend(budget);
        for (int i = 0; i < 10; i++) {
            budget.request();
        }
        assertTrue(budget.take(50));
        assertTrue(budget.take(50));
        assertFalse(budget.take(50), "a fifth of ten");
        assertTrue(budget.take(100_000_050), "one in a while, whatever the traffic");
    }

    @Test
    void isSharedByAllRoutesToAServiceAndByNoOther() {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        try {
            Serving serving = new Serving(RouteTable.EMPTY, 0);
            GateLoop loop = new GateLoop(group.next(), 1, Transport.of(group), GateSettings.DEFAULT, () -> serving, AccessLog.NONE, Optional.empty());
            Route a = route("/a", "web");
            Route b = route("/b", "web");
            Route other = route("/other", "shop");
            spend(loop.routeState(a).budget);
            assertFalse(loop.routeState(b).budget.take(50));
            assertTrue(loop.routeState(other).budget.take(50));
            loop.retain(Served.of(RouteTable.of(List.of(b))));
            assertFalse(loop.routeState(b).budget.take(50), "kept as long as a route needs it");
            loop.retain(Served.of(RouteTable.of(List.of(other))));
            assertTrue(loop.routeState(b).budget.take(50), "forgotten with its last route");
        } finally {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    private static Route route(String path, String service) {
        Endpoint endpoint = new Endpoint("n1/" + service, service, "n1", "dc1", "127.0.0.1", 1, 1);
        return Route.of(HostPattern.ANY, PathPattern.parse(path), 0, RouteOptions.NONE, new Upstream(service, List.of(endpoint), 1));
    }
}
