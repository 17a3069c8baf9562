package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.route.Forwarding;
import dev.gatepost.gateway.route.Forwarding.HealthCheck;
import dev.gatepost.gateway.route.RouteOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// A whole upstream: what it is given at most, when it is left alone, and what its endpoints say when asked.
final class UpstreamLoadTest {
    private static final Duration LONG = Duration.ofSeconds(30);
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final long SECOND = 1_000_000_000L;

    private static RouteOptions with(Forwarding forwarding) {
        return RouteOptions.NONE.withForwarding(forwarding);
    }

    @Test
    void leavesAnUpstreamAloneThatLetsTwentyRequestsInARowRunIntoTheirTimeouts() {
        UpstreamLoad load = new UpstreamLoad();
        for (int i = 0; i < 19; i++) {
            assertFalse(load.timedOut(0));
        }
        load.answered();
        for (int i = 0; i < 19; i++) {
            assertFalse(load.timedOut(0));
            assertTrue(load.admits(0));
        }
        assertTrue(load.timedOut(0));
        assertFalse(load.admits(0));
        assertFalse(load.admits(SECOND - 1));
        assertTrue(load.admits(SECOND), "one a second");
        assertFalse(load.admits(SECOND));
        assertFalse(load.timedOut(SECOND), "it was open already");
        assertFalse(load.admits(2 * SECOND - 1));
        assertTrue(load.admits(2 * SECOND));
        load.answered();
        assertTrue(load.admits(2 * SECOND));
        assertTrue(load.admits(2 * SECOND), "all again");
    }

    @Test
    void answers503AtOnceWhileNothingIsAnsweredAndGoesOnWhenSomethingIs() throws Exception {
        Timeouts d = Timeouts.DEFAULT;
        GateSettings hasty = new GateSettings(
                new Timeouts(d.connect(), d.requestHeader(), Duration.ofMillis(50), d.stream(), d.idle(), d.total(), d.upgraded()), Limits.DEFAULT, List.of());
        AtomicBoolean hangs = new AtomicBoolean(true);
        try (RawOrigin origin = RawOrigin.scripted((connection, _) -> {
                    while (true) {
                        connection.readHead();
                        if (!hangs.get()) {
                            connection.send(OK);
                        }
                    }
                });
                RunningGate gate = RunningGate.start(hasty).routeTo(origin.port())) {
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 25; i++) {
                clients.add(gate.connect());
            }
            Await.until("the circuit opens", LONG, () -> {
                clients.forEach(client -> client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
                boolean refused = false;
                for (RawClient client : clients) {
                    String answer = answer(client);
                    refused |= answer.startsWith("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n") && answer.endsWith("circuit_open\n");
                }
                return refused;
            });
            assertTrue(gate.log.stream().anyMatch(logged -> logged.cause() == Cause.CIRCUIT_OPEN && logged.attempts() == 0));
            hangs.set(false);
            Await.until("the circuit closes", LONG, () -> {
                clients.getFirst().send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
                return answer(clients.getFirst()).startsWith("HTTP/1.1 200 ");
            });
            clients.forEach(RawClient::close);
        }
    }

    private static String answer(RawClient client) {
        String head = client.readHead();
        return head + client.read(Integer.parseInt(head.replaceAll("(?s).*Content-Length: (\\d+).*", "$1")));
    }

    @Test
    void givesAnUpstreamNoMoreThanItsLimitAtATimeAndLogsTheWait() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start();
                RawClient first = gate.connect();
                RawClient second = gate.connect()) {
            gate.route("/", with(Forwarding.DEFAULT.withLimit(1)), origin.port());
            first.send("GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
            RawClient server = origin.accept();
            assertTrue(server.readHead().startsWith("GET /first "));
            second.send("GET /second HTTP/1.1\r\nHost: h\r\n\r\n");
            Await.until("the second waits", LONG, () -> gate.gate().metrics().waiting() == 1);
            assertEquals(1, origin.connections.get());
            server.send(OK);
            assertTrue(first.readHead().startsWith("HTTP/1.1 200 "));
            assertTrue(server.readHead().startsWith("GET /second "));
            server.send(OK);
            assertTrue(second.readHead().startsWith("HTTP/1.1 200 "));
            RunningGate.Logged atOnce = gate.logged();
            assertEquals(-1, atOnce.tried().getFirst().queueNanos());
            assertEquals(-1, atOnce.phases().queue());
            RunningGate.Logged waited = gate.logged();
            assertTrue(waited.tried().getFirst().queueNanos() > 0);
            assertEquals(waited.tried().getFirst().queueNanos(), waited.phases().queue());
        }
    }

    @Test
    void passesOverAnEndpointWhoseHealthCheckFailsUntilItPasses() throws Exception {
        AtomicBoolean ill = new AtomicBoolean(true);
        try (RawOrigin well = checked(new AtomicBoolean());
                RawOrigin other = checked(ill);
                RunningGate gate = RunningGate.start()) {
            gate.route("/", with(Forwarding.DEFAULT.withHealthCheck(new HealthCheck("/health", Duration.ofMillis(100)))), well.port(), other.port());
            Await.until("it is passed over", LONG, () -> {
                ask(gate);
                return gate.gate().endpoints().stream().anyMatch(view -> view.port() == other.port() && view.ejected());
            });
            EndpointView view = gate.gate().endpoints().stream().filter(each -> each.port() == other.port()).findFirst().orElseThrow();
            assertEquals("health check /health: HTTP/1.1 500 No (expected: 2xx or 3xx)", view.why());
            gate.log.clear();
            for (int i = 0; i < 10; i++) {
                ask(gate);
                assertEquals("n1/web-" + well.port(), gate.logged().instance());
            }
            ill.set(false);
            Await.until("it gets its share again", LONG, () -> {
                ask(gate);
                return gate.log.stream().anyMatch(logged -> logged.instance().equals("n1/web-" + other.port()));
            });
        }
    }

    private static RawOrigin checked(AtomicBoolean ill) {
        return RawOrigin.scripted((connection, _) -> {
            while (true) {
                boolean check = connection.readHead().startsWith("GET /health ");
                connection.send(check && ill.get() ? "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" : OK);
            }
        });
    }

    private static void ask(RunningGate gate) {
        try (RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
            assertTrue(client.readToEnd().endsWith("ok"));
        }
    }
}
