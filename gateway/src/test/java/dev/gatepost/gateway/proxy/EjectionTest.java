package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.route.Forwarding;
import dev.gatepost.gateway.route.Forwarding.Balance;
import dev.gatepost.gateway.route.RouteOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Endpoints that fail are passed over, requests that may be repeated are, and nobody is asked for more than it can do.
class EjectionTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    private static final String ERROR = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";
    private static final RouteOptions IN_TURN = inTurn();

    private static RouteOptions inTurn(Integer... retryStatuses) {
        return RouteOptions.NONE.withForwarding(
                new Forwarding(new Balance(Balance.Method.ROUND_ROBIN, "", Duration.ZERO), "", List.of(retryStatuses)));
    }

    private static int unusedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String status(RunningGate gate, RawClient client, String method) throws InterruptedException {
        client.send(method + " / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
        String head = client.readHead();
        int length = head.indexOf("Content-Length: ") + "Content-Length: ".length();
        client.read(Integer.parseInt(head.substring(length, head.indexOf('\r', length))));
        // What an exchange changes is there to see once its record is.
        gate.logged();
        return head.substring(9, 12);
    }

    private static EndpointView view(RunningGate gate, int port) {
        return gate.gate().endpoints().stream().filter(view -> view.port() == port).findFirst().orElseThrow();
    }

    @Test
    void allAttemptsTogetherHaveTheTimeThatOneWouldHave() throws Exception {
        Timeouts d = Timeouts.DEFAULT;
        Duration header = Duration.ofSeconds(3);
        GateSettings settings = new GateSettings(
                new Timeouts(d.connect(), d.requestHeader(), header, d.stream(), d.idle(), d.total(), d.upgraded()), Limits.DEFAULT, List.of());
        AtomicInteger asked = new AtomicInteger();
        RawOrigin.Script hanging = (connection, _) -> {
            connection.readHead();
            if (asked.incrementAndGet() == 1) {
                // Two thirds of the time are gone when it dies.
                connection.socket().setSoTimeout(2000);
                try {
                    var _ = connection.socket().getInputStream().read();
                } catch (SocketTimeoutException _) {
                    connection.close();
                }
            }
        };
        try (RawOrigin a = RawOrigin.scripted(hanging);
                RawOrigin b = RawOrigin.scripted(hanging);
                RunningGate gate = RunningGate.start(settings).route("/", IN_TURN, a.port(), b.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(client.readHead().startsWith("HTTP/1.1 504 "));
            RunningGate.Logged logged = gate.logged();
            assertEquals(2, logged.tried().size());
            assertEquals(Cause.UPSTREAM_RESET_BEFORE_RESPONSE, logged.tried().getFirst().result());
            assertTrue(logged.tried().get(1).durationNanos() < header.toNanos(), "the second attempt has what the first one left: " + logged);
        }
    }

    @Test
    void passesOverAnEndpointThatRefusesUntilItListensAgain() throws Exception {
        int port = unusedPort();
        try (RawOrigin origin = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start().route("/", IN_TURN, port, origin.port());
                RawClient client = gate.connect()) {
            for (int i = 0; i < 12; i++) {
                assertEquals("200", status(gate, client, "POST"));
            }
            EndpointView refusing = view(gate, port);
            assertTrue(refusing.ejected());
            assertTrue(refusing.why().startsWith("2 connect failures in a row: "), refusing.why());
            assertFalse(view(gate, origin.port()).ejected());
            long before = gate.gate().metrics().retries();
            assertTrue(before < 6, "half of the requests went there first: " + before);
            try (ServerSocket listener = new ServerSocket(port, 8, InetAddress.getLoopbackAddress())) {
                Thread.startVirtualThread(() -> {
                    try (RawClient connection = new RawClient(listener.accept())) {
                        while (true) {
                            connection.readHead();
                            connection.send(OK);
                        }
                    } catch (IOException | RuntimeException | AssertionError _) {
                        // The test is over.
                    }
                });
                long end = System.nanoTime() + 10_000_000_000L;
                while (view(gate, port).ejected() && System.nanoTime() < end) {
                    assertEquals("200", status(gate, client, "POST"));
                }
                assertFalse(view(gate, port).ejected());
            }
        }
    }

    @Test
    void neverEjectsTheLastEndpoint() throws Exception {
        int port = unusedPort();
        try (RunningGate gate = RunningGate.start().routeTo(port);
                RawClient client = gate.connect()) {
            for (int i = 0; i < 5; i++) {
                assertEquals("502", status(gate, client, "GET"));
            }
            assertFalse(view(gate, port).ejected());
        }
    }

    @Test
    void ejectsAnEndpointThatAnswersErrorsWhileTheOthersDoNot() throws Exception {
        try (RawOrigin bad = RawOrigin.answering(ERROR);
                RawOrigin good = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start().route("/", IN_TURN, bad.port(), good.port());
                RawClient client = gate.connect()) {
            for (int i = 0; i < 50; i++) {
                status(gate, client, "GET");
            }
            assertEquals(1, view(gate, bad.port()).ejections());
            assertEquals(1, gate.gate().metrics().ejections());
            assertEquals(0, view(gate, good.port()).ejections());
        }
    }

    @Test
    void ejectsNobodyForAFaultThatAllShare() throws Exception {
        try (RawOrigin one = RawOrigin.answering(ERROR);
                RawOrigin two = RawOrigin.answering(ERROR);
                RunningGate gate = RunningGate.start().route("/", IN_TURN, one.port(), two.port());
                RawClient client = gate.connect()) {
            for (int i = 0; i < 60; i++) {
                assertEquals("500", status(gate, client, "GET"));
            }
            assertEquals(0, gate.gate().metrics().ejections());
        }
    }

    @Test
    void repeatsElsewhereWhatMayBeRepeatedWhenAConnectionDies() throws Exception {
        try (RawOrigin dying = RawOrigin.scripted((connection, _) -> {
                    connection.readHead();
                    connection.close();
                });
                RawOrigin good = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start().route("/", IN_TURN, dying.port(), good.port());
                RawClient client = gate.connect()) {
            assertEquals("200", status(gate, client, "GET"));
            assertEquals("200", status(gate, client, "GET"));
            assertEquals(1, gate.gate().metrics().retries());
            String first = status(gate, client, "POST");
            String second = status(gate, client, "POST");
            assertEquals(List.of("200", "502"), List.of(first, second).stream().sorted().toList());
        }
    }

    @Test
    void repeatsElsewhereAfterAStatusThatTheRouteNames() throws Exception {
        String busy = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";
        try (RawOrigin bad = RawOrigin.answering(busy);
                RawOrigin good = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start().route("/", inTurn(503), bad.port(), good.port());
                RawClient client = gate.connect()) {
            for (int i = 0; i < 4; i++) {
                assertEquals("200", status(gate, client, "GET"));
            }
            assertEquals(2, gate.gate().metrics().retries());
            List<String> posts = List.of(status(gate, client, "POST"), status(gate, client, "POST"));
            assertTrue(posts.containsAll(List.of("200", "503")), posts.toString());
        }
    }

    @Test
    void requestsWaitForRoomAndTheRestIsTurnedAwayAtOnce() throws Exception {
        GateSettings narrow = new GateSettings(Timeouts.DEFAULT, Limits.DEFAULT.withEndpoints(1, 1), List.of());
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(narrow).routeTo(origin.port());
                RawClient first = gate.connect();
                RawClient second = gate.connect();
                RawClient third = gate.connect()) {
            first.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            second.send("POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
            while (gate.gate().metrics().waiting() == 0) {
                Thread.onSpinWait();
            }
            third.send("GET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
            String head = third.readHead();
            assertTrue(head.startsWith("HTTP/1.1 503 ") && head.contains("Retry-After: 1\r\n"), head);
            assertEquals(Cause.OVERLOAD, gate.logged().cause());
            server.send(OK);
            assertTrue(first.readHead().startsWith("HTTP/1.1 200 "));
            RawClient next = server.readHead().startsWith("POST /2 ") ? server : origin.accept();
            assertEquals("hi", next.read(2));
            next.send(OK);
            assertTrue(second.readHead().startsWith("HTTP/1.1 200 "));
            assertEquals(0, gate.gate().metrics().waiting());
        }
    }

    @Test
    void whoeverWaitsTooLongGets503() throws Exception {
        Timeouts d = Timeouts.DEFAULT;
        Timeouts quick = new Timeouts(Duration.ofMillis(200), d.requestHeader(), d.responseHeader(), d.stream(), d.idle(), d.total(), d.upgraded());
        GateSettings narrow = new GateSettings(quick, Limits.DEFAULT.withEndpoints(1, 5), List.of());
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(narrow).routeTo(origin.port());
                RawClient first = gate.connect();
                RawClient second = gate.connect()) {
            first.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
            origin.accept().readHead();
            second.send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(second.readHead().startsWith("HTTP/1.1 503 "));
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.OVERLOAD, logged.cause());
            assertEquals(0, logged.attempts());
            assertTrue(logged.phases().queue() >= Duration.ofMillis(200).toNanos(), logged.toString());
        }
    }
}
