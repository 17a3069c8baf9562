package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.Forwarding;
import dev.gatepost.gateway.route.Forwarding.Balance;
import dev.gatepost.gateway.route.HostPattern;
import dev.gatepost.gateway.route.PathPattern;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.Upstream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Which endpoint gets a request.
class BalancingTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    private static final Pattern COOKIE = Pattern.compile("Set-Cookie: (SRV=[0-9a-f]{16}); Path=/; HttpOnly; SameSite=Lax\r\n");

    private static RouteOptions by(Balance.Method method, String name) {
        return RouteOptions.NONE.withForwarding(new Forwarding(new Balance(method, name, Duration.ZERO), "", List.of()));
    }

    /// Sends a request and says which instance got it.
    private static String ask(RunningGate gate, RawClient client, String field) throws InterruptedException {
        client.send("GET / HTTP/1.1\r\nHost: h\r\n" + field + "\r\n");
        client.readHead();
        return gate.logged().instance();
    }

    @Test
    void everyEndpointHasItsTurnAtRest() throws Exception {
        try (RawOrigin a = RawOrigin.answering(OK);
                RawOrigin b = RawOrigin.answering(OK);
                RawOrigin c = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start().routeTo(a.port(), b.port(), c.port());
                RawClient client = gate.connect()) {
            Map<String, Integer> shares = new HashMap<>();
            for (int i = 0; i < 30; i++) {
                shares.merge(ask(gate, client, ""), 1, Integer::sum);
            }
            assertEquals(3, shares.size());
            assertTrue(shares.values().stream().allMatch(share -> share >= 4), shares.toString());
        }
    }

    @Test
    void leastRequestKeepsToTheWeightsWhereNobodyIsBusier() throws Exception {
        try (RawOrigin heavy = RawOrigin.answering(OK);
                RawOrigin light = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start();
                RawClient client = gate.connect()) {
            gate.serve(List.of(Route.of(HostPattern.ANY, PathPattern.parse("/"), 0, by(Balance.Method.LEAST_REQUEST, ""),
                    new Upstream("web", List.of(RunningGate.endpoint(heavy.port(), 3), RunningGate.endpoint(light.port(), 1)), 2))));
            int shareOfHeavy = 0;
            for (int i = 0; i < 400; i++) {
                shareOfHeavy += ask(gate, client, "").equals("n1/web-" + heavy.port()) ? 1 : 0;
            }
            // 300 expected, and the deviation is 9.
            assertTrue(shareOfHeavy > 245 && shareOfHeavy < 355, "of 400: " + shareOfHeavy);
        }
    }

    @Test
    void whatIsInTheGatewaysOwnZoneGetsTheRequestsWhileEnoughOfItWorks() throws Exception {
        try (RawOrigin near = RawOrigin.answering(OK);
                RawOrigin far = RawOrigin.answering(OK);
                RawOrigin farther = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start();
                RawClient client = gate.connect()) {
            Set<String> all = Set.of("n1/web-" + near.port(), "n1/web-" + far.port(), "n1/web-" + farther.port());
            for (Balance.Method method : List.of(Balance.Method.DEFAULT, Balance.Method.ROUND_ROBIN)) {
                gate.serve(List.of(zoned(method, 2, List.of(near), List.of(far, farther))));
                assertEquals(Set.of("n1/web-" + near.port()), askedOf(gate, client, 20, ""), "half of what should be there");
            }
            gate.serve(List.of(zoned(Balance.Method.ROUND_ROBIN, 3, List.of(near), List.of(far, farther))));
            assertEquals(all, askedOf(gate, client, 20, ""), "less than half: nobody has to carry it all");
            gate.serve(List.of(zoned(Balance.Method.HEADER, 1, List.of(near), List.of(far, farther))));
            Set<String> byKey = new HashSet<>();
            for (int key = 0; key < 50; key++) {
                byKey.add(ask(gate, client, "X-Key: " + key + "\r\n"));
            }
            assertEquals(all, byKey, "a key leads to one place, wherever the gateway is");
        }
    }

    @Test
    void requestsLeaveTheZoneWhenTooMuchOfItIsEjected() throws Exception {
        int gone;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            gone = socket.getLocalPort();
        }
        try (RawOrigin far = RawOrigin.answering(OK); RunningGate gate = RunningGate.start(); RawClient client = gate.connect()) {
            List<Endpoint> endpoints = List.of(RunningGate.endpoint(gone, 1).asNear(), RunningGate.endpoint(far.port(), 1));
            gate.serve(List.of(Route.of(HostPattern.ANY, PathPattern.parse("/"), 0, RouteOptions.NONE, new Upstream("web", endpoints, 2, 1, ""))));
            for (int i = 0; i < 4; i++) {
                assertEquals("n1/web-" + far.port(), ask(gate, client, ""), "a retry goes anywhere");
            }
            assertTrue(gate.gate().metrics().ejections() > 0);
        }
    }

    private static Route zoned(Balance.Method method, int known, List<RawOrigin> near, List<RawOrigin> far) {
        List<Endpoint> endpoints = Stream.concat(
                        near.stream().map(each -> RunningGate.endpoint(each.port(), 1).asNear()), far.stream().map(each -> RunningGate.endpoint(each.port(), 1)))
                .toList();
        return Route.of(HostPattern.ANY, PathPattern.parse("/"), 0, by(method, "X-Key"), new Upstream("web", endpoints, known + far.size(), known, ""));
    }

    private static Set<String> askedOf(RunningGate gate, RawClient client, int times, String field) throws InterruptedException {
        Set<String> instances = new HashSet<>();
        for (int i = 0; i < times; i++) {
            instances.add(ask(gate, client, field));
        }
        return instances;
    }

    @Test
    void whoeverHasARequestInFlightGetsNoOtherWhileSomebodyIsIdle() throws Exception {
        try (RawOrigin busy = RawOrigin.manual();
                RawOrigin idle = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start().routeTo(busy.port());
                RawClient first = gate.connect();
                RawClient client = gate.connect()) {
            first.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            busy.accept().readHead();
            gate.routeTo(busy.port(), idle.port());
            for (int i = 0; i < 10; i++) {
                assertEquals("n1/web-" + idle.port(), ask(gate, client, ""));
            }
        }
    }

    @Test
    void aKeyStaysAtItsEndpointWhenAnotherOneLeaves() throws Exception {
        try (RawOrigin a = RawOrigin.answering(OK);
                RawOrigin b = RawOrigin.answering(OK);
                RawOrigin c = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start().route("/", by(Balance.Method.HEADER, "x-user"), a.port(), b.port(), c.port());
                RawClient client = gate.connect()) {
            Map<String, String> homes = new HashMap<>();
            for (int user = 0; user < 20; user++) {
                homes.put("X-User: " + user + "\r\n", ask(gate, client, "X-User: " + user + "\r\n"));
            }
            assertEquals(3, new HashSet<>(homes.values()).size());
            gate.route("/", by(Balance.Method.HEADER, "x-user"), a.port(), c.port());
            for (Map.Entry<String, String> home : homes.entrySet()) {
                String now = ask(gate, client, home.getKey());
                if (home.getValue().equals("n1/web-" + b.port())) {
                    assertNotEquals(home.getValue(), now);
                } else {
                    assertEquals(home.getValue(), now);
                }
            }
        }
    }

    @Test
    void aClientsAddressOrCookieDecidesWhereARouteSaysSo() throws Exception {
        try (RawOrigin a = RawOrigin.answering(OK);
                RawOrigin b = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start().route("/", by(Balance.Method.ADDRESS, ""), a.port(), b.port());
                RawClient client = gate.connect()) {
            String home = ask(gate, client, "");
            for (int i = 0; i < 5; i++) {
                assertEquals(home, ask(gate, client, ""));
            }
            gate.route("/", by(Balance.Method.COOKIE, "user"), a.port(), b.port());
            Map<String, String> homes = new HashMap<>();
            for (int i = 0; i < 32; i++) {
                String cookie = "Cookie: other=1; user=" + i % 16 + "; last=x\r\n";
                String seen = ask(gate, client, cookie);
                assertEquals(seen, homes.getOrDefault(cookie, seen));
                homes.put(cookie, seen);
            }
            assertEquals(2, new HashSet<>(homes.values()).size());
        }
    }

    @Test
    void aStickyClientStaysUntilItsEndpointIsGone() throws Exception {
        RouteOptions sticky = RouteOptions.NONE.withForwarding(new Forwarding(Balance.DEFAULT, "SRV", List.of()));
        try (RawOrigin a = RawOrigin.answering(OK);
                RawOrigin b = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start().route("/", sticky, a.port(), b.port());
                RawClient client = gate.connect()) {
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            Matcher given = COOKIE.matcher(client.readHead());
            assertTrue(given.find());
            String home = gate.logged().instance();
            String cookie = "Cookie: a=b; " + given.group(1) + "\r\n";
            for (int i = 0; i < 6; i++) {
                client.send("GET / HTTP/1.1\r\nHost: h\r\n" + cookie + "\r\n");
                assertFalse(client.readHead().contains("Set-Cookie"));
                assertEquals(home, gate.logged().instance());
            }
            RawOrigin other = home.endsWith("-" + a.port()) ? b : a;
            gate.route("/", sticky, other.port());
            client.send("GET / HTTP/1.1\r\nHost: h\r\n" + cookie + "\r\n");
            assertTrue(COOKIE.matcher(client.readHead()).find());
            assertEquals("n1/web-" + other.port(), gate.logged().instance());
        }
    }

    @Test
    void anEndpointThatIsNewGetsLittleAtFirst() throws Exception {
        RouteOptions slow = RouteOptions.NONE.withForwarding(
                new Forwarding(new Balance(Balance.Method.ROUND_ROBIN, "", Duration.ofHours(1)), "", List.of()));
        try (RawOrigin a = RawOrigin.answering(OK);
                RawOrigin b = RawOrigin.answering(OK);
                RunningGate gate = RunningGate.start().route("/", slow, a.port());
                RawClient client = gate.connect()) {
            ask(gate, client, "");
            gate.route("/", slow, a.port(), b.port());
            int fresh = 0;
            for (int i = 0; i < 300; i++) {
                fresh += ask(gate, client, "").endsWith("-" + b.port()) ? 1 : 0;
            }
            assertTrue(fresh > 0 && fresh < 75, "a tenth of its turns: " + fresh + " of 150");
        }
    }
}
