package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Locality;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.catalog.Weights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

import static dev.gatepost.gateway.route.Catalogs.instance;
import static dev.gatepost.gateway.route.Catalogs.with;
import static dev.gatepost.gateway.route.GatepostDialectTest.ids;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

class RouteTableTest {
    private static final List<Health> HEALTH = List.of(Health.PASSING, Health.WARNING, Health.CRITICAL, Health.MAINTENANCE);

    @Test
    void endpointsAreTheInstancesThatServe() {
        RouteTable table = Catalogs.table(
                instance("web", "1", "gatepost.route=a/"),
                with(instance("web", "2", "gatepost.route=a/"), Health.CRITICAL),
                instance("web", "3"));
        assertEquals(
                new Upstream("web@a/", List.of(new Endpoint("n1/web-1", "web", "n1", "dc1", "10.0.0.1", 8000, 1)), 2),
                table.routes().getFirst().upstream());
    }

    @Test
    void aServiceWithoutAHealthyInstanceIsKnownButEmpty() {
        RouteTable table = Catalogs.table(
                instance("front", "1", "gatepost.route=a/"), with(instance("web", "1", "gatepost.route=a/api"), Health.MAINTENANCE));
        assertInstanceOf(Match.Empty.class, RouteMatchTest.match(table, "a", 80, "/api/x"));
        assertInstanceOf(Match.Found.class, RouteMatchTest.match(table, "a", 80, "/"));
    }

    @Test
    void warningInstancesServeWhereTheRuleSaysSo() {
        Snapshot snapshot = Catalogs.snapshot(with(instance("web", "1", "gatepost.route=a/"), Health.WARNING));
        RouteSettings lenient = new RouteSettings(Catalogs.SETTINGS.dialects(), HealthRule.WARNING, "");
        RouteTable strict = RouteTable.from(snapshot, Catalogs.SETTINGS, RouteTable.EMPTY);
        assertEquals(0, strict.routes().getFirst().upstream().endpoints().size());
        assertEquals(1, RouteTable.from(snapshot, lenient, strict).routes().getFirst().upstream().endpoints().size());
    }

    @Test
    void aWarningInstanceHasItsWeightForThat() {
        Weights weights = new Weights(10, 1);
        Snapshot snapshot = Catalogs.snapshot(
                Catalogs.with(instance("web", "1", "gatepost.route=a/"), weights),
                Catalogs.with(with(instance("web", "2", "gatepost.route=a/"), Health.WARNING), weights));
        RouteTable table = RouteTable.from(snapshot, new RouteSettings(Catalogs.SETTINGS.dialects(), HealthRule.WARNING, ""), RouteTable.EMPTY);
        assertEquals(List.of(10, 1), table.routes().getFirst().upstream().endpoints().stream().map(Endpoint::weight).toList());
    }

    @Test
    void endpointsInTheGatewaysOwnZoneAreNear() {
        Snapshot snapshot = Catalogs.snapshot(
                Catalogs.inZone(instance("web", "1", "gatepost.route=a/"), "rack-1"),
                Catalogs.inZone(with(instance("web", "2", "gatepost.route=a/"), Health.CRITICAL), "rack-1"),
                Catalogs.inZone(instance("web", "3", "gatepost.route=a/"), "rack-2"),
                instance("web", "4", "gatepost.route=a/"));
        RouteTable nowhere = RouteTable.from(snapshot, Catalogs.SETTINGS, RouteTable.EMPTY);
        assertTrue(nowhere.routes().getFirst().upstream().endpoints().stream().noneMatch(Endpoint::near));
        Upstream upstream = RouteTable.from(snapshot, Catalogs.SETTINGS.withLocality(new Locality("rack-1", "zone")), nowhere).routes().getFirst().upstream();
        assertEquals(List.of("n-rack-1/web-1"), upstream.endpoints().stream().filter(Endpoint::near).map(Endpoint::instance).toList());
        assertEquals(3, upstream.endpoints().size());
        assertEquals(2, upstream.near(), "those that should be there");
    }

    @Test
    void servicesShareTheRouteThatTheyAllDeclare() {
        RouteTable table = Catalogs.table(instance("green", "1", "gatepost.route=a/"), instance("blue", "1", "gatepost.route=a/"));
        Upstream upstream = table.routes().getFirst().upstream();
        assertEquals("blue+green@a/", upstream.name());
        assertEquals(List.of("blue", "green"), upstream.endpoints().stream().map(Endpoint::service).toList());
        assertEquals(List.of(), table.conflicts());
    }

    @Test
    void anInstanceIsOneEndpointHoweverOftenItDeclaresTheRoute() {
        RouteTable table = Catalogs.table(with(instance("web", "1", "gatepost.route=a/x/", "urlprefix-a/x/"), Map.of("gatepost-route", "a/x/")));
        Route route = table.routes().getFirst();
        assertEquals(1, route.upstream().endpoints().size());
        assertEquals(List.of("gatepost", "gatepost", "fabio"), route.declarations().stream().map(Route.Declaration::dialect).toList());
    }

    @Test
    void anInstanceThatServesDecidesWhatTheRouteDoes() {
        RouteTable table = Catalogs.table(
                with(instance("web", "1", "gatepost.route=a/ strip=/old"), Health.CRITICAL),
                instance("web", "2", "gatepost.route=a/ strip=/two"),
                instance("web", "3", "gatepost.route=a/ strip=/three"));
        assertEquals("/two", table.routes().getFirst().options().strip());
        assertEquals(
                List.of("gatepost.route=a/ strip=/old", "gatepost.route=a/ strip=/three"),
                table.conflicts().stream().map(conflict -> conflict.lost().text()).toList());
        assertEquals("n1/web-2", table.conflicts().getFirst().won().instance());
    }

    @Test
    void registratorsUdpPortsAreSaidToBeNoHttpServices() {
        RouteTable table = Catalogs.table(instance("dns", "h:dns:53:udp", "udp", "gatepost.route=a/", "urlprefix-b/"), instance("syslog", "h:syslog:514:udp", "udp"));
        assertEquals(List.of(), table.routes());
        assertEquals(List.of("gatepost.route=a/", "urlprefix-b/"), table.rejected().stream().map(Rejected::text).toList());
        assertTrue(table.rejected().getFirst().reason().contains("tagged udp"));
    }

    @Test
    void whatRegistratorCutAtACommaIsRejectedWithAHint() {
        RouteTable table = Catalogs.table(
                instance("web", "host1:web-1:8080", "urlprefix-a/ redirect=301", "https://b.example.com", "traefik.http.routers.r.rule=Host(`a`", "`b`)", "urlprefix-c/"));
        assertEquals(List.of("c/"), ids(table));
        assertEquals(2, table.rejected().size());
        assertTrue(table.rejected().getFirst().reason().contains("Registrator cuts tags at commas"));
    }

    @Test
    void aReregisteredInstanceKeepsItsRouteAndItsKey() {
        Snapshot before = Catalogs.snapshot(instance("web", "host1:web-1:8080", "urlprefix-a/"));
        RouteTable first = RouteTable.from(before, Catalogs.SETTINGS, RouteTable.EMPTY);
        RouteTable second = RouteTable.from(Catalogs.snapshot(instance("web", "host1:web-1:8080", "urlprefix-a/")), Catalogs.SETTINGS, first);
        assertSame(first.routes().getFirst(), second.routes().getFirst());
    }

    @Test
    void flagsAnAddressThatIsRegisteredTwice() {
        RouteTable table = Catalogs.table(
                Catalogs.withPort(instance("web", "host1:web-1:8080", "urlprefix-a/"), 32768), Catalogs.withPort(instance("old", "host1:old-7:80"), 32768),
                Catalogs.withPort(instance("api", "1"), 0), Catalogs.withPort(instance("batch", "1"), 0));
        assertEquals(List.of(new Ghost("10.0.0.1:32768", List.of("old n1/old-host1:old-7:80", "web n1/web-host1:web-1:8080"))), table.ghosts());
        assertEquals(1, table.routes().getFirst().upstream().endpoints().size());
    }

    @Test
    void tellsAConflictOnce() {
        Snapshot before = Catalogs.snapshot(instance("web", "1", "gatepost.route=a/ strip=/x"), instance("web", "2", "gatepost.route=a/ strip=/y"));
        RouteTable first = RouteTable.from(before, Catalogs.SETTINGS, RouteTable.EMPTY);
        assertEquals(
                List.of("route a/: gatepost.route=a/ strip=/x decides (service web, instance n1/web-1), not gatepost.route=a/ strip=/y (service web, instance n1/web-2)"),
                first.newConflicts().stream().map(Conflict::toString).toList());
        RouteTable second = RouteTable.from(Catalogs.with(before, new Service("other", List.of(instance("other", "1", "gatepost.route=b/")))), Catalogs.SETTINGS, first);
        assertEquals(List.of(), second.newConflicts());
        assertEquals(first.conflicts(), second.conflicts());
    }

    @Test
    void anInstanceWithoutAPortIsRejected() {
        RouteTable table = Catalogs.table(Catalogs.withPort(instance("web", "1", "gatepost.route=a/", "gatepost.route=b/ redirect=301|https://c/"), 0));
        assertEquals(List.of("b/"), ids(table));
        assertTrue(table.rejected().getFirst().reason().contains("port 0"));
        assertInstanceOf(Match.Found.class, RouteMatchTest.match(table, "b", 80, "/"));
    }

    @Test
    void publishesEveryServiceUnderTheDefaultHost() {
        RouteSettings settings = new RouteSettings(Catalogs.SETTINGS.dialects(), HealthRule.PASSING, "{service}.{dc}.qa.example.com");
        RouteTable table = RouteTable.from(
                Catalogs.snapshot(instance("Web_App", "1"), instance("consul", "1"), instance("web-app", "1"), instance("z", "1", "gatepost.route=x/")),
                settings,
                RouteTable.EMPTY);
        assertEquals(List.of("web-app.dc1.qa.example.com/", "x/", "z.dc1.qa.example.com/"), ids(table));
        Rejected rejected = table.rejected().getFirst();
        assertEquals("web-app", rejected.service());
        assertTrue(rejected.reason().contains("web-app.dc1.qa.example.com/ belongs to service Web_App"), rejected::reason);
        assertEquals(1, table.routes().getFirst().upstream().endpoints().size());
    }

    @Test
    void theDefaultHostMayTellTagsAndMeta() {
        RouteSettings settings = new RouteSettings(Set.of(), HealthRule.PASSING, "{tag}.{service}.{meta.team}.example.com");
        RouteTable table = RouteTable.from(
                Catalogs.snapshot(
                        with(instance("web", "1", "v1", "blue", "urlprefix-/"), Map.of("team", "Shop Floor")), with(instance("web", "2", "v2"), Map.of())),
                settings,
                RouteTable.EMPTY);
        assertEquals(List.of("blue.web.shop-floor.example.com/", "v1.web.shop-floor.example.com/"), ids(table));
    }

    /// Its owner's URL leads to somebody else then, over TLS say.
    @Test
    void aDefaultHostOfWhichSomebodyElseClaimsOneSchemeIsSaidToBeTaken() {
        RouteSettings settings = new RouteSettings(Catalogs.SETTINGS.dialects(), HealthRule.PASSING, "{service}.qa");
        RouteTable table = RouteTable.from(
                Catalogs.snapshot(
                        instance("shop", "1"), instance("shop", "2"), instance("cart", "1", "gatepost.route=https://cart.qa/"),
                        instance("taker", "1", "traefik.http.routers.r.rule=Host(`shop.qa`)", "traefik.http.routers.r.tls=true", "gatepost.route=https://cart.qa/ header=x-canary")),
                settings,
                RouteTable.EMPTY);
        assertEquals(
                List.of(new Rejected("default-host", "shop", "n1/shop-1", "shop.qa/", "https://shop.qa/ belongs to service taker (expected: a name that nobody else has)")),
                table.rejected());
    }

    /// `web-.example.com` is nobody's name.
    @Test
    void whatTheDefaultHostAsksForMustBeThere() {
        RouteSettings settings = new RouteSettings(Set.of(), HealthRule.PASSING, "{service}-{meta.team}.example.com");
        RouteTable table = RouteTable.from(
                Catalogs.snapshot(with(instance("api", "1"), Map.of("team", "shop")), instance("web", "1"), with(instance("cart", "1"), Map.of("team", "---"))),
                settings,
                RouteTable.EMPTY);
        assertEquals(List.of("api-shop.example.com/"), ids(table));
        assertEquals(List.of(), table.rejected());
    }

    @Test
    void aFlapReusesEveryOtherRoute() {
        List<Instance> instances = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            instances.add(instance("s" + i, "1", "gatepost.route=h" + i + ".example.com/", "gatepost.route=/s" + i, "urlprefix-/shared"));
        }
        Snapshot before = Catalogs.snapshot(instances.toArray(Instance[]::new));
        RouteTable first = RouteTable.from(before, Catalogs.SETTINGS, RouteTable.EMPTY);
        Snapshot after = Catalogs.with(before, new Service("s7", List.of(with(instances.get(7), Health.CRITICAL))));
        RouteTable second = RouteTable.from(after, Catalogs.SETTINGS, first);

        Map<String, Route> known = new HashMap<>();
        first.routes().forEach(route -> known.put(route.id(), route));
        Set<String> own = Set.of("h7.example.com/", "/s7", "/shared*");
        for (Route route : second.routes()) {
            if (own.contains(route.id())) {
                assertNotSame(Objects.requireNonNull(known.get(route.id())), route, route::id);
            } else {
                assertSame(Objects.requireNonNull(known.get(route.id())), route, route::id);
            }
        }
        assertEquals(401, second.size());
    }

    @Test
    void aChangeThatMakesNoDifferenceToARouteKeepsIt() {
        Snapshot before = Catalogs.snapshot(instance("web", "1", "gatepost.route=a/", "x"));
        RouteTable first = RouteTable.from(before, Catalogs.SETTINGS, RouteTable.EMPTY);
        RouteTable second = RouteTable.from(
                Catalogs.with(before, new Service("web", List.of(instance("web", "1", "gatepost.route=a/", "y")))), Catalogs.SETTINGS, first);
        assertSame(first.routes().getFirst(), second.routes().getFirst());
    }

    @Test
    void whateverTheHistoryTheTableIsThatOfItsSnapshot() {
        Random random = new Random(5);
        Snapshot snapshot = Snapshot.EMPTY;
        RouteTable table = RouteTable.EMPTY;
        for (int round = 0; round < 300; round++) {
            RouteSettings settings = new RouteSettings(
                    Catalogs.SETTINGS.dialects(),
                    round % 100 < 50 ? HealthRule.PASSING : HealthRule.WARNING,
                    round % 60 < 30 ? "" : "{service}.example.com");
            for (int n = random.nextInt(4); n >= 0; n--) {
                String name = "s" + random.nextInt(12);
                snapshot = random.nextInt(4) == 0 ? Catalogs.without(snapshot, name) : Catalogs.with(snapshot, service(random, name));
            }
            table = RouteTable.from(snapshot, settings, table);
            RouteTable anew = RouteTable.from(snapshot, settings, RouteTable.EMPTY);
            assertEquals(described(anew), described(table));
            assertEquals(anew.routes().size(), table.size());
            assertEquals(Set.copyOf(anew.rejected()), Set.copyOf(table.rejected()));
            assertEquals(anew.conflicts(), table.conflicts());
        }
    }

    private static Service service(Random random, String name) {
        List<Instance> instances = new ArrayList<>();
        for (int i = random.nextInt(3); i >= 0; i--) {
            List<String> tags = new ArrayList<>();
            for (int n = random.nextInt(3); n > 0; n--) {
                String option = new String[] {"", " strip=/a", " weight=2", " bad", " priority=1"}[random.nextInt(5)];
                tags.add("gatepost.route=" + RouteMatchTest.host(random, true) + RouteMatchTest.path(random, true) + option);
            }
            Health health = HEALTH.get(random.nextInt(4));
            instances.add(with(instance(name, "" + i, tags.toArray(String[]::new)), health));
        }
        return new Service(name, instances);
    }

    private static List<String> described(RouteTable table) {
        return table.routes().stream()
                .map(route -> route.id() + " " + route.priority() + " " + route.options() + " " + route.upstream() + " " + route.declarations())
                .toList();
    }
}
