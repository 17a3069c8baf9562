package dev.gatepost.dns;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

import static dev.gatepost.dns.TestZones.a;
import static dev.gatepost.dns.TestZones.name;
import static dev.gatepost.dns.TestZones.sets;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// How a zone grows out of the one before.
class ZoneTest {
    private final Zone empty = Zone.of(
            List.of(new Origin(name("consul"), false)),
            new Zone.Authority("ns", List.of(), Duration.ofSeconds(2), Duration.ofSeconds(1)));

    @Test
    void sharesWhatDidNotChange() {
        Zone first = empty.change().put(name("a.service.consul"), sets(a("10.0.0.1"))).put(name("b.service.consul"), sets(a("10.0.0.2"))).build(1);
        Zone second = first.change().put(name("b.service.consul"), sets(a("10.0.0.3"))).build(2);

        assertSame(first.at(name("a.service.consul")).getFirst(), second.at(name("A.service.consul")).getFirst());
        assertEquals(List.of(a("10.0.0.2")), first.at(name("b.service.consul")).getFirst().records());
        assertEquals(List.of(a("10.0.0.3")), second.at(name("b.service.consul")).getFirst().records());
        assertEquals(2, second.revision());
    }

    @Test
    void emptyNonTerminalsVanishWithTheirLastChild() {
        Zone both = empty.change().put(name("x.web.service.consul"), sets(a("10.0.0.1"))).put(name("y.web.service.consul"), sets(a("10.0.0.1"))).build(1);
        Zone one = both.change().remove(name("x.web.service.consul")).build(2);
        Zone none = one.change().remove(name("y.web.service.consul")).build(3);

        assertTrue(both.contains(name("web.service.consul")));
        assertTrue(one.contains(name("web.service.consul")));
        assertFalse(none.contains(name("web.service.consul")));
        assertFalse(none.contains(name("service.consul")));
        assertTrue(none.contains(name("consul")));
        assertEquals(empty.names(), none.names());
    }

    @Test
    void aNameWithChildrenLosesItsRecordsAndStays() {
        Zone zone = empty.change().put(name("web.service.consul"), sets(a("10.0.0.1"))).put(name("x.web.service.consul"), List.of()).build(1);
        Zone next = zone.change().remove(name("web.service.consul")).build(2);
        assertTrue(next.contains(name("web.service.consul")));
        assertEquals(List.of(), next.at(name("web.service.consul")));
        assertFalse(next.change().remove(name("x.web.service.consul")).build(3).contains(name("web.service.consul")));
    }

    @Test
    void removingWhatIsNotThereChangesNothing() {
        Zone zone = empty.change().put(name("x.y.consul"), List.of()).build(1);
        Zone next = zone.change().remove(name("z.consul")).remove(name("y.consul")).build(2);
        assertEquals(zone.names(), next.names());
        assertTrue(next.contains(name("y.consul")));
    }

    /// Against a map, through growth and decay over several table sizes.
    @Test
    void agreesWithAPlainMapThroughAnyHistory() {
        var random = new Random(5);
        Map<DomainName, List<RRset>> expected = new HashMap<>();
        Zone zone = empty;
        for (int round = 0; round < 200; round++) {
            Zone.Builder change = zone.change();
            boolean growing = round < 120;
            for (int i = 0; i < 100; i++) {
                DomainName name = name("n" + random.nextInt(6000) + (random.nextBoolean() ? ".tag" : "") + ".x" + random.nextInt(40) + ".service.consul");
                if (random.nextInt(10) < (growing ? 8 : 1)) {
                    List<RRset> sets = sets(a("10.0.0." + random.nextInt(256)));
                    change.put(name, sets);
                    expected.put(name, sets);
                } else if (!growing && !expected.isEmpty()) {
                    DomainName victim = expected.keySet().iterator().next();
                    change.remove(victim);
                    expected.remove(victim);
                } else {
                    change.remove(name);
                    expected.remove(name);
                }
            }
            zone = change.build(round);
        }
        for (Map.Entry<DomainName, List<RRset>> each : expected.entrySet()) {
            assertEquals(each.getValue(), zone.at(each.getKey()), () -> each.getKey().toString());
        }
        var names = new java.util.HashSet<DomainName>();
        for (DomainName each : expected.keySet()) {
            for (DomainName n = each; !n.isRoot(); n = n.parent()) {
                names.add(n);
            }
        }
        names.add(name("consul"));
        assertEquals(names.size(), zone.names());
        Zone.Builder change = zone.change();
        expected.keySet().forEach(change::remove);
        assertEquals(empty.names(), change.build(0).names());
    }
}
