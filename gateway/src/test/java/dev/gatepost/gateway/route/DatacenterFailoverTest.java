package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.catalog.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;

/// Which datacenter's instances a route leads to.
class DatacenterFailoverTest {
    private static final String TAG = "gatepost.route=shop.test/";

    @Test
    void leadsToTheNearestDatacenterThatHasAHealthyInstance() {
        assertEquals(List.of("n1/web-1"), endpoints(at(0, Health.PASSING, TAG), at(1, Health.PASSING, TAG), at(2, Health.PASSING, TAG)));
        assertEquals(List.of("dc1:n1/web-1"), endpoints(at(0, Health.CRITICAL, TAG), at(1, Health.PASSING, TAG), at(2, Health.PASSING, TAG)));
        assertEquals(List.of("dc2:n1/web-1"), endpoints(at(0, Health.CRITICAL, TAG), at(1, Health.MAINTENANCE, TAG), at(2, Health.PASSING, TAG)));
        assertEquals(List.of("dc2:n1/web-1"), endpoints(at(2, Health.PASSING, TAG)));
        Route nobody = route(at(0, Health.CRITICAL, TAG), at(1, Health.CRITICAL, TAG));
        assertInstanceOf(Match.Empty.class, nobody.match());
        assertEquals(2, nobody.upstream().known());
    }

    @Test
    void saysWhichDatacenterServes() {
        assertEquals("", route(at(0, Health.PASSING, TAG), at(1, Health.PASSING, TAG)).upstream().elsewhere());
        RouteTable table = table(at(0, Health.CRITICAL, TAG), at(1, Health.PASSING, TAG), at(2, Health.PASSING, TAG));
        assertEquals("dc1", table.routes().getFirst().upstream().elsewhere());
        Explanation explanation = table.explain("https://shop.test/", "GET");
        assertEquals("1 of 3 instances get traffic, those of datacenter dc1 since none nearer is healthy", explanation.why());
        assertEquals(List.of("dc1"), explanation.endpoints().stream().map(Explanation.Target::datacenter).toList());
        assertEquals(
                List.of("n1/web-1: check c is critical", "dc2:n1/web-1: it stands by in datacenter dc2"),
                explanation.withheld().stream().map(each -> each.instance() + ": " + each.why()).toList());
    }

    /// A panic is for when there is nobody else.
    @Test
    void goesToAnotherDatacenterRatherThanPanic() {
        assertEquals(List.of("dc1:n1/web-1"), endpoints(at(0, Health.PANICKING, TAG), at(1, Health.PASSING, TAG)));
        assertEquals(List.of("n1/web-1"), endpoints(at(0, Health.PANICKING, TAG), at(1, Health.CRITICAL, TAG)));
    }

    @Test
    void takesTheOptionsOfTheDatacenterThatServesAndCallsThatNoConflict() {
        String other = TAG + " strip=/x";
        RouteTable calm = table(at(0, Health.PASSING, TAG), at(1, Health.PASSING, other));
        assertEquals("", calm.routes().getFirst().options().strip());
        assertEquals(List.of(), calm.conflicts());
        RouteTable over = table(at(0, Health.CRITICAL, TAG), at(1, Health.PASSING, other));
        assertEquals("/x", over.routes().getFirst().options().strip());
        assertEquals(List.of(), over.conflicts());
    }

    @Test
    void goesOnWhereTheNearerInstancesHaveAWeightOfNothing() {
        assertEquals(List.of("dc1:n1/web-1"), endpoints(at(0, Health.PASSING, TAG + " weight=0"), at(1, Health.PASSING, TAG)));
    }

    @Test
    void dividesAShareOfFabioAmongTheInstancesOfOneDatacenter() {
        Instance plain = at(0, Health.PASSING, "urlprefix-shop.test/");
        Instance blue = new Instance(
                "web-2", "web", plain.node(), "", 8001, List.of("urlprefix-shop.test/", "blue"), Map.of(), Map.of(), Weights.DEFAULT, List.of());
        Instance farBlue = at(1, Health.PASSING, "urlprefix-shop.test/", "blue");
        RouteSettings settings = Catalogs.SETTINGS.withCommands(FabioCommands.parse("kv", "k", "route weight web shop.test/ weight 0.2 tags \"blue\""));
        RouteTable table = RouteTable.from(snapshot(plain, blue, farBlue), settings, RouteTable.EMPTY);
        assertEquals(List.of(4, 1), table.routes().getFirst().upstream().endpoints().stream().map(Endpoint::weight).toList());
    }

    @Test
    void isTheSameRouteWhileOthersStandByDifferently() {
        Snapshot before = snapshot(at(0, Health.PASSING, TAG), at(1, Health.PASSING, TAG));
        Snapshot after = snapshot(at(0, Health.PASSING, TAG), at(1, Health.CRITICAL, TAG));
        RouteTable first = RouteTable.from(before, Catalogs.SETTINGS, RouteTable.EMPTY);
        RouteTable second = RouteTable.from(after, Catalogs.SETTINGS, first);
        assertSame(first.routes().getFirst(), second.routes().getFirst());
        assertEquals(List.of(), second.changes());
    }

    @Test
    void findsNoGhostInAnAddressThatTwoDatacentersHave() {
        assertEquals(List.of(), table(at(0, Health.PASSING, TAG), at(1, Health.PASSING, TAG)).ghosts());
    }

    private static Route route(Instance... instances) {
        return table(instances).routes().getFirst();
    }

    private static List<String> endpoints(Instance... instances) {
        return route(instances).upstream().endpoints().stream().map(Endpoint::instance).toList();
    }

    private static RouteTable table(Instance... instances) {
        return RouteTable.from(snapshot(instances), Catalogs.SETTINGS, RouteTable.EMPTY);
    }

    private static Snapshot snapshot(Instance... instances) {
        List<Instance> all = new ArrayList<>(Stream.of(instances).toList());
        return new Snapshot(Map.of("web", new Service("web", all)), Map.of());
    }

    /// The same id on the same node, in datacenter `dcN`.
    private static Instance at(int distance, Health health, String... tags) {
        Node node = new Node("n1", "", "10.0.0.1", "dc" + distance, Map.of(), Map.of());
        return new Instance(
                "web-1", "web", node, "", 8000, List.of(tags), Map.of(), Map.of(), Weights.DEFAULT, List.of(new Check("c", "", health)), distance);
    }
}
