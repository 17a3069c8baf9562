package dev.gatepost.dns;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Zones for tests, of the shape that services have.
final class TestZones {
    private static final Duration TTL = Duration.ofSeconds(2);

    private TestZones() {}

    static Zone sample() {
        var origins = new ArrayList<Origin>();
        origins.add(new Origin(DomainName.of("consul"), false));
        origins.addAll(Origin.privateReverse());
        Zone empty = Zone.of(origins, new Zone.Authority("ns", List.of(address("127.0.0.1")), TTL, Duration.ofSeconds(1)));
        Stream<Rdata> many = IntStream.range(0, 600).boxed().flatMap(i -> {
            String ip = "10.9." + i / 250 + "." + i % 250;
            return Stream.of(new Rdata.Address(address(ip)), srv(ip, 8080, 1));
        });
        return empty.change()
                .put(name("web.service.consul"), sets(a("10.0.0.1"), a("10.0.0.2"), srv("10.0.0.1", 8080, 1), srv("10.0.0.2", 8080, 2)))
                .put(name("many.service.consul"), RRset.of(TTL, many.toList()))
                .put(name("ports.service.consul"), sets(srv("10.0.0.1", 1, 1), srv("10.0.0.1", 2, 1), srv("10.0.0.1", 3, 1)))
                .put(name("dual.service.consul"), sets(a("10.0.0.3"), a("fd00::3")))
                .put(name("down.service.consul"), List.of())
                .put(name("alias.service.consul"), sets(new Rdata.Cname(name("web.service.consul"))))
                .put(name("broken.service.consul"), sets(new Rdata.Cname(name("gone.service.consul"))))
                .put(name("external.service.consul"), sets(new Rdata.Cname(name("www.example.com"))))
                .put(name("loop.service.consul"), sets(new Rdata.Cname(name("loop.service.consul"))))
                .put(name("1.0.0.10.in-addr.arpa"), sets(new Rdata.Ptr(name("node1.node.consul"))))
                .put(name("34.216.184.93.in-addr.arpa"), sets(new Rdata.Ptr(name("web.service.consul"))))
                .spellAddressesUnder(name("addr.consul"))
                .build(7);
    }

    /// Would answer for everything.
    static final Outside.Agent ANY_AGENT = agent(true);
    /// Would answer for nothing that the zone shares.
    static final Outside.Agent NARROW_AGENT = agent(false);

    private static Outside.Agent agent(boolean covers) {
        return new Outside.Agent() {
            @Override
            public boolean covers(byte[] bytes, int nameAt, int nameLength) {
                return covers;
            }

            @Override
            public boolean answer(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
                return false;
            }

            @Override
            public void ask(Outside.Asker asker) {}
        };
    }

    static Rdata.Srv srv(String ip, int port, int weight) {
        InetAddress address = address(ip);
        return new Rdata.Srv(1, weight, port, name(HexFormat.of().formatHex(address.getAddress()) + ".addr.consul"), List.of(address));
    }

    static Rdata a(String ip) {
        return new Rdata.Address(address(ip));
    }

    static List<RRset> sets(Rdata... records) {
        return RRset.of(TTL, List.of(records));
    }

    static DomainName name(String text) {
        return DomainName.of(text);
    }

    static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(text, e);
        }
    }
}
