package dev.gatepost.dns;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.xbill.DNS.ClientSubnetOption;
import org.xbill.DNS.DClass;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Whatever bytes come, nothing is thrown, nothing leaks, and the answer is the one that the RFCs ask for. The number of
/// messages is the property `gatepost.fuzz.packets`, and `gatepost.fuzz.seed` makes others; dns/README.md has the command.
class PacketFuzzTest {
    private static final long PACKETS = Long.getLong("gatepost.fuzz.packets", 60_000);
    private static final long SEED = Long.getLong("gatepost.fuzz.seed", 1);
    private static final Path KEPT = Path.of("src/test/resources/fuzz/queries.hex");
    private static final InetSocketAddress CLIENT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 4242);
    private static final byte[] ADDRESS = CLIENT.getAddress().getAddress();
    private static final String[] NAMES = {
        "web.service.consul.", "WEB.Service.CONSUL.", "many.service.consul.", "ports.service.consul.", "dual.service.consul.", "down.service.consul.",
        "alias.service.consul.", "broken.service.consul.", "external.service.consul.", "loop.service.consul.", "none.service.consul.", "consul.", ".",
        "0a000001.addr.consul.", "fd000000000000000000000000000003.addr.consul.", "1.0.0.10.in-addr.arpa.", "9.0.0.10.in-addr.arpa.", "www.example.com.", "later.example.com.",
        "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.service.consul.",
    };
    private static final int[] TYPES = {Type.A, Type.AAAA, Type.SRV, Type.PTR, Type.TXT, Type.ANY, Type.SOA, Type.NS, Type.IXFR, Type.AXFR, Type.HTTPS, Type.DS, 250};

    private final Deque<Outside.Asker> asked = new ArrayDeque<>();
    private final Zone zone = TestZones.sample();
    private final Map<String, Long> codes = new TreeMap<>();
    private final Desk desk = new Desk(() -> zone, new Sluggish(), DnsSettings.DEFAULT, () -> 0, QueryLog.NONE);

    /// The kept ones; with `JAZZER_FUZZ=1` those as well that Jazzer finds by the code that they reach.
    @MethodSource("kept")
    @FuzzTest(maxDuration = "10m")
    void answersAnyMessageAsTheRfcsSay(byte[] packet) throws IOException {
        if (packet.length > Responder.MAX_MESSAGE) {
            return;
        }
        var bench = new Bench();
        bench.ask(packet, QueryRecord.Transport.UDP);
        bench.ask(packet, QueryRecord.Transport.TCP);
    }

    static Stream<Arguments> kept() throws IOException {
        return Mutator.kept(KEPT).stream().map(packet -> Arguments.of((Object) packet));
    }

    @Test
    void answersDamagedMessagesAsTheRfcsSay() throws IOException {
        var mutator = new Mutator(SEED, seeds());
        var bench = new Bench();
        for (long i = 0; i < PACKETS; i++) {
            byte[] packet = mutator.next();
            mutator.happened(bench.ask(packet, i % 8 == 0 ? QueryRecord.Transport.TCP : QueryRecord.Transport.UDP));
        }
        System.out.println("fuzz: " + PACKETS + " queries, seed " + SEED + ", corpus " + mutator.corpus() + ", " + codes);
        for (String code : List.of("NOERROR", "NXDOMAIN", "FORMERR", "NOTIMP", "REFUSED", "BADVERS", "SERVFAIL", "none")) {
            assertTrue(codes.containsKey(code), () -> "no packet was answered with " + code + ": " + codes);
        }
    }

    /// Streams of frames, some of whose lengths lie, in pieces of any size.
    @Test
    void answersDamagedStreamsWithWholeFramesAndKeepsNothing() throws IOException {
        var mutator = new Mutator(SEED + 1, seeds());
        var allocator = new UnpooledByteBufAllocator(false);
        long streams = PACKETS / 20;
        long answers = 0;
        for (long i = 0; i < streams; i++) {
            var stream = new ByteArrayOutputStream();
            for (int frames = mutator.random().nextInt(6); frames >= 0; frames--) {
                byte[] packet = mutator.random().nextInt(3) == 0 ? mutator.next() : seedFor(mutator);
                int length = switch (mutator.random().nextInt(20)) {
                    case 0 -> 0;
                    case 1 -> mutator.random().nextInt(65536);
                    case 2 -> Math.max(0, packet.length + mutator.random().nextInt(9) - 4);
                    default -> packet.length;
                };
                stream.write(length >> 8);
                stream.write(length);
                stream.write(packet);
            }
            answers += converse(stream.toByteArray(), mutator, allocator);
        }
        assertEquals(0, allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory(), "bytes that were never released");
        System.out.println("fuzz: " + streams + " streams, " + answers + " answers");
        assertTrue(answers > streams);
    }

    private long converse(byte[] stream, Mutator mutator, UnpooledByteBufAllocator allocator) throws IOException {
        var channel = new EmbeddedChannel(new TcpHandler(desk, new Connections(StreamLimits.DEFAULT), QueryRecord.Transport.TCP, CLIENT));
        channel.config().setAllocator(allocator);
        long answers = 0;
        int at = 0;
        while (at < stream.length && channel.isActive()) {
            int size = Math.min(stream.length - at, 1 + mutator.random().nextInt(mutator.random().nextBoolean() ? 4 : 400));
            channel.writeInbound(allocator.directBuffer(size).writeBytes(stream, at, size));
            at += size;
            if (mutator.random().nextInt(3) == 0) {
                release();
            }
        }
        release();
        channel.checkException();
        var out = new ByteArrayOutputStream();
        for (ByteBuf each = channel.readOutbound(); each != null; each = channel.readOutbound()) {
            out.write(io.netty.buffer.ByteBufUtil.getBytes(each));
            each.release();
        }
        byte[] bytes = out.toByteArray();
        for (int from = 0; from < bytes.length; answers++) {
            int length = ExpectedCode.u16(bytes, from);
            byte[] answer = Arrays.copyOfRange(bytes, from + 2, from + 2 + length);
            assertTrue(from + 2 + length <= bytes.length && (answer[2] & 0x80) != 0);
            var _ = new Message(answer);
            from += 2 + length;
        }
        var _ = channel.finishAndReleaseAll();
        return answers;
    }

    private void release() {
        for (Outside.Asker each = asked.poll(); each != null; each = asked.poll()) {
            each.answered(Sluggish::reply);
        }
    }

    private byte[] seedFor(Mutator mutator) {
        String name = NAMES[mutator.random().nextInt(NAMES.length)];
        return ResponderTest.query(name, TYPES[mutator.random().nextInt(TYPES.length)], 1232).toWire();
    }

    static List<byte[]> seeds() throws IOException {
        List<byte[]> seeds = new ArrayList<>(Mutator.kept(KEPT));
        for (String name : NAMES) {
            for (int type : TYPES) {
                seeds.add(ResponderTest.query(name, type, -1).toWire());
                seeds.add(ResponderTest.query(name, type, 4096).toWire());
            }
        }
        Message plenty = ResponderTest.query("web.service.consul.", Type.A, -1);
        List<EDNSOption> options = List.of(
                new ClientSubnetOption(24, InetAddress.ofLiteral("192.0.2.0")), new GenericEDNSOption(10, new byte[8]),
                new GenericEDNSOption(10, new byte[24]), new GenericEDNSOption(12, new byte[40]), new GenericEDNSOption(11, new byte[0]),
                new GenericEDNSOption(3, new byte[0]));
        plenty.addRecord(new OPTRecord(1232, 0, 0, ExtendedFlags.DO, options), Section.ADDITIONAL);
        seeds.add(plenty.toWire());
        for (EDNSOption each : options) {
            Message one = ResponderTest.query("external.service.consul.", Type.A, -1);
            one.addRecord(new OPTRecord(1232, 0, 0, 0, List.of(each)), Section.ADDITIONAL);
            one.getHeader().setFlag(org.xbill.DNS.Flags.RD);
            seeds.add(one.toWire());
        }
        for (String name : List.of("www.example.com.", "later.example.com.", "external.service.consul.", "alias.service.consul.")) {
            Message recursive = ResponderTest.query(name, Type.A, 1232);
            recursive.getHeader().setFlag(org.xbill.DNS.Flags.RD);
            recursive.getHeader().setFlag(org.xbill.DNS.Flags.CD);
            seeds.add(recursive.toWire());
        }
        Message other = ResponderTest.query("web.service.consul.", Type.A, 1232);
        other.getHeader().setOpcode(4);
        seeds.add(other.toWire());
        Message version = ResponderTest.query("web.service.consul.", Type.A, -1);
        version.addRecord(new OPTRecord(1232, 0, 1), Section.ADDITIONAL);
        seeds.add(version.toWire());
        Message answer = ResponderTest.query("web.service.consul.", Type.A, 1232);
        answer.getHeader().setFlag(org.xbill.DNS.Flags.QR);
        answer.addRecord(new org.xbill.DNS.ARecord(org.xbill.DNS.Name.root, DClass.IN, 1, InetAddress.getLoopbackAddress()), Section.ANSWER);
        seeds.add(answer.toWire());
        return seeds;
    }

    /// Asks one desk, and checks what it says.
    private final class Bench {
        private byte[] late = {};

        /// Returns what happened, in short.
        long ask(byte[] packet, QueryRecord.Transport transport) throws IOException {
            try {
                System.arraycopy(packet, 0, desk.in, 0, packet.length);
                int length = desk.answer(packet.length, transport, ADDRESS, 4242, 0);
                byte[] answer;
                if (length == Responder.LATER) {
                    late = new byte[0];
                    desk.later((bytes, size) -> late = Arrays.copyOf(bytes, size));
                    release();
                    answer = late;
                } else {
                    answer = Arrays.copyOf(desk.out, length);
                }
                int code = check(packet, transport, answer);
                codes.merge(code < 0 ? "none" : Rcode.name(code), 1L, Long::sum);
                int flags = answer.length > 3 ? ExpectedCode.u16(answer, 2) >> 7 & 0xf : 0;
                int records = answer.length > 11 ? Math.min(3, ExpectedCode.u16(answer, 6)) * 16 + Math.min(3, ExpectedCode.u16(answer, 8)) * 4 + Math.min(3, ExpectedCode.u16(answer, 10)) : 0;
                int label = packet.length > 13 ? Math.min(3, packet[12] & 0xff) : 0;
                return (((code * 16L + flags) * 64 + records) * 4 + label) * 16 + 32 - Integer.numberOfLeadingZeros(answer.length) + (length == Responder.LATER ? 1L << 60 : 0);
            } catch (IOException | RuntimeException | AssertionError e) {
                throw new AssertionError(transport + " " + HexFormat.of().formatHex(packet), e);
            }
        }

        private int check(byte[] packet, QueryRecord.Transport transport, byte[] answer) throws IOException {
            ExpectedCode expected = ExpectedCode.of(packet);
            if (expected.code == ExpectedCode.SILENCE) {
                assertEquals(0, answer.length, "an answer to what is none");
                return -1;
            }
            int limit = transport == QueryRecord.Transport.UDP ? Math.min(expected.udpSize, 1232) : 65535;
            assertTrue(answer.length >= 12 && answer.length <= limit, () -> answer.length + " bytes of " + limit);
            assertEquals(packet[0], answer[0]);
            assertEquals(packet[1], answer[1]);
            assertEquals(packet[2] & 0x79, answer[2] & 0x79, "opcode and RD are the query's");
            assertTrue((answer[2] & 0x80) != 0);
            var read = new Message(answer);
            int code = read.getRcode();
            if (expected.questionEnd == 0) {
                assertEquals(12, answer.length, "the header alone");
            } else {
                assertEquals(1, ExpectedCode.u16(answer, 4));
                assertTrue(Arrays.equals(packet, 12, expected.questionEnd, answer, 12, expected.questionEnd), "the question as it came");
            }
            if (expected.code == ExpectedCode.BY_DATA) {
                assertTrue(code == Rcode.NOERROR || code == Rcode.NXDOMAIN || code == Rcode.REFUSED || code == Rcode.SERVFAIL, () -> "code " + code);
                if (code == Rcode.NXDOMAIN) {
                    assertEquals(Type.SOA, read.getSection(Section.AUTHORITY).getFirst().getType());
                }
            } else {
                assertEquals(expected.code, code);
                assertTrue(read.getSection(Section.ANSWER).isEmpty() && read.getSection(Section.AUTHORITY).isEmpty());
            }
            if (expected.code != Rcode.FORMERR) {
                assertEquals(expected.edns, read.getOPT() != null, "OPT if there was one");
            }
            return code;
        }
    }

    /// Knows half of the names outside at once and the other half when it is asked. What it says comes from a zone.
    private final class Sluggish implements Outside.Agent {
        private static final Zone EXAMPLE = Zone.of(List.of(new Origin(DomainName.of("example.com"), false)), TestZones.sample().authority())
                .change()
                .put(DomainName.of("www.example.com"), TestZones.sets(TestZones.a("192.0.2.1"), TestZones.a("192.0.2.2")))
                .put(DomainName.of("later.example.com"), TestZones.sets(new Rdata.Cname(DomainName.of("www.example.com"))))
                .build(1);
        private static final Responder RESPONDER = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD);

        @Override
        public boolean covers(byte[] bytes, int nameAt, int nameLength) {
            return true;
        }

        @Override
        public boolean answer(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
            if (in[Query.HEADER + 1] % 2 == 0) {
                return false;
            }
            reply(query, in, out, from, to, relay);
            return true;
        }

        @Override
        public void ask(Outside.Asker asker) {
            asked.add(asker);
        }

        static void reply(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
            DomainName name = DomainName.copyOf(in, Query.HEADER, Query.HEADER + query.nameLength());
            if (name.isWithin(DomainName.of("example.com"))) {
                RESPONDER.into(EXAMPLE, query, in, out, to, relay);
                return;
            }
            relay.end = from;
            relay.rcode = in[Query.HEADER] % 3 == 0 ? Rcode.REFUSED : Rcode.SERVFAIL;
            relay.errorInfo = 22;
            relay.errorText = new byte[in[Query.HEADER + 1] & 0x7f];
        }
    }
}
