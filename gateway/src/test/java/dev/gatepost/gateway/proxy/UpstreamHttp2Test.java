package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.proxy.RawHttp2.Frame;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Endpoints that speak HTTP/2, frame by frame.
class UpstreamHttp2Test {
    private static final String GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    /// The gate's first stream on a connection: 1 is left for upgrades.
    private static final int FIRST = 3;
    private static final int REFUSED_STREAM = 7;
    private static final int CANCEL = 8;
    /// SETTINGS_MAX_CONCURRENT_STREAMS 1.
    private static final String ONE_STREAM = "000300000001";

    private RawOrigin origin;
    private RunningGate gate;

    @BeforeEach
    void start() {
        origin = RawOrigin.manual();
        gate = RunningGate.start().routeTo(RunningGate.H2C, origin.port());
    }

    @AfterEach
    void stop() {
        gate.close();
        origin.close();
    }

    /// The endpoint's end of the next connection.
    private RawHttp2 server() throws Exception {
        return RawHttp2.serve(origin.accept().socket(), "");
    }

    /// Answers every stream when its request has ended, with its path or its body.
    private static void echo(RawHttp2 server) {
        Map<Integer, String> paths = new HashMap<>();
        for (Frame frame = server.next(); frame.type() >= 0; frame = server.next()) {
            if (frame.type() == RawHttp2.HEADERS && !paths.containsKey(frame.stream())) {
                paths.put(frame.stream(), server.decode(frame.payload()).get(":path"));
            }
            boolean message = frame.type() == RawHttp2.HEADERS || frame.type() == RawHttp2.DATA;
            if (message && frame.endsStream()) {
                String text = frame.type() == RawHttp2.DATA ? new String(frame.payload(), ISO_8859_1) : paths.getOrDefault(frame.stream(), "");
                server.headers(frame.stream(), false, ":status=200", "content-length=" + text.length());
                server.data(frame.stream(), true, text);
            }
        }
    }

    private static RawOrigin echoing(String settings) {
        return RawOrigin.scripted((connection, _) -> echo(RawHttp2.serve(connection.socket(), settings)));
    }

    private static void get(RawClient client, String path) {
        client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    }

    @Test
    void sendsARequestAsItsPseudoFieldsAndFieldsSay() throws Exception {
        try (RawClient client = gate.connect()) {
            client.send("PUT /a%2Fb?c=d HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 2\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nTE: trailers\r\nX-Kept: Yes\r\n\r\nhi");
            RawHttp2 server = server();
            Map<String, String> fields = server.decode(server.await(RawHttp2.HEADERS).payload());
            assertEquals("PUT", fields.get(":method"));
            assertEquals("/a%2Fb?c=d", fields.get(":path"));
            assertEquals("shop.test", fields.get(":authority"));
            assertEquals("http", fields.get(":scheme"));
            assertEquals("trailers", fields.get("te"));
            assertEquals("Yes", fields.get("x-kept"));
            assertEquals("2", fields.get("content-length"));
            assertEquals("127.0.0.1", fields.get("x-forwarded-for"));
            assertFalse(fields.containsKey("host") || fields.containsKey("connection") || fields.containsKey("x-mine"), fields.toString());
            Frame body = server.await(RawHttp2.DATA);
            assertEquals("hi", new String(body.payload(), ISO_8859_1));
            server.headers(FIRST, false, ":status=100");
            server.headers(FIRST, false, ":status=201", "x-answer=yes");
            server.data(FIRST, false, "abc");
            server.headers(FIRST, true, "x-sum=3");
            assertEquals("HTTP/1.1 100 Continue", client.readHead().lines().findFirst().orElse(""));
            String head = client.readHead();
            assertTrue(head.startsWith("HTTP/1.1 201 Created\r\n") && head.contains("x-answer: yes\r\n") && head.contains("Transfer-Encoding: chunked"), head);
            assertEquals("abc|x-sum: 3", client.readChunked());
            assertEquals(Cause.OK, gate.logged().cause());
        }
    }

    @Test
    void carriesManyRequestsOnOneConnection() throws Exception {
        try (RawOrigin scripted = echoing("")) {
            gate.routeTo(RunningGate.H2C, scripted.port());
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                clients.add(gate.connect());
                get(clients.get(i), "/" + i);
            }
            for (int i = 0; i < 20; i++) {
                assertEquals("/" + i, clients.get(i).readBody());
            }
            get(clients.getFirst(), "/again");
            assertEquals("/again", clients.getFirst().readBody());
            assertEquals(1, scripted.connections.get());
            clients.forEach(RawClient::close);
        }
    }

    @Test
    void opensAnotherConnectionWhereOneTakesNoMoreStreams() throws Exception {
        try (RawClient first = gate.connect();
                RawClient second = gate.connect()) {
            get(first, "/first");
            RawHttp2 one = RawHttp2.serve(origin.accept().socket(), ONE_STREAM);
            one.await(RawHttp2.HEADERS);
            get(second, "/second");
            RawHttp2 two = RawHttp2.serve(origin.accept().socket(), ONE_STREAM);
            two.await(RawHttp2.HEADERS);
            two.headers(FIRST, true, ":status=200", "content-length=0");
            assertEquals("", second.readBody());
            one.headers(FIRST, true, ":status=200", "content-length=0");
            assertEquals("", first.readBody());
        }
    }

    /// Neither method nor body forbid it: the endpoint says that it has not looked.
    @Test
    void sendsARequestAgainThatGoawayLeftBehind() throws Exception {
        try (RawOrigin scripted = RawOrigin.scripted((connection, number) -> {
                    RawHttp2 server = RawHttp2.serve(connection.socket(), "");
                    if (number == 1) {
                        server.await(RawHttp2.DATA);
                        server.frame(RawHttp2.GOAWAY, 0, 0, new byte[8]);
                        server.next();
                    } else {
                        echo(server);
                    }
                });
                RawClient client = gate.routeTo(RunningGate.H2C, scripted.port()).connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
            assertEquals("hello", client.readBody());
            RunningGate.Logged logged = gate.logged();
            assertEquals(2, logged.attempts());
            assertEquals(Cause.OK, logged.cause());
            assertEquals(Cause.UPSTREAM_RESET_BEFORE_RESPONSE, logged.tried().getFirst().result());
            assertEquals(2, scripted.connections.get());
        }
    }

    @Test
    void finishesWhatGoawayStillCovers() throws Exception {
        try (RawClient client = gate.connect();
                RawClient next = gate.connect()) {
            get(client, "/");
            RawHttp2 server = server();
            server.await(RawHttp2.HEADERS);
            server.frame(RawHttp2.GOAWAY, 0, 0, new byte[] {0x7f, -1, -1, -1, 0, 0, 0, 0});
            // Answered, so the GOAWAY has been read.
            server.frame(RawHttp2.PING, 0, 0, new byte[8]);
            server.await(RawHttp2.PING);
            get(next, "/next");
            RawHttp2 other = server();
            other.await(RawHttp2.HEADERS);
            other.headers(FIRST, true, ":status=200", "content-length=0");
            next.readBody();
            server.headers(FIRST, true, ":status=200", "content-length=0");
            client.readBody();
            assertEquals(1, gate.logged().attempts());
            // The connection that was left ends with its last stream.
            Frame last = server.next();
            while (last.type() >= 0) {
                last = server.next();
            }
        }
    }

    @Test
    void sendsARefusedRequestToAnotherEndpoint() throws Exception {
        try (RawOrigin refusing = RawOrigin.scripted((connection, _) -> {
                    RawHttp2 server = RawHttp2.serve(connection.socket(), "");
                    while (true) {
                        Frame frame = server.await(RawHttp2.DATA);
                        server.frame(RawHttp2.RST_STREAM, 0, frame.stream(), RawHttp2.number(REFUSED_STREAM));
                    }
                });
                RawOrigin scripted = echoing("");
                RawClient client = gate.routeTo(RunningGate.H2C, refusing.port(), scripted.port()).connect()) {
            assertTellsASecondAttempt(client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi", "hi");
        }
    }

    @Test
    void sendsASafeRequestThatIsResetToAnotherEndpoint() throws Exception {
        try (RawOrigin resetting = RawOrigin.scripted((connection, _) -> {
                    RawHttp2 server = RawHttp2.serve(connection.socket(), "");
                    while (true) {
                        Frame frame = server.await(RawHttp2.HEADERS);
                        server.frame(RawHttp2.RST_STREAM, 0, frame.stream(), RawHttp2.number(2));
                    }
                });
                RawOrigin answering = RawOrigin.scripted((connection, _) -> {
                    RawHttp2 server = RawHttp2.serve(connection.socket(), "");
                    while (true) {
                        Frame frame = server.await(RawHttp2.HEADERS);
                        server.headers(frame.stream(), false, ":status=200", "content-length=2");
                        server.data(frame.stream(), true, "hi");
                    }
                });
                RawClient client = gate.routeTo(RunningGate.H2C, resetting.port(), answering.port()).connect()) {
            assertTellsASecondAttempt(client, GET, "hi");
        }
    }

    /// One endpoint gives every request back; whether it has the first one or the second is left to chance.
    private void assertTellsASecondAttempt(RawClient client, String request, String body) throws Exception {
        List<Cause> results = new ArrayList<>();
        for (int i = 0; i < 4 && results.isEmpty(); i++) {
            client.send(request);
            assertEquals(body, client.readBody());
            RunningGate.Logged logged = gate.logged();
            if (logged.attempts() == 2) {
                results.add(logged.tried().getFirst().result());
            }
        }
        assertEquals(List.of(Cause.UPSTREAM_RESET_BEFORE_RESPONSE), results);
    }

    @Test
    void doesNotSendARefusedRequestAgainWhoseBodyIsGone() throws Exception {
        try (RawOrigin scripted = RawOrigin.scripted((connection, _) -> {
                    // A window of 1 MiB, so that all of the body is sent.
                    RawHttp2 server = RawHttp2.serve(connection.socket(), "000400100000");
                    server.frame(RawHttp2.WINDOW_UPDATE, 0, 0, RawHttp2.number(1 << 20));
                    int length = 0;
                    while (length < 70_000) {
                        length += server.await(RawHttp2.DATA).payload().length;
                    }
                    server.frame(RawHttp2.GOAWAY, 0, 0, new byte[8]);
                    server.next();
                });
                RawClient client = gate.routeTo(RunningGate.H2C, scripted.port()).connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n" + "x".repeat(70_000));
            assertTrue(client.readHead().startsWith("HTTP/1.1 502 "));
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.UPSTREAM_RESET_BEFORE_RESPONSE, logged.cause());
            assertEquals("endpoint is leaving (GOAWAY)", logged.detail());
            assertEquals(1, logged.attempts());
        }
    }

    @Test
    void cancelsTheStreamOfAClientThatIsGone() throws Exception {
        try (RawClient client = gate.connect();
                RawClient stays = gate.connect()) {
            get(client, "/");
            RawHttp2 server = server();
            server.await(RawHttp2.HEADERS);
            get(stays, "/");
            server.await(RawHttp2.HEADERS);
            client.socket().close();
            Frame reset = server.await(RawHttp2.RST_STREAM);
            assertEquals(FIRST, reset.stream());
            assertEquals(CANCEL, reset.number(0));
            assertEquals(Cause.CLIENT_CLOSED, gate.logged().cause());
            server.headers(5, true, ":status=200", "content-length=0");
            stays.readBody();
        }
    }

    @Test
    void breaksOffAResponseWhoseStreamIsReset() throws Exception {
        try (RawClient client = gate.connect()) {
            client.send(GET);
            RawHttp2 server = server();
            server.await(RawHttp2.HEADERS);
            server.headers(FIRST, false, ":status=200");
            server.data(FIRST, false, "part");
            server.frame(RawHttp2.RST_STREAM, 0, FIRST, RawHttp2.number(2));
            String all = client.readToEnd();
            assertTrue(all.endsWith("4\r\npart\r\n"), all);
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.UPSTREAM_RESET_AFTER_RESPONSE, logged.cause());
            assertEquals(Cause.UPSTREAM_RESET_AFTER_RESPONSE, logged.tried().getFirst().result());
            assertEquals("stream reset by the endpoint: internal_error", logged.detail());
        }
    }

    /// One client that does not read holds up its own stream alone, and for no more than its window.
    @Test
    void slowsAStreamWithItsReader() throws Exception {
        try (RawClient slow = gate.connect();
                RawClient other = gate.connect()) {
            get(slow, "/slow");
            RawHttp2 server = server();
            server.await(RawHttp2.HEADERS);
            server.headers(FIRST, false, ":status=200");
            // Sockets and the gate take some of it; then no window of the stream comes back.
            byte[] chunk = new byte[16 * 1024];
            long window = 256 * 1024;
            long sent = 0;
            while (window >= chunk.length && sent < 64L << 20) {
                server.frame(RawHttp2.DATA, 0, FIRST, chunk);
                window -= chunk.length;
                sent += chunk.length;
                if (window < chunk.length) {
                    server.frame(RawHttp2.PING, 0, 0, new byte[8]);
                    for (Frame frame = server.next(); frame.type() != RawHttp2.PING; frame = server.next()) {
                        if (frame.type() == RawHttp2.WINDOW_UPDATE && frame.stream() == FIRST) {
                            window += frame.number(0);
                        }
                    }
                }
            }
            assertTrue(sent < 64L << 20, "the gate took " + sent + " bytes for a client that reads nothing");
            get(other, "/other");
            Frame head = server.await(RawHttp2.HEADERS);
            server.headers(head.stream(), false, ":status=200", "content-length=40000");
            server.data(head.stream(), false, "x".repeat(16_000));
            server.data(head.stream(), false, "x".repeat(16_000));
            server.data(head.stream(), true, "x".repeat(8_000));
            assertEquals(40_000, other.readBody().length());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            :status=200 content-length=3            | hi   | UPSTREAM_PROTOCOL_ERROR
            :status=200 content-length=1            | hi   | UPSTREAM_PROTOCOL_ERROR
            :status=200 content-length=1 content-length=1 | hi | UPSTREAM_PROTOCOL_ERROR
            :status=200 connection=close            | hi   | UPSTREAM_PROTOCOL_ERROR
            :status=101                             | hi   | UPSTREAM_PROTOCOL_ERROR
            :status=20                              | hi   | UPSTREAM_PROTOCOL_ERROR
            x-none=1                                | hi   | UPSTREAM_PROTOCOL_ERROR
            :status=200 :path=/                     | hi   | UPSTREAM_PROTOCOL_ERROR
            :status=200 X-Upper=1                   | hi   | UPSTREAM_PROTOCOL_ERROR
            :status=200 x-large=%                   | hi   | UPSTREAM_HEADER_TOO_LARGE
            """)
    void refusesAResponseThatIsNone(String fields, String body, Cause cause) throws Exception {
        GateSettings small = new GateSettings(Timeouts.DEFAULT, new Limits(8192, 1000, 4000, 0, 100), List.of());
        gate.close();
        gate = RunningGate.start(small).routeTo(RunningGate.H2C, origin.port());
        try (RawClient client = gate.connect()) {
            client.send(GET);
            RawHttp2 server = server();
            server.await(RawHttp2.HEADERS);
            server.headers(FIRST, false, fields.strip().replace("%", "x".repeat(1000)).split(" "));
            server.data(FIRST, true, body);
            // Its head may be on its way already: then the response is broken off.
            client.send("").readHead();
            assertEquals(cause, gate.logged().cause());
        }
    }

    @Test
    void givesUpAnEndpointThatDoesNotAnswerAPing() throws Exception {
        Timeouts d = Timeouts.DEFAULT;
        GateSettings quick = new GateSettings(
                new Timeouts(d.connect(), d.requestHeader(), d.responseHeader(), Duration.ofMillis(600), d.idle(), d.total(), d.upgraded()),
                Limits.DEFAULT, List.of());
        gate.close();
        gate = RunningGate.start(quick).routeTo(RunningGate.H2C, origin.port());
        try (RawClient client = gate.connect()) {
            client.send(GET);
            RawHttp2 server = server();
            server.await(RawHttp2.PING);
            assertTrue(client.readHead().startsWith("HTTP/1.1 502 "));
            assertEquals(Cause.UPSTREAM_RESET_BEFORE_RESPONSE, gate.logged().cause());
        }
    }

    /// As gRPC servers do, which measure round trips by PING while a request's messages come.
    @Test
    void bearsWithAnEndpointThatPingsAsItIsSentData() throws Exception {
        try (RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, RawHttp2.request("POST", "/"));
            RawHttp2 server = server();
            server.await(RawHttp2.HEADERS);
            for (int i = 0; i < 2500; i++) {
                client.data(1, false, "x");
                server.await(RawHttp2.DATA);
                server.frame(RawHttp2.PING, 0, 0, new byte[8]).frame(RawHttp2.PING, 0, 0, new byte[8]);
            }
            client.data(1, true, "");
            server.await(RawHttp2.DATA);
            server.headers(FIRST, true, ":status=204");
            assertEquals("204", client.response(1).status());
        }
    }

    @Test
    void saysThatAnEndpointSpeaksNoHttp2() throws Exception {
        try (RawOrigin scripted = RawOrigin.scripted((connection, _) -> {
                    connection.readHead();
                    connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
                    connection.close();
                });
                RawClient client = gate.routeTo(RunningGate.H2C, scripted.port()).connect()) {
            client.send(GET);
            assertTrue(client.readHead().startsWith("HTTP/1.1 502 "));
            assertEquals(Cause.UPSTREAM_PROTOCOL_ERROR, gate.logged().cause());
        }
    }

    @Test
    void passesTrailersBothWays() throws Exception {
        try (RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, RawHttp2.request("POST", "/"));
            client.data(1, false, "hi");
            client.headers(1, true, "x-end=of-request");
            RawHttp2 server = server();
            server.await(RawHttp2.HEADERS);
            Frame trailers = server.await(RawHttp2.HEADERS);
            assertTrue(trailers.endsStream());
            assertEquals(Map.of("x-end", "of-request"), server.decode(trailers.payload()));
            server.headers(FIRST, false, ":status=200");
            server.data(FIRST, false, "ho");
            server.headers(FIRST, true, "x-end=of-response");
            RawHttp2.Response response = client.response(1);
            assertEquals("ho", response.body());
            assertEquals(Map.of("x-end", "of-response"), response.trailers());
        }
    }
}
