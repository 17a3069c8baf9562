package dev.gatepost.dns;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static dev.gatepost.dns.TestZones.a;
import static dev.gatepost.dns.TestZones.name;
import static dev.gatepost.dns.TestZones.sets;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Zones within zones, wildcards, a second name for an origin, host names that are the zone's own, and weights.
class ZoneStructureTest {
    private static final Rdata.Soa SOA = new Rdata.Soa(name("a.example.org"), name("root.example.org"), 41, 1, 2, 3, 60);
    private static final Duration TTL = Duration.ofSeconds(2);

    private final Zone zone = Zone.of(
                    List.of(
                            new Origin(name("consul"), false),
                            new Origin(name("service.consul"), false),
                            Origin.alias(name("fleet.test"), name("consul")),
                            Origin.of(name("example.org"), SOA, Duration.ofSeconds(300))),
                    new Zone.Authority("ns", List.of(TestZones.address("127.0.0.1")), TTL, Duration.ofSeconds(1)))
            .change()
            .put(name("web.service.consul"), sets(a("10.0.0.1")))
            .put(name("node1.node.consul"), sets(a("10.0.0.2")))
            .put(name("inner.service.consul"), sets(new Rdata.Srv(1, 1, 80, name("other.example.org"), List.of())))
            .put(name("*.example.org"), sets(a("192.0.2.1"), new Rdata.Txt("any")))
            .put(name("host.example.org"), sets(a("192.0.2.2")))
            .put(name("*.sub.example.org"), sets(new Rdata.Cname(name("host.example.org"))))
            .put(name("deep.empty.example.org"), sets(a("192.0.2.3")))
            .put(name("to.example.org"), sets(new Rdata.Cname(name("anything.example.org"))))
            .put(name("other.example.org"), sets(new Rdata.Cname(name("host.example.org"))))
            .put(name("raw.example.org"), sets(new Rdata.Opaque(257, "0005697373756563612e74657374")))
            .spellAddressesUnder(name("addr.consul"))
            .build(7);

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # a zone within a zone
            nope.consul             | A   | NXDOMAIN |                           | consul.
            nope.service.consul     | A   | NXDOMAIN |                           | service.consul.
            web.service.consul      | MX  | NOERROR  |                           | service.consul.
            service.consul          | A   | NOERROR  |                           | service.consul.
            service.consul          | NS  | NOERROR  | ns.consul.                |
            service.consul          | SOA | NOERROR  | ns.consul.                |
            service.consul          | DS  | NOERROR  |                           | consul.
            web.service.consul      | DS  | NOERROR  |                           | service.consul.
            consul                  | DS  | NOERROR  |                           | consul.
            node.consul             | A   | NOERROR  |                           | consul.
            # another name for it
            fleet.test              | NS  | NOERROR  | ns.consul.                |
            fleet.test              | A   | NOERROR  |                           | fleet.test.
            web.service.fleet.test  | A   | NOERROR  | 10.0.0.1                  |
            WEB.Service.Fleet.Test  | A   | NOERROR  | 10.0.0.1                  |
            web.service.fleet.test  | MX  | NOERROR  |                           | service.fleet.test.
            nope.service.fleet.test | A   | NXDOMAIN |                           | service.fleet.test.
            node.fleet.test         | A   | NOERROR  |                           | fleet.test.
            7f000001.addr.fleet.test| A   | NOERROR  | 127.0.0.1                 |
            nope.test               | A   | REFUSED  |                           |
            # wildcards
            any.example.org         | A   | NOERROR  | 192.0.2.1                 |
            a.b.example.org         | TXT | NOERROR  | any                       |
            any.example.org         | MX  | NOERROR  |                           | example.org.
            host.example.org        | A   | NOERROR  | 192.0.2.2                 |
            x.host.example.org      | A   | NXDOMAIN |                           | example.org.
            empty.example.org       | A   | NOERROR  |                           | example.org.
            x.empty.example.org     | A   | NXDOMAIN |                           | example.org.
            sub.example.org         | A   | NOERROR  |                           | example.org.
            any.sub.example.org     | A   | NOERROR  | host.example.org. 192.0.2.2 |
            to.example.org          | A   | NOERROR  | anything.example.org. 192.0.2.1 |
            to.example.org          | MX  | NOERROR  | anything.example.org.     | example.org.
            *.example.org           | A   | NOERROR  | 192.0.2.1                 |
            # any type
            raw.example.org         | TYPE257 | NOERROR | 0 issue "ca.test"      |
            """)
    void answers(String name, String type, String rcode, String answers, String soa) {
        Answer answer = Answer.of(zone, name(name), RRType.parse(type).orElseThrow());
        assertEquals(rcode, Rcode.name(answer.rcode()));
        assertEquals(answers == null ? "" : answers, answer.answers().stream().map(ZoneStructureTest::rdata).collect(Collectors.joining(" ")));
        assertEquals(Optional.ofNullable(soa), answer.authority().stream().map(line -> line.substring(0, line.indexOf(' '))).findFirst().map(owner -> owner.toLowerCase(java.util.Locale.ROOT)));
    }

    /// `host.example.org. 2 IN A 192.0.2.2`, a SOA by its first field alone.
    private static String rdata(String line) {
        String[] fields = line.split(" +", 5);
        return fields[3].equals("SOA") ? fields[4].split(" ", 2)[0] : fields[4];
    }

    @Test
    void aGivenStartOfAuthorityIsKeptAndLimitsNegativeAnswers() {
        assertEquals(
                List.of("example.org.  60 IN SOA a.example.org. root.example.org. 41 1 2 3 60"),
                Answer.of(zone, name("host.example.org"), RRType.MX).authority());
    }

    @Test
    void theZonesOwnHostNamesBringTheirAddresses() {
        assertEquals(
                List.of("other.example.org. 2 IN CNAME host.example.org.", "host.example.org. 2 IN A 192.0.2.2"),
                Answer.of(zone, name("inner.service.consul"), RRType.SRV).additional());
    }

    @Test
    void moreWeightComesFirstMoreOften() {
        var addresses = RRset.weighted(TTL, List.of(
                new RRset.Weighted(a("10.0.0.1"), 6),
                new RRset.Weighted(a("10.0.0.2"), 3),
                new RRset.Weighted(a("10.0.0.3"), 1),
                new RRset.Weighted(a("10.0.0.4"), 0)));
        Zone weighted = zone.change().put(name("w.service.consul"), addresses).build(8);
        Map<String, Integer> firsts = new HashMap<>();
        for (int i = 0; i < 10_000; i++) {
            List<String> answers = Answer.of(weighted, name("w.service.consul"), RRType.A).answers();
            assertEquals(4, new HashSet<>(answers).size());
            firsts.merge(rdata(answers.getFirst()), 1, Integer::sum);
        }
        assertEquals(6000, firsts.getOrDefault("10.0.0.1", 0), 400, firsts::toString);
        assertEquals(3000, firsts.getOrDefault("10.0.0.2", 0), 400, firsts::toString);
        assertEquals(1000, firsts.getOrDefault("10.0.0.3", 0), 300, firsts::toString);
        assertEquals(0, firsts.getOrDefault("10.0.0.4", 0), firsts::toString);
    }

    @Test
    void moreWeightFitsMoreOften() {
        var addresses = RRset.weighted(TTL, IntStream.range(0, 200).mapToObj(i -> new RRset.Weighted(a("10.0.1." + i), i < 10 ? 100 : 1)).toList());
        Zone many = zone.change().put(name("many.service.consul"), addresses).build(8);
        byte[] query = new byte[] {
            0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 'm', 'a', 'n', 'y', 7, 's', 'e', 'r', 'v', 'i', 'c', 'e', 6, 'c', 'o', 'n', 's', 'u', 'l', 0, 0, 1, 0, 1
        };
        byte[] out = new byte[1232];
        var responder = new Responder(Outside.Agent.NONE, 1232);
        Set<Integer> light = new HashSet<>();
        for (int round = 0; round < 50; round++) {
            int length = responder.answer(many, query, query.length, false, out);
            assertTrue(length <= 512);
            Set<Integer> last = new HashSet<>();
            for (int at = query.length; at < length; at += 16) {
                last.add(out[at + 15] & 0xff);
            }
            assertEquals((length - query.length) / 16, last.size(), "each once");
            long heavy = last.stream().filter(i -> i < 10).count();
            assertTrue(heavy >= 8, () -> heavy + " of the ten heavy ones in " + last);
            last.stream().filter(i -> i >= 10).forEach(light::add);
        }
        assertTrue(light.size() > 60, () -> "of the light ones came sooner or later " + light.size());
    }

    @Test
    void aLotIsDrawnAsOftenAsItsWeightSays() {
        int[] weights = {1, 0, 5, 2, 100, 0, 7};
        Lot lot = Optional.ofNullable(Lot.of(weights)).orElseThrow();
        var random = new Random(3);
        int[] drawn = new int[weights.length];
        for (int i = 0; i < 115_000; i++) {
            drawn[lot.draw(random.nextInt(weights.length), random.nextInt(Integer.MAX_VALUE))]++;
        }
        for (int i = 0; i < weights.length; i++) {
            assertEquals(weights[i] * 1000.0, drawn[i], 60 + weights[i] * 30, Arrays.toString(drawn));
        }
        assertEquals(Optional.empty(), Optional.ofNullable(Lot.of(new int[] {3, 3, 3})));
        assertEquals(Optional.empty(), Optional.ofNullable(Lot.of(new int[] {0, 0})));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            sub.example.net         | A   | 0 sub.example.net.
            SUB.Example.Net         | NS  | 0 SUB.Example.Net.
            www.sub.example.net     | A   | 0 sub.example.net.
            ns1.sub.example.net     | A   | 0 sub.example.net.
            a.b.sub.example.net     | DS  | 0 sub.example.net.
            deep.sub.example.net    | A   | 0 sub.example.net.
            sub.example.net         | DS  | aa 0 example.net. SOA
            example.net             | NS  | aa 1
            www.example.net         | A   | aa 1
            to.example.net          | A   | aa 1
            nope.example.net        | A   | aa 0 example.net. SOA
            """)
    void refersToWhomeverANameIsDelegatedTo(String asked, String type, String expected) throws java.io.IOException {
        Zone delegating = Zone.of(
                        List.of(Origin.of(name("example.net"), SOA, Duration.ofSeconds(300))),
                        new Zone.Authority("ns", List.of(), TTL, Duration.ofSeconds(1)))
                .change()
                .put(name("www.example.net"), sets(a("192.0.2.1")))
                .put(name("to.example.net"), sets(new Rdata.Cname(name("www.sub.example.net"))))
                .put(name("sub.example.net"), sets(
                        new Rdata.Ns(name("ns1.sub.example.net"), List.of(TestZones.address("192.0.2.53"), TestZones.address("2001:db8::53"))),
                        new Rdata.Ns(name("ns.elsewhere.test"), List.of())))
                .put(name("ns1.sub.example.net"), sets(a("192.0.2.53")))
                .put(name("deep.sub.example.net"), sets(new Rdata.Ns(name("ns.elsewhere.test"), List.of())))
                .build(9);
        byte[] query = org.xbill.DNS.Message.newQuery(org.xbill.DNS.Record.newRecord(
                        org.xbill.DNS.Name.fromString(asked + "."), RRType.parse(type).orElseThrow(), org.xbill.DNS.DClass.IN)).toWire();
        byte[] out = new byte[512];
        int length = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD).answer(delegating, query, query.length, false, out);
        var message = new org.xbill.DNS.Message(Arrays.copyOf(out, length));
        List<org.xbill.DNS.Record> authority = message.getSection(org.xbill.DNS.Section.AUTHORITY);
        boolean referral = !authority.isEmpty() && authority.getFirst().getType() == RRType.NS;
        assertEquals(referral, expected.startsWith("0"), message::toString);
        if (referral) {
            assertEquals(2, authority.size());
            assertEquals(Set.of("192.0.2.53", "2001:db8:0:0:0:0:0:53"), message.getSection(org.xbill.DNS.Section.ADDITIONAL).stream()
                    .map(org.xbill.DNS.Record::rdataToString).collect(Collectors.toSet()));
        }
        String told = (message.getHeader().getFlag(org.xbill.DNS.Flags.AA) ? "aa " : "") + message.getSection(org.xbill.DNS.Section.ANSWER).size()
                + (authority.isEmpty() ? "" : " " + authority.getFirst().getName()) + (referral || authority.isEmpty() ? "" : " SOA");
        assertEquals(expected, told);
    }

    @Test
    void whatIsNearComesFirstAndIsWhatFits() throws java.io.IOException {
        List<RRset.Weighted> records = IntStream.range(0, 100)
                .mapToObj(i -> new RRset.Weighted(new Rdata.Srv(1, 1, i, name("h" + i + ".example.com"), List.of(TestZones.address("10.0.0." + i))), 1, i % 10 == 3))
                .toList();
        Zone near = zone.change().put(name("near.service.consul"), RRset.weighted(TTL, records)).build(8);
        Set<Integer> first = new HashSet<>();
        Set<Integer> firstOfOthers = new HashSet<>();
        for (int i = 0; i < 400; i++) {
            List<Integer> ports = ports(near, true);
            assertEquals(100, Set.copyOf(ports).size());
            assertTrue(ports.subList(0, 10).stream().allMatch(port -> port % 10 == 3), ports::toString);
            first.add(ports.getFirst());
            firstOfOthers.add(ports.get(10));
            List<Integer> fitting = ports(near, false);
            assertTrue(fitting.size() > 10 && fitting.size() < 100, fitting::toString);
            assertTrue(fitting.subList(0, 10).stream().allMatch(port -> port % 10 == 3), fitting::toString);
        }
        assertEquals(10, first.size());
        assertTrue(firstOfOthers.size() > 45, firstOfOthers::toString);
    }

    /// Of the SRV records in an answer, each with its target's address where all fits.
    private static List<Integer> ports(Zone zone, boolean stream) throws java.io.IOException {
        byte[] query = org.xbill.DNS.Message.newQuery(org.xbill.DNS.Record.newRecord(
                        org.xbill.DNS.Name.fromConstantString("near.service.consul."), RRType.SRV, org.xbill.DNS.DClass.IN)).toWire();
        byte[] question = Arrays.copyOf(query, query.length + 11);
        question[11] = 1; // an OPT
        question[query.length + 2] = 41;
        question[query.length + 3] = 0x04;
        question[query.length + 4] = (byte) 0xd0;
        byte[] out = new byte[Responder.MAX_MESSAGE];
        int length = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD).answer(zone, question, question.length, stream, out);
        var message = new org.xbill.DNS.Message(Arrays.copyOf(out, length));
        assertEquals(!stream, message.getHeader().getFlag(org.xbill.DNS.Flags.TC));
        if (stream) {
            assertEquals(101, message.getSection(org.xbill.DNS.Section.ADDITIONAL).size());
        }
        return message.getSection(org.xbill.DNS.Section.ANSWER).stream().map(record -> ((org.xbill.DNS.SRVRecord) record).getPort()).toList();
    }
}
