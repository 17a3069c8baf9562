package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.proxy.RawHttp2.Frame;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.SelfSigned;
import io.netty.handler.codec.http2.Http2Error;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static dev.gatepost.gateway.proxy.RawHttp2.ACK;
import static dev.gatepost.gateway.proxy.RawHttp2.CONTINUATION;
import static dev.gatepost.gateway.proxy.RawHttp2.DATA;
import static dev.gatepost.gateway.proxy.RawHttp2.END_HEADERS;
import static dev.gatepost.gateway.proxy.RawHttp2.END_STREAM;
import static dev.gatepost.gateway.proxy.RawHttp2.GOAWAY;
import static dev.gatepost.gateway.proxy.RawHttp2.HEADERS;
import static dev.gatepost.gateway.proxy.RawHttp2.PING;
import static dev.gatepost.gateway.proxy.RawHttp2.PRIORITY;
import static dev.gatepost.gateway.proxy.RawHttp2.RST_STREAM;
import static dev.gatepost.gateway.proxy.RawHttp2.SETTINGS;
import static dev.gatepost.gateway.proxy.RawHttp2.WINDOW_UPDATE;
import static dev.gatepost.gateway.proxy.RawHttp2.block;
import static dev.gatepost.gateway.proxy.RawHttp2.number;
import static dev.gatepost.gateway.proxy.RawHttp2.request;
import static io.netty.handler.codec.http2.Http2Error.COMPRESSION_ERROR;
import static io.netty.handler.codec.http2.Http2Error.FLOW_CONTROL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.FRAME_SIZE_ERROR;
import static io.netty.handler.codec.http2.Http2Error.PROTOCOL_ERROR;
import static io.netty.handler.codec.http2.Http2Error.STREAM_CLOSED;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/// What RFC 9113 and RFC 7541 ask of a server, section by section: for each fault the reach of the reaction (the connection
/// or the stream alone) and its error codes, and what must be borne.
final class Http2ConformanceTest {
    private static final int PUSH_PROMISE = 5;
    private static final int UNKNOWN = 0x42;
    private static final int PADDED = 8;
    private static final int WITH_PRIORITY = 0x20;
    private static final byte[] NOTHING = new byte[0];
    private static final byte[] LOOK = {1, 2, 3, 4, 5, 6, 7, 8};

    private static Certificates certificates;
    private static RawOrigin origin;
    private static RunningGate gate;

    /// @param section of RFC 9113 where nothing else is said
    record Case(String section, String what, Consumer<RawHttp2> act, Consumer<RawHttp2> expectation) {
        @Override
        public String toString() {
            return section + " " + what;
        }
    }

    @BeforeAll
    static void start() throws IOException {
        certificates = Certificates.of(SelfSigned.certificate(List.of("localhost")));
        origin = RawOrigin.scripted((connection, _) -> {
            while (true) {
                // A request for /wait is never answered.
                if (!connection.readHead().contains(" /wait")) {
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
                }
            }
        });
        gate = RunningGate.startTls(GateSettings.DEFAULT, certificates);
        gate.routeTo(origin.port());
    }

    @AfterAll
    static void stop() throws IOException {
        gate.close();
        origin.close();
        certificates.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"INVALID CONNECTION PREFACE\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\n\n"})
    void endsAConnectionThatBeginsWithoutThePreface(String bytes) {
        try (RawHttp2 client = RawHttp2.connectInSilence(gate.tlsPort())) {
            client.send(bytes.getBytes(StandardCharsets.ISO_8859_1));
            connectionError(PROTOCOL_ERROR).accept(client);
        }
    }

    @Test
    void endsAConnectionWhosePrefaceIsNotFollowedBySettings() {
        try (RawHttp2 client = RawHttp2.connectInSilence(gate.tlsPort())) {
            client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1)).frame(PING, 0, 0, LOOK);
            connectionError(PROTOCOL_ERROR).accept(client);
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void reactsAsTheRfcSays(Case each) {
        try (RawHttp2 client = RawHttp2.connect(gate.tlsPort())) {
            each.act().accept(client);
            each.expectation().accept(client);
        }
    }

    // ---- what is expected ------------------------------------------------------------------------------------------

    private static Consumer<RawHttp2> connectionError(Http2Error... codes) {
        return client -> {
            Frame frame = client.next();
            while (frame.type() != GOAWAY) {
                assertTrue(frame.type() >= 0, "closed without GOAWAY");
                frame = client.next();
            }
            assertEquals(named(codes), named(codes, frame.number(4)));
            while (frame.type() >= 0) {
                frame = client.next(); // section 5.4.1: the connection is closed after it
            }
        };
    }

    private static Consumer<RawHttp2> streamError(int stream, Http2Error... codes) {
        return client -> {
            Frame frame = client.next();
            while (frame.type() != RST_STREAM || frame.stream() != stream) {
                assertTrue(frame.type() >= 0 && frame.type() != GOAWAY, "the connection ended: " + frame);
                frame = client.next();
            }
            assertEquals(named(codes), named(codes, frame.number(0)));
            alive(client);
        };
    }

    /// The codes' names, or, when the one that was seen is none of them, that one's.
    private static Set<String> named(Http2Error[] codes, int seen) {
        return Stream.of(codes).anyMatch(code -> code.code() == seen) ? named(codes) : Set.of("error " + seen);
    }

    private static Set<String> named(Http2Error... codes) {
        return Stream.of(codes).map(Http2Error::name).collect(Collectors.toSet());
    }

    private static void alive(RawHttp2 client) {
        client.frame(PING, 0, 0, LOOK);
        Frame frame = client.next();
        while (frame.type() != PING) {
            if (frame.type() < 0 || frame.type() == GOAWAY) {
                fail("the connection ended: " + frame);
            }
            frame = client.next();
        }
        assertEquals(ACK, frame.flags());
        assertArrayEquals(LOOK, frame.payload());
    }

    private static Consumer<RawHttp2> answered(int stream) {
        return client -> {
            RawHttp2.Response response = client.response(stream);
            assertEquals("200", response.status());
            assertEquals("hello", response.body());
        };
    }

    // ---- what is sent ----------------------------------------------------------------------------------------------

    private static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(hex);
    }

    /// One SETTINGS parameter.
    private static byte[] setting(int identifier, long value) {
        return bytes(String.format("%04x%08x", identifier, value));
    }

    private static byte[] get(String path) {
        return block(request("GET", path));
    }

    private static byte[] post(String path, String... fields) {
        return block(request("POST", path, fields));
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /// A request that waits for its answer, the client's side closed.
    private static RawHttp2 waiting(RawHttp2 client, int stream) {
        return client.frame(HEADERS, END_HEADERS | END_STREAM, stream, get("/wait"));
    }

    /// A request whose body is still to come.
    private static RawHttp2 open(RawHttp2 client, int stream) {
        return client.frame(HEADERS, END_HEADERS, stream, post("/wait"));
    }

    /// A request that has been answered in full.
    private static RawHttp2 over(RawHttp2 client, int stream) {
        client.frame(HEADERS, END_HEADERS | END_STREAM, stream, get("/"));
        client.response(stream);
        return client;
    }

    private static Case faulty(String section, String what, Consumer<RawHttp2> act, Http2Error... codes) {
        return new Case(section, what, act, connectionError(codes));
    }

    private static Case faultyStream(String section, String what, Consumer<RawHttp2> act, Http2Error... codes) {
        return new Case(section, what, act, streamError(1, codes));
    }

    private static Case borne(String section, String what, Consumer<RawHttp2> act) {
        return new Case(section, what, act, Http2ConformanceTest::alive);
    }

    private static Case served(String section, String what, Consumer<RawHttp2> act) {
        return new Case(section, what, act, answered(1));
    }

    /// A request with such fields besides or instead of the usual ones is malformed (section 8.1.1).
    private static Case malformed(String section, String what, String... fields) {
        return faultyStream(section, what, client -> client.headers(1, true, fields), PROTOCOL_ERROR);
    }

    static Stream<Case> reactsAsTheRfcSays() {
        return Stream.of(framing(), states(), frames(), settingsAndWindows(), continuations(), messages(), fieldCompression()).flatMap(List::stream);
    }

    private static List<Case> framing() {
        return List.of(
                borne("4.1", "a frame of unknown type", c -> c.frame(UNKNOWN, 0, 0, LOOK)),
                borne("4.1", "a frame of unknown type on a stream nobody opened", c -> c.frame(UNKNOWN, 0xff, 7, LOOK)),
                borne("4.1", "undefined flags", c -> c.frame(SETTINGS, 0xfe, 0, NOTHING)),
                served("4.1", "the reserved bit before the stream's number", c -> c.frame(HEADERS, END_HEADERS | END_STREAM, 1 | 1 << 31, get("/"))),
                borne("4.2", "DATA as long as a frame may be", c -> open(c, 1).frame(DATA, 0, 1, new byte[16_384])),
                faulty("4.2", "HEADERS that are longer", c -> c.frame(HEADERS, END_HEADERS | END_STREAM, 1, joined(get("/"), new byte[16_385])), FRAME_SIZE_ERROR),
                faulty("4.2", "SETTINGS that are longer", c -> c.frame(SETTINGS, 0, 0, new byte[6 * 2731]), FRAME_SIZE_ERROR),
                new Case("4.2", "DATA that is longer", c -> open(c, 1).frame(DATA, 0, 1, new byte[16_385]), connectionError(FRAME_SIZE_ERROR)),
                faulty("4.3", "PRIORITY inside a field block", c -> c.frame(HEADERS, END_STREAM, 1, get("/")).frame(PRIORITY, 0, 1, bytes("0000000000")), PROTOCOL_ERROR),
                faulty("4.3", "another stream's HEADERS inside a field block", c -> c.frame(HEADERS, END_STREAM, 1, get("/")).frame(HEADERS, END_STREAM, 3, get("/")), PROTOCOL_ERROR),
                faulty("5.5", "a frame of unknown type inside a field block", c -> c.frame(HEADERS, END_STREAM, 1, get("/")).frame(UNKNOWN, 0, 1, LOOK), PROTOCOL_ERROR));
    }

    private static List<Case> states() {
        return List.of(
                faulty("5.1", "DATA on an idle stream", c -> c.frame(DATA, END_STREAM, 1, LOOK), PROTOCOL_ERROR),
                faulty("5.1", "RST_STREAM on an idle stream", c -> c.frame(RST_STREAM, 0, 1, number(8)), PROTOCOL_ERROR),
                faulty("5.1", "WINDOW_UPDATE on an idle stream", c -> c.frame(WINDOW_UPDATE, 0, 1, number(8)), PROTOCOL_ERROR),
                faulty("5.1", "CONTINUATION on an idle stream", c -> c.frame(CONTINUATION, END_HEADERS, 1, get("/")), PROTOCOL_ERROR),
                borne("5.1", "PRIORITY on an idle stream", c -> c.frame(PRIORITY, 0, 9, bytes("0000000000"))),
                faultyStream("5.1", "DATA after the end of the request", c -> waiting(c, 1).frame(DATA, END_STREAM, 1, LOOK), STREAM_CLOSED),
                faultyStream("5.1", "HEADERS after the end of the request", c -> waiting(c, 1).frame(HEADERS, END_HEADERS | END_STREAM, 1, get("/")), STREAM_CLOSED),
                faulty("5.1", "CONTINUATION after the end of the request", c -> waiting(c, 1).frame(CONTINUATION, END_HEADERS, 1, get("/")), PROTOCOL_ERROR),
                borne("5.1", "WINDOW_UPDATE after the end of the request", c -> waiting(c, 1).frame(WINDOW_UPDATE, 0, 1, number(8))),
                faultyStream("5.1", "DATA after RST_STREAM", c -> open(c, 1).frame(RST_STREAM, 0, 1, number(8)).frame(DATA, END_STREAM, 1, LOOK), STREAM_CLOSED),
                faultyStream("5.1", "HEADERS after RST_STREAM", c -> open(c, 1).frame(RST_STREAM, 0, 1, number(8)).frame(HEADERS, END_HEADERS | END_STREAM, 1, get("/")), STREAM_CLOSED),
                faulty("5.1", "CONTINUATION after RST_STREAM", c -> open(c, 1).frame(RST_STREAM, 0, 1, number(8)).frame(CONTINUATION, END_HEADERS, 1, get("/")), PROTOCOL_ERROR),
                borne("5.1", "WINDOW_UPDATE, RST_STREAM and PRIORITY after the response",
                        c -> over(c, 1).frame(WINDOW_UPDATE, 0, 1, number(8)).frame(RST_STREAM, 0, 1, number(8)).frame(PRIORITY, 0, 1, bytes("0000000000"))),
                new Case("5.1", "DATA after the response", c -> over(c, 1).frame(DATA, END_STREAM, 1, LOOK), Http2ConformanceTest::closedEitherWay),
                faulty("5.1", "HEADERS after the response", c -> over(c, 1).frame(HEADERS, END_HEADERS | END_STREAM, 1, get("/")), STREAM_CLOSED),
                served("5.1.1", "a higher number than the next", c -> c.frame(HEADERS, END_HEADERS | END_STREAM, 1, get("/")).frame(HEADERS, END_HEADERS | END_STREAM, 9, get("/wait"))),
                faulty("5.1.1", "an even number", c -> c.frame(HEADERS, END_HEADERS | END_STREAM, 2, get("/")), PROTOCOL_ERROR),
                faulty("5.1.1", "a lower number than before", c -> waiting(c, 5).frame(HEADERS, END_HEADERS | END_STREAM, 3, get("/")), PROTOCOL_ERROR),
                faulty("8.4", "PUSH_PROMISE from a client", c -> open(c, 1).frame(PUSH_PROMISE, END_HEADERS, 1, joined(number(2), get("/"))), PROTOCOL_ERROR));
    }

    /// A server may forget a closed stream, and then it cannot tell whether it was closed by both or never opened.
    private static void closedEitherWay(RawHttp2 client) {
        Frame frame = client.next();
        while (frame.type() != RST_STREAM && frame.type() != GOAWAY) {
            assertTrue(frame.type() >= 0, "closed without a word");
            frame = client.next();
        }
        long code = frame.number(frame.type() == GOAWAY ? 4 : 0);
        assertTrue(code == STREAM_CLOSED.code() || (frame.type() == GOAWAY && code == PROTOCOL_ERROR.code()), "error " + code);
    }

    private static List<Case> frames() {
        return List.of(
                faulty("6.1", "DATA on stream 0", c -> c.frame(DATA, END_STREAM, 0, LOOK), PROTOCOL_ERROR),
                faulty("6.1", "DATA padded longer than it is", c -> open(c, 1).frame(DATA, END_STREAM | PADDED, 1, bytes("0600000000")), PROTOCOL_ERROR),
                faultyStream("6.1", "padded DATA without a length", c -> open(c, 1).frame(DATA, END_STREAM | PADDED, 1, NOTHING), FRAME_SIZE_ERROR),
                faulty("6.2", "HEADERS on stream 0", c -> c.frame(HEADERS, END_HEADERS | END_STREAM, 0, get("/")), PROTOCOL_ERROR),
                faulty("6.2", "HEADERS padded longer than they are", c -> c.frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, joined(bytes("ff"), get("/"))), PROTOCOL_ERROR),
                served("6.2", "padded HEADERS with a priority",
                        c -> c.frame(HEADERS, END_HEADERS | END_STREAM | PADDED | WITH_PRIORITY, 1, joined(joined(bytes("02800000000f"), get("/")), new byte[2]))),
                faulty("6.3", "PRIORITY on stream 0", c -> c.frame(PRIORITY, 0, 0, bytes("0000000000")), PROTOCOL_ERROR),
                faultyStream("6.3", "PRIORITY of four bytes", c -> waiting(c, 1).frame(PRIORITY, 0, 1, bytes("00000000")), FRAME_SIZE_ERROR),
                faulty("6.4", "RST_STREAM on stream 0", c -> c.frame(RST_STREAM, 0, 0, number(8)), PROTOCOL_ERROR),
                faulty("6.4", "RST_STREAM of three bytes", c -> open(c, 1).frame(RST_STREAM, 0, 1, bytes("000008")), FRAME_SIZE_ERROR),
                borne("6.7", "PING", c -> {}),
                borne("6.7", "an answer to no PING", c -> c.frame(PING, ACK, 0, bytes("0000000000000000"))),
                faulty("6.7", "PING on a stream", c -> open(c, 1).frame(PING, 0, 1, LOOK), PROTOCOL_ERROR),
                faulty("6.7", "PING of six bytes", c -> c.frame(PING, 0, 0, new byte[6]), FRAME_SIZE_ERROR),
                faulty("6.8", "GOAWAY on a stream", c -> open(c, 1).frame(GOAWAY, 0, 1, new byte[8]), PROTOCOL_ERROR),
                faulty("6.8", "GOAWAY of four bytes", c -> c.frame(GOAWAY, 0, 0, new byte[4]), FRAME_SIZE_ERROR),
                borne("7", "RST_STREAM with an unknown code", c -> open(c, 1).frame(RST_STREAM, 0, 1, number(0xff))));
    }

    private static List<Case> settingsAndWindows() {
        return List.of(
                faulty("6.5", "SETTINGS with ACK and a parameter", c -> c.frame(SETTINGS, ACK, 0, setting(3, 1)), FRAME_SIZE_ERROR),
                faulty("6.5", "SETTINGS on a stream", c -> open(c, 1).frame(SETTINGS, 0, 1, setting(3, 1)), PROTOCOL_ERROR),
                faulty("6.5", "SETTINGS of three bytes", c -> c.frame(SETTINGS, 0, 0, new byte[3]), FRAME_SIZE_ERROR),
                faulty("6.5.2", "ENABLE_PUSH 2", c -> c.frame(SETTINGS, 0, 0, setting(2, 2)), PROTOCOL_ERROR),
                faulty("6.5.2", "INITIAL_WINDOW_SIZE 2^31", c -> c.frame(SETTINGS, 0, 0, setting(4, 1L << 31)), FLOW_CONTROL_ERROR),
                faulty("6.5.2", "MAX_FRAME_SIZE 16,383", c -> c.frame(SETTINGS, 0, 0, setting(5, 16_383)), PROTOCOL_ERROR),
                faulty("6.5.2", "MAX_FRAME_SIZE 2^24", c -> c.frame(SETTINGS, 0, 0, setting(5, 1 << 24)), PROTOCOL_ERROR),
                borne("6.5.2", "an unknown parameter", c -> c.frame(SETTINGS, 0, 0, setting(0xff, 1))),
                new Case("6.5.3", "SETTINGS are acknowledged", c -> c.await(SETTINGS), Http2ConformanceTest::acknowledges),
                new Case("6.5.3", "of two values the later counts", c -> c.frame(SETTINGS, 0, 0, joined(setting(4, 100), setting(4, 1))).get(1, "/"),
                        c -> assertEquals(1, c.await(DATA).payload().length)),
                faulty("6.9", "WINDOW_UPDATE by 0", c -> c.frame(WINDOW_UPDATE, 0, 0, number(0)), PROTOCOL_ERROR),
                faultyStream("6.9", "WINDOW_UPDATE by 0 on a stream", c -> open(c, 1).frame(WINDOW_UPDATE, 0, 1, number(0)), PROTOCOL_ERROR),
                faulty("6.9", "WINDOW_UPDATE of three bytes", c -> c.frame(WINDOW_UPDATE, 0, 0, new byte[3]), FRAME_SIZE_ERROR),
                faulty("6.9.1", "a window beyond 2^31-1", c -> c.frame(WINDOW_UPDATE, 0, 0, number(Integer.MAX_VALUE)), FLOW_CONTROL_ERROR),
                faultyStream("6.9.1", "a stream's window beyond 2^31-1", c -> open(c, 1).frame(WINDOW_UPDATE, 0, 1, number(Integer.MAX_VALUE)), FLOW_CONTROL_ERROR),
                new Case("6.9.2", "a larger initial window lets a waiting body go on", c -> {
                    c.frame(SETTINGS, 0, 0, setting(4, 0)).get(1, "/");
                    c.await(HEADERS);
                    c.frame(SETTINGS, 0, 0, setting(4, 1));
                }, c -> assertEquals(1, c.await(DATA).payload().length)),
                new Case("6.9.2", "a window below 0 is made good first", c -> {
                    c.frame(SETTINGS, 0, 0, setting(4, 3)).get(1, "/");
                    assertEquals(3, c.await(DATA).payload().length);
                    // 3 spent of 2: one below 0, and two more let one byte go.
                    c.frame(SETTINGS, 0, 0, setting(4, 2)).frame(WINDOW_UPDATE, 0, 1, number(2));
                }, c -> assertEquals(1, c.await(DATA).payload().length)));
    }

    private static void acknowledges(RawHttp2 client) {
        Frame frame = client.await(SETTINGS);
        assertEquals(ACK, frame.flags());
        assertEquals(0, frame.payload().length);
    }

    private static List<Case> continuations() {
        byte[] block = get("/");
        byte[] head = Arrays.copyOf(block, 10);
        byte[] rest = Arrays.copyOfRange(block, 10, block.length);
        return List.of(
                served("6.10", "a block in three frames", c -> c.frame(HEADERS, END_STREAM, 1, head).frame(CONTINUATION, 0, 1, NOTHING).frame(CONTINUATION, END_HEADERS, 1, rest)),
                faulty("6.10", "DATA before the block's end", c -> c.frame(HEADERS, 0, 1, head).frame(DATA, END_STREAM, 1, LOOK), PROTOCOL_ERROR),
                faulty("6.10", "CONTINUATION on stream 0", c -> c.frame(HEADERS, END_STREAM, 1, head).frame(CONTINUATION, END_HEADERS, 0, rest), PROTOCOL_ERROR),
                faulty("6.10", "CONTINUATION on another stream", c -> c.frame(HEADERS, END_STREAM, 1, head).frame(CONTINUATION, END_HEADERS, 3, rest), PROTOCOL_ERROR),
                faulty("6.10", "CONTINUATION after the block's end", c -> open(c, 1).frame(CONTINUATION, END_HEADERS, 1, rest), PROTOCOL_ERROR),
                faulty("6.10", "CONTINUATION after DATA", c -> open(c, 1).frame(DATA, 0, 1, LOOK).frame(CONTINUATION, END_HEADERS, 1, rest), PROTOCOL_ERROR));
    }

    private static List<Case> messages() {
        return List.of(
                faultyStream("8.1", "a second HEADERS that does not end the request", c -> open(c, 1).headers(1, false, "x-a=1"), PROTOCOL_ERROR),
                malformed("8.2.1", "an upper-case name", request("GET", "/", "X-Upper=1")),
                malformed("8.2.1", "a name with a space", request("GET", "/", "x upper=1")),
                malformed("8.2.1", "a value with a line feed", request("GET", "/", "x-a=1\n2")),
                malformed("8.2.1", "a value that begins with a space", request("GET", "/", "x-a= 1")),
                malformed("8.2.2", "connection", request("GET", "/", "connection=keep-alive")),
                malformed("8.2.2", "transfer-encoding", request("POST", "/", "transfer-encoding=chunked")),
                malformed("8.2.2", "te with more than trailers", request("GET", "/", "te=trailers, deflate")),
                malformed("8.3", "an unknown pseudo-header field", request("GET", "/", ":own=1")),
                malformed("8.3", "a response's pseudo-header field", request("GET", "/", ":status=200")),
                malformed("8.3", "a pseudo-header field after others", ":method=GET", ":scheme=https", "x-a=1", ":path=/", ":authority=localhost"),
                faultyStream("8.3", "a pseudo-header field in trailers", c -> open(c, 1).headers(1, true, ":method=POST"), PROTOCOL_ERROR),
                malformed("8.3.1", "an empty :path", ":method=GET", ":scheme=https", ":path=", ":authority=localhost"),
                malformed("8.3.1", "no :method", ":scheme=https", ":path=/", ":authority=localhost"),
                malformed("8.3.1", "no :scheme", ":method=GET", ":path=/", ":authority=localhost"),
                malformed("8.3.1", "no :path", ":method=GET", ":scheme=https", ":authority=localhost"),
                malformed("8.3.1", "two of :method", ":method=GET", ":method=GET", ":scheme=https", ":path=/", ":authority=localhost"),
                malformed("8.3.1", "two of :scheme", ":method=GET", ":scheme=https", ":scheme=https", ":path=/", ":authority=localhost"),
                malformed("8.3.1", "two of :path", ":method=GET", ":scheme=https", ":path=/", ":path=/", ":authority=localhost"),
                malformed("8.3.1", "a host that is not :authority", request("GET", "/", "host=elsewhere")),
                faultyStream("8.1.1", "a body shorter than its content-length", c -> c.frame(HEADERS, END_HEADERS, 1, post("/", "content-length=9")).frame(DATA, END_STREAM, 1, LOOK), PROTOCOL_ERROR),
                faultyStream("8.1.1", "a body longer than its content-length, in two frames",
                        c -> c.frame(HEADERS, END_HEADERS, 1, post("/", "content-length=9")).frame(DATA, 0, 1, LOOK).frame(DATA, END_STREAM, 1, LOOK), PROTOCOL_ERROR),
                faultyStream("8.1.1", "a content-length and no body", c -> c.frame(HEADERS, END_HEADERS | END_STREAM, 1, post("/", "content-length=1")), PROTOCOL_ERROR));
    }

    /// RFC 7541.
    private static List<Case> fieldCompression() {
        return List.of(
                undecodable("RFC 7541 2.3.3", "an index beyond the tables", "ff00"),
                undecodable("RFC 7541 6.1", "index 0", "80"),
                undecodable("RFC 7541 4.2", "a table size at the block's end", "20"),
                undecodable("RFC 7541 5.2", "a padding of more than seven bits", "0085f2b24a84ff874951fffffffa7f"),
                undecodable("RFC 7541 5.2", "a padding that is not the end-of-string's", "0085f2b24a84ff83497c"),
                undecodable("RFC 7541 5.2", "the end-of-string symbol", "0085f2b24a84ff874951fffffffa7f"),
                new Case("RFC 7541 6.3", "a table size above the limit", c -> c.frame(HEADERS, END_HEADERS | END_STREAM, 1, joined(bytes("3fe21f"), get("/"))), connectionError(COMPRESSION_ERROR)));
    }

    private static Case undecodable(String section, String what, String hex) {
        return faulty(section, what, c -> c.frame(HEADERS, END_HEADERS | END_STREAM, 1, joined(get("/"), bytes(hex))), COMPRESSION_ERROR);
    }
}
