package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.route.Forwarding;
import dev.gatepost.gateway.route.Forwarding.Lasting;
import dev.gatepost.gateway.route.HostPattern;
import dev.gatepost.gateway.route.RouteOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Endpoints and clients that misbehave.
class ResilienceTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static int unusedPort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static GateSettings with(Timeouts timeouts) {
        return new GateSettings(timeouts, Limits.DEFAULT, List.of());
    }

    private static Timeouts timeouts(int requestHeader, int responseHeader, int stream, int idle, int total, int upgraded) {
        return new Timeouts(
                Duration.ofSeconds(2),
                Duration.ofMillis(requestHeader),
                Duration.ofMillis(responseHeader),
                Duration.ofMillis(stream),
                Duration.ofMillis(idle),
                Duration.ofMillis(total),
                Duration.ofMillis(upgraded));
    }

    @Test
    void aGateThatWasHeldUpItselfReadsWhatHasComeBeforeItBlamesOthers() throws Exception {
        long limit = 2000;
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        ConnectionStart holding = (channel, _) -> {
            held.countDown();
            try {
                goOn.await();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        };
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(with(timeouts(10_000, (int) limit, 60_000, 60_000, 60_000, 60_000)), holding).routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            long asked = System.nanoTime();
            try (Socket _ = new Socket(InetAddress.getLoopbackAddress(), gate.tlsPort())) {
                assertTrue(held.await(10, TimeUnit.SECONDS));
                server.send(OK);
                // The answer is there long before its time is over, and nobody to look at it.
                Await.until("that is over", Duration.ofSeconds(30), () -> System.nanoTime() - asked > (limit + 500) * 1_000_000);
                goOn.countDown();
                assertTrue(client.readHead().startsWith("HTTP/1.1 200 "));
            }
        }
    }

    /// Answers the first request of each connection, and closes at the second without a word.
    private static RawOrigin dyingOnReuse() {
        return RawOrigin.scripted((connection, _) -> {
            connection.readHead();
            connection.send(OK);
            connection.readHead();
            connection.close();
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
    void repeatsASafeRequestWhenAKeptConnectionDies(String method) throws Exception {
        try (RawOrigin origin = dyingOnReuse();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            client.readHead();
            client.read(2);
            assertEquals(1, gate.logged().attempts());
            client.send(method + " /again HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(client.readHead().startsWith("HTTP/1.1 200 OK"));
            RunningGate.Logged logged = gate.logged();
            assertEquals(2, logged.attempts());
            assertEquals(Cause.OK, logged.cause());
            assertEquals(2, origin.connections.get());
            assertEquals(1, gate.gate().metrics().retries());
        }
    }

    @Test
    void doesNotRepeatAPost() throws Exception {
        try (RawOrigin origin = dyingOnReuse();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            client.readHead();
            client.read(2);
            gate.logged();
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
            String head = client.readHead();
            assertTrue(head.startsWith("HTTP/1.1 502 "), head);
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.UPSTREAM_RESET_BEFORE_RESPONSE, logged.cause());
            assertEquals(1, logged.attempts());
        }
    }

    @Test
    void doesNotRepeatOnANewConnectionThatDies() throws Exception {
        try (RawOrigin origin = RawOrigin.scripted((connection, _) -> {
                    connection.readHead();
                    connection.close();
                });
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(client.readHead().startsWith("HTTP/1.1 502 "));
            assertEquals(1, gate.logged().attempts());
            assertEquals(1, origin.connections.get());
        }
    }

    @Test
    void triesAnotherEndpointWhenOneRefuses() throws Exception {
        try (RawOrigin origin = RawOrigin.scripted((connection, _) -> {
                    while (true) {
                        connection.readHead();
                        connection.read(2);
                        connection.send(OK);
                    }
                });
                RunningGate gate = RunningGate.start().routeTo(unusedPort(), origin.port());
                RawClient client = gate.connect()) {
            for (int i = 0; i < 4; i++) {
                client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
                assertTrue(client.readHead().startsWith("HTTP/1.1 200 OK"));
                assertEquals("ok", client.read(2));
                RunningGate.Logged logged = gate.logged();
                assertEquals("n1/web-" + origin.port(), logged.instance());
                assertTrue(logged.attempts() <= 2);
            }
            assertEquals(2, gate.gate().metrics().retries());
        }
    }

    @Test
    void answers502WhenNobodyListens() throws Exception {
        try (RunningGate gate = RunningGate.start().routeTo(unusedPort(), unusedPort());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            String head = client.readHead();
            assertTrue(head.startsWith("HTTP/1.1 502 Bad Gateway\r\n"), head);
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.UPSTREAM_CONNECT_REFUSED, logged.cause());
            assertEquals(2, logged.attempts());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "no response at all\\r\\n\\r\\n|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/2.0 200 OK\\r\\n\\r\\n|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 20 OK\\r\\n\\r\\n|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 099 Low\\r\\n\\r\\n|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 200 OK\\nA: b\\n\\n|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 200 OK\\r\\nBad Name: x\\r\\n\\r\\n|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 200 OK\\r\\nA: b\\r\\n folded\\r\\n\\r\\n|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\nContent-Length: 1\\r\\n\\r\\nx|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 200 OK\\r\\nContent-Length: x\\r\\n\\r\\nx|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nx|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 200 OK\\r\\nTransfer-Encoding: gzip, chunked\\r\\n\\r\\n|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.0 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 101 Switching Protocols\\r\\nConnection: upgrade\\r\\nUpgrade: x\\r\\n\\r\\n|UPSTREAM_PROTOCOL_ERROR",
        "HTTP/1.1 200 |UPSTREAM_RESET_BEFORE_RESPONSE",
        "LARGE|UPSTREAM_HEADER_TOO_LARGE"
    })
    void answers502ForAResponseThatIsNone(String response, Cause cause) throws Exception {
        String bytes = response.equals("LARGE")
                ? "HTTP/1.1 200 OK\r\nA: " + "x".repeat(17_000) + "\r\n\r\n"
                : response.replace("\\r", "\r").replace("\\n", "\n");
        try (RawOrigin origin = RawOrigin.scripted((connection, _) -> {
                    connection.readHead();
                    connection.send(bytes);
                    connection.close();
                });
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            String head = client.readHead();
            assertTrue(head.startsWith("HTTP/1.1 502 "), head);
            assertFalse(head.contains("Connection: close"), "the client's connection is fine");
            assertEquals(cause, gate.logged().cause());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nZ\r\n"
    })
    void breaksOffWhenTheResponseDoes(String response) throws Exception {
        try (RawOrigin origin = RawOrigin.scripted((connection, _) -> {
                    connection.readHead();
                    connection.send(response);
                    connection.close();
                });
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            String all = client.readToEnd();
            assertTrue(all.startsWith("HTTP/1.1 200 OK"), all);
            assertTrue(all.contains("half"), all);
            assertFalse(all.endsWith("0\r\n\r\n"), "no regular end: " + all);
            RunningGate.Logged logged = gate.logged();
            assertEquals(200, logged.status());
            assertEquals(4, logged.responseBodyBytes());
            assertTrue(logged.cause() == Cause.UPSTREAM_RESET_AFTER_RESPONSE || logged.cause() == Cause.UPSTREAM_PROTOCOL_ERROR);
        }
    }

    @Test
    void doesNotReuseAConnectionWithBytesToSpare() throws Exception {
        try (RawOrigin origin = RawOrigin.scripted((connection, _) -> {
                    connection.readHead();
                    connection.send(OK + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
                    connection.read();
                });
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            for (int i = 0; i < 3; i++) {
                client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
                client.readHead();
                assertEquals("ok", client.read(2));
            }
            assertEquals(3, origin.connections.get());
        }
    }

    @Test
    void answers504WhenNoResponseComesInTime() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(with(timeouts(9000, 300, 9000, 9000, 60_000, 9000))).routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(client.readHead().startsWith("HTTP/1.1 504 "));
            assertEquals(Cause.UPSTREAM_HEADER_TIMEOUT, gate.logged().cause());
            RawClient server = origin.accept();
            server.readHead();
            assertEquals(-1, server.read());
        }
    }

    @Test
    void answers504WhenTheExchangeTakesTooLong() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(with(timeouts(9000, 9000, 9000, 9000, 300, 9000))).routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(client.readHead().startsWith("HTTP/1.1 504 "));
            assertEquals(Cause.TOTAL_TIMEOUT, gate.logged().cause());
        }
    }

    @Test
    void breaksOffWhenTheResponseBodyStalls() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(with(timeouts(9000, 9000, 300, 9000, 60_000, 9000))).routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            assertTrue(client.readToEnd().endsWith("half"));
            assertEquals(Cause.UPSTREAM_BODY_TIMEOUT, gate.logged().cause());
        }
    }

    @Test
    void aRouteMaySayHowLongABodyIsSilentAndHowLongAllOfItTakes() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start();
                RawClient client = gate.connect();
                RawClient other = gate.connect()) {
            gate.serve(List.of(
                    RunningGate.route(HostPattern.ANY, "/silent", lasting(Duration.ofMillis(200), Duration.ZERO), origin.port()),
                    RunningGate.route(HostPattern.ANY, "/long", lasting(Duration.ZERO, Duration.ofMillis(200)), origin.port())));
            client.send("GET /silent HTTP/1.1\r\nHost: h\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            assertTrue(client.readToEnd().endsWith("half"));
            assertEquals(Cause.UPSTREAM_BODY_TIMEOUT, gate.logged().cause());
            other.send("GET /long HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(other.readHead().startsWith("HTTP/1.1 504 "));
            assertEquals(Cause.TOTAL_TIMEOUT, gate.logged().cause());
        }
    }

    private static RouteOptions lasting(Duration stream, Duration total) {
        return RouteOptions.NONE.withForwarding(Forwarding.DEFAULT.withLasting(new Lasting(stream, total)));
    }

    @Test
    void answers408WhenARequestDoesNotGetOn() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(with(timeouts(300, 9000, 300, 9000, 60_000, 9000))).routeTo(origin.port());
                RawClient slowHead = gate.connect()) {
            slowHead.send("GET / HTTP/1.1\r\nHo");
            assertTrue(slowHead.readToEnd().startsWith("HTTP/1.1 408 "));
            assertEquals(Cause.CLIENT_TIMEOUT, gate.logged().cause());
            try (RawClient slowBody = gate.connect()) {
                slowBody.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
                assertTrue(slowBody.readToEnd().startsWith("HTTP/1.1 408 "));
                assertEquals(Cause.CLIENT_TIMEOUT, gate.logged().cause());
            }
        }
    }

    @Test
    void closesIdleConnectionsOfBothSidesWithoutARecord() throws Exception {
        try (RawOrigin origin = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start(with(timeouts(300, 9000, 9000, 300, 60_000, 9000))).routeTo(origin.port());
                RawClient silent = gate.connect();
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(client.readToEnd().endsWith("ok"));
            assertEquals("", silent.readToEnd());
            assertEquals(200, gate.logged().status());
            assertTrue(gate.log.isEmpty());
            Await.until("both connections are counted out", Duration.ofSeconds(10), () -> gate.gate().metrics().connections() == 0);
            assertEquals(0, gate.gate().metrics().exchanges());
        }
    }

    @Test
    void answers413ForABodyOverTheLimit() throws Exception {
        GateSettings small = new GateSettings(Timeouts.DEFAULT, new Limits(8192, 16_384, 65_536, 10, 100), List.of());
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(small).routeTo(origin.port());
                RawClient announced = gate.connect();
                RawClient chunked = gate.connect()) {
            announced.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n12345678901");
            assertTrue(announced.readHead().startsWith("HTTP/1.1 413 "));
            assertEquals(Cause.BODY_TOO_LARGE, gate.logged().cause());
            chunked.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n3\r\n901\r\n0\r\n\r\n");
            assertTrue(chunked.readHead().startsWith("HTTP/1.1 413 "));
            assertEquals(Cause.BODY_TOO_LARGE, gate.logged().cause());
        }
    }

    @Test
    void refusesConnectionsOverTheLimit() throws Exception {
        GateSettings few = new GateSettings(Timeouts.DEFAULT, new Limits(8192, 16_384, 65_536, 0, 1), List.of());
        try (RawOrigin origin = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start(few).routeTo(origin.port());
                RawClient first = gate.connect()) {
            first.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            first.readHead();
            assertEquals("ok", first.read(2));
            try (RawClient second = gate.connect()) {
                assertTrue(second.readToEnd().length() <= "<reset>".length());
            }
            assertEquals(1, gate.gate().metrics().refusedConnections());
            first.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            first.readHead();
            assertEquals("ok", first.read(2));
        }
    }
}
