package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ExchangeRecord.Protocol;
import dev.gatepost.gateway.proxy.RawHttp2.Frame;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// gRPC calls: HTTP/2 without TLS on both sides.
class GrpcTest {
    /// The gate's first stream on a connection: 1 is left for upgrades.
    private static final int FIRST = 3;
    private static final int CANCEL = 8;

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

    private static String[] call(String... fields) {
        String[] all = RawHttp2.request("POST", "/grpc.testing.TestService/Call", fields);
        String[] call = new String[all.length + 2];
        System.arraycopy(all, 0, call, 0, all.length);
        call[all.length] = "content-type=application/grpc+proto";
        call[all.length + 1] = "te=trailers";
        return call;
    }

    @Test
    void streamsBothWaysAndEndsWithTheStatusOfTheServer() throws Exception {
        try (RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, call());
            RawHttp2 server = server();
            Map<String, String> head = server.decode(server.await(RawHttp2.HEADERS).payload());
            assertEquals("trailers", head.get("te"));
            assertEquals("application/grpc+proto", head.get("content-type"));
            server.headers(FIRST, false, ":status=200", "content-type=application/grpc+proto");
            client.await(RawHttp2.HEADERS);
            // Each message arrives before the next is sent.
            for (int i = 0; i < 3; i++) {
                client.data(1, false, "ping" + i);
                assertEquals(5, server.await(RawHttp2.DATA).payload().length);
                server.data(FIRST, false, "answer" + i);
                assertEquals(7, client.await(RawHttp2.DATA).payload().length);
            }
            client.data(1, true, "");
            assertTrue(server.await(RawHttp2.DATA).endsStream());
            server.headers(FIRST, true, "grpc-status=5", "grpc-message=gone");
            Frame trailers = client.await(RawHttp2.HEADERS);
            assertTrue(trailers.endsStream());
            assertEquals(Map.of("grpc-status", "5", "grpc-message", "gone"), client.decode(trailers.payload()));
            RunningGate.Logged logged = gate.logged();
            assertEquals(Protocol.GRPC, logged.protocol());
            assertEquals(Cause.OK, logged.cause());
            assertEquals(5, logged.grpcStatus());
        }
    }

    @Test
    void passesTrailersOnly() throws Exception {
        try (RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, call()).data(1, true, "hi");
            RawHttp2 server = server();
            server.await(RawHttp2.DATA);
            server.headers(FIRST, true, ":status=200", "content-type=application/grpc", "grpc-status=12");
            Frame head = client.await(RawHttp2.HEADERS);
            assertTrue(head.endsStream());
            assertEquals("12", client.decode(head.payload()).get("grpc-status"));
            assertEquals(12, gate.logged().grpcStatus());
        }
    }

    @Test
    void cancelsWhatTheClientCancels() throws Exception {
        try (RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, call());
            RawHttp2 server = server();
            server.await(RawHttp2.HEADERS);
            client.frame(RawHttp2.RST_STREAM, 0, 1, RawHttp2.number(CANCEL));
            assertEquals(CANCEL, server.await(RawHttp2.RST_STREAM).number(0));
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.CLIENT_CLOSED, logged.cause());
            assertEquals(-1, logged.grpcStatus());
        }
    }

    @Test
    void endsACallAtItsOwnDeadline() throws Exception {
        try (RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, call("grpc-timeout=300m")).data(1, true, "hi");
            RawHttp2 server = server();
            Map<String, String> head = server.decode(server.await(RawHttp2.HEADERS).payload());
            assertEquals("300m", head.get("grpc-timeout"));
            RawHttp2.Response response = client.response(1);
            assertEquals("200", response.status());
            assertEquals("4", response.head().get("grpc-status"));
            assertEquals(CANCEL, server.await(RawHttp2.RST_STREAM).number(0));
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.TOTAL_TIMEOUT, logged.cause());
            assertEquals(4, logged.grpcStatus());
        }
    }

    /// Messages that were on their way already are followed by a status, not by a stream that breaks.
    @Test
    void endsAStreamThatFailsWithAStatus() throws Exception {
        try (RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, call()).data(1, true, "hi");
            RawHttp2 server = server();
            server.await(RawHttp2.DATA);
            server.headers(FIRST, false, ":status=200", "content-type=application/grpc");
            server.data(FIRST, false, "first");
            client.await(RawHttp2.DATA);
            server.close();
            RawHttp2.Response response = client.response(1);
            assertEquals("14", response.head().get("grpc-status"), "in the trailers, the only header section that was not read yet");
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.UPSTREAM_RESET_AFTER_RESPONSE, logged.cause());
            assertEquals(14, logged.grpcStatus());
        }
    }

    @Test
    void tellsInItsOwnWordsThatNobodyServesACall() throws Exception {
        gate.serve(List.of());
        try (RawHttp2 client = RawHttp2.connectCleartext(gate.port())) {
            client.headers(1, false, call());
            RawHttp2.Response response = client.response(1);
            assertEquals("200", response.status());
            assertEquals("application/grpc", response.head().get("content-type"));
            assertEquals("12", response.head().get("grpc-status"));
            assertEquals("gateway: 404 no_route", response.head().get("grpc-message"));
            assertFalse(response.head().containsKey("content-length"));
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.NO_ROUTE, logged.cause());
            assertEquals(12, logged.grpcStatus());
        }
    }

    @ParameterizedTest
    @CsvSource({"1H, 3600000000000", "2M, 120000000000", "3S, 3000000000", "4m, 4000000", "5u, 5000", "6n, 6", "99999999H, 4611686018427387903",
        "0S, 0", "S, -1", "123456789S, -1", "1x, -1", "-1S, -1", "'', -1"})
    void readsTimeouts(String text, long nanos) {
        RequestHead request = new RequestHead();
        request.clear();
        request.fields.add("grpc-timeout", text);
        assertEquals(nanos, Grpc.timeoutNanos(request));
    }

    @ParameterizedTest
    @CsvSource({"application/grpc, true", "application/grpc+json, true", "application/grpc;x=y, true", "application/grpc-web, false", "application/json, false"})
    void knowsACallByItsType(String type, boolean grpc) {
        RequestHead request = new RequestHead();
        request.clear();
        request.version = 20;
        request.fields.add("Content-Type", type);
        assertEquals(grpc, Grpc.is(request));
    }
}
