package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord.Protocol;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.SelfSigned;
import io.netty.handler.codec.http2.Http2Error;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static dev.gatepost.gateway.proxy.RawHttp2.DATA;
import static dev.gatepost.gateway.proxy.RawHttp2.GOAWAY;
import static dev.gatepost.gateway.proxy.RawHttp2.HEADERS;
import static dev.gatepost.gateway.proxy.RawHttp2.PING;
import static dev.gatepost.gateway.proxy.RawHttp2.RST_STREAM;
import static dev.gatepost.gateway.proxy.RawHttp2.SETTINGS;
import static dev.gatepost.gateway.proxy.RawHttp2.WINDOW_UPDATE;
import static dev.gatepost.gateway.proxy.RawHttp2.number;
import static dev.gatepost.gateway.proxy.RawHttp2.request;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// HTTP/2 clients in front of HTTP/1 endpoints, frame by frame.
final class Http2Test {
    private static final int PROTOCOL_ERROR = (int) Http2Error.PROTOCOL_ERROR.code();
    private static final String HELLO = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    private static Certificates certificates;

    private RunningGate gate;

    @BeforeAll
    static void makeCertificate() throws IOException {
        certificates = Certificates.of(SelfSigned.certificate(List.of("localhost")));
    }

    @AfterAll
    static void closeCertificates() {
        certificates.close();
    }

    @BeforeEach
    void start() {
        gate = RunningGate.startTls(GateSettings.DEFAULT, certificates);
    }

    @AfterEach
    void stop() {
        gate.close();
    }

    private RunningGate restart(GateSettings settings) {
        gate.close();
        gate = RunningGate.startTls(settings, certificates);
        return gate;
    }

    private RawHttp2 connect() {
        return RawHttp2.connect(gate.tlsPort());
    }

    // ---- requests and responses ----

    @Test
    void forwardsARequestAsHttp1AndItsResponseAsFrames() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.headers(
                    1, true, request("GET", "/a%2Fb?q=1", "cookie=a=1", "x-own=2", "cookie=b=2", "te=trailers", "user-agent=raw"));

            RawClient upstream = origin.accept();
            String head = upstream.readHead();
            assertTrue(head.startsWith("GET /a%2Fb?q=1 HTTP/1.1\r\nHost: localhost\r\n"), head);
            assertTrue(head.contains("\r\nx-own: 2\r\n"), head);
            assertTrue(head.contains("\r\ncookie: a=1; b=2\r\n"), head);
            assertTrue(head.contains("\r\nX-Forwarded-Proto: https\r\n"), head);
            assertFalse(head.contains(":method"), head);
            assertFalse(head.contains("Transfer-Encoding"), head);
            upstream.send("HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nX-Up: 1\r\nConnection: keep-alive, X-Gone\r\nX-Gone: 1\r\n"
                    + "Keep-Alive: timeout=5\r\nContent-Length: 5\r\n\r\nhello");

            RawHttp2.Response response = client.response(1);
            assertEquals("200", response.status());
            assertEquals("hello", response.body());
            assertEquals("text/plain", response.head().get("content-type"));
            assertEquals("1", response.head().get("x-up"));
            assertEquals("5", response.head().get("content-length"));
            assertFalse(response.head().containsKey("connection"));
            assertFalse(response.head().containsKey("keep-alive"));
            assertFalse(response.head().containsKey("x-gone"));
            RunningGate.Logged logged = gate.logged();
            assertEquals(200, logged.status());
            assertEquals(Protocol.H2, logged.protocol());
            assertEquals(20, logged.httpVersion());
            assertEquals("/a%2Fb?q=1", logged.target());
            assertEquals("localhost", logged.authority());
            assertEquals("raw", logged.userAgent());
            assertEquals(response.head().get("x-request-id"), logged.requestId());
            assertEquals(5, logged.responseBodyBytes());
            assertTrue(logged.requestBytes() > 60 && logged.responseBytes() > 20, logged.toString());
        }
    }

    @Test
    void servesStreamsSideBySide() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.get(1, "/slow").get(3, "/fast");
            RawClient slow = origin.accept();
            RawClient fast = origin.accept();
            assertTrue(slow.readHead().startsWith("GET /slow"));
            assertTrue(fast.readHead().startsWith("GET /fast"));
            fast.send(HELLO);
            assertEquals("hello", client.response(3).body());
            slow.send(HELLO.replace("hello", "later"));
            assertEquals("later", client.response(1).body());
            assertEquals("/fast", gate.logged().target());
            assertEquals("/slow", gate.logged().target());
        }
    }

    @Test
    void forwardsABodyWithItsTrailers() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.headers(1, false, request("POST", "/", "trailer=x-sum")).data(1, false, "one").data(1, false, "two");
            RawClient upstream = origin.accept();
            assertTrue(upstream.readHead().contains("\r\nTransfer-Encoding: chunked\r\n"));
            client.headers(1, true, "x-sum=42");
            assertTrue(upstream.readChunked().matches("onetwo\\|x-sum: 42"));
            upstream.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nGrpc-Status: 0\r\n\r\n");

            RawHttp2.Response response = client.response(1);
            assertEquals("abc", response.body());
            assertEquals(Map.of("grpc-status", "0"), response.trailers());
            assertEquals(6, gate.logged().requestBodyBytes());
        }
    }

    @Test
    void forwardsABodyOfKnownLengthUnchunked() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.headers(1, false, request("PUT", "/", "content-length=6")).data(1, false, "one").data(1, true, "two");
            RawClient upstream = origin.accept();
            String head = upstream.readHead();
            assertTrue(head.contains("\r\ncontent-length: 6\r\n") && !head.contains("chunked"), head);
            assertEquals("onetwo", upstream.read(6));
            upstream.send("HTTP/1.1 204 No Content\r\n\r\n");
            assertEquals("204", client.response(1).status());
        }
    }

    @Test
    void passesInterimResponsesOn() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.headers(1, false, request("POST", "/", "expect=100-continue", "content-length=2"));
            RawClient upstream = origin.accept();
            assertTrue(upstream.readHead().contains("\r\nexpect: 100-continue\r\n"));
            upstream.send("HTTP/1.1 100 Continue\r\n\r\n");
            RawHttp2.Frame interim = client.await(HEADERS);
            assertEquals(Map.of(":status", "100"), client.decode(interim.payload()));
            assertFalse(interim.endsStream());
            client.data(1, true, "ok");
            assertEquals("ok", upstream.read(2));
            upstream.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HELLO);
            assertEquals("103", client.decode(client.await(HEADERS).payload()).get(":status"));
            assertEquals("hello", client.response(1).body());
        }
    }

    @Test
    void answersHeadWithoutABody() throws Exception {
        try (RawOrigin origin = RawOrigin.answering("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.headers(1, true, request("HEAD", "/"));
            RawHttp2.Frame head = client.await(HEADERS);
            assertTrue(head.endsStream());
            assertEquals("5", client.decode(head.payload()).get("content-length"));
        }
    }

    @Test
    void answersWhatHasNoRouteByItself() throws Exception {
        try (RawHttp2 client = connect()) {
            RawHttp2.Response response = client.get(1, "/nowhere").response(1);
            assertEquals("404", response.status());
            assertFalse(response.body().isEmpty());
            assertEquals(Cause.NO_ROUTE, gate.logged().cause());
        }
    }

    // ---- refusals ----

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            :method=GET :scheme=https :path=/ :authority=a X-Up=1          | 400 | field name
            :method=GET :scheme=https :path=/ :authority=a connection=close | 400 | connection-specific
            :method=GET :scheme=https :path=/ :authority=a te=gzip         | 400 | connection-specific
            :method=GET :scheme=https :authority=a                         | 400 | pseudo-header
            :method=GET :method=GET :scheme=https :path=/ :authority=a     | 400 | pseudo-header
            :method=GET :scheme=https x=1 :path=/ :authority=a             | 400 | pseudo-header
            :method=GET :scheme=gopher :path=/ :authority=a                | 400 | pseudo-header
            :method=GET :scheme=https :path=/ :protocol=websocket          | 400 | pseudo-header
            :method=GET :scheme=https :path=/ :authority=a host=b          | 400 | Host
            :method=GET :scheme=https :path=/ :authority=a@b               | 400 | Host
            :method=GET :scheme=https :path=a :authority=a                 | 400 | request target
            :method=GET :scheme=https :path=/ content-length=1             | 400 | body length
            :method=GET :scheme=https :path=/ content-length=x             | 400 | Content-Length
            """)
    void refusesAMalformedRequestAloneAndLogsIt(String fields, int status, String detail) throws Exception {
        try (RawOrigin origin = RawOrigin.answering(HELLO); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.headers(1, true, fields.strip().split(" ", -1));
            RawHttp2.Response refused = client.response(1, true);
            assertEquals(Integer.toString(status), refused.status());
            assertEquals(PROTOCOL_ERROR, refused.reset());
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.REQUEST_MALFORMED, logged.cause());
            assertTrue(logged.detail().contains(detail), logged.detail());
            assertEquals(20, logged.httpVersion());

            assertEquals("200", client.get(3, "/").response(3).status());
        }
    }

    @Test
    void refusesABodyThatIsNotAsLongAsAnnounced() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.headers(1, false, request("POST", "/", "content-length=3")).data(1, false, "four");
            RawHttp2.Response longer = client.response(1, true);
            assertEquals("400", longer.status());
            assertEquals(PROTOCOL_ERROR, longer.reset());
            assertEquals("body length differs from Content-Length", gate.logged().detail());

            client.headers(3, false, request("POST", "/", "content-length=5")).data(3, true, "four");
            assertEquals(PROTOCOL_ERROR, client.response(3, true).reset());
            client.headers(5, false, request("POST", "/", "content-length=5")).data(5, false, "four").headers(5, true, "x=1");
            assertEquals(PROTOCOL_ERROR, client.response(5, true).reset());
        }
    }

    @Test
    void refusesPseudoHeaderFieldsInTrailers() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.headers(1, false, request("POST", "/")).data(1, false, "x").headers(1, true, ":path=/b");
            RawHttp2.Response refused = client.response(1, true);
            assertEquals("400", refused.status());
            assertEquals(PROTOCOL_ERROR, refused.reset());
        }
    }

    @Test
    void refusesWhatIsOverTheLimits() throws Exception {
        restart(new GateSettings(Timeouts.DEFAULT, new Limits(100, 200, 1000, 10, 100), List.of()));
        try (RawOrigin origin = RawOrigin.answering(HELLO); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            assertEquals("414", client.get(1, "/" + "p".repeat(100)).response(1).status());
            assertEquals(Cause.REQUEST_LINE_TOO_LONG, gate.logged().cause());
            assertEquals("431", client.get(3, "/", "a=" + "v".repeat(200)).response(3).status());
            assertEquals(Cause.HEADER_TOO_LARGE, gate.logged().cause());
            assertEquals("431", client.get(5, "/", "a=" + "v".repeat(190), "b=" + "v".repeat(190), "c=" + "v".repeat(190), "d=" + "v".repeat(190))
                    .response(5).status());
            assertEquals("header section over its limit", gate.logged().detail());
            client.headers(7, false, request("POST", "/")).data(7, false, "eleven char");
            assertEquals("413", client.response(7).status());
            assertEquals(Cause.BODY_TOO_LARGE, gate.logged().cause());
            assertEquals("200", client.get(9, "/").response(9).status());
        }
    }

    @Test
    void announcesItsLimits() {
        try (RawHttp2 client = connect()) {
            byte[] settings = client.await(SETTINGS).payload();
            StringBuilder announced = new StringBuilder();
            for (int i = 0; i < settings.length; i += 6) {
                announced.append(settings[i + 1]).append('=').append(new RawHttp2.Frame(0, 0, 0, settings).number(i + 2)).append(' ');
            }
            assertTrue(announced.toString().contains("3=128 "), announced.toString());
            assertTrue(announced.toString().contains("4=262144 "), announced.toString());
            assertTrue(announced.toString().contains("6=65536 "), announced.toString());
            assertTrue(announced.toString().contains("8=1 "), announced.toString());
        }
    }

    @Test
    void refusesStreamsAboveItsLimitWithoutForwardingThem() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            for (int i = 0; i < 129; i++) {
                client.get(1 + 2 * i, "/");
            }
            RawHttp2.Frame reset = client.await(RST_STREAM);
            assertEquals(257, reset.stream());
            assertEquals((int) Http2Error.REFUSED_STREAM.code(), reset.number(0));
        }
    }

    // ---- what ends a connection ----

    @Test
    void endsTheConnectionWhenAHeaderBlockIsFarOverTheLimit() {
        restart(new GateSettings(Timeouts.DEFAULT, new Limits(100, 200, 1000, 10, 100), List.of()));
        try (RawHttp2 client = connect()) {
            client.get(1, "/", "a=" + "v".repeat(2000));
            client.await(GOAWAY);
        }
    }

    @Test
    void closesAnIdleConnectionWithAGoaway() throws Exception {
        Timeouts d = Timeouts.DEFAULT;
        restart(new GateSettings(
                new Timeouts(d.connect(), d.requestHeader(), d.responseHeader(), d.stream(), Duration.ofMillis(300), d.total(), d.upgraded()),
                Limits.DEFAULT, List.of()));
        try (RawHttp2 client = connect()) {
            assertEquals("404", client.get(1, "/").response(1).status());
            assertTrue(client.endsWith(0));
        }
    }

    // ---- who goes away ----

    @Test
    void givesTheRequestUpWhenItsClientResetsIt() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.get(1, "/");
            RawClient upstream = origin.accept();
            String head = upstream.readHead();
            assertTrue(head.startsWith("GET / "), head);
            client.frame(RST_STREAM, 0, 1, number((int) Http2Error.CANCEL.code()));
            assertEquals(Cause.CLIENT_CLOSED, gate.logged().cause());
            assertEquals("", upstream.readToEnd().replace("<reset>", ""));
            client.frame(PING, 0, 0, new byte[8]);
            assertEquals(RawHttp2.ACK, client.await(PING).flags(), "the connection lives on");
        }
    }

    @Test
    void logsEveryStreamOfAClientThatDisconnects() throws Exception {
        try (RawOrigin origin = RawOrigin.manual()) {
            gate.routeTo(origin.port());
            try (RawHttp2 client = connect()) {
                client.get(1, "/").get(3, "/");
                origin.accept().readHead();
                origin.accept().readHead();
            }
            assertEquals(Cause.CLIENT_CLOSED, gate.logged().cause());
            assertEquals(Cause.CLIENT_CLOSED, gate.logged().cause());
        }
    }

    @Test
    void resetsTheStreamWhenTheEndpointFailsInsideABody() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.get(1, "/");
            RawClient upstream = origin.accept();
            String head = upstream.readHead();
            assertTrue(head.startsWith("GET / "), head);
            upstream.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
            assertEquals("half", new String(client.await(DATA).payload(), ISO_8859_1));
            upstream.close();
            RawHttp2.Frame reset = client.await(RST_STREAM);
            assertEquals((int) Http2Error.INTERNAL_ERROR.code(), reset.number(0));
            assertEquals(Cause.UPSTREAM_RESET_AFTER_RESPONSE, gate.logged().cause());
        }
    }

    @Test
    void asksForNoMoreBodyOnceTheResponseIsComplete() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.headers(1, false, request("POST", "/")).data(1, false, "some");
            RawClient upstream = origin.accept();
            String head = upstream.readHead();
            assertTrue(head.startsWith("POST / "), head);
            upstream.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
            RawHttp2.Response response = client.response(1, true);
            assertEquals("403", response.status());
            assertEquals("no", response.body());
            assertEquals(0, response.reset());
        }
    }

    @Test
    void drainsByFinishingWhatIsInFlight() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.get(1, "/slow");
            RawClient slow = origin.accept();
            assertTrue(slow.readHead().startsWith("GET /slow"));
            CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(() -> gate.gate().drain(Duration.ofSeconds(10)));
            assertEquals(Integer.MAX_VALUE, client.await(GOAWAY).number(0), "the announcement");
            client.get(3, "/crossing");
            RawClient crossing = origin.accept();
            assertTrue(crossing.readHead().startsWith("GET /crossing"), "sent before the client could know");
            crossing.send(HELLO);
            assertEquals(3, client.await(GOAWAY).number(0), "the last call is over");
            slow.send(HELLO);
            assertEquals("hello", client.response(1).body());
            assertEquals(-1, client.next().type());
            assertTrue(drained.get(10, TimeUnit.SECONDS));
        }
    }

    // ---- flow control ----

    @Test
    void readsNoMoreFromTheEndpointThanItsClientTakes() throws Exception {
        long size = 32L << 20;
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.get(1, "/big");
            RawClient upstream = origin.accept();
            assertTrue(upstream.readHead().startsWith("GET /big"));
            AtomicLong taken = new AtomicLong();
            CompletableFuture<Void> sending = CompletableFuture.runAsync(() -> {
                upstream.send("HTTP/1.1 200 OK\r\nContent-Length: " + size + "\r\n\r\n");
                byte[] piece = new byte[64 * 1024];
                for (long sent = 0; sent < size; sent += piece.length) {
                    upstream.send(piece);
                    taken.addAndGet(piece.length);
                }
            });
            long received = 0;
            while (received < 65_535) {
                received += client.await(DATA).payload().length;
            }
            awaitStill(taken);
            assertTrue(taken.get() < size / 2, "the window is shut, and yet the endpoint could send " + taken);

            client.frame(WINDOW_UPDATE, 0, 0, number(Integer.MAX_VALUE - 65_535)).frame(WINDOW_UPDATE, 0, 1, number(Integer.MAX_VALUE - 65_535));
            RawHttp2.Frame frame = client.await(DATA);
            received += frame.payload().length;
            while (!frame.endsStream()) {
                frame = client.await(DATA);
                received += frame.payload().length;
            }
            assertEquals(size, received);
            sending.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void opensTheWindowOnlyAsTheEndpointTakesTheBody() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = connect()) {
            gate.routeTo(origin.port());
            client.headers(1, false, request("POST", "/"));
            RawClient upstream = origin.accept();
            assertTrue(upstream.readHead().startsWith("POST /"));
            // The endpoint reads nothing: what fits into sockets and the window is taken, then no more.
            AtomicLong window = new AtomicLong(65_535);
            AtomicLong streamWindow = new AtomicLong(Http2Connection.STREAM_WINDOW);
            var _ = Thread.startVirtualThread(() -> {
                for (RawHttp2.Frame frame = client.next(); frame.type() >= 0; frame = client.next()) {
                    if (frame.type() == WINDOW_UPDATE) {
                        (frame.stream() == 0 ? window : streamWindow).addAndGet(frame.number(0));
                    }
                }
            });
            byte[] piece = new byte[16 * 1024];
            long sent = 0;
            long still = System.nanoTime();
            while (System.nanoTime() - still < 1_000_000_000L) {
                if (Math.min(window.get(), streamWindow.get()) >= piece.length && sent < 1L << 30) {
                    client.frame(DATA, 0, 1, piece);
                    window.addAndGet(-piece.length);
                    streamWindow.addAndGet(-piece.length);
                    sent += piece.length;
                    still = System.nanoTime();
                } else {
                    Thread.onSpinWait();
                }
            }
            assertTrue(sent < 32L << 20, "the endpoint takes nothing, and yet the client could send " + sent);
            long before = sent;
            var _ = Thread.startVirtualThread(() -> upstream.read(Integer.MAX_VALUE));
            long deadline = System.nanoTime() + 10_000_000_000L;
            while (sent < before + (8 << 20)) {
                assertTrue(System.nanoTime() < deadline, "the window stays shut: " + window + " " + streamWindow);
                if (Math.min(window.get(), streamWindow.get()) >= piece.length) {
                    client.frame(DATA, 0, 1, piece);
                    window.addAndGet(-piece.length);
                    streamWindow.addAndGet(-piece.length);
                    sent += piece.length;
                }
            }
        }
    }

    /// Waits until a number has not changed for a while.
    private static void awaitStill(AtomicLong number) throws InterruptedException {
        long last = -1;
        while (last != number.get()) {
            last = number.get();
            Thread.sleep(300);
        }
    }
}
