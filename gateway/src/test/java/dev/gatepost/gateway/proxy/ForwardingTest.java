package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.config.Cidr;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What arrives at an endpoint, and what comes back to the client.
class ForwardingTest {
    private RawOrigin origin;
    private RunningGate gate;
    private RawClient client;

    @BeforeEach
    void start() {
        origin = RawOrigin.manual();
        gate = RunningGate.start().routeTo(origin.port());
        client = gate.connect();
    }

    @AfterEach
    void stop() {
        client.close();
        gate.close();
        origin.close();
    }

    private static void assertField(String head, String line) {
        assertEquals(1, count(head, "\r\n" + line + "\r\n"), line + " in " + head);
    }

    private static void assertNoField(String head, String name) {
        assertFalse(head.toLowerCase(Locale.ROOT).contains("\r\n" + name + ":"), name + " in " + head);
    }

    private static String head(String... lines) {
        return String.join("\r\n", lines) + "\r\n\r\n";
    }

    private static int count(String text, String part) {
        int count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) {
            count++;
        }
        return count;
    }

    @Test
    void startsATraceForARequestThatBringsNone() throws Exception {
        String given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        for (int sample : new int[] {0, 100}) {
            try (RawOrigin origin = RawOrigin.manual();
                    RunningGate gate = RunningGate.start(new GateSettings(GateSettings.DEFAULT.timeouts(), GateSettings.DEFAULT.limits(), List.of(), GateSettings.DEFAULT.upstreamTls(), sample))
                            .routeTo(origin.port());
                    RawClient client = gate.connect()) {
                client.send("GET / HTTP/1.1\r\nHost: h\r\ntraceparent: nonsense\r\n\r\n");
                RawClient server = origin.accept();
                String started = server.readHead();
                Matcher field = Pattern.compile("\r\ntraceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-0([01])\r\n").matcher(started);
                assertTrue(field.find() && !started.contains("nonsense"), started);
                assertEquals(sample == 100 ? "1" : "0", field.group(3));
                server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                client.readHead();
                RunningGate.Logged logged = gate.logged();
                assertEquals(field.group(1), logged.traceId());
                assertEquals(field.group(2), logged.spanId());
                client.send("GET / HTTP/1.1\r\nHost: h\r\ntraceparent: " + given + "\r\n\r\n");
                assertTrue(server.readHead().contains("\r\ntraceparent: " + given + "\r\n"), "one that came is passed on");
            }
        }
    }

    @Test
    void forwardsTargetHostAndFieldsUntouched() throws Exception {
        client.send("GET /a/../b%2Fc//d?x=%41 HTTP/1.1\r\nHost: Shop.example.com:8080\r\nAccept: */*\r\nX-a:1\r\n\r\n");
        RawClient server = origin.accept();
        String head = server.readHead();
        assertTrue(head.startsWith("GET /a/../b%2Fc//d?x=%41 HTTP/1.1\r\nHost: Shop.example.com:8080\r\nAccept: */*\r\nX-a:1\r\n"), head);
        server.send("HTTP/1.1 418 I'm a teapot\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n\r\nhello");
        String response = client.readHead();
        assertTrue(response.startsWith("HTTP/1.1 418 I'm a teapot\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n"), response);
        assertEquals("hello", client.read(5));
        RunningGate.Logged logged = gate.logged();
        assertEquals(418, logged.status());
        assertEquals(Cause.OK, logged.cause());
        assertEquals("/a/../b%2Fc//d?x=%41", logged.target());
        assertEquals("Shop.example.com:8080", logged.authority());
        assertEquals("n1/web-" + origin.port(), logged.instance());
        assertEquals(5, logged.responseBodyBytes());
        assertEquals(response.length() + 5, logged.responseBytes());
        assertEquals(1, logged.attempts());
        assertField(response, "X-Request-Id: " + logged.requestId());
        assertField(head, "X-Request-Id: " + logged.requestId());
    }

    @Test
    void replacesForwardedFieldsOfAStranger() throws Exception {
        client.send(head(
                "GET / HTTP/1.1",
                "Host: h:81",
                "X-Forwarded-For: 6.6.6.6",
                "X-Forwarded-Proto: https",
                "X-Forwarded-Host: evil",
                "X-Forwarded-Port: 1",
                "X-Real-IP: 6.6.6.6",
                "Forwarded: for=6.6.6.6",
                "X_Forwarded_For: 6.6.6.6",
                "X-Request-Id: mine"));
        String head = origin.accept().readHead();
        assertField(head, "X-Forwarded-For: 127.0.0.1");
        assertField(head, "X-Forwarded-Proto: http");
        assertField(head, "X-Forwarded-Host: h:81");
        assertField(head, "X-Forwarded-Port: 81");
        assertFalse(head.contains("6.6.6.6"), head);
        assertFalse(head.contains("evil") || head.contains("mine"), head);
    }

    @Test
    void continuesForwardedFieldsOfATrustedProxy() throws Exception {
        GateSettings trusting = new GateSettings(
                GateSettings.DEFAULT.timeouts(), GateSettings.DEFAULT.limits(), List.of(Cidr.parse("127.0.0.0/8"), Cidr.parse("10.0.0.0/8")));
        try (RunningGate behind = RunningGate.start(trusting).routeTo(origin.port());
                RawClient proxy = behind.connect()) {
            proxy.send(head(
                    "GET / HTTP/1.1",
                    "Host: h",
                    "X-Forwarded-For: 6.6.6.6, 192.0.2.7",
                    "X-Forwarded-For: 10.1.1.1:4711",
                    "X-Forwarded-Proto: https",
                    "X-Forwarded-Host: shop",
                    "X-Request-Id: kept-1",
                    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
            RawClient server = origin.accept();
            String head = server.readHead();
            assertField(head, "X-Forwarded-For: 6.6.6.6, 192.0.2.7, 10.1.1.1:4711, 127.0.0.1");
            assertField(head, "X-Forwarded-Proto: https");
            assertField(head, "X-Forwarded-Host: shop");
            assertField(head, "X-Request-Id: kept-1");
            assertField(head, "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
            server.send("HTTP/1.1 204 No Content\r\nX-Request-Id: theirs\r\n\r\n");
            String response = proxy.readHead();
            assertField(response, "X-Request-Id: kept-1");
            assertFalse(response.contains("theirs"));
            RunningGate.Logged logged = behind.logged();
            assertEquals("192.0.2.7", logged.clientIp());
            assertEquals("kept-1", logged.requestId());
            assertEquals("0af7651916cd43dd8448eb211c80319c", logged.traceId());
        }
    }

    @Test
    void dropsHopByHopFieldsBothWays() throws Exception {
        client.send(head(
                "GET / HTTP/1.1",
                "Host: h",
                "Connection: keep-alive, X-Private",
                "X-Private: 1",
                "Keep-Alive: timeout=5",
                "Proxy-Connection: keep-alive",
                "TE: trailers, deflate",
                "Upgrade: h2c",
                "X-Public: 1"));
        RawClient server = origin.accept();
        String head = server.readHead();
        for (String name : List.of("x-private", "keep-alive", "proxy-connection", "upgrade")) {
            assertNoField(head, name);
        }
        assertField(head, "X-Public: 1");
        assertField(head, "TE: trailers");
        assertField(head, "Connection: TE");
        server.send("HTTP/1.1 200 OK\r\nConnection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\nX-Public: 1\r\n\r\n");
        String response = client.readHead();
        for (String name : List.of("x-private", "keep-alive", "connection")) {
            assertNoField(response, name);
        }
        assertField(response, "X-Public: 1");
    }

    @Test
    void doesNotLetAClientNameHostOrOurFieldsAsHopByHop() throws Exception {
        client.send("POST / HTTP/1.1\r\nHost: h\r\nConnection: host, content-length, x-forwarded-for\r\nContent-Length: 2\r\n\r\nhi");
        RawClient server = origin.accept();
        String head = server.readHead();
        assertField(head, "Host: h");
        assertField(head, "Content-Length: 2");
        assertField(head, "X-Forwarded-For: 127.0.0.1");
        assertEquals("hi", server.read(2));
    }

    @Test
    void sendsTheOriginFormOfAnAbsoluteTarget() throws Exception {
        client.send("GET http://real.example?q HTTP/1.1\r\nHost: other\r\n\r\n");
        String head = origin.accept().readHead();
        assertTrue(head.startsWith("GET /?q HTTP/1.1\r\nHost: real.example\r\n"), head);
        assertNoField(head.substring(head.indexOf("Host:") + 5), "host");
        assertField(head, "X-Forwarded-Host: real.example");
    }

    @Test
    void reusesTheConnectionForTheNextRequest() throws Exception {
        RawClient server = null;
        for (int i = 0; i < 3; i++) {
            client.send("GET /" + i + " HTTP/1.1\r\nHost: h\r\n\r\n");
            server = server == null ? origin.accept() : server;
            assertTrue(server.readHead().startsWith("GET /" + i + " "));
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + i);
            client.readHead();
            assertEquals(String.valueOf(i), client.read(1));
            assertEquals(i > 0, gate.logged().reused());
        }
        assertEquals(1, origin.connections.get());
        assertEquals(2, gate.gate().metrics().upstreamReuses());
    }

    @Test
    void answersPipelinedRequestsInOrder() throws Exception {
        client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\nHost: h\r\n\r\n");
        RawClient server = origin.accept();
        assertTrue(server.readHead().startsWith("GET /1 "));
        server.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1");
        assertTrue(server.readHead().startsWith("POST /2 "));
        assertEquals("abc", server.read(3));
        server.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
        assertTrue(server.readHead().startsWith("GET /3 "));
        server.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3");
        for (String body : List.of("1", "2", "3")) {
            client.readHead();
            assertEquals(body, client.read(1));
        }
    }

    @Test
    void passesChunksAndTrailersBothWays() throws Exception {
        client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n5;ext=1\r\nhello\r\n");
        RawClient server = origin.accept();
        String head = server.readHead();
        assertField(head, "Transfer-Encoding: chunked");
        assertEquals("5\r\nhello\r\n", server.read(10));
        client.send("A\r\n0123456789\r\n0\r\nX-Sum: 42\r\nContent-Length: 7\r\n\r\n");
        assertEquals("0123456789|X-Sum: 42", server.readChunked());
        server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-End: yes\r\n\r\n");
        assertField(client.readHead(), "Transfer-Encoding: chunked");
        assertEquals("abc|X-End: yes", client.readChunked());
        RunningGate.Logged logged = gate.logged();
        assertEquals(15, logged.requestBodyBytes());
        assertEquals(3, logged.responseBodyBytes());
    }

    @Test
    void chunksABodyThatEndsWithItsConnection() throws Exception {
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        RawClient server = origin.accept();
        server.readHead();
        server.send("HTTP/1.0 200 OK\r\n\r\nall of it");
        server.close();
        String response = client.readHead();
        assertTrue(response.startsWith("HTTP/1.1 200 OK\r\n"), response);
        assertField(response, "Transfer-Encoding: chunked");
        assertEquals("all of it", client.readChunked());
    }

    @Test
    void closesAfterABodyOfUnknownLengthToAnHttp10Client() throws Exception {
        client.send("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
        RawClient server = origin.accept();
        assertTrue(server.readHead().startsWith("GET / HTTP/1.1\r\n"));
        server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
        String all = client.readToEnd();
        assertTrue(all.endsWith("\r\n\r\nabc"), all);
        assertTrue(all.contains("Connection: close\r\n"), all);
        assertFalse(all.contains("Transfer-Encoding"), all);
    }

    @Test
    void resetsAnHttp10ClientWhenABodyOfUnknownLengthBreaksOff() throws Exception {
        client.send("GET / HTTP/1.0\r\n\r\n");
        RawClient server = origin.accept();
        server.readHead();
        server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
        client.readHead();
        server.close();
        assertTrue(client.readToEnd().endsWith("<reset>"));
        RunningGate.Logged logged = gate.logged();
        assertEquals(Cause.UPSTREAM_RESET_AFTER_RESPONSE, logged.cause());
        assertEquals(Cause.UPSTREAM_RESET_AFTER_RESPONSE, logged.tried().getFirst().result());
    }

    @Test
    void keepsAnHttp10ConnectionOnRequest() throws Exception {
        for (int i = 0; i < 2; i++) {
            client.send("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
            assertField(client.readHead(), "Connection: keep-alive");
            assertEquals("ok", client.read(2));
        }
    }

    @Test
    void sendsNoBodyForHead204And304() throws Exception {
        client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        RawClient server = origin.accept();
        server.readHead();
        server.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        assertField(client.readHead(), "Content-Length: 1000");
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        server.readHead();
        server.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n");
        assertTrue(client.readHead().startsWith("HTTP/1.1 304"));
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        server.readHead();
        server.send("HTTP/1.1 204 No Content\r\n\r\n");
        assertNoField(client.readHead(), "transfer-encoding");
        client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        server.readHead();
        server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        client.readHead();
        client.send("GET /last HTTP/1.1\r\nHost: h\r\n\r\n");
        assertTrue(server.readHead().startsWith("GET /last "), "one connection for all");
    }

    @Test
    void relaysInterimResponses() throws Exception {
        client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        RawClient server = origin.accept();
        assertField(server.readHead(), "Expect: 100-continue");
        server.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
        assertEquals("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", client.readHead());
        assertEquals("HTTP/1.1 100 Continue\r\n\r\n", client.readHead());
        client.send("hi");
        assertEquals("hi", server.read(2));
        server.send("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
        assertTrue(client.readHead().startsWith("HTTP/1.1 201 Created"));
        assertEquals(201, gate.logged().status());
    }

    @Test
    void keepsInterimResponsesFromHttp10() throws Exception {
        client.send("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n");
        RawClient server = origin.accept();
        assertNoField(server.readHead(), "expect");
        server.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        assertTrue(client.readToEnd().startsWith("HTTP/1.1 200 OK\r\n"));
    }

    @Test
    void closesWhenAClientThatWaitsFor100GetsAFinalAnswer() throws Exception {
        client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        RawClient server = origin.accept();
        server.readHead();
        server.send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
        String all = client.readToEnd();
        assertTrue(all.startsWith("HTTP/1.1 417"), all);
        assertTrue(all.contains("Connection: close\r\n"), all);
    }

    @Test
    void deliversAnEarlyResponseWhileTheBodyIsStillComing() throws Exception {
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + "x".repeat(1000));
        RawClient server = origin.accept();
        server.readHead();
        server.send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
        server.close();
        client.send("x".repeat(1000));
        String all = client.readToEnd();
        assertTrue(all.startsWith("HTTP/1.1 413"), all);
        assertTrue(all.endsWith("big"), all);
        assertEquals(413, gate.logged().status());
    }

    @Test
    void cancelsUpstreamWhenTheClientLeaves() throws Exception {
        client.send("GET /left HTTP/1.1\r\nHost: h\r\n\r\n");
        RawClient server = origin.accept();
        server.readHead();
        client.close();
        assertEquals(-1, server.read());
        RunningGate.Logged logged = gate.logged();
        assertEquals(Cause.CLIENT_CLOSED, logged.cause());
        assertEquals(0, logged.status());
        assertEquals("/left", logged.target());
    }

    @Test
    void serves10ConnectionsOnNioAsWell() throws Exception {
        try (RawOrigin answering = RawOrigin.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                RunningGate nio = RunningGate.startOnNio().routeTo(answering.port())) {
            for (int i = 0; i < 10; i++) {
                try (RawClient one = nio.connect()) {
                    one.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
                    assertTrue(one.readToEnd().endsWith("ok"));
                }
            }
        }
    }
}
