package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

/// What is no well-formed HTTP/1 request (RFC 9112): each is answered, logged with its cause, and ends the connection
/// before anything that follows could pass for a request.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RequestFramingTest {
    private static final String SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

    private RawOrigin origin;
    private RunningGate gate;

    @BeforeAll
    void start() {
        origin = RawOrigin.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        gate = RunningGate.start().routeTo(origin.port());
    }

    @AfterAll
    void stop() {
        gate.close();
        origin.close();
    }

    @BeforeEach
    void forget() {
        gate.log.clear();
    }

    static Stream<Arguments> malformed() {
        return Stream.of(
                line("GET", 400),
                line("GET /", 400),
                line("GET / ", 400),
                line("GET  / HTTP/1.1", 400),
                line("GET /  HTTP/1.1", 400),
                line("GET / HTTP/1.1 ", 400),
                line(" GET / HTTP/1.1", 400),
                line("GET\t/ HTTP/1.1", 400),
                line("G(T / HTTP/1.1", 400),
                line("GET /a b HTTP/1.1", 400),
                line("GET /a#b HTTP/1.1", 400),
                line("GET /a\u0001b HTTP/1.1", 400),
                line("GET a HTTP/1.1", 400),
                line("GET * HTTP/1.1", 400),
                line("GET ftp://h/ HTTP/1.1", 400),
                line("GET http:///x HTTP/1.1", 400),
                line("GET http://u@h/x HTTP/1.1", 400),
                line("GET / http/1.1", 400),
                line("GET / HTTP/1.10", 400),
                line("GET / HTTP/11", 400),
                line("GET / HTTP/2.0", 505),
                line("GET / HTTP/0.9", 505),
                line("CONNECT h:443 HTTP/1.1", 501),
                field("Bad Name: x", 400),
                field("Name : x", 400),
                field("Name\t: x", 400),
                field(": x", 400),
                field("Name", 400),
                field("Na\u00e4me: x", 400),
                field("Name: a\u0000b", 400),
                field("Name: a\u007fb", 400),
                field("Name: a\rb", 400),
                field("Name: a\nX: b", 400),
                field("Name: a\r\n folded", 400),
                field("Name: a\r\n\tfolded", 400),
                field("Host: h", 400),
                field("Host: h2", 400),
                arguments("no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 400, Cause.REQUEST_MALFORMED),
                arguments("folded first line", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, Cause.REQUEST_MALFORMED),
                arguments("bare LF after request line", "GET / HTTP/1.1\nHost: h\r\n\r\n", 400, Cause.REQUEST_MALFORMED),
                arguments("bare LF at the end", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400, Cause.REQUEST_MALFORMED),
                arguments("bare CR after request line", "GET / HTTP/1.1\rHost: h\r\n\r\n", 400, Cause.REQUEST_MALFORMED),
                host("h/x"),
                host("u@h"),
                host("h:x"),
                host("h:0"),
                host("h:65536"),
                host("h:1:2"),
                host(":80"),
                host("[::1"),
                host("[::1]x"),
                host("h[::1]"),
                host("a b"),
                length("Content-Length: -1", 400),
                length("Content-Length: +1", 400),
                length("Content-Length: 0x10", 400),
                length("Content-Length: 1 0", 400),
                length("Content-Length:", 400),
                length("Content-Length: 99999999999999999999", 400),
                length("Content-Length: 5, 5", 400),
                length("Content-Length: 5\r\nContent-Length: 5", 400),
                length("Content-Length: 5\r\nContent-Length: 6", 400),
                length("Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
                length("Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
                length("Transfer-Encoding: gzip", 400),
                length("Transfer-Encoding: chunked, gzip", 400),
                length("Transfer-Encoding: gzip, chunked", 501),
                length("Transfer-Encoding: xchunked", 400),
                length("Transfer-Encoding: \"chunked\"", 400),
                length("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
                length("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", 400),
                length("Transfer-Encoding:", 400),
                arguments(
                        "Transfer-Encoding in HTTP/1.0",
                        "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        400,
                        Cause.REQUEST_MALFORMED),
                chunk("x\r\n"),
                chunk("\r\n"),
                chunk("-1\r\n"),
                chunk("1 \r\na\r\n"),
                chunk("+1\r\na\r\n"),
                chunk("0x1\r\na\r\n"),
                chunk("1\na\r\n"),
                chunk("1\ra\r\n"),
                chunk("1\r\nab\r\n"),
                chunk("1\r\na\n"),
                chunk("1\r\na\rx"),
                chunk("ffffffffffffffff\r\n"),
                chunk("1;" + "x".repeat(2000) + "\r\na\r\n"),
                chunk("1;x=\u0001\r\na\r\n"),
                chunk("0\r\nbad trailer\r\n\r\n"),
                chunk("0\r\nA: b\n\r\n"),
                arguments("long line", "GET /" + "x".repeat(9000) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414, Cause.REQUEST_LINE_TOO_LONG),
                arguments("long line without end", "GET /" + "x".repeat(20_000), 414, Cause.REQUEST_LINE_TOO_LONG),
                arguments("long field", "GET / HTTP/1.1\r\nHost: h\r\nA: " + "x".repeat(17_000) + "\r\n\r\n", 431, Cause.HEADER_TOO_LARGE),
                arguments("long field without end", "GET / HTTP/1.1\r\nHost: h\r\nA: " + "x".repeat(40_000), 431, Cause.HEADER_TOO_LARGE),
                arguments("long name", "GET / HTTP/1.1\r\nHost: h\r\n" + "x".repeat(40_000), 431, Cause.HEADER_TOO_LARGE),
                arguments("long section", "GET / HTTP/1.1\r\nHost: h\r\n" + ("A: " + "x".repeat(9_000) + "\r\n").repeat(9) + "\r\n", 431, Cause.HEADER_TOO_LARGE),
                arguments("many fields", "GET / HTTP/1.1\r\nHost: h\r\n" + "A: b\r\n".repeat(1000) + "\r\n", 431, Cause.HEADER_TOO_LARGE));
    }

    private static Arguments line(String line, int status) {
        Cause cause = line.startsWith("CONNECT") ? Cause.METHOD_NOT_ALLOWED : Cause.REQUEST_MALFORMED;
        return arguments(line, line + "\r\nHost: h\r\n\r\n", status, cause);
    }

    private static Arguments field(String field, int status) {
        return arguments(field, "GET / HTTP/1.1\r\nHost: h\r\n" + field + "\r\n\r\n", status, Cause.REQUEST_MALFORMED);
    }

    private static Arguments host(String host) {
        return arguments("Host " + host, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n", 400, Cause.REQUEST_MALFORMED);
    }

    private static Arguments length(String fields, int status) {
        String request = "POST / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n\r\n0\r\n\r\n";
        return arguments(fields, request, status, Cause.REQUEST_MALFORMED);
    }

    private static Arguments chunk(String chunks) {
        String request = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
        return arguments("chunk " + chunks, request, 400, Cause.REQUEST_MALFORMED);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("malformed")
    void refusesAndCloses(String name, String request, int status, Cause cause) throws Exception {
        try (RawClient client = gate.connect()) {
            client.send(request + SMUGGLED);
            String all = client.readToEnd();
            assertTrue(all.startsWith("HTTP/1.1 " + status + " "), name + ": " + all);
            assertEquals(all.indexOf("HTTP/1.1"), all.lastIndexOf("HTTP/1.1"), "one response: " + all);
            assertTrue(all.contains("\r\nConnection: close\r\n"), all);
            RunningGate.Logged logged = gate.logged();
            assertEquals(status, logged.status());
            assertEquals(cause, logged.cause());
            assertFalse(logged.requestId().isEmpty());
        }
    }

    static Stream<String> wellFormed() {
        return Stream.of(
                "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
                "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
                "GET / HTTP/1.1\r\nHost:h\r\n\r\n",
                "GET / HTTP/1.1\r\nhOST: \t h \t \r\n\r\n",
                "GET / HTTP/1.1\r\nHost: h:8080\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: h:\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
                "GET / HTTP/1.1\r\nHost:\r\n\r\n",
                "GET / HTTP/1.2\r\nHost: h\r\n\r\n",
                "GET http://h/x?y HTTP/1.1\r\nHost: other\r\n\r\n",
                "GET HTTPS://h HTTP/1.1\r\nHost: h\r\n\r\n",
                "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
                "OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n",
                "GET /\u00e4\u0080?{}|^\"<> HTTP/1.1\r\nHost: h\r\n\r\n",
                "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: h\r\nEmpty:\r\nLatin: \u00e4\u00ff\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    }

    @ParameterizedTest
    @MethodSource("wellFormed")
    void takesWhatIsUnusualButClear(String request) throws Exception {
        try (RawClient client = gate.connect()) {
            client.send(request);
            assertTrue(client.readHead().startsWith("HTTP/1.1 200 OK\r\n"));
            assertEquals("ok", client.read(2));
            assertEquals(Cause.OK, gate.logged().cause());
            client.send("GET /again HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(client.readHead().startsWith("HTTP/1.1 200 OK\r\n"), "connection goes on");
            assertEquals("/again", gate.logged().target());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/%00", "/%zz", "/a/../../b"})
    void refusesAPathThatMeansNothingAndGoesOn(String target) throws Exception {
        try (RawClient client = gate.connect()) {
            client.send("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n");
            String head = client.readHead();
            assertTrue(head.startsWith("HTTP/1.1 400 "), head);
            assertEquals("400 Bad Request: request_malformed\n", client.read(35));
            assertEquals(Cause.REQUEST_MALFORMED, gate.logged().cause());
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            assertTrue(client.readHead().startsWith("HTTP/1.1 200 "));
            assertEquals(200, gate.logged().status());
        }
    }

    @Test
    void readsARequestThatComesByteByByte() throws Exception {
        try (RawClient client = gate.connect()) {
            String request = "\r\nGET /slow?x HTTP/1.1\r\nHost: h\r\nUser-Agent: \t curl \r\nEmpty:\r\n\r\n";
            for (int i = 0; i < request.length(); i++) {
                client.send(request.substring(i, i + 1));
            }
            assertTrue(client.readHead().startsWith("HTTP/1.1 200 OK\r\n"));
            RunningGate.Logged logged = gate.logged();
            assertEquals("/slow?x", logged.target());
            assertEquals("curl", logged.userAgent());
        }
    }

    @Test
    void logsARequestThatBreaksOffInItsHead() throws Exception {
        try (RawClient client = gate.connect()) {
            client.send("GET /broken HTTP/1.1\r\nHos");
            client.shutdownOutput();
            RunningGate.Logged logged = gate.logged();
            assertEquals(0, logged.status());
            assertEquals(Cause.CLIENT_CLOSED, logged.cause());
            assertEquals("/broken", logged.target());
        }
    }
}
