package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.SelfSigned;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static dev.gatepost.gateway.proxy.RawHttp2.CONTINUATION;
import static dev.gatepost.gateway.proxy.RawHttp2.END_HEADERS;
import static dev.gatepost.gateway.proxy.RawHttp2.END_STREAM;
import static dev.gatepost.gateway.proxy.RawHttp2.HEADERS;
import static dev.gatepost.gateway.proxy.RawHttp2.PING;
import static dev.gatepost.gateway.proxy.RawHttp2.PRIORITY;
import static dev.gatepost.gateway.proxy.RawHttp2.RST_STREAM;
import static dev.gatepost.gateway.proxy.RawHttp2.SETTINGS;
import static dev.gatepost.gateway.proxy.RawHttp2.WINDOW_UPDATE;
import static dev.gatepost.gateway.proxy.RawHttp2.block;
import static dev.gatepost.gateway.proxy.RawHttp2.encoded;
import static dev.gatepost.gateway.proxy.RawHttp2.number;
import static dev.gatepost.gateway.proxy.RawHttp2.request;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Clients that send frame after frame which cost work and carry nothing: their connection ends, and the log says why.
final class Http2FloodTest {
    private static final int ENHANCE_YOUR_CALM = (int) Http2Error.ENHANCE_YOUR_CALM.code();

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

    static Stream<Arguments> floods() {
        return Stream.of(
                flood("PING", i -> encoded(PING, 0, 0, new byte[8])),
                flood("PING acknowledgements nobody asked for", i -> encoded(PING, RawHttp2.ACK, 0, new byte[8])),
                flood("SETTINGS", i -> encoded(SETTINGS, 0, 0, new byte[0])),
                flood("SETTINGS that change the windows", i -> encoded(SETTINGS, 0, 0, new byte[] {0, 4, 0, 0, (byte) (i % 2), 0})),
                flood("PRIORITY", i -> encoded(PRIORITY, 0, 1 + 2 * i, new byte[] {0, 0, 0, 0, 16})),
                flood("WINDOW_UPDATE", i -> encoded(WINDOW_UPDATE, 0, 0, number(1))),
                flood("frames of unknown types", i -> encoded(0x42, 0, 0, new byte[4])),
                flood("header sections without a field", i -> encoded(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * i, new byte[0])));
    }

    private static Arguments flood(String what, IntFunction<byte[]> frame) {
        return Arguments.of(what, frame);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("floods")
    void endsTheConnectionOfWhoeverSendsTooMany(String what, IntFunction<byte[]> frame) throws Exception {
        try (RawHttp2 client = RawHttp2.connect(gate.tlsPort())) {
            ByteArrayOutputStream flood = new ByteArrayOutputStream();
            for (int i = 0; i < 6000; i++) {
                flood.writeBytes(frame.apply(i));
            }
            // Whoever floods doesn't wait to be told.
            var _ = Thread.startVirtualThread(() -> {
                try {
                    client.send(flood.toByteArray());
                } catch (RuntimeException _) {
                    // It has been cut off.
                }
            });
            assertTrue(client.endsWith(ENHANCE_YOUR_CALM), what);
            assertEquals(Cause.CLIENT_FLOOD, endOf().cause());
        }
    }

    /// The record that tells of the connection's end, behind those of malformed requests.
    private RunningGate.Logged endOf() throws InterruptedException {
        RunningGate.Logged logged = gate.logged();
        while (logged.cause() == Cause.REQUEST_MALFORMED) {
            logged = gate.logged();
        }
        return logged;
    }

    @Test
    void saysOfRequestsInFlightWhyTheyEnded() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = RawHttp2.connect(gate.tlsPort())) {
            gate.routeTo(origin.port());
            client.get(1, "/");
            RawClient upstream = origin.accept();
            String head = upstream.readHead();
            assertTrue(head.startsWith("GET / "), head);
            ByteArrayOutputStream flood = new ByteArrayOutputStream();
            flood.writeBytes(encoded(HEADERS, 0, 3, block(request("GET", "/"))));
            for (int i = 0; i < 20; i++) {
                flood.writeBytes(encoded(CONTINUATION, 0, 3, new byte[0]));
            }
            client.send(flood.toByteArray());
            assertTrue(client.endsWith(ENHANCE_YOUR_CALM));
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.CLIENT_FLOOD, logged.cause());
            assertTrue(logged.detail().startsWith("HTTP/2 connection ended with ENHANCE_YOUR_CALM"), logged.detail());
            assertEquals("", upstream.readToEnd().replace("<reset>", ""), "the endpoint need not go on");
        }
    }

    @Test
    void bearsWithAClientThatPingsAndReturnsWindowsAsDataComes() throws Exception {
        Http2Abuse abuse = new Http2Abuse();
        for (int i = 0; i < 100_000; i++) {
            abuse.data(true);
            abuse.wantsAnswer(true);
            abuse.sent(16_384);
            abuse.control();
            abuse.control();
        }
        Http2Exception thrown = assertThrows(Http2Exception.class, () -> {
            while (true) {
                abuse.control();
            }
        });
        assertEquals(Http2Error.ENHANCE_YOUR_CALM, thrown.error());
    }

    @Test
    void countsResetsAlsoWhenNobodyElseIsHarmed() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = RawHttp2.connect(gate.tlsPort())) {
            gate.routeTo(origin.port());
            ByteArrayOutputStream flood = new ByteArrayOutputStream();
            for (int i = 0; i < 201; i++) {
                flood.writeBytes(encoded(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * i, block(request("GET", "/"))));
                flood.writeBytes(encoded(RST_STREAM, 0, 1 + 2 * i, number(8)));
            }
            client.send(flood.toByteArray());
            assertTrue(client.endsWith(ENHANCE_YOUR_CALM));
            Cause last = gate.logged().cause();
            assertEquals(Cause.CLIENT_CLOSED, last, "of the first that was reset");
            while (last == Cause.CLIENT_CLOSED) {
                last = gate.logged().cause();
            }
            assertEquals(Cause.CLIENT_FLOOD, last);
        }
    }

    @Test
    void endsTheConnectionOfAClientThatMakesItResetTooMuch() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = RawHttp2.connect(gate.tlsPort())) {
            gate.routeTo(origin.port());
            ByteArrayOutputStream flood = new ByteArrayOutputStream();
            for (int i = 0; i < 201; i++) {
                flood.writeBytes(encoded(HEADERS, END_HEADERS | END_STREAM, 1 + 2 * i, block(request("GET", "/"))));
                flood.writeBytes(encoded(WINDOW_UPDATE, 0, 1 + 2 * i, number(0)));
            }
            client.send(flood.toByteArray());
            assertTrue(client.endsWith(ENHANCE_YOUR_CALM));
        }
    }

    @Test
    void endsTheConnectionOfAClientThatSendsEndlessContinuations() {
        try (RawHttp2 client = RawHttp2.connect(gate.tlsPort())) {
            ByteArrayOutputStream flood = new ByteArrayOutputStream();
            flood.writeBytes(encoded(HEADERS, 0, 1, block(request("GET", "/"))));
            for (int i = 0; i < 20; i++) {
                flood.writeBytes(encoded(CONTINUATION, 0, 1, new byte[0]));
            }
            client.send(flood.toByteArray());
            assertTrue(client.endsWith(ENHANCE_YOUR_CALM));
        }
    }

    @Test
    void endsTheConnectionOfAClientThatSendsEmptyDataForever() throws Exception {
        try (RawOrigin origin = RawOrigin.manual(); RawHttp2 client = RawHttp2.connect(gate.tlsPort())) {
            gate.routeTo(origin.port());
            client.headers(1, false, request("POST", "/"));
            for (int i = 0; i < 11; i++) {
                client.data(1, false, "");
            }
            assertTrue(client.endsWith(ENHANCE_YOUR_CALM));
        }
    }

    @Test
    void hasEnoughOfAClientThatAsksAndNeverReads() throws Exception {
        Http2Abuse abuse = new Http2Abuse();
        for (int i = 0; i < 1000; i++) {
            abuse.wantsAnswer(false);
        }
        abuse.wantsAnswer(true);
        for (int i = 0; i < 1000; i++) {
            abuse.wantsAnswer(false);
        }
        Http2Exception thrown = assertThrows(Http2Exception.class, () -> abuse.wantsAnswer(false));
        assertEquals(Http2Error.ENHANCE_YOUR_CALM, thrown.error());
    }
}
