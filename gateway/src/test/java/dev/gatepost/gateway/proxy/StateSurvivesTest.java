package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.route.Forwarding;
import dev.gatepost.gateway.route.Forwarding.Balance;
import dev.gatepost.gateway.route.HostPattern;
import dev.gatepost.gateway.route.RouteOptions;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// A new route table takes nothing from what is kept under a route's or an endpoint's identity.
class StateSurvivesTest {
    @Test
    void connectionsAndCountersOutliveTheirRoutesObject() throws Exception {
        try (RawOrigin origin = answering("a");
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            assertEquals("a", ask(client));
            gate.serve(List.of(RunningGate.route(HostPattern.ANY, "/", RouteOptions.NONE, origin.port())));
            assertEquals("a", ask(client));
            gate.route("/", RouteOptions.NONE, origin.port());
            assertEquals("a", ask(client));
            assertEquals(1, origin.connections.get());
            for (int i = 0; i < 3; i++) {
                gate.logged();
            }
            GateMetrics metrics = gate.gate().metrics();
            assertEquals(2, metrics.upstreamReuses());
            assertEquals(3, gate.gate().routeMetrics().values().iterator().next().requests().get(2));
        }
    }

    @Test
    void theBalancersTurnOutlivesAChangeOfItsRoute() throws Exception {
        RouteOptions inTurn = RouteOptions.NONE.withForwarding(
                new Forwarding(new Balance(Balance.Method.ROUND_ROBIN, "", Duration.ZERO), "", List.of()));
        try (RawOrigin a = answering("a");
                RawOrigin b = answering("b");
                RunningGate gate = RunningGate.start().route("/", inTurn, a.port(), b.port());
                RawClient client = gate.connect()) {
            String last = ask(client);
            for (int i = 0; i < 6; i++) {
                gate.route("/", inTurn, a.port(), b.port());
                String next = ask(client);
                assertTrue(!next.equals(last), "the other one's turn, request " + i);
                last = next;
            }
        }
    }

    @Test
    void whatIsLeftAtAnEndpointThatIsGoneIsCountedAndNoCounterFalls() throws Exception {
        try (RawOrigin gone = RawOrigin.manual();
                RawOrigin other = answering("b");
                RunningGate gate = RunningGate.start().routeTo(gone.port());
                RawClient client = gate.connect()) {
            client.send("GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            RawClient server = gone.accept();
            server.readHead();
            server.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            client.readHead();
            assertEquals(0, gate.gate().metrics().leaving());
            gate.routeTo(other.port());
            Await.until("the endpoint is forgotten", Duration.ofSeconds(30), () -> gate.gate().endpoints().isEmpty());
            Await.until("its WebSocket counts", Duration.ofSeconds(30), () -> gate.gate().metrics().leaving() == 1);
            assertEquals(1, gate.gate().metrics().upstreamConnects());
            client.send("still there");
            assertEquals("still there", server.read(11));
            client.reset();
            Await.until("it has left", Duration.ofSeconds(30), () -> gate.gate().metrics().leaving() == 0);
        }
    }

    private static RawOrigin answering(String name) {
        return RawOrigin.scripted((connection, _) -> {
            while (true) {
                connection.readHead();
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + name);
            }
        });
    }

    private static String ask(RawClient client) throws Exception {
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        client.readHead();
        return client.read(1);
    }
}
