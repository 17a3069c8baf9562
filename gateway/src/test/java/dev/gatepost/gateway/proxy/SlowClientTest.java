package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Clients that take their time to keep something busy, and clients that are too many.
final class SlowClientTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    private static GateSettings settings(Duration stream, Limits limits) {
        Timeouts d = Timeouts.DEFAULT;
        return new GateSettings(
                new Timeouts(d.connect(), d.requestHeader(), d.responseHeader(), stream, d.idle(), d.total(), d.upgraded()), limits, List.of());
    }

    @Test
    void answers408ToABodyThatIsNeverSilentAndNeverThere() throws Exception {
        GateSettings settings = settings(Duration.ofSeconds(1), Limits.DEFAULT.withBodyRate(1000));
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(settings).routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
            client.socket().setSoTimeout(50);
            StringBuilder answer = new StringBuilder();
            while (answer.isEmpty()) {
                client.send("x");
                try {
                    answer.append((char) client.socket().getInputStream().read());
                } catch (SocketTimeoutException _) {
                    // Not yet.
                }
            }
            client.socket().setSoTimeout(10_000);
            assertTrue(("" + answer + client.readHead()).startsWith("HTTP/1.1 408 "));
            assertEquals(Cause.CLIENT_TIMEOUT, gate.logged().cause());
        }
    }

    @Test
    void bearsWithABodyThatIsFastEnoughOnTheWhole() throws Exception {
        GateSettings settings = settings(LONG, Limits.DEFAULT.withBodyRate(100));
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(settings).routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n" + "x".repeat(1999));
            RawClient server = origin.accept();
            server.readHead();
            assertEquals(1999, server.read(1999).length());
            client.send("x");
            assertEquals("x", server.read(1));
            server.send(OK);
            assertTrue(client.readHead().startsWith("HTTP/1.1 200 "));
        }
    }

    @Test
    void letsGoOfAClientThatNeverTakesTheEndOfItsLastResponse() throws Exception {
        int size = 200_000;
        GateSettings settings = settings(Duration.ofMillis(500), Limits.DEFAULT);
        try (RawOrigin origin = RawOrigin.answering("HTTP/1.1 200 OK\r\nContent-Length: " + size + "\r\n\r\n" + "x".repeat(size));
                RunningGate gate = RunningGate.start(settings, SlowClientTest::withSmallBuffer).routeTo(origin.port());
                Socket socket = new Socket()) {
            socket.setReceiveBufferSize(4096);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), gate.tlsPort()));
            try (RawClient client = new RawClient(socket)) {
                client.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
                assertTrue(gate.logged().status() == 200);
                Await.until("its connection is gone", LONG, () -> gate.gate().metrics().connections() == 0);
                assertTrue(client.readToEnd().length() < size, "what it did not take in time is lost");
            }
        }
    }

    /// Or else the kernel would take the whole response.
    private static void withSmallBuffer(Channel channel, GateLoop loop) {
        channel.config().setOption(ChannelOption.SO_SNDBUF, 8192);
        ConnectionStart.PLAIN.begin(channel, loop);
    }

    @Test
    void refusesMoreConnectionsOfOneAddressThanItMayHave() throws Exception {
        GateSettings settings = new GateSettings(Timeouts.DEFAULT, Limits.DEFAULT.withClients(100, 2, 100), List.of());
        try (RawOrigin origin = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start(settings).routeTo(origin.port());
                RawClient first = gate.connect()) {
            served(first);
            try (RawClient second = gate.connect()) {
                served(second);
                try (RawClient third = gate.connect()) {
                    assertTrue(third.readToEnd().length() <= "<reset>".length());
                }
                try (Socket other = new Socket()) {
                    other.bind(new InetSocketAddress("127.0.0.2", 0));
                    other.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), gate.port()));
                    served(new RawClient(other));
                }
            }
            Await.until("there is room again", LONG, () -> {
                try (RawClient again = gate.connect()) {
                    again.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
                    return again.readToEnd().endsWith("ok");
                } catch (java.io.UncheckedIOException _) {
                    return false;
                }
            });
            assertTrue(gate.gate().metrics().refusedConnections() >= 1);
        }
    }

    @Test
    void countsNoAddressesOfTrustedProxies() throws Exception {
        GateSettings settings = new GateSettings(Timeouts.DEFAULT, Limits.DEFAULT.withClients(100, 1, 100), List.of(Cidr.parse("127.0.0.0/8")));
        try (RawOrigin origin = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start(settings).routeTo(origin.port());
                RawClient first = gate.connect();
                RawClient second = gate.connect()) {
            served(first);
            served(second);
        }
    }

    private static void served(RawClient client) throws IOException {
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assertTrue(client.readHead().startsWith("HTTP/1.1 200 "));
        assertEquals("ok", client.read(2));
    }

    @Test
    void answers503AtOnceToMoreRequestsThanMayBeInFlight() throws Exception {
        GateSettings settings = new GateSettings(Timeouts.DEFAULT, Limits.DEFAULT.withClients(100, 100, 1), List.of());
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start(settings).routeTo(origin.port());
                RawClient slow = gate.connect();
                RawClient early = gate.connect()) {
            slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            early.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            String head = early.readHead();
            assertTrue(head.startsWith("HTTP/1.1 503 ") && head.contains("\r\nRetry-After: 1\r\n"), head);
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.OVERLOAD, logged.cause());
            assertEquals("too many requests in flight (limits.requests)", logged.detail());
            server.send(OK);
            assertTrue(slow.readHead().startsWith("HTTP/1.1 200 "));
            assertEquals("/slow", gate.logged().target());
            early.read(Integer.parseInt(head.replaceAll("(?s).*Content-Length: (\\d+).*", "$1")));
            early.send("GET /again HTTP/1.1\r\nHost: h\r\n\r\n");
            server.readHead();
            server.send(OK);
            assertTrue(early.readHead().startsWith("HTTP/1.1 200 "), "the connection was kept");
        }
    }

    @Test
    void countsNoWebSocketsAsRequestsInFlight() throws Exception {
        GateSettings settings = new GateSettings(Timeouts.DEFAULT, Limits.DEFAULT.withClients(100, 100, 1), List.of());
        try (RawOrigin origin = RawOrigin.scripted((connection, number) -> {
                    connection.readHead();
                    connection.send(number == 1 ? "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n" : OK);
                });
                RunningGate gate = RunningGate.start(settings).routeTo(origin.port());
                RawClient socket = gate.connect();
                RawClient other = gate.connect()) {
            socket.send("GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            assertTrue(socket.readHead().startsWith("HTTP/1.1 101 "));
            other.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(other.readHead().startsWith("HTTP/1.1 200 "));
        }
    }
}
