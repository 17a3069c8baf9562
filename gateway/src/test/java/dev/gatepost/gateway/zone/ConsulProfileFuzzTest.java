package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Outside;
import dev.gatepost.dns.Query;
import dev.gatepost.dns.Relay;
import dev.gatepost.dns.Responder;
import dev.gatepost.dns.Zone;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Locality;
import dev.gatepost.gateway.config.GatewayConfig;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Whatever bytes come, the profile `consul-1.8` throws nothing, and what it answers is well-formed.
class ConsulProfileFuzzTest {
    /// As in the fuzz tests of the dns module.
    private static final long PACKETS = Long.getLong("gatepost.fuzz.packets", 30_000);
    private static final long SEED = Long.getLong("gatepost.fuzz.seed", 1);
    private static final int[] TELLING = {0, 1, 2, 11, 12, 33, 41, 63, 64, 127, 128, 191, 192, 250, 252, 255};
    private static final List<String> NAMES = List.of(
            "web.service.consul.", "_web._tcp.service.consul.", "v1.web.service.consul.", "db.service.dc1.consul.", "ext.service.consul.", "own.service.consul.",
            "node1.node.consul.", "0a000001.addr.consul.", "1.0.0.10.in-addr.arpa.", "x.query.consul.", "consul.", "a.connect.consul.", "www.example.com.", ".");
    private static final int[] TYPES = {Type.A, Type.AAAA, Type.SRV, Type.TXT, Type.ANY, Type.PTR, Type.SOA, Type.NS, Type.DS};

    private final Random random = new Random(SEED);
    private final Zone zone = ServiceZone.of(ServiceZoneTest.CATALOG, new ZoneSettings(
            DomainName.of("consul"), Optional.of(DomainName.of("fleet.test")), Ttls.of(Duration.ZERO), Duration.ZERO, HealthRule.PASSING,
            List.of(InetAddress.ofLiteral("127.0.0.1")), GatewayConfig.Dns.Profile.CONSUL_1_8, true, Gateways.NONE, Locality.UNKNOWN, List.of()), 1).zone();

    /// Names that end in a pointer, whose last byte may be zero like that of a name.
    @ParameterizedTest
    @ValueSource(strings = {"c000", "c00c", "03776562c000", "03776562c00c", "ff00", "0377656240", "80"})
    @Timeout(10)
    void refusesAQuestionThatPointsSomewhere(String name) throws IOException {
        byte[] in = HexFormat.of().parseHex("123401000001000000000000" + name + "00010001");
        byte[] out = new byte[Responder.MAX_MESSAGE];
        int length = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD).answer(zone, in, in.length, false, out);
        assertEquals(org.xbill.DNS.Rcode.FORMERR, new Message(Arrays.copyOf(out, length)).getRcode());
    }

    @Test
    void answersDamagedQueriesWithWholeMessagesOrNotAtAll() throws IOException {
        List<byte[]> seeds = seeds();
        var alone = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD);
        var forwarding = new Responder(all, Responder.UDP_PAYLOAD);
        byte[] in = new byte[Responder.MAX_MESSAGE];
        byte[] out = new byte[Responder.MAX_MESSAGE];
        long answers = 0;
        for (long i = 0; i < PACKETS; i++) {
            byte[] packet = damaged(seeds);
            try {
                System.arraycopy(packet, 0, in, 0, packet.length);
                int length = (random.nextBoolean() ? alone : forwarding).answer(zone, in, packet.length, random.nextInt(4) == 0, out);
                if (length != Responder.DROPPED && length != Responder.OUTSIDE) {
                    var read = new Message(Arrays.copyOf(out, length));
                    assertEquals((packet[0] & 0xff) << 8 | (packet[1] & 0xff), read.getHeader().getID());
                    answers++;
                }
            } catch (IOException | RuntimeException | AssertionError e) {
                throw new AssertionError(HexFormat.of().formatHex(packet), e);
            }
        }
        long all = answers;
        System.out.println("fuzz: " + PACKETS + " queries in Consul's profile, seed " + SEED + ", " + all + " answered");
        assertTrue(all > PACKETS / 2, () -> all + " answered");
    }

    private static List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (String name : NAMES) {
            for (int type : TYPES) {
                Message query = Message.newQuery(org.xbill.DNS.Record.newRecord(new Name(name), type, DClass.IN));
                seeds.add(query.toWire());
                query.addRecord(new OPTRecord(4096, 0, 0, 0), Section.ADDITIONAL);
                seeds.add(query.toWire());
                query.getHeader().setOpcode(4);
                seeds.add(query.toWire());
            }
        }
        return seeds;
    }

    private byte[] damaged(List<byte[]> seeds) {
        byte[] packet = seeds.get(random.nextInt(seeds.size())).clone();
        do {
            int at = random.nextInt(packet.length);
            switch (random.nextInt(5)) {
                case 0 -> packet[at] = (byte) random.nextInt(256);
                case 1, 2 -> packet[at] = (byte) TELLING[random.nextInt(TELLING.length)];
                case 3 -> packet = Arrays.copyOf(packet, Math.max(1, random.nextInt(packet.length + 20)));
                default -> {
                    byte[] other = seeds.get(random.nextInt(seeds.size()));
                    int from = Math.min(at, other.length);
                    byte[] joined = Arrays.copyOf(packet, at + other.length - from);
                    System.arraycopy(other, from, joined, at, other.length - from);
                    packet = joined.length == 0 ? new byte[1] : joined;
                }
            }
        } while (random.nextInt(3) == 0);
        return packet;
    }

    /// Would answer for everything; knows an address of every second name that an answer leads to, and has to ask about the others.
    private final Outside.Agent all = new Outside.Agent() {
        @Override
        public boolean covers(byte[] bytes, int nameAt, int nameLength) {
            return true;
        }

        @Override
        public boolean answer(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
            byte[] address = {(byte) 0xc0, 12, 0, Type.A, 0, 1, 0, 0, 0, 60, 0, 4, (byte) 192, 0, 2, 1};
            System.arraycopy(address, 0, out, from, address.length);
            relay.end = from + address.length;
            relay.answers = 1;
            return random.nextBoolean();
        }

        @Override
        public void ask(Outside.Asker asker) {
            throw new IllegalStateException("not asked here");
        }
    };
}
