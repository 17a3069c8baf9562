package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.catalog.Weights;
import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.config.GatewayConfig.Routes.Dialect;
import dev.gatepost.gateway.route.Condition;
import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.FieldEdit;
import dev.gatepost.gateway.route.HostPattern;
import dev.gatepost.gateway.route.PathEdit;
import dev.gatepost.gateway.route.PathPattern;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.RouteOptions.HostRewrite;
import dev.gatepost.gateway.route.RouteOptions.Redirect;
import dev.gatepost.gateway.route.RouteSettings;
import dev.gatepost.gateway.route.RouteTable;
import dev.gatepost.gateway.route.Upstream;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What a route does with a request beside forwarding it, and what the gate answers itself.
class RouteRulesTest {
    private static final RouteOptions NONE = RouteOptions.NONE;
    private RawOrigin origin;
    private RunningGate gate;
    private RawClient client;

    @BeforeEach
    void start() {
        // Says in its body what it was asked for.
        origin = RawOrigin.scripted((connection, _) -> {
            while (true) {
                String head = connection.readHead();
                String host = head.replaceAll("(?s).*\r\nHost: (.*?)\r\n.*", "$1");
                String prefix = head.contains("X-Forwarded-Prefix: ") ? head.replaceAll("(?s).*\r\nX-Forwarded-Prefix: (.*?)\r\n.*", "$1") : "";
                String body = head.substring(0, head.indexOf(" HTTP/1.1")) + " " + host + " " + prefix;
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
            }
        });
        gate = RunningGate.start();
        client = gate.connect();
    }

    @AfterEach
    void stop() {
        client.close();
        gate.close();
        origin.close();
    }

    private static RouteOptions options(String strip, String prepend, HostRewrite host) {
        return NONE.withPath(strip, prepend, List.of()).withHost(host);
    }

    private static RouteOptions redirect(int status, String location, String strip) {
        return NONE.withPath(strip, "", List.of()).withRedirect(new Redirect(status, location));
    }

    private static RouteOptions admitting(List<String> allow, List<String> deny) {
        return NONE.withAddresses(allow.stream().map(Cidr::parse).toList(), deny.stream().map(Cidr::parse).toList());
    }

    private String get(String target) {
        client.send("GET " + target + " HTTP/1.1\r\nHost: shop.example.com:8080\r\n\r\n");
        String head = client.readHead();
        assertTrue(head.startsWith("HTTP/1.1 200 OK"), head);
        return client.read(Integer.parseInt(head.replaceAll("(?s).*Content-Length: (\\d+).*", "$1")));
    }

    @ParameterizedTest
    @CsvSource({
        "/api, '', /api/x?q, /x?q",
        "/api, '', /api, /",
        "/api, '', /api?q, /?q",
        "/api, '', /api//x, //x",
        "/api, '', /other, /other",
        "'', /v1, /x, /v1/x",
        "'', /v1/, /x, /v1/x",
        "/api, /v1, /api/x, /v1/x",
        "/api, /v1, /api, /v1",
        "/api, /v1, /api?q, /v1?q",
        "/a, '', /abc, /bc",
        "/a, /v1, /abc, /v1/bc",
    })
    void rewritesThePath(String strip, String prepend, String target, String forwarded) {
        gate.route("/", options(strip, prepend, HostRewrite.KEEP), origin.port());
        assertEquals("GET " + forwarded + " shop.example.com:8080 " + strip, get(target));
    }

    @Test
    void rewritesHost() {
        gate.route("/", options("", "", HostRewrite.ENDPOINT), origin.port());
        assertEquals("GET / 127.0.0.1:" + origin.port() + " ", get("/"));
        gate.route("/", options("", "", new HostRewrite(HostRewrite.Kind.FIXED, "inner")), origin.port());
        assertEquals("GET / inner ", get("/"));
    }

    @Test
    void answers404WithoutRoute() throws Exception {
        client.send("GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n");
        String head = client.readHead();
        assertTrue(head.startsWith("HTTP/1.1 404 Not Found\r\nDate: "), head);
        assertEquals("404 Not Found: no_route\n", client.read(24));
        RunningGate.Logged logged = gate.logged();
        assertEquals(Cause.NO_ROUTE, logged.cause());
        assertEquals("/nowhere", logged.target());
        assertTrue(head.contains("X-Request-Id: " + logged.requestId() + "\r\n"), head);
        client.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
        assertTrue(client.readHead().contains("Content-Length: 24\r\n"));
        client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n");
        assertTrue(client.readHead().startsWith("HTTP/1.1 404 "));
        client.read(24);
        client.send("helloGET /third HTTP/1.1\r\nHost: h\r\n\r\n");
        assertTrue(client.readHead().startsWith("HTTP/1.1 404 "), "a short body is swallowed and the connection goes on");
    }

    @Test
    void answers503WithRetryAfterWhenNoInstanceIsHealthy() throws Exception {
        gate.route("/", NONE);
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        String head = client.readHead();
        assertTrue(head.startsWith("HTTP/1.1 503 Service Unavailable\r\n"), head);
        assertTrue(head.contains("\r\nRetry-After: 1\r\n"), head);
        RunningGate.Logged logged = gate.logged();
        assertEquals(Cause.NO_HEALTHY_INSTANCE, logged.cause());
        assertEquals("/", logged.route());
    }

    @ParameterizedTest
    @CsvSource({
        "301, https://$host$path, '', /a/b?q=1, https://shop.example.com/a/b?q=1",
        "302, https://other.example/$path, '', /a?q, https://other.example/a?q",
        "302, https://other.example/x?own=1, '', /a?q, https://other.example/x?own=1",
        "307, /new$path, /old, /old/a, /new/a",
        "302, https://other.example/fixed, '', /a?q, https://other.example/fixed?q",
    })
    void redirects(int status, String location, String strip, String target, String expected) throws Exception {
        gate.route("/", redirect(status, location, strip), origin.port());
        client.send("GET " + target + " HTTP/1.1\r\nHost: shop.example.com:8080\r\n\r\n");
        String head = client.readHead();
        assertTrue(head.startsWith("HTTP/1.1 " + status + " "), head);
        assertTrue(head.contains("\r\nLocation: " + expected + "\r\n"), head);
        assertEquals(Cause.REDIRECT, gate.logged().cause());
    }

    @Test
    void answers405WithTheAllowedMethods() throws Exception {
        Route route = RunningGate.route(HostPattern.ANY, "/", NONE, origin.port());
        Condition methods = new Condition(Condition.Scheme.ANY, Set.of("GET", "PURGE"), List.of());
        gate.serve(List.of(Route.of(route.host(), route.path(), methods, 0, NONE, route.upstream())));
        client.send("POST / HTTP/1.1\r\nHost: h\r\n\r\n");
        String head = client.readHead();
        assertTrue(head.startsWith("HTTP/1.1 405 ") && head.contains("\r\nAllow: GET, PURGE\r\n"), head);
        client.read(43);
        client.send("PURGE / HTTP/1.1\r\nHost: h\r\n\r\n");
        assertTrue(client.readHead().startsWith("HTTP/1.1 200 "));
        assertEquals(Cause.METHOD_NOT_ALLOWED, gate.logged().cause());
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "GET /x HTTP/1.1; X-Canary: 1; canary",
        "GET /x HTTP/1.1; x-canary: 1; canary",
        "GET /x HTTP/1.1; X_Canary: 1; plain",
        "GET /x?v=2&w HTTP/1.1; A: b; query",
        "GET /x?v=3 HTTP/1.1; A: b; plain",
        "POST /x HTTP/1.1; A: b; post",
        "GET http://Api-7.Example.com./x HTTP/1.1; A: b; pattern",
        "GET /users/a%20b/orders HTTP/1.1; A: b; glob",
        "GET /elsewhere HTTP/1.1; A: b; client",
    })
    void choosesByWhatTheRequestCarries(String line, String field, String service) throws Exception {
        Map<String, String> routes = new LinkedHashMap<>();
        routes.put("plain", "/x");
        routes.put("canary", "/x header=X-Canary:1");
        routes.put("query", "/x query=v=2 query=w");
        routes.put("post", "/x methods=POST");
        routes.put("put", "/x methods=PUT");
        routes.put("pattern", "api-*.example.com/x");
        routes.put("glob", "/users/*/orders path~^/users/a\\sb/");
        routes.put("client", "/ client=127.0.0.0/8");
        routes.put("others", "/ !client=127.0.0.0/8 priority=9");
        gate.serve(routesOf(routes));
        client.send(line + "\r\nHost: h\r\n" + field + "\r\n\r\n");
        assertTrue(client.readHead().startsWith("HTTP/1.1 200 "));
        assertEquals("n1/" + service, gate.logged().instance());
    }

    @Test
    void editsThePathInFurtherWays() throws Exception {
        List<PathEdit> edits = List.of(new PathEdit.Strip(List.of("/a", "/b")), new PathEdit.Replace("/new"));
        gate.route("/", NONE.withPath("", "/p", List.of(new PathEdit.Strip(List.of("/a", "/p/b")))), origin.port());
        assertEquals("GET /x?q=/a shop.example.com:8080 /p/b", get("/b/x?q=/a"));
        assertEquals("GET /p/c shop.example.com:8080 ", get("/c"));
        gate.route("/", NONE.withPath("", "", edits), origin.port());
        assertEquals("GET /new?q shop.example.com:8080 /b", get("/b/x?q"));
    }

    @Test
    void setsAddsAndRemovesHeadersOfRequestAndResponse() throws Exception {
        List<FieldEdit> request = List.of(new FieldEdit("Host2", Optional.of("a b"), false), new FieldEdit("Cookie", Optional.empty(), false),
                new FieldEdit("Accept", Optional.of("b"), false).adding());
        List<FieldEdit> response = List.of(
                new FieldEdit("Server", Optional.empty(), false), new FieldEdit("X-Frame-Options", Optional.of("DENY"), false),
                new FieldEdit("Strict-Transport-Security", Optional.of("max-age=1"), true));
        try (RawOrigin echo = RawOrigin.scripted((connection, _) -> {
            String head = connection.readHead();
            String body = head.substring(head.indexOf("\r\n") + 2);
            connection.send("HTTP/1.1 200 OK\r\nServer: x\r\nserver: y\r\nX-Frame-Options: SAMEORIGIN\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
        })) {
            gate.route("/", NONE.withFields(request, response), echo.port());
            client.send("GET / HTTP/1.1\r\nHost: h\r\ncookie: secret\r\nhost2: forged\r\nAccept: a\r\n\r\n");
            String head = client.readHead();
            assertTrue(head.contains("\r\nX-Frame-Options: DENY\r\n") && !head.contains("SAMEORIGIN"), head);
            assertTrue(!head.contains("erver: ") && !head.contains("Strict-Transport"), head);
            String sent = client.read(Integer.parseInt(head.replaceAll("(?s).*Content-Length: (\\d+).*", "$1")));
            assertTrue(sent.contains("Host2: a b\r\n") && !sent.contains("forged") && !sent.contains("secret") && sent.contains("Accept: a\r\n") && sent.contains("Accept: b\r\n"), sent);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET, shop.example.com:8080, /old/a?b, 301, https://new.example/a?b",
        "POST, shop.example.com:80, /old/a, 308, https://new.example/a",
        "GET, shop.example.com:8080, /other, 200, ''",
    })
    void redirectsUrlsThatMatchAndForwardsOthers(String method, String host, String target, int status, String location) throws Exception {
        RouteTable table = RouteTable.from(
                snapshot(Map.of("web", List.of(
                        "traefik.http.routers.r.rule=PathPrefix(`/`)", "traefik.http.routers.r.middlewares=m",
                        "traefik.http.middlewares.m.redirectregex.regex=^http://shop.example.com(?::8080)?/old(.*)",
                        "traefik.http.middlewares.m.redirectregex.replacement=https://new.example${1}", "traefik.http.middlewares.m.redirectregex.permanent=true"))),
                new RouteSettings(Set.of(Dialect.TRAEFIK), HealthRule.PASSING, ""),
                RouteTable.EMPTY);
        gate.serve(table.routes());
        client.send(method + " " + target + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
        String head = client.readHead();
        assertTrue(head.startsWith("HTTP/1.1 " + status + " "), head);
        assertEquals(location, head.contains("Location: ") ? head.replaceAll("(?s).*Location: (.*?)\r\n.*", "$1") : "");
    }

    @Test
    void aRouteMayHaveFewerAttempts() throws Exception {
        List<Endpoint> dead = List.of(
                new Endpoint("n/one", "web", "n", "dc1", "127.0.0.1", 1, 1), new Endpoint("n/two", "web", "n", "dc1", "127.0.0.1", 2, 1));
        for (int retries = 0; retries <= 1; retries++) {
            gate.serve(List.of(Route.of(HostPattern.ANY, PathPattern.parse("/"), 0, NONE.withRetries(retries), new Upstream("web", dead, 2))));
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            String head = client.readHead();
            assertTrue(head.startsWith("HTTP/1.1 502 "), head);
            client.read(Integer.parseInt(head.replaceAll("(?s).*Content-Length: (\\d+).*", "$1")));
            assertEquals(1 + retries, gate.logged().attempts());
        }
    }

    private Snapshot snapshot(Map<String, List<String>> tagsByService) {
        Node node = new Node("n1", "", "127.0.0.1", "dc1", Map.of(), Map.of());
        Map<String, Service> services = new HashMap<>();
        tagsByService.forEach((name, tags) -> services.put(name, new Service(name, List.of(new Instance(
                name, name, node, "", origin.port(), tags, Map.of(), Map.of(), Weights.DEFAULT, List.of())))));
        return new Snapshot(services, Map.of("n1", node));
    }

    private List<Route> routesOf(Map<String, String> expressions) {
        Map<String, List<String>> tags = new HashMap<>();
        expressions.forEach((name, route) -> tags.put(name, List.of("gatepost.route=" + route)));
        RouteTable table = RouteTable.from(snapshot(tags), new RouteSettings(Set.of(Dialect.GATEPOST), HealthRule.PASSING, ""), RouteTable.EMPTY);
        assertEquals(List.of(), table.rejected());
        return table.routes();
    }

    @Test
    void deniesByAddress() throws Exception {
        for (RouteOptions options : List.of(
                admitting(List.of("10.0.0.0/8"), List.of()),
                admitting(List.of(), List.of("127.0.0.0/8")),
                admitting(List.of("127.0.0.1"), List.of("127.0.0.1")))) {
            gate.route("/", options, origin.port());
            client.send("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n");
            assertTrue(client.readHead().startsWith("HTTP/1.1 403 "));
            client.read(25);
            assertEquals(Cause.DENIED_IP, gate.logged().cause());
        }
        gate.route("/", admitting(List.of("127.0.0.0/8"), List.of("10.0.0.0/8")), origin.port());
        get("/");
    }

    @Test
    void sharesRequestsByWeight() throws Exception {
        try (RawOrigin second = RawOrigin.answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2")) {
            List<Endpoint> endpoints = List.of(
                    new Endpoint("n/one", "web", "n", "dc1", "127.0.0.1", origin.port(), 3),
                    new Endpoint("n/two", "web", "n", "dc1", "127.0.0.1", second.port(), 1));
            Map<String, Integer> counts = new HashMap<>();
            for (int i = 0; i < 40; i++) {
                if (i % 10 == 0) {
                    // A new table with the same endpoints: the balancer goes on where it was.
                    gate.serve(List.of(Route.of(HostPattern.ANY, PathPattern.parse("/"), 0, NONE, new Upstream("web", endpoints, 2))));
                }
                get("/");
                counts.merge(gate.logged().instance(), 1, Integer::sum);
            }
            assertEquals(Map.of("n/one", 30, "n/two", 10), counts);
            List<EndpointView> views = gate.gate().endpoints();
            assertEquals(List.of(30L, 10L), views.stream().map(EndpointView::requests).toList());
            assertEquals(List.of(1, 1), views.stream().map(EndpointView::idle).toList());
        }
    }

    @Test
    void countsByStatusCauseAndRoute() throws Exception {
        gate.route("/", NONE, origin.port());
        get("/");
        client.send("GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n");
        client.readHead();
        gate.logged();
        gate.logged();
        GateMetrics metrics = gate.gate().metrics();
        assertEquals(List.of(0L, 0L, 1L, 0L, 1L, 0L), metrics.requests());
        assertEquals(1, metrics.causes().get(Cause.REQUEST_MALFORMED));
        GateMetrics.RouteMetrics route = Objects.requireNonNull(gate.gate().routeMetrics().get("/"));
        assertEquals(List.of(0L, 0L, 1L, 0L, 0L, 0L), route.requests());
        assertEquals(2, metrics.durations().stream().mapToLong(Long::longValue).sum());
        assertEquals(1, route.durations().stream().mapToLong(Long::longValue).sum());
        EndpointView endpoint = gate.gate().endpoints().getFirst();
        assertEquals(1, endpoint.answers());
        assertTrue(endpoint.answerSeconds() > 0);
    }
}
