package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord.Protocol;
import dev.gatepost.gateway.proxy.RawHttp2.Frame;
import java.util.Map;
import org.junit.jupiter.api.Test;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// WebSockets where a side speaks HTTP/2 (RFC 8441). What is in their frames is nobody's business here.
class Http2WebSocketTest {
    /// SETTINGS_ENABLE_CONNECT_PROTOCOL 1.
    private static final String TAKES_TUNNELS = "000800000001";
    /// The gate's first stream on a connection: 1 is left for upgrades.
    private static final int FIRST = 3;
    private static final String UPGRADE =
            "GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    private static String[] connect() {
        return new String[] {":method=CONNECT", ":protocol=websocket", ":scheme=http", ":path=/chat", ":authority=h", "sec-websocket-version=13"};
    }

    @Test
    void tellsClientsThatItTakesThem() {
        try (RunningGate gate = RunningGate.start();
                RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            byte[] settings = client.await(RawHttp2.SETTINGS).payload();
            boolean told = false;
            for (int i = 0; i < settings.length; i += 6) {
                told |= settings[i + 1] == 8 && settings[i + 5] == 1;
            }
            assertTrue(told);
        }
    }

    @Test
    void upgradesAnHttp1EndpointForAnHttp2Client() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, connect());
            // Nobody has to wait: it comes when the tunnel is there.
            client.data(1, false, "early");
            RawClient endpoint = origin.accept();
            String head = endpoint.readHead();
            assertTrue(head.startsWith("GET /chat HTTP/1.1\r\n"), head);
            assertTrue(head.contains("\r\nUpgrade: websocket\r\n") && head.contains("\r\nConnection: upgrade\r\n") && head.contains("\r\nSec-WebSocket-Key: "), head);
            endpoint.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: chat\r\n\r\nhello");
            Map<String, String> response = client.decode(client.await(RawHttp2.HEADERS).payload());
            assertEquals("200", response.get(":status"));
            assertEquals("chat", response.get("sec-websocket-protocol"));
            assertFalse(response.containsKey("upgrade") || response.containsKey("sec-websocket-accept"), response.toString());
            assertEquals("hello", new String(client.await(RawHttp2.DATA).payload(), ISO_8859_1));
            assertEquals("early", endpoint.read(5));
            client.data(1, false, "more");
            assertEquals("more", endpoint.read(4));
            client.data(1, true, "");
            assertEquals("", endpoint.readToEnd());
            endpoint.send("bye");
            endpoint.close();
            Frame last = client.await(RawHttp2.DATA);
            assertEquals("bye", new String(last.payload(), ISO_8859_1));
            assertTrue(last.endsStream() || client.await(RawHttp2.DATA).endsStream());
            RunningGate.Logged logged = gate.logged();
            assertEquals(Protocol.WEBSOCKET, logged.protocol());
            assertEquals(Cause.OK, logged.cause());
        }
    }

    @Test
    void passesARefusalOn() throws Exception {
        try (RawOrigin origin = RawOrigin.answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, connect());
            RawHttp2.Response response = client.response(1);
            assertEquals("403", response.status());
            assertEquals("no", response.body());
        }
    }

    @Test
    void takesNoSuccessForATunnelThatIsNone() throws Exception {
        try (RawOrigin origin = RawOrigin.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, connect());
            assertEquals("502", client.response(1).status());
        }
    }

    @Test
    void connectsAnHttp1ClientToAnHttp2Endpoint() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(RunningGate.H2C, origin.port());
                RawClient client = gate.connect()) {
            client.send(UPGRADE);
            RawHttp2 server = RawHttp2.serve(origin.accept().socket(), TAKES_TUNNELS);
            Map<String, String> head = server.decode(server.await(RawHttp2.HEADERS).payload());
            assertEquals("CONNECT", head.get(":method"));
            assertEquals("websocket", head.get(":protocol"));
            assertEquals("13", head.get("sec-websocket-version"));
            assertFalse(head.containsKey("sec-websocket-key") || head.containsKey("upgrade"), head.toString());
            server.headers(FIRST, false, ":status=200");
            String response = client.readHead();
            assertTrue(response.startsWith("HTTP/1.1 101 Switching Protocols\r\n"), response);
            // The example of RFC 6455 section 1.3.
            assertTrue(response.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), response);
            client.send("ping");
            assertEquals("ping", new String(server.await(RawHttp2.DATA).payload(), ISO_8859_1));
            server.data(FIRST, true, "pong");
            assertEquals("pong", client.readToEnd());
        }
    }

    @Test
    void saysThatAnHttp2EndpointTakesNone() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(RunningGate.H2C, origin.port());
                RawClient client = gate.connect()) {
            client.send(UPGRADE);
            RawHttp2 server = RawHttp2.serve(origin.accept().socket(), "");
            assertTrue(client.readHead().startsWith("HTTP/1.1 502 "));
            assertEquals(Cause.UPSTREAM_PROTOCOL_ERROR, gate.logged().cause());
            server.close();
        }
    }
}
