package dev.gatepost.gateway.route;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static dev.gatepost.gateway.route.Catalogs.instance;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What routes ask of a request beside its host and path, and which of several decides.
class ConditionTest {
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "header=X-Canary; X-Canary: ; true",
        "header=X-Canary; x-canary: 1; true",
        "header=X-Canary; X-Other: 1; false",
        "header=X-Canary:1; X-Canary: 1; true",
        "header=X-Canary:1; X-Canary: 12; false",
        "header=X-Env:qa|dev; X-Env: dev; true",
        "header=X-Env~^(qa|dev)$; X-Env: qa; true",
        "header=X-Env~^(qa|dev)$; X-Env: qa2; false",
        "!header=X-Canary; X-Canary: 1; false",
        "!header=X-Canary; X-Other: 1; true",
        "!header=X-Canary:1; X-Canary: 2; true",
        "header=A header=B:1; A: x; false",
    })
    void headers(String option, String header, boolean serves) {
        assertEquals(serves, serves(option, "GET", "http://a/", header));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "query=v; ?v; true",
        "query=v; ?v=; true",
        "query=v; ?w=v; false",
        "query=v; ; false",
        "query=v=2; ?v=2; true",
        "query=v=2; ?v=1&v=2; true",
        "query=v=2; ?V=2; false",
        "query=v=a+b; ?v=a%2Bb; true",
        "query=v~^a\\s+b$; ?v=a+b; true",
        "query=v~^a\\s+b$; ?v=a%20b; true",
        "query=v=2|3; ?v=3; true",
        "query=v~^[0-9]+$; ?v=12; true",
        "query=v~^[0-9]+$; ?v=x; false",
        "!query=v; ?v=1; false",
        "query=v; ?%zz&v; true",
    })
    void queryParameters(String option, String query, boolean serves) {
        assertEquals(serves, serves(option, "GET", "http://a/" + (query == null ? "" : query)));
    }

    @ParameterizedTest
    @CsvSource({"client=192.0.2.0/24, true", "client=10.0.0.0/8, false", "client=10.0.0.0/8|192.0.2.7, true", "!client=192.0.2.0/24, false"})
    void clientAddresses(String option, boolean serves) {
        assertEquals(serves, serves(option, "GET", "http://a/"));
    }

    @ParameterizedTest
    @CsvSource({
        "'path~^/x/[0-9]+$', /x/12, true",
        "'path~^/x/[0-9]+$', /x/y, false",
        "'path~^/x\\s+y$', /x%20y, true",
        "'path~^/ü$', /%C3%BC, true",
        "'path~^/a/b$', /a%2Fb, false",
        "'!path~\\.php$', /index.php, false",
        "'!path~\\.php$', /index, true",
    })
    void pathExpressions(String option, String path, boolean serves) {
        assertEquals(serves, serves(option, "GET", "http://a" + path));
    }

    @ParameterizedTest
    @CsvSource({
        "https://a/, https://a/x, true",
        "https://a/, http://a/x, false",
        "http://a/, http://a/x, true",
        "http://a/, https://a/x, false",
    })
    void schemes(String route, String url, boolean serves) {
        RouteTable table = Catalogs.table(instance("web", "1", "gatepost.route=" + route));
        assertEquals(serves, RouteMatchTest.match(table, "GET", url) instanceof Match.Found);
        assertEquals(List.of(route), GatepostDialectTest.ids(table));
    }

    @ParameterizedTest
    @CsvSource({
        "/users/*/orders, /users/7/orders, true",
        "/users/*/orders, /users/7/orders/1, true",
        "/users/*/orders, /users/7/ordersx, false",
        "/users/*/orders, /users/7/8/orders, false",
        "/users/**/orders, /users/7/8/orders, true",
        "/users/*/orders$, /users/7/orders/1, false",
        "/users/*/orders*, /users/7/orders-and-more/1, true",
        "/*.php, /index.php, true",
        "/*.php, /a/index.php, false",
        "/**.php, /a/index.php, true",
        "/a.b/*/c, /axb/x/c, false",
        "/exact$, /exact, true",
        "/exact$, /exact/, false",
    })
    void pathGlobs(String path, String requested, boolean serves) {
        RouteTable table = Catalogs.table(instance("web", "1", "gatepost.route=a" + path));
        assertEquals(List.of(), table.rejected());
        assertEquals(List.of("a" + path), GatepostDialectTest.ids(table));
        assertEquals(serves, RouteMatchTest.match(table, "a", 80, requested) instanceof Match.Found);
    }

    @ParameterizedTest
    @CsvSource({
        "api-*.example.com, api-1.example.com, true",
        "api-*.example.com, API-1.example.com., true",
        "api-*.example.com, api-1.b.example.com, true",
        "api-*.example.com, web.example.com, false",
        "{a}.example.com, a.example.com, true",
        "web[0-9].example.com, web7.example.com, true",
        "web?.example.com, web77.example.com, false",
        "shop.*, shop.example.com, true",
        "*shop*, my.shop.example.com, true",
        "~^v[0-9]+\\.example\\.com$, v12.example.com, true",
        "~^v[0-9]+\\.example\\.com$, vx.example.com, false",
        "~^v[0-9]+\\.example\\.com$, v12.example.org, false",
        "~shop, my-shop.example.com, true",
        "~^(a|b)\\.example\\.com$, b.example.com, true",
    })
    void hostPatterns(String host, String requested, boolean serves) {
        RouteTable table = Catalogs.table(instance("web", "1", "gatepost.route=" + host + "/"));
        assertEquals(List.of(), table.rejected());
        assertEquals(serves, RouteMatchTest.match(table, requested, 80, "/x") instanceof Match.Found);
    }

    @ParameterizedTest
    @CsvSource({
        "a.example.com, /x, a.example.com/",
        "api-1.example.com, /x, api-*.example.com/",
        "api-1.example.com, /long, api-*.example.com/",
        "web.example.com, /long, *.example.com/long",
        "z.b.example.com, /x, *.b.example.com/",
        "api-1.example.org, /x, api-*/",
        "web.example.org, /deep/er, /deep",
        "api-1.example.org, /deep/er, api-*/",
    })
    void aHostPatternStandsBetweenExactAndAny(String host, String path, String expected) {
        RouteTable table = table(
                "a.example.com/", "api-*.example.com/", "*.example.com/", "*.example.com/long", "*.b.example.com/", "api-*/", "/", "/deep", "a*.b.example.com/no");
        assertEquals(expected, id(RouteMatchTest.match(table, host, 80, path)));
    }

    @ParameterizedTest
    @CsvSource({
        "POST, http://a/x, '', a/x methods=POST",
        "GET, http://a/x, 'X-C: 1', a/x header=x-c",
        "GET, http://a/x?v=1, 'X-C: 1', a/x header=x-c query=v",
        "GET, https://a/x, '', https://a/x",
        "GET, http://a/x, '', a/x",
        "GET, http://a/y, '', a/",
        "GET, http://a/x/top, '', a/x/top priority",
    })
    void theNarrowerConditionDecides(String method, String url, String header, String expected) {
        RouteTable table = table(
                "a/x", "a/x methods=POST", "a/x header=X-C", "a/x header=X-C query=v", "https://a/x", "a/", "a/x/top header=X-No", "a/x/top");
        String id = id(header.isEmpty() ? RouteMatchTest.match(table, method, url) : RouteMatchTest.match(table, method, url, header));
        assertEquals(expected.replace(" priority", ""), id);
    }

    @Test
    void methodsOfOnePathGoToDifferentServicesAndOthersAreRefusedThere() {
        RouteTable table = Catalogs.table(
                instance("read", "1", "gatepost.route=a/x methods=GET|HEAD"), instance("write", "1", "gatepost.route=a/x methods=POST"), instance("front", "1", "gatepost.route=a/"));
        assertEquals("read", service(RouteMatchTest.match(table, "HEAD", "http://a/x/1")));
        assertEquals("write", service(RouteMatchTest.match(table, "POST", "http://a/x/1")));
        Match.Found refusing = assertInstanceOf(Match.Found.class, RouteMatchTest.match(table, "PUT", "http://a/x/1"));
        assertEquals(List.of("GET", "HEAD", "POST"), table.allowedMethods(refusing.route()));
        assertEquals("front", service(RouteMatchTest.match(table, "PUT", "http://a/y")));
    }

    @Test
    void aPriorityOutranksAnyCondition() {
        RouteTable table = table("a/x header=X-C", "a/ priority=1");
        assertEquals("a/", id(RouteMatchTest.match(table, "GET", "http://a/x", "X-C: 1")));
    }

    @Test
    void aConditionIsPartOfTheRoutesIdentity() {
        RouteTable table = table("a/x header=X-C:1", "a/x header=x-c:1", "a/x header=X-C:2", "a/x");
        assertEquals(List.of("a/x header=x-c:1", "a/x header=x-c:2", "a/x"), GatepostDialectTest.ids(table));
        assertEquals(2, table.routes().getFirst().upstream().known());
    }

    @Test
    void anIdIsTheExpressionThatDeclaresIt() {
        RouteTable table = table(
                "https://api-*.example.com:8443/u/*/o header=x-a:1|2 !query=v~^x client=10.0.0.0/8 methods=GET", "~^v[0-9]+\\.example\\.com$/ path~^/a", "a/x$ method=PUT");
        for (Route route : table.routes()) {
            RouteTable again = table(route.id());
            assertEquals(List.of(), again.rejected());
            assertEquals(route.id(), again.routes().getFirst().id());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "a/ header=", "a/ header=:1", "a/ header=X-A:", "a/ header=X~(", "a/ query==1", "a/ client=10.0.0.256", "a/ client=", "a/ path~(?=x)", "a/ path~\\1",
        "a/ method=get", "~(/", "~a{1001}/", "a/ path~((a{100}){100}){100}", "a{b/", "a/ !strip=/x", "a/ strip~/x", "a/ !methods=GET",
    })
    void rejectsACriterionThatItCannotKeep(String route) {
        RouteTable table = Catalogs.table(instance("web", "1", "gatepost.route=" + route, "gatepost.route=good/"));
        assertEquals(List.of("good/"), GatepostDialectTest.ids(table));
        assertEquals(1, table.rejected().size());
        assertTrue(table.rejected().getFirst().reason().contains("expected: "), table.rejected().getFirst()::reason);
    }

    @Test
    void matchesAsALinearSearchInLookUpOrderDoes() {
        Random random = new Random(17);
        String[] options = {"", " header=X-A", " header=X-A:1", " query=v", " header=X-A query=v=1", " method=GET", " !header=X-A", " path~b", " host~c", " client=192.0.2.7"};
        for (int round = 0; round < 60; round++) {
            List<String> routes = new ArrayList<>();
            for (int n = random.nextInt(80); n >= 0; n--) {
                String priority = round % 3 == 0 ? " priority=" + random.nextInt(3) : "";
                routes.add(RouteMatchTest.host(random, true) + RouteMatchTest.path(random, true) + options[random.nextInt(options.length)] + priority);
            }
            RouteTable table = table(routes.toArray(String[]::new));
            for (int i = 0; i < 200; i++) {
                String[] headers = random.nextBoolean() ? new String[0] : new String[] {"X-A: " + random.nextInt(3)};
                String url = "http://" + RouteMatchTest.host(random, false) + RouteMatchTest.path(random, false) + (random.nextBoolean() ? "" : "?v=" + random.nextInt(2));
                String method = random.nextBoolean() ? "GET" : "POST";
                Question question = Question.of(url, method, List.of(headers), Optional.of("192.0.2.7"));
                Optional<Route> expected = table.routes().stream()
                        .filter(route -> question.fits(route.host()) && question.fits(route.path()) && route.condition().admits(question))
                        .findFirst();
                assertEquals(expected.<Match>map(Route::match).orElse(new Match.NoRoute()), RouteMatchTest.match(table, method, url, headers), url);
                assertEquals(expected.map(Route::id).orElse(""), table.explain(url, method, List.of(headers), Optional.of("192.0.2.7")).route(), url);
            }
        }
    }

    private static boolean serves(String option, String method, String url, String... headers) {
        RouteTable table = Catalogs.table(instance("web", "1", "gatepost.route=a/ " + option));
        assertEquals(List.of(), table.rejected());
        return RouteMatchTest.match(table, method, url, headers) instanceof Match.Found;
    }

    private static RouteTable table(String... routes) {
        List<String> tags = new ArrayList<>();
        for (String route : routes) {
            tags.add("gatepost.route=" + route);
        }
        RouteTable table = Catalogs.table(instance("web", "1", tags.toArray(String[]::new)), instance("web", "2", tags.toArray(String[]::new)));
        assertEquals(List.of(), table.rejected());
        return table;
    }

    private static String id(Match match) {
        return assertInstanceOf(Match.Found.class, match).route().id();
    }

    private static String service(Match match) {
        return assertInstanceOf(Match.Found.class, match).route().upstream().endpoints().getFirst().service();
    }
}
