package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.ExchangeRecord.Protocol;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.proxy.RunningGate.Phases;
import dev.gatepost.gateway.tls.CertificateLoad;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.PemPair;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Where the time of a request went, as its record has it.
class PhasesTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

    @Test
    void eachPhaseHasItsTimeAndNoneThatDidNotTakePlace() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            client.send("upload");
            server.read(6);
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
            client.readHead();
            server.send("hello");
            client.read(5);
            server.send("hello");
            client.read(5);
            Phases first = gate.logged().phases();
            assertTrue(first.accept() >= 0 && first.headers() >= 0 && first.connect() > 0, first.toString());
            assertTrue(first.requestBody() > 0 && first.firstByte() > 0 && first.body() > 0, first.toString());
            assertEquals(List.of(-1L, -1L, -1L), List.of(first.tls(), first.queue(), first.upstreamTls()));
            assertEquals(first.duration(), first.headers() + first.connect() + first.firstByte() + first.body());
            assertTrue(first.requestBody() < first.connect() + first.firstByte(), first.toString());

            client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
            server.readHead();
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
            client.readHead();
            Phases second = gate.logged().phases();
            assertTrue(second.headers() >= 0 && second.firstByte() > 0, second.toString());
            assertEquals(new Phases(-1, -1, second.headers(), -1, -1, -1, -1, second.firstByte(), -1, second.duration()), second);
        }
    }

    @Test
    void aBodyThatBreaksOffHasTheTimeUntilThen() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port())) {
            try (RawClient client = gate.connect()) {
                client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n");
                origin.accept().readHead();
            }
            Phases phases = gate.logged().phases();
            assertEquals(phases.duration(), phases.headers() + phases.requestBody());
            assertTrue(phases.requestBody() > 0, phases.toString());
            assertEquals(List.of(-1L, -1L), List.of(phases.firstByte(), phases.body()));
        }
    }

    @Test
    void theHandshakeIsAPartOfTheFirstRequestsAcceptAndOfNoOther(@TempDir Path folder) throws Exception {
        PemPair.ec("h").writeTo(folder, "h");
        CertificateLoad load = Certificates.load(List.of(new GatewayConfig.Certificate(folder, Optional.empty())), InstantSource.system());
        try (Certificates certificates = assertInstanceOf(CertificateLoad.Usable.class, load).certificates();
                RawOrigin origin = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.startTls(GateSettings.DEFAULT, certificates).routeTo(origin.port());
                RawHttp2 client = RawHttp2.connect(gate.tlsPort())) {
            assertEquals("hello", client.get(1, "/").response(1).body());
            Phases first = gate.logged().phases();
            assertTrue(first.tls() > 0 && first.tls() <= first.accept(), first.toString());
            assertEquals("hello", client.get(3, "/").response(3).body());
            Phases second = gate.logged().phases();
            assertEquals(List.of(-1L, -1L), List.of(second.tls(), second.accept()));
        }
    }

    @Test
    void aSlowUploadIsNotTheEndpointsSlowness() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            gate.settle();
            client.send("upload");
            server.read(6);
            server.send(OK);
            assertEquals("hello", client.readBody());
            Phases phases = gate.logged().phases();
            long afterUpload = phases.connect() + phases.firstByte() - phases.requestBody();
            double latencyNanos = gate.gate().endpoints().getFirst().latencyMillis() * 1e6;
            // A sample counts an eighth.
            assertTrue(latencyNanos <= afterUpload / 8.0 + 1, latencyNanos + " of " + phases);
        }
    }

    @Test
    void serverSentEventsAreCalledSoAndPassOneByOne() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET /events HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            server.send("HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\nContent-Length: 18\r\n\r\n");
            client.readHead();
            for (int i = 0; i < 2; i++) {
                server.send("data: " + i + "\n\n");
                assertEquals("data: " + i + "\n\n", client.read(9));
            }
            RunningGate.Logged logged = gate.logged();
            assertEquals(Protocol.EVENTS, logged.protocol());
            assertEquals("text/plain", logged.requestMimeType());
        }
    }
}
