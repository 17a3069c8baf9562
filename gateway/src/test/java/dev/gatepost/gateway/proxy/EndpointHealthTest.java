package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.AccessLog;
import dev.gatepost.gateway.route.HostPattern;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.RouteTable;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// How long an endpoint is passed over. The clock is the test's.
final class EndpointHealthTest {
    private static final long SECOND = 1_000_000_000L;

    private EventLoopGroup group;
    private Balancer siblings;
    private EndpointHealth health;
    private long now = 1000 * SECOND;

    @BeforeEach
    void start() {
        group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        Serving serving = new Serving(RouteTable.EMPTY, 0);
        GateLoop loop = new GateLoop(group.next(), 1, Transport.of(group), GateSettings.DEFAULT, () -> serving, AccessLog.NONE, Optional.empty());
        Route route = RunningGate.route(HostPattern.ANY, "/", RouteOptions.NONE, 1, 2);
        siblings = new Balancer(loop, route, null);
        health = siblings.pool(0).health;
    }

    @AfterEach
    void stop() {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private void assertEjectedFor(int seconds) {
        assertFalse(health.admits(now + seconds * SECOND - 1), "after almost " + seconds + " s");
        now += seconds * SECOND;
        assertTrue(health.admits(now), "after " + seconds + " s");
    }

    /// The request that decides, and what came of it.
    private void probe(boolean good) {
        assertTrue(health.begin(now));
        assertFalse(health.admits(now), "one at a time");
        if (good) {
            health.answered(false, true, now, siblings);
        } else {
            health.connectFailed("refused", now, siblings);
        }
        health.probed();
    }

    @Test
    void isEjectedTwiceAsLongEachTimeUpTo32Seconds() {
        health.connectFailed("refused", now, siblings);
        assertTrue(health.admits(now));
        health.connectFailed("refused", now, siblings);
        for (int seconds : new int[] {1, 2, 4, 8, 16, 32, 32}) {
            assertEjectedFor(seconds);
            probe(false);
        }
        assertEquals(8, health.ejections);
    }

    @Test
    void isForgivenAfterAMinuteOfGoodService() {
        health.connectFailed("refused", now, siblings);
        health.connectFailed("refused", now, siblings);
        assertEjectedFor(1);
        probe(true);
        now += 30 * SECOND;
        health.connectFailed("refused", now, siblings);
        health.connectFailed("refused", now, siblings);
        assertEjectedFor(2);
        probe(true);
        now += 61 * SECOND;
        health.connectFailed("refused", now, siblings);
        health.connectFailed("refused", now, siblings);
        assertEjectedFor(1);
    }

    @Test
    void anActiveCheckDecidesBesideWhatRequestsTell() {
        health.checked("health check /: no answer");
        assertFalse(health.admits(now));
        assertEquals("health check /: no answer", health.why());
        health.checked("");
        assertTrue(health.admits(now));
        assertEquals("", health.why());
    }
}
