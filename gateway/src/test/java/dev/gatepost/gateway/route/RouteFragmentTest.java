package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.config.Place;
import dev.gatepost.gateway.config.Problem;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static dev.gatepost.gateway.route.Catalogs.instance;
import static dev.gatepost.gateway.route.Catalogs.with;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Routes that operators write beside the catalog.
class RouteFragmentTest {
    @Test
    void leadsToTheInstancesOfAService() {
        RouteTable table = table(Catalogs.snapshot(instance("web", "1"), with(instance("web", "2"), Health.CRITICAL)), fragment("a", "{ route: a/api strip=/api, service: web }"));
        Route route = table.routes().getFirst();
        assertEquals(new Upstream("web@a/api", List.of(new Endpoint("n1/web-1", "web", "n1", "dc1", "10.0.0.1", 8000, 1)), 2), route.upstream());
        assertEquals("/api", route.options().strip());
        assertEquals(new Route.Declaration("kv", "gatepost", "gatepost/routes/a: a/api", ""), route.declarations().getFirst());
    }

    @Test
    void takesOnlyTheInstancesWithTheTag() {
        RouteTable table = table(Catalogs.snapshot(instance("web", "1", "blue"), instance("web", "2", "green")), fragment("a", "{ route: a/, service: web, tag: green }"));
        assertEquals(List.of("n1/web-2"), table.routes().getFirst().upstream().endpoints().stream().map(Endpoint::instance).toList());
    }

    @Test
    void isKnownButEmptyWithoutItsService() {
        RouteTable table = table(Catalogs.snapshot(instance("front", "1", "gatepost.route=a/")), fragment("a", "{ route: a/api, service: web }"));
        assertInstanceOf(Match.Empty.class, RouteMatchTest.match(table, "a", 80, "/api/x"));
        assertEquals(0, table.routes().getFirst().upstream().known());
        Explanation explanation = table.explain("http://a/api", "GET");
        assertTrue(explanation.toString().contains("no such service"), explanation::toString);
    }

    @Test
    void followsItsService() {
        RouteFragment fragment = fragment("a", "{ route: a/, service: web }");
        Snapshot calm = Catalogs.snapshot(instance("web", "1"), instance("api", "1", "gatepost.route=b/"));
        RouteTable before = table(calm, fragment);
        RouteTable after = RouteTable.from(
                Catalogs.with(calm, new Service("web", List.of(with(instance("web", "1"), Health.CRITICAL)))),
                List.of(fragment), Catalogs.SETTINGS, before);
        assertEquals(List.of("a/"), after.changes().stream().map(RouteTable.Change::id).toList());
        assertInstanceOf(Match.Empty.class, RouteMatchTest.match(after, "a", 80, "/"));
        assertSame(before.routes().get(1), after.routes().get(1));
    }

    @Test
    void leadsToFixedAddresses() {
        RouteTable table = table(Snapshot.EMPTY, fragment("a", "{ route: [ a/, b/ weight=2 ], addresses: [ \"10.0.0.7:8080\", \"[fd00::1]:81\", db.test:82 ] }"));
        assertEquals(2, table.size());
        List<Endpoint> endpoints = table.routes().getFirst().upstream().endpoints();
        assertEquals(List.of("10.0.0.7:8080", "fd00::1:81", "db.test:82"), endpoints.stream().map(each -> each.host() + ":" + each.port()).toList());
        assertEquals(List.of("kv gatepost/routes/a/10.0.0.7:8080"), endpoints.stream().map(Endpoint::instance).limit(1).toList());
    }

    @Test
    void redirectsWithoutAnUpstream() {
        RouteTable table = table(Snapshot.EMPTY, fragment("a", "route: old.test/ redirect=301|https://new.test$path"));
        assertInstanceOf(Match.Found.class, RouteMatchTest.match(table, "old.test", 80, "/x"));
    }

    @Test
    void goesBeforeWhatServicesDeclare() {
        Snapshot snapshot = Catalogs.snapshot(instance("api", "1", "gatepost.route=a/ strip=/tag"), instance("web", "1"));
        RouteTable table = table(snapshot, fragment("z", "{ route: a/ strip=/kv, service: web }"));
        Route route = table.routes().getFirst();
        assertEquals("/kv", route.options().strip());
        assertEquals(2, route.upstream().endpoints().size());
        assertEquals("gatepost/routes/z: a/", table.conflicts().getFirst().won().text());
    }

    @Test
    void setsOptionsOfARouteThatOthersDeclare() {
        Snapshot snapshot = Catalogs.snapshot(instance("web", "1", "gatepost.route=a/ strip=/s timeout=1s"), instance("api", "1", "gatepost.route=b/"));
        RouteFragment sets = fragment("sets", "route: a/ timeout=9s priority=3");
        RouteTable table = table(snapshot, sets);
        Route route = table.routes().getFirst();
        assertEquals("/s", route.options().strip());
        assertEquals(Optional.of(Duration.ofSeconds(9)), route.options().timeout());
        assertEquals(3, route.priority());
        RouteTable without = RouteTable.from(snapshot, List.of(), Catalogs.SETTINGS, table);
        assertEquals(Optional.of(Duration.ofSeconds(1)), without.routes().getFirst().options().timeout());
        assertSame(table.routes().get(1), without.routes().get(1));
    }

    @Test
    void settingsWaitForTheirRoute() {
        RouteFragment sets = fragment("sets", "route: a/ timeout=9s");
        RouteTable waiting = table(Snapshot.EMPTY, sets);
        assertEquals(0, waiting.size());
        assertEquals("gatepost/routes/sets: a/", waiting.rejected().getFirst().text());
        RouteTable there = RouteTable.from(Catalogs.snapshot(instance("web", "1", "gatepost.route=a/")), List.of(sets), Catalogs.SETTINGS, waiting);
        assertEquals(Optional.of(Duration.ofSeconds(9)), there.routes().getFirst().options().timeout());
        assertEquals(List.of(), there.rejected());
    }

    @Test
    void settingsOfARouteThatIsSpelledOtherwiseAreToldTheOther() {
        RouteTable table = table(Catalogs.snapshot(instance("web", "1", "urlprefix-a/api", "gatepost.route=b/api")), fragment("sets", "route: a/api timeout=9s"));
        assertEquals("nobody declares this route (expected: service or addresses, or somebody who does; there is a/api*)", table.rejected().getFirst().reason());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '!', textBlock = """
            service: web                              ! gatepost/routes/x: route: missing
            {route: a/, servic: web}                  ! gatepost/routes/x:1:13: fragment.servic: unknown key (nearest known: fragment.service)
            {route: a, service: web}                  ! gatepost/routes/x:1:9: route: "a" (expected: HOST/PATH
            {route: a/ balans=x, service: web}        ! gatepost/routes/x:1:9: route: unknown option "balans", the nearest is
            {route: [], service: web}                 ! gatepost/routes/x:1:9: route: none
            {route: {a: b}, service: web}             ! gatepost/routes/x:1:9: route: a mapping (expected: HOST/PATH
            {route: a/, tag: blue}                    ! gatepost/routes/x:1:18: tag: there without service
            {route: a/, service: w, addresses: [a:1]} ! gatepost/routes/x:1:36: addresses: there beside service
            {route: a/, addresses: [10.0.0.7]}        ! gatepost/routes/x:1:25: addresses[0]: 10.0.0.7 (expected: HOST:PORT
            {route: a/, addresses: []}                ! gatepost/routes/x: addresses: none
            {timeout: 1, route: a/ weight=3}          ! gatepost/routes/x:1:2: fragment.timeout: unknown key
            {route: a/ weight=3}                      ! gatepost/routes/x:1:9: route: weight without an upstream (expected: beside service or addresses
            {route: a/ scheme=https}                  ! gatepost/routes/x:1:9: route: scheme without an upstream
            {route: a/                                ! gatepost/routes/x:1:11: not YAML
            ''                                        ! gatepost/routes/x: fragment: nothing (expected: a mapping such as
            just words                                ! gatepost/routes/x:1:1: fragment: just words (expected: a mapping such as
            route: *.a/                               ! not YAML
            """)
    void saysWhereAndWhatIsWrong(String text, String problem) {
        List<Problem> problems = new ArrayList<>();
        assertEquals(Optional.empty(), RouteFragment.read("kv", text, place("x"), problems));
        assertTrue(problems.toString().contains(problem), problems::toString);
    }

    /// Whatever the order in which services and fragments come and go, the table is the one made from nothing.
    @Test
    void stepsLeadWhereTheWholeDoes() {
        Random random = new Random(3);
        Map<String, RouteFragment> fragments = new TreeMap<>();
        Map<String, Service> services = new HashMap<>();
        RouteTable stepped = RouteTable.EMPTY;
        for (int step = 0; step < 200; step++) {
            String service = "s" + random.nextInt(4);
            if (random.nextInt(3) == 0) {
                services.remove(service);
            } else {
                services.put(service, new Service(service, List.of(
                        with(instance(service, "1", random.nextBoolean() ? "blue" : "gatepost.route=h" + random.nextInt(3) + "/ strip=/" + random.nextInt(2)),
                                random.nextBoolean() ? Health.PASSING : Health.CRITICAL))));
            }
            String name = "f" + random.nextInt(4);
            String route = "h" + random.nextInt(3) + "/";
            switch (random.nextInt(5)) {
                case 0 -> fragments.remove(name);
                case 1 -> fragments.put(name, fragment(name, "{ route: " + route + " timeout=" + (1 + random.nextInt(3)) + "s }"));
                case 2 -> fragments.put(name, fragment(name, "{ route: " + route + ", addresses: [ a:1, b:2 ] }"));
                case 3 -> fragments.put(name, fragment(name, "{ route: " + route + " strip=/f, service: s" + random.nextInt(5) + " }"));
                default -> {}
            }
            Snapshot snapshot = new Snapshot(services, Map.of());
            stepped = RouteTable.from(snapshot, List.copyOf(fragments.values()), Catalogs.SETTINGS, stepped);
            RouteTable whole = RouteTable.from(snapshot, List.copyOf(fragments.values()), Catalogs.SETTINGS, RouteTable.EMPTY);
            assertEquals(described(whole), described(stepped));
            assertEquals(whole.rejected(), stepped.rejected());
            assertEquals(whole.conflicts(), stepped.conflicts());
        }
    }

    private static String described(RouteTable table) {
        StringBuilder text = new StringBuilder();
        table.routes().forEach(route -> text.append("%s %d %s %s %s%n".formatted(route.id(), route.priority(), route.options(), route.upstream(), route.declarations())));
        return text.toString();
    }

    private static RouteTable table(Snapshot snapshot, RouteFragment... fragments) {
        return RouteTable.from(snapshot, List.of(fragments), Catalogs.SETTINGS, RouteTable.EMPTY);
    }

    private static RouteFragment fragment(String name, String text) {
        List<Problem> problems = new ArrayList<>();
        return RouteFragment.read("kv", text, place(name), problems).orElseThrow(() -> new AssertionError(problems.toString()));
    }

    private static Place place(String name) {
        return new Place("gatepost/routes/" + name, Path.of("/"), 0, 0);
    }
}
