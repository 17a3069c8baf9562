package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.route.Explanation.Considered;
import dev.gatepost.gateway.route.Explanation.Target;
import dev.gatepost.gateway.route.Explanation.Withheld;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static dev.gatepost.gateway.route.Catalogs.instance;
import static dev.gatepost.gateway.route.Catalogs.with;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ExplanationTest {
    private final RouteTable table = Catalogs.table(
            instance("web", "1", "gatepost.route=a.example.com/api methods=GET"),
            with(instance("web", "2", "gatepost.route=a.example.com/api methods=GET"), Health.CRITICAL),
            instance("front", "1", "gatepost.route=a.example.com/", "gatepost.route=*.example.com/", "urlprefix-/"),
            with(instance("down", "1", "gatepost.route=a.example.com/down"), Health.MAINTENANCE),
            instance("typo", "1", "gatepost.route=a.example.com/typo strp=/x", "gatepost.route=typo.example.org:9/ strp=/x"),
            instance("vip", "1", "gatepost.route=/vip priority=5", "gatepost.route=a.example.com:8443/admin"));

    @Test
    void saysWhereARequestGoesAndWhatWasPassedOver() {
        Explanation explanation = table.explain("https://a.example.com/api/x?q=1", "get");
        assertEquals(Explanation.FOUND, explanation.outcome());
        assertEquals("a.example.com/api methods=GET", explanation.route());
        assertEquals("web@a.example.com/api methods=GET", explanation.upstream());
        assertEquals(List.of(new Target("web", "n1/web-1", "dc1", "10.0.0.1:8000", 1)), explanation.endpoints());
        assertEquals(List.of(new Withheld("web", "n1/web-2", "check service:web-2 (alive) is critical")), explanation.withheld());
        assertEquals("1 of 2 instances get traffic", explanation.why());
        assertEquals(
                List.of(
                        new Considered("a.example.com/", "shorter path than a.example.com/api methods=GET"),
                        new Considered("*.example.com/", "host *.example.com is less specific than a.example.com"),
                        new Considered("/", "any host is less specific than a.example.com")),
                explanation.considered().subList(0, 3));
        assertTrue(explanation.considered().contains(new Considered("a.example.com:8443/admin", "port differs: 443 is not 8443")));
        assertTrue(explanation.considered().contains(new Considered("/vip", "path differs: /api/x is not at or below /vip")));
    }

    /// Whoever wonders why a URL leads to somebody else's service, asks for that URL.
    @Test
    void saysWhoseDefaultHostGaveWay() {
        RouteSettings settings = new RouteSettings(Catalogs.SETTINGS.dialects(), HealthRule.PASSING, "{service}.qa");
        RouteTable shared = RouteTable.from(Catalogs.snapshot(instance("my-shop", "1"), instance("my_shop", "1"), instance("other", "1")), settings, RouteTable.EMPTY);
        Explanation explanation = shared.explain("http://my-shop.qa/x", "GET");
        assertEquals("my-shop@my-shop.qa/", explanation.upstream());
        assertEquals(
                List.of(new Considered(
                        "my-shop.qa/", "rejected, service my_shop, instance n1/my_shop-1: my-shop.qa/ belongs to service my-shop (expected: a name that nobody else has)")),
                explanation.considered());
    }

    @Test
    void saysWhichCheckEmptiesARoute() {
        Explanation explanation = table.explain("a.example.com/down", "GET");
        assertEquals(Explanation.EMPTY, explanation.outcome());
        assertEquals("a.example.com/down", explanation.route());
        assertEquals("503: the route is known, but none of its 1 instances gets traffic", explanation.why());
        assertEquals(List.of(new Withheld("down", "n1/down-1", "check service:down-1 (alive) is maintenance")), explanation.withheld());
    }

    @Test
    void saysThatAPriorityDecided() {
        Explanation explanation = table.explain("http://a.example.com/vip", "GET");
        assertEquals("/vip", explanation.route());
        assertEquals(new Considered("a.example.com/", "priority 0 is below 5 of /vip"), explanation.considered().getFirst());
    }

    @Test
    void saysThatTheMethodIsRefused() {
        assertEquals("method PUT is answered 405 (expected: GET)", table.explain("a.example.com/api", "PUT").why());
    }

    @Test
    void saysWhichMethodOfSeveralDecided() {
        RouteTable small = Catalogs.table(
                instance("read", "1", "gatepost.route=a/x methods=GET|HEAD"), instance("write", "1", "gatepost.route=a/x methods=POST"));
        Explanation explanation = small.explain("http://a/x", "POST");
        assertEquals("a/x methods=POST", explanation.route());
        assertEquals(List.of(new Considered("a/x methods=GET|HEAD", "method is POST, not GET or HEAD")), explanation.considered());
        assertEquals("method PUT is answered 405 (expected: GET, HEAD, POST)", small.explain("http://a/x", "PUT").why());
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "header=X-Env:qa|dev; header x-env is prod, not dev or qa",
        "header=X-Env~^q; header x-env is prod, not a match of ^q",
        "header=X-Other; header x-other is missing",
        "!header=X-Env; header=x-env holds, and must not",
        "query=v=2; query parameter v is 1, not 2",
        "query=w; query parameter w is missing",
        "client=10.0.0.0/8|::1; client address 192.0.2.7 is not in 10.0.0.0/8|0:0:0:0:0:0:0:1/128",
        "method=POST; method is GET, not POST",
        "path~^/b; path /x does not match ^/b",
        "host~^b; host a does not match ^b",
    })
    void saysWhichCriterionARequestLacks(String option, String why) {
        RouteTable small = Catalogs.table(instance("web", "1", "gatepost.route=a/ " + option));
        Explanation explanation = small.explain("http://a/x?v=1", "GET", List.of("X-Env: prod"), Optional.of("192.0.2.7"));
        assertEquals(Explanation.NO_ROUTE, explanation.outcome());
        assertEquals(why, explanation.considered().getFirst().why());
    }

    @Test
    void saysThatTheClientIsRefused() {
        RouteTable small = Catalogs.table(instance("web", "1", "gatepost.route=a/ allow=10.0.0.0/8"));
        assertEquals(
                "client address 192.0.2.7 is answered 403 (expected: one that allow= and deny= admit)",
                small.explain("http://a/", "GET", List.of(), Optional.of("192.0.2.7")).why());
        assertEquals("1 of 1 instances get traffic", small.explain("http://a/", "GET", List.of(), Optional.of("10.1.2.3")).why());
        assertEquals(
                "client address is not given (expected: one in 10.0.0.0/8)",
                Catalogs.table(instance("web", "1", "gatepost.route=a/ client=10.0.0.0/8")).explain("http://a/", "GET").considered().getFirst().why());
    }

    @Test
    void refusesAHeaderOrClientThatIsNone() {
        assertThrows(IllegalArgumentException.class, () -> table.explain("http://a/", "GET", List.of("no colon"), Optional.empty()));
        assertThrows(IllegalArgumentException.class, () -> table.explain("http://a/", "GET", List.of(), Optional.of("example.com")));
    }

    @Test
    void namesTheHostsThatServeThePath() {
        RouteTable small = Catalogs.table(instance("web", "1", "gatepost.route=shop.example.com/"));
        Explanation explanation = small.explain("https://shpo.example.com/x", "GET");
        assertEquals(Explanation.NO_ROUTE, explanation.outcome());
        assertEquals(List.of(new Considered("shop.example.com/", "host differs: shpo.example.com is not shop.example.com")), explanation.considered());
    }

    @Test
    void saysThatARejectedDeclarationWouldHaveServed() {
        RouteTable small = Catalogs.table(
                instance("web", "1", "gatepost.route=shop.example.com/api strp=/x"), instance("other", "1", "gatepost.route=shop.example.com/img strp=/x"));
        Explanation explanation = small.explain("shop.example.com/api/7", "GET");
        assertEquals(Explanation.REJECTED, explanation.outcome());
        assertTrue(explanation.why().contains("unknown option \"strp\""), explanation::why);
        assertEquals(1, explanation.considered().size());
        assertEquals(Explanation.NO_ROUTE, small.explain("shop.example.com/", "GET").outcome());
        assertEquals(Explanation.NO_ROUTE, small.explain("example.com/api", "GET").outcome());
    }

    @Test
    void namesRejectedDeclarationsBesideAMatch() {
        Explanation explanation = table.explain("a.example.com/typo", "GET");
        assertEquals("a.example.com/", explanation.route());
        assertTrue(explanation.considered().stream()
                .anyMatch(c -> c.route().equals("gatepost.route=a.example.com/typo strp=/x") && c.why().startsWith("rejected, service typo")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://a/", "http://a:999999/", "http://a/%zz", "a/../..", "http://a/%00"})
    void refusesWhatIsNoRequest(String url) {
        assertThrows(IllegalArgumentException.class, () -> table.explain(url, "GET"));
    }

    @Test
    void agreesWithMatch() {
        Random random = new Random(23);
        for (int round = 0; round < 40; round++) {
            List<Route> routes = new ArrayList<>();
            for (int n = random.nextInt(60); n >= 0; n--) {
                routes.add(RouteMatchTest.route(
                        RouteMatchTest.host(random, true) + RouteMatchTest.path(random, true), round % 2 * random.nextInt(3), new Upstream("u", List.of(), 0)));
            }
            RouteTable random60 = RouteTable.of(routes);
            for (int i = 0; i < 100; i++) {
                String host = RouteMatchTest.host(random, false);
                String path = RouteMatchTest.path(random, false);
                int port = random.nextBoolean() ? 80 : 8080;
                Match match = RouteMatchTest.match(random60, host, port, path);
                Explanation explanation = random60.explain("http://" + host + ":" + port + path, "GET");
                String matched = switch (match) {
                    case Match.Found(Route route) -> route.id();
                    case Match.Empty(Route route) -> route.id();
                    case Match.NoRoute _ -> "";
                };
                assertEquals(matched, explanation.route(), () -> host + path);
                // Whatever serves the request and was passed over is named.
                for (Route route : random60.routes()) {
                    if (RouteMatchTest.serves(route, host, port, path) && !route.id().equals(matched)) {
                        List<String> whys = explanation.considered().stream().filter(c -> c.route().equals(route.id())).map(Considered::why).toList();
                        assertEquals(1, whys.size(), route::id);
                        assertFalse(whys.getFirst().contains("differs"), whys::getFirst);
                    }
                }
            }
        }
    }
}
