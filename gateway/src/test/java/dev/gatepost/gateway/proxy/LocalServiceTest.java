package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.SelfSigned;
import io.netty.buffer.ByteBuf;
import java.net.InetAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What a service of this process gets, and answers, beside the routes.
final class LocalServiceTest {
    /// Answers with what it is sent.
    private static final LocalService ECHO = new LocalService() {
        @Override
        public int longestBody() {
            return 10;
        }

        @Override
        public void serve(Asked asked, ByteBuf body, Reply reply) {
            reply.content("text/plain", "", body.copy());
        }
    };

    private static RawClient post(RunningGate gate, int length) throws Exception {
        RawClient client = new RawClient(RawHttp2.trusting().getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), gate.tlsPort()));
        return client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + "\r\n\r\n");
    }

    @Test
    void waitsForABodyThatComesInParts() throws Exception {
        try (Certificates certificates = Certificates.of(SelfSigned.certificate(List.of("localhost")));
                RunningGate gate = RunningGate.startTls(certificates, new LocalPath("echo", "localhost", "/echo", ECHO));
                RawClient client = post(gate, 10)) {
            client.send("hello");
            // Meanwhile the gate looks more than once whether anybody has waited for too long.
            for (int i = 0; i < 6; i++) {
                gate.settle();
            }
            client.send("world");
            String head = client.readHead();
            assertTrue(head.startsWith("HTTP/1.1 200 OK\r\n"), head);
            assertEquals("helloworld", client.read(10));
            assertEquals("echo", gate.logged().route());
        }
    }

    @Test
    void takesNoMoreThanItsServiceWants() throws Exception {
        try (Certificates certificates = Certificates.of(SelfSigned.certificate(List.of("localhost")));
                RunningGate gate = RunningGate.startTls(certificates, new LocalPath("echo", "localhost", "/echo", ECHO));
                RawClient client = post(gate, 11)) {
            client.send("hello world");
            assertTrue(client.readHead().startsWith("HTTP/1.1 413 "));
        }
    }
}
