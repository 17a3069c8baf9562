package dev.gatepost.gateway.proxy;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ForwardingTest {
    @Test
    void forwardsARequestAndItsResponse() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            client.send("GET /a/../b?x=%41 HTTP/1.1\r\nHost: Shop.example.com\r\nAccept: */*\r\n\r\n");
            RawClient server = origin.accept();
            String head = server.readHead();
            assertTrue(head.startsWith("GET /a/../b?x=%41 HTTP/1.1\r\nHost: Shop.example.com\r\nAccept: */*\r\n"), head);
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            String response = client.readHead();
            assertTrue(response.startsWith("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Request-Id: "), response);
            assertEquals("hello", client.read(5));
            RunningGate.Logged logged = gate.logged();
            assertEquals(200, logged.status());
            assertEquals("/a/../b?x=%41", logged.target());
        }
    }
}
