package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord.Protocol;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// WebSockets and other protocols that begin as an HTTP/1.1 request (RFC 9110 section 7.8).
class UpgradeTest {
    private static final String AGREED = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";

    @ParameterizedTest
    @ValueSource(strings = {"Upgrade: websocket\r\nConnection: Upgrade\r\n", "upgrade: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n"})
    void relaysRawBytesBothWaysOnceBothSidesAgree(String fields) throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET /chat HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: k\r\n" + fields + "\r\n");
            RawClient server = origin.accept();
            String head = server.readHead();
            assertTrue(head.contains("\r\nConnection: upgrade\r\n"), head);
            assertTrue(head.toLowerCase(Locale.ROOT).contains("\r\nupgrade: websocket\r\n"), head);
            server.send(AGREED + "hello");
            String response = client.readHead();
            assertTrue(response.startsWith("HTTP/1.1 101 Switching Protocols\r\n"), response);
            assertTrue(response.contains("\r\nUpgrade: websocket\r\n") && response.contains("\r\nConnection: upgrade\r\n"), response);
            assertEquals("hello", client.read(5));
            client.send("\u0081\u0005GET /");
            assertEquals("\u0081\u0005GET /", server.read(7));
            server.send("0\r\n\r\n");
            assertEquals("0\r\n\r\n", client.read(5));
            server.close();
            assertEquals("", client.readToEnd());
            RunningGate.Logged logged = gate.logged();
            assertEquals(101, logged.status());
            assertEquals(Cause.OK, logged.cause());
            assertEquals(Protocol.WEBSOCKET, logged.protocol());
            assertEquals(7, logged.requestBodyBytes());
            assertEquals(10, logged.responseBodyBytes());
        }
    }

    @Test
    void closesTheEndpointsSideWhenTheClientLeaves() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            server.send(AGREED);
            client.readHead();
            client.reset();
            assertEquals(-1, server.read());
            assertEquals(Cause.OK, gate.logged().cause());
        }
    }

    @Test
    void goesOnWithHttpWhenTheEndpointDeclines() throws Exception {
        try (RawOrigin origin = RawOrigin.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            for (int i = 0; i < 2; i++) {
                client.send("GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
                assertTrue(client.readHead().startsWith("HTTP/1.1 200 OK\r\n"));
                assertEquals("no", client.read(2));
            }
        }
    }

    @Test
    void doesNotOfferHttp2ToAnEndpoint() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n");
            String head = origin.accept().readHead().toLowerCase(Locale.ROOT);
            assertTrue(!head.contains("h2c") && !head.contains("upgrade") && !head.contains("http2-settings"), head);
        }
    }
}
