package dev.gatepost.gateway.route;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

class RouteMatchTest {
    private static final Upstream ONE = new Upstream("web", List.of(new Endpoint("n1/web-1", "web", "n1", "dc1", "127.0.0.1", 80, 1)), 1);
    private static final Upstream NONE = new Upstream("web", List.of(), 1);

    @ParameterizedTest
    @CsvSource({
        "a.example.com, /, a.example.com/",
        "A.EXAMPLE.com, /, a.example.com/",
        "a.example.com., /, a.example.com/",
        "a.example.com, /api, a.example.com/api",
        "a.example.com, /api/, a.example.com/api",
        "a.example.com, /api/x, a.example.com/api",
        "a.example.com, /apix, a.example.com/",
        "a.example.com, /api/v2/x, a.example.com/api/v2",
        "a.example.com, /API, a.example.com/",
        "a.example.com, /img7, a.example.com/img*",
        "a.example.com, /img/7, a.example.com/img",
        "a.example.com, /dir/, a.example.com/dir/",
        "a.example.com, /dir, a.example.com/",
        "b.example.com, /x, *.example.com/",
        "c.b.example.com, /x, *.b.example.com/x",
        "d.c.b.example.com, /y, *.b.example.com/",
        "c.b.example.com, /wide, *.b.example.com/",
        "example.com, /x, /",
        "xexample.com, /x, /",
        ".example.com, /x, /",
        "'', /x, /",
        "other.org, /any/1, /any",
        "a.example.com, /only-any, a.example.com/",
        "b.other.org, /anything, /",
        "only.example.com, /deep/1, only.example.com/deep",
        "only.example.com, /shallow, *.example.com/",
        "[::1], /x, [::1]/",
    })
    void prefersTheMoreSpecificHostThenTheLongerPath(String host, String path, String expected) {
        RouteTable table = table(
                "/", "/any", "a.example.com/", "a.example.com/api", "a.example.com/api/v2", "a.example.com/img", "a.example.com/img*",
                "a.example.com/dir/", "*.example.com/", "*.b.example.com/x", "*.b.example.com/", "*.example.com/wide",
                "only.example.com/deep", "[0:0:0::1]/");
        assertEquals(expected, found(table, host, 80, path));
    }

    @Test
    void fallsThroughFromAHostWithoutSuchAPath() {
        RouteTable table = table("a.example.com/api", "*.example.com/img", "*.com/js", "/");
        assertEquals("*.example.com/img", found(table, "a.example.com", 80, "/img"));
        assertEquals("*.com/js", found(table, "a.example.com", 80, "/js"));
        assertEquals("/", found(table, "a.example.com", 80, "/other"));
    }

    @Test
    void aRouteWithoutAHealthyInstanceHidesShorterOnes() {
        RouteTable table = RouteTable.of(List.of(route("a.example.com/", 0, ONE), route("a.example.com/api", 0, NONE), route("/", 0, ONE)));
        Match.Empty empty = assertInstanceOf(Match.Empty.class, match(table, "a.example.com", 80, "/api/x"));
        assertEquals("a.example.com/api", empty.route().id());
    }

    @Test
    void saysNoRouteWhereNothingFits() {
        assertInstanceOf(Match.NoRoute.class, match(RouteTable.EMPTY, "a.example.com", 80, "/"));
        assertInstanceOf(Match.NoRoute.class, match(table("a.example.com/x", "b.example.com/"), "a.example.com", 80, "/y"));
    }

    @Test
    void aPortCountsWhereItIsWritten() {
        RouteTable table = table("a.example.com:8443/", "a.example.com/", "b.example.com:80/", ":9000/");
        assertEquals("a.example.com:8443/", found(table, "a.example.com", 8443, "/"));
        assertEquals("a.example.com/", found(table, "a.example.com", 443, "/"));
        assertEquals("b.example.com:80/", found(table, "b.example.com", 80, "/"));
        assertInstanceOf(Match.NoRoute.class, match(table, "b.example.com", 443, "/"));
        assertEquals(":9000/", found(table, "b.example.com", 9000, "/"));
    }

    @Test
    void aHigherPriorityWinsOverAnySpecificity() {
        RouteTable table = RouteTable.of(List.of(
                route("a.example.com/api", 0, ONE), route("a.example.com/", 1, ONE), route("*.example.com/img", 2, ONE), route("/img/x", 3, ONE)));
        assertEquals("a.example.com/", found(table, "a.example.com", 80, "/api"));
        assertEquals("*.example.com/img", found(table, "a.example.com", 80, "/img"));
        assertEquals("/img/x", found(table, "a.example.com", 80, "/img/x"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a_b.example.com:0/", "a.example.com:99999/", "a..b/", "exa mple/", "[::1/", "[1.2.3.4]/", "*.a b/", "~(/", "a/x?y", "a/x#y", "a/%zz"})
    void refusesAPatternThatCouldNeverMatch(String pattern) {
        assertThrows(IllegalArgumentException.class, () -> table(pattern));
    }

    @Test
    void matchesAsALinearSearchInLookUpOrderDoes() {
        Random random = new Random(11);
        for (int round = 0; round < 60; round++) {
            int priorities = round % 3 == 0 ? 3 : 1;
            Map<String, Route> routes = new LinkedHashMap<>();
            for (int n = random.nextInt(120); n >= 0; n--) {
                Route route = route(host(random, true) + path(random, true), random.nextInt(priorities), random.nextBoolean() ? ONE : NONE);
                routes.put(route.id(), route);
            }
            RouteTable table = RouteTable.of(routes.values());
            List<Route> inOrder = table.routes();
            assertEquals(routes.size(), inOrder.size());
            for (int i = 0; i < 400; i++) {
                String host = host(random, false);
                String path = path(random, false);
                int port = random.nextBoolean() ? 80 : 8080;
                Optional<Route> expected = inOrder.stream().filter(route -> serves(route, host, port, path)).findFirst();
                Match match = match(table, host, port, path);
                assertEquals(expected.<Match>map(Route::match).orElse(new Match.NoRoute()), match, () -> host + ":" + port + path + " in " + ids(inOrder));
            }
        }
    }

    @Test
    void aChangedTableMatchesAsOneMadeAnew() {
        Random random = new Random(13);
        RouteIndex index = RouteIndex.EMPTY;
        Map<RouteKey, Entry> expected = new LinkedHashMap<>();
        for (int round = 0; round < 400; round++) {
            List<Entry> put = new ArrayList<>();
            List<RouteKey> removed = new ArrayList<>();
            Map<RouteKey, Entry> next = new LinkedHashMap<>(expected);
            for (int n = random.nextInt(8); n >= 0; n--) {
                Route route = route(host(random, true) + path(random, true), 0, ONE);
                next.remove(route.key());
                if (random.nextInt(5) < 3) {
                    Entry entry = new Entry(route.key(), route, List.of(), List.of(), List.of());
                    put.removeIf(e -> e.key().equals(route.key()));
                    removed.remove(route.key());
                    put.add(entry);
                    next.put(route.key(), entry);
                } else if (put.stream().noneMatch(e -> e.key().equals(route.key()))) {
                    removed.add(route.key());
                } else {
                    put.removeIf(e -> e.key().equals(route.key()));
                    removed.add(route.key());
                }
            }
            index = index.with(put, removed);
            expected = next;
            Map<RouteKey, Entry> held = new LinkedHashMap<>();
            index.forEach(entry -> held.put(entry.key(), entry));
            assertEquals(expected, held);
            assertEquals(expected.size(), index.size());
            for (RouteKey key : expected.keySet()) {
                assertEquals(Optional.ofNullable(expected.get(key)), Optional.ofNullable(index.get(key)));
            }
        }
    }

    /// The specification of a match, independent of the index.
    static boolean serves(Route route, String rawHost, int port, String path) {
        String host = rawHost.endsWith(".") ? rawHost.substring(0, rawHost.length() - 1) : rawHost;
        HostPattern pattern = route.host();
        if (pattern.port() != 0 && pattern.port() != port) {
            return false;
        }
        boolean hostFits = switch (pattern.kind()) {
            case ANY -> true;
            case EXACT -> pattern.name().equalsIgnoreCase(host);
            case PATTERN -> pattern.serves(host.toLowerCase(Locale.ROOT));
            case WILDCARD -> host.length() > pattern.name().length() + 1
                    && host.toLowerCase(Locale.ROOT).endsWith("." + pattern.name());
        };
        String prefix = route.path().path();
        return hostFits && switch (route.path().kind()) {
            case EXACT -> path.equals(prefix);
            case GLOB -> route.path().glob().orElseThrow().find(path);
            case STRING -> path.startsWith(prefix);
            case SEGMENTS -> path.equals(prefix) || path.startsWith(prefix.endsWith("/") ? prefix : prefix + "/");
        };
    }

    static String host(Random random, boolean pattern) {
        String[] labels = {"a", "b", "cc", "com", "A"};
        List<String> host = new ArrayList<>();
        for (int n = random.nextInt(4); n > 0; n--) {
            host.add(labels[random.nextInt(labels.length)]);
        }
        String name = String.join(".", host);
        if (!pattern) {
            return random.nextInt(8) == 0 && !name.isEmpty() ? name + "." : name;
        }
        String prefix = !name.isEmpty() && random.nextInt(3) == 0 ? new String[] {"*.", "*.", "*.", "*", "b*.", "?."}[random.nextInt(6)] : "";
        String expression = random.nextInt(20) == 0 ? "~^a" : prefix + name;
        return expression + (random.nextInt(6) == 0 ? ":8080" : "");
    }

    static String path(Random random, boolean pattern) {
        String[] parts = {"/", "/a", "/b", "/ab", "/abc", "c", "/a/"};
        StringBuilder path = new StringBuilder("/");
        for (int n = random.nextInt(5); n > 0; n--) {
            path.append(parts[random.nextInt(parts.length)]);
        }
        String end = new String[] {"*", "/*/b", "$", ""}[random.nextInt(4)];
        return pattern && random.nextInt(3) == 0 ? path + end : path.toString();
    }

    private static List<String> ids(List<Route> routes) {
        return routes.stream().map(Route::id).toList();
    }

    private static RouteTable table(String... patterns) {
        List<Route> routes = new ArrayList<>(Arrays.stream(patterns).map(pattern -> route(pattern, 0, ONE)).toList());
        routes.sort(Comparator.comparing(Route::id));
        return RouteTable.of(routes);
    }

    static Route route(String pattern, int priority, Upstream upstream) {
        int slash = pattern.indexOf('/');
        return Route.of(
                HostPattern.parse(pattern.substring(0, slash)), PathPattern.parse(pattern.substring(slash)), priority, RouteOptions.NONE, upstream);
    }

    private static String found(RouteTable table, String host, int port, String path) {
        return assertInstanceOf(Match.Found.class, match(table, host, port, path)).route().id();
    }

    static Match match(RouteTable table, String host, int port, String path) {
        return match(table, "GET", "http://" + host + ":" + port + path);
    }

    /// @param headers each `NAME: VALUE`
    static Match match(RouteTable table, String method, String url, String... headers) {
        Question question = Question.of(url, method, List.of(headers), Optional.of("192.0.2.7"));
        // With bytes on both sides, as in a request's buffer.
        byte[] hostBytes = ("x." + question.named() + "x").getBytes(StandardCharsets.US_ASCII);
        byte[] pathBytes = (" " + question.path() + "/x").getBytes(StandardCharsets.US_ASCII);
        return table.match(hostBytes, 2, hostBytes.length - 1, question.port(), pathBytes, 1, pathBytes.length - 2, question);
    }
}
