package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Origin;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rdata;
import dev.gatepost.gateway.catalog.HealthRule;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

/// Zones that operators write, beside the catalog's names.
class StaticZoneTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final ZoneSettings SETTINGS =
            ZoneSettings.strict(DomainName.of("consul"), Duration.ofSeconds(2), Duration.ofSeconds(1), HealthRule.PASSING, List.of(InetAddress.ofLiteral("127.0.0.1")));
    private static final DomainName ORIGIN = DomainName.of("qa.test");
    private static final DomainName WWW = DomainName.of("www.qa.test");
    private static final DomainName OLD = DomainName.of("old.qa.test");

    private static List<RRset> address(int last) {
        return RRset.of(MINUTE, List.of(new Rdata.Address(InetAddress.ofLiteral("192.0.2." + last))));
    }

    private static StaticZone zone(DomainName origin, int serial, Map<DomainName, List<RRset>> records) {
        var soa = new Rdata.Soa(origin.child("ns"), origin.child("host"), serial, 3600, 600, 86400, 30);
        return new StaticZone(origin, Optional.of(new Origin.Authority(soa, MINUTE)), records);
    }

    private static long serial(ServiceZone zone) {
        return zone.zone().origin(WWW).orElseThrow().soa().orElseThrow().soa().serial();
    }

    @Test
    void whatIsWrittenAnewChangesThatAndNothingElse() {
        StaticZone first = zone(ORIGIN, 1, Map.of(WWW, address(1), OLD, address(2)));
        ServiceZone before = ServiceZone.of(ServiceZoneTest.CATALOG, SETTINGS, List.of(first), 1);
        DomainName fresh = DomainName.of("a.b.qa.test");
        StaticZone second = zone(ORIGIN, 2, Map.of(WWW, address(3), fresh, address(4)));
        ServiceZone after = before.next(ServiceZoneTest.CATALOG, List.of(second), GateView.NONE, 2);
        assertEquals(address(3), after.zone().at(WWW));
        assertEquals(address(4), after.zone().at(fresh));
        assertEquals(List.of(), after.zone().at(OLD));
        assertEquals(1, serial(before));
        assertEquals(2, serial(after));
        assertEquals(3, after.zone().changesFrom(before.zone()).size(), "names that differ");
        DomainName db = DomainName.of("db.service.consul");
        assertSame(before.zone().at(db).getFirst(), after.zone().at(db).getFirst(), "the catalog's names were derived again");
    }

    /// Zones within each other, of addresses and within the catalog's own names included.
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void stepByStepAgreesWithFromNothing(long seed) {
        Random random = new Random(seed);
        List<DomainName> origins = List.of(
                DomainName.of("qa.test"), DomainName.of("sub.qa.test"), DomainName.of("other.test"), DomainName.of("0.0.10.in-addr.arpa"), DomainName.of("db.service.consul"));
        List<DomainName> names = new ArrayList<>();
        for (DomainName origin : origins) {
            names.add(origin);
            for (String label : List.of("1", "2", "a", "*")) {
                names.add(origin.child(label));
                names.add(origin.child("sub").child(label));
            }
        }
        List<StaticZone> written = new ArrayList<>(origins.subList(0, 3).stream().map(origin -> zone(origin, 0, Map.of())).toList());
        ServiceZone step = ServiceZone.of(ServiceZoneTest.CATALOG, SETTINGS, written, 0);
        for (int round = 1; round <= 60; round++) {
            List<StaticZone> next = new ArrayList<>(written);
            if (random.nextInt(10) == 0) {
                DomainName origin = origins.get(random.nextInt(origins.size()));
                boolean _ = next.removeIf(each -> each.origin().equals(origin)) || next.add(zone(origin, round, Map.of()));
            }
            for (int i = random.nextInt(2); i >= 0 && !next.isEmpty(); i--) {
                int at = random.nextInt(next.size());
                Map<DomainName, List<RRset>> records = new HashMap<>(next.get(at).records());
                for (int n = random.nextInt(4); n >= 0; n--) {
                    DomainName name = names.get(random.nextInt(names.size()));
                    if (name.isWithin(next.get(at).origin())) {
                        boolean _ = random.nextInt(3) == 0 ? records.remove(name) != null : records.put(name, address(random.nextInt(4))) != null;
                    }
                }
                next.set(at, zone(next.get(at).origin(), random.nextInt(9), records));
            }
            written = next;
            step = step.next(ServiceZoneTest.CATALOG, List.copyOf(written), GateView.NONE, round);
            ServiceZone scratch = ServiceZone.of(ServiceZoneTest.CATALOG, SETTINGS, written, round);
            assertEquals(scratch.zone().names(), step.zone().names());
            assertEquals(scratch.zone().origins(), step.zone().origins());
            for (DomainName name : names) {
                assertEquals(scratch.zone().contains(name), step.zone().contains(name), name::toString);
                assertEquals(scratch.zone().at(name), step.zone().at(name), name::toString);
            }
        }
    }
}
