package dev.gatepost.dns;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedFlags;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Header;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What is answered, byte by byte, with dnsjava as the independent reader.
class ResponderTest {
    private static final Duration TTL = Duration.ofSeconds(2);
    private final Zone zone = TestZones.sample();
    private final Responder responder = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD);

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # name                            | type  | rcode    | answer                                            | soa
            web.service.consul.               | A     | NOERROR  | 10.0.0.1 10.0.0.2                                 |
            WEB.Service.CONSUL.               | A     | NOERROR  | 10.0.0.1 10.0.0.2                                 |
            web.service.consul.               | AAAA  | NOERROR  |                                                   | consul.
            web.service.consul.               | MX    | NOERROR  |                                                   | consul.
            web.service.consul.               | TYPE65280 | NOERROR |                                                | consul.
            web.service.consul.               | HTTPS | NOERROR  |                                                   | consul.
            web.service.consul.               | DS    | NOERROR  |                                                   | consul.
            web.service.consul.               | SRV   | NOERROR  | 1_1_8080_0a000001.addr.consul. 1_2_8080_0a000002.addr.consul. |
            web.service.consul.               | ANY   | NOERROR  | 10.0.0.1 10.0.0.2                                 |
            dual.service.consul.              | A     | NOERROR  | 10.0.0.3                                          |
            dual.service.consul.              | AAAA  | NOERROR  | fd00:0:0:0:0:0:0:3                                |
            down.service.consul.              | A     | NOERROR  |                                                   | consul.
            down.service.consul.              | SRV   | NOERROR  |                                                   | consul.
            none.service.consul.              | A     | NXDOMAIN |                                                   | consul.
            x.web.service.consul.             | A     | NXDOMAIN |                                                   | consul.
            service.consul.                   | A     | NOERROR  |                                                   | consul.
            nothing.consul.                   | NS    | NXDOMAIN |                                                   | consul.
            consul.                           | A     | NOERROR  |                                                   | consul.
            consul.                           | NS    | NOERROR  | ns.consul.                                        |
            consul.                           | SOA   | NOERROR  | ns.consul.                                        |
            web.service.consul.               | SOA   | NOERROR  |                                                   | consul.
            ns.consul.                        | A     | NOERROR  | 127.0.0.1                                         |
            alias.service.consul.             | A     | NOERROR  | web.service.consul. 10.0.0.1 10.0.0.2             |
            alias.service.consul.             | CNAME | NOERROR  | web.service.consul.                               |
            alias.service.consul.             | AAAA  | NOERROR  | web.service.consul.                               | consul.
            broken.service.consul.            | A     | NXDOMAIN | gone.service.consul.                              | consul.
            external.service.consul.          | A     | NOERROR  | www.example.com.                                  |
            loop.service.consul.              | A     | NOERROR  | loop.service.consul. loop.service.consul. loop.service.consul. loop.service.consul. loop.service.consul. loop.service.consul. loop.service.consul. loop.service.consul. loop.service.consul. |
            0a000001.addr.consul.             | A     | NOERROR  | 10.0.0.1                                          |
            7F000001.Addr.consul.             | ANY   | NOERROR  | 127.0.0.1                                         |
            0a000001.addr.consul.             | AAAA  | NOERROR  |                                                   | consul.
            fd000000000000000000000000000003.addr.consul. | AAAA | NOERROR | fd00:0:0:0:0:0:0:3                     |
            0a00001.addr.consul.              | A     | NXDOMAIN |                                                   | consul.
            0a00000g.addr.consul.             | A     | NXDOMAIN |                                                   | consul.
            x.0a000001.addr.consul.           | A     | NXDOMAIN |                                                   | consul.
            addr.consul.                      | A     | NOERROR  |                                                   | consul.
            1.0.0.10.in-addr.arpa.            | PTR   | NOERROR  | node1.node.consul.                                |
            1.0.0.10.in-addr.arpa.            | A     | NOERROR  |                                                   | 10.in-addr.arpa.
            0.0.10.in-addr.arpa.              | PTR   | NOERROR  |                                                   | 10.in-addr.arpa.
            9.0.0.10.in-addr.arpa.            | PTR   | NXDOMAIN |                                                   | 10.in-addr.arpa.
            34.216.184.93.in-addr.arpa.       | PTR   | NOERROR  | web.service.consul.                               |
            34.216.184.93.in-addr.arpa.       | A     | NOERROR  |                                                   | 34.216.184.93.in-addr.arpa.
            35.216.184.93.in-addr.arpa.       | PTR   | REFUSED  |                                                   |
            216.184.93.in-addr.arpa.          | PTR   | REFUSED  |                                                   |
            www.example.com.                  | A     | REFUSED  |                                                   |
            notconsul.                        | A     | REFUSED  |                                                   |
            .                                 | NS    | REFUSED  |                                                   |
            consul.                           | AXFR  | REFUSED  |                                                   |
            consul.                           | TYPE250 | NOTIMP |                                                   |
            consul.                           | TYPE41 | FORMERR |                                                   |
            """)
    void answersByNameAndType(String name, String type, String rcode, String answer, String soa) throws IOException {
        Message response = ask(name, Type.value(type, true), -1);
        Set<String> expected = answer == null ? Set.of() : new HashSet<>(List.of(answer.split(" ")));
        boolean ours = !rcode.equals("REFUSED") && !rcode.equals("NOTIMP") && !rcode.equals("FORMERR");

        assertEquals(rcode, org.xbill.DNS.Rcode.string(response.getRcode()));
        assertEquals(expected, new HashSet<>(rdata(response, Section.ANSWER)));
        assertEquals(answer == null ? 0 : answer.split(" ").length, response.getSection(Section.ANSWER).size());
        assertEquals(soa == null ? List.of() : List.of(soa), response.getSection(Section.AUTHORITY).stream().map(r -> r.getName().toString()).toList());
        assertEquals(ours, response.getHeader().getFlag(Flags.AA));
        assertFalse(response.getHeader().getFlag(Flags.RA));
        assertFalse(response.getHeader().getFlag(Flags.TC));
    }

    @Test
    void negativeAnswersLastAsLongAsTheirMinimum() throws IOException {
        Message response = ask("none.service.consul.", Type.A, -1);
        SOARecord soa = (SOARecord) response.getSection(Section.AUTHORITY).getFirst();

        assertEquals(1, soa.getTTL());
        assertEquals(1, soa.getMinimum());
        assertEquals(7, soa.getSerial());
        assertEquals("ns.consul.", soa.getHost().toString());
    }

    @Test
    void echoesTheQuestionInTheClientsCase() {
        byte[] query = query("wEb.sErViCe.CoNsUl.", Type.A, -1).toWire();
        byte[] response = answer(query, false);

        assertArrayEquals(Arrays.copyOfRange(query, 12, query.length), Arrays.copyOfRange(response, 12, query.length));
        assertEquals((byte) 0xc0, response[query.length]);
        assertEquals((byte) 12, response[query.length + 1]);
    }

    @Test
    void copiesIdAndRecursionDesiredAndCheckingDisabledAndNoOtherFlag() throws IOException {
        Message query = query("web.service.consul.", Type.A, -1);
        query.getHeader().setID(0xbeef);
        query.getHeader().setFlag(Flags.RD);
        query.getHeader().setFlag(Flags.CD);
        query.getHeader().setFlag(Flags.AD);
        query.getHeader().setFlag(Flags.TC);
        Header header = new Message(answer(query.toWire(), false)).getHeader();

        assertEquals(0xbeef, header.getID());
        assertTrue(header.getFlag(Flags.QR));
        assertTrue(header.getFlag(Flags.RD));
        assertTrue(header.getFlag(Flags.CD));
        assertFalse(header.getFlag(Flags.AD));
        assertFalse(header.getFlag(Flags.TC));
    }

    @Test
    void sendsTheAddressesOfServiceTargetsAlong() throws IOException {
        Message response = ask("web.service.consul.", Type.SRV, -1);
        for (org.xbill.DNS.Record each : response.getSection(Section.ANSWER)) {
            Name target = ((SRVRecord) each).getTarget();
            assertEquals(1, response.getSection(Section.ADDITIONAL).stream().filter(a -> a.getName().equals(target)).count());
        }
        assertEquals(Set.of("10.0.0.1", "10.0.0.2"), new HashSet<>(rdata(response, Section.ADDITIONAL)));
    }

    @Test
    void sendsTheAddressOfATargetOnceHoweverManyPortsItHas() throws IOException {
        Message response = ask("ports.service.consul.", Type.SRV, -1);
        assertEquals(3, response.getSection(Section.ANSWER).size());
        assertEquals(List.of("10.0.0.1"), rdata(response, Section.ADDITIONAL));
    }

    @Test
    void startsAnywhereInASetSoThatEveryAddressComesFirst() throws IOException {
        Set<String> first = new HashSet<>();
        for (int i = 0; i < 400; i++) {
            first.add(rdata(ask("many.service.consul.", Type.A, 1232), Section.ANSWER).getFirst());
        }
        assertTrue(first.size() > 150, () -> first.size() + " of 600 came first (expected: more than 150 in 400 answers)");
    }

    // Size.

    @ParameterizedTest
    @CsvSource({"-1,512", "100,512", "512,512", "700,700", "1232,1232", "4096,1232", "65535,1232"})
    void cutsToWhatTheClientAndThePathCarry(int offered, int expected) throws IOException {
        for (String name : List.of("many.service.consul.", "MANY.service.consul.")) {
            for (int type : new int[] {Type.A, Type.SRV, Type.ANY}) {
                byte[] bytes = answer(query(name, type, offered).toWire(), false);
                Message response = new Message(bytes);
                int record = type == Type.SRV ? 60 : 16;

                assertTrue(bytes.length <= expected && bytes.length > expected - record, () -> bytes.length + " bytes (expected: up to " + expected + ")");
                assertTrue(response.getHeader().getFlag(Flags.TC));
                if (type == Type.SRV) {
                    assertEquals(response.getSection(Section.ANSWER).size(), response.getSection(Section.ADDITIONAL).stream().filter(r -> r.getType() == Type.A).count());
                }
            }
        }
    }

    @Test
    void givesAllOverAStream() throws IOException {
        Message response = new Message(answer(query("many.service.consul.", Type.A, -1).toWire(), true));
        assertEquals(600, Set.copyOf(rdata(response, Section.ANSWER)).size());
        assertFalse(response.getHeader().getFlag(Flags.TC));

        Message services = new Message(answer(query("many.service.consul.", Type.SRV, 1232).toWire(), true));
        assertEquals(600, services.getSection(Section.ANSWER).size());
        assertTrue(services.getSection(Section.ADDITIONAL).size() > 250, "glue goes as far as pointers reach");
        for (org.xbill.DNS.Record each : services.getSection(Section.ADDITIONAL)) {
            if (each instanceof ARecord a) {
                String hex = a.getName().getLabelString(0);
                assertEquals(Integer.parseUnsignedInt(hex, 16), java.nio.ByteBuffer.wrap(a.getAddress().getAddress()).getInt());
            }
        }
    }

    @Test
    void leavesGlueOutBeforeItCutsAnswers() throws IOException {
        List<Rdata.Srv> records = IntStream.range(0, 9).mapToObj(i -> TestZones.srv("10.1.0." + i, 80, 1)).toList();
        Zone tight = zone.change().put(DomainName.of("tight.service.consul"), RRset.of(TTL, records)).build(8);
        byte[] out = new byte[Responder.MAX_MESSAGE];
        byte[] query = query("tight.service.consul.", Type.SRV, -1).toWire();
        Message response = new Message(Arrays.copyOf(out, responder.answer(tight, query, query.length, false, out)));

        assertEquals(9, response.getSection(Section.ANSWER).size());
        assertFalse(response.getHeader().getFlag(Flags.TC));
        assertTrue(response.getSection(Section.ADDITIONAL).size() < 9);
    }

    // EDNS.

    @Test
    void offersItsOwnSizeAndEchoesTheDoBit() throws IOException {
        Message query = query("web.service.consul.", Type.A, -1);
        query.addRecord(new OPTRecord(4096, 0, 0, ExtendedFlags.DO), Section.ADDITIONAL);
        OPTRecord opt = new Message(answer(query.toWire(), false)).getOPT();

        assertEquals(1232, opt.getPayloadSize());
        assertEquals(0, opt.getVersion());
        assertEquals(ExtendedFlags.DO, opt.getFlags());
    }

    @Test
    void answersNoOptWhereThereWasNone() throws IOException {
        assertTrue(ask("web.service.consul.", Type.A, -1).getOPT() == null);
    }

    @Test
    void refusesAnOtherEdnsVersion() throws IOException {
        Message query = query("web.service.consul.", Type.A, -1);
        query.addRecord(new OPTRecord(4096, 0, 1, 0), Section.ADDITIONAL);
        Message response = new Message(answer(query.toWire(), false));

        assertEquals(org.xbill.DNS.Rcode.BADVERS, response.getRcode());
        assertEquals(0, response.getOPT().getVersion());
        assertEquals(0, response.getSection(Section.ANSWER).size());
    }

    @Test
    void ignoresOptionsThatItDoesNotKnow() throws IOException {
        Message query = query("web.service.consul.", Type.A, -1);
        query.addRecord(new OPTRecord(1232, 0, 0, 0, List.of(new org.xbill.DNS.GenericEDNSOption(65001, new byte[] {1, 2, 3}))), Section.ADDITIONAL);
        Message response = new Message(answer(query.toWire(), false));

        assertEquals(2, response.getSection(Section.ANSWER).size());
        assertTrue(response.getOPT().getOptions().isEmpty());
    }

    // What is no query, or a bad one.

    static Stream<org.junit.jupiter.params.provider.Arguments> malformed() {
        byte[] good = query("web.service.consul.", Type.A, 1232).toWire();
        int question = 12;
        int opt = good.length - 11;
        var cases = new ArrayList<org.junit.jupiter.params.provider.Arguments>();
        cases.add(of("a response", with(good, 2, 0x80), -1, 0));
        cases.add(of("NOTIFY", with(good, 2, 0x20), Rcode.NOTIMP, 0));
        cases.add(of("UPDATE", with(good, 2, 0x28), Rcode.NOTIMP, 0));
        cases.add(of("opcode 15", with(good, 2, 0x78), Rcode.NOTIMP, 0));
        cases.add(of("no question", with(good, 5, 0), Rcode.FORMERR, 0));
        cases.add(of("two questions", with(good, 5, 2), Rcode.FORMERR, 0));
        cases.add(of("65535 questions", with(with(good, 4, 0xff), 5, 0xff), Rcode.FORMERR, 0));
        cases.add(of("an answer", with(good, 7, 1), Rcode.FORMERR, 1));
        cases.add(of("an authority", with(good, 9, 1), Rcode.FORMERR, 1));
        cases.add(of("two additional, one there", with(good, 11, 2), Rcode.FORMERR, 1));
        cases.add(of("65535 additional", with(with(good, 10, 0xff), 11, 0xff), Rcode.FORMERR, 1));
        cases.add(of("a pointer as name", with(with(good, question, 0xc0), question + 1, 12), Rcode.FORMERR, 0));
        cases.add(of("a pointer behind a label", with(with(good, question + 4, 0xc0), question + 5, 12), Rcode.FORMERR, 0));
        cases.add(of("label type 01", with(good, question, 0x43), Rcode.FORMERR, 0));
        cases.add(of("label type 10", with(good, question, 0x83), Rcode.FORMERR, 0));
        cases.add(of("a label that runs out of the message", with(good, question, 63), Rcode.FORMERR, 0));
        cases.add(of("OPT with an owner", with(Arrays.copyOf(good, good.length + 1), opt, 1), Rcode.FORMERR, 1));
        cases.add(of("OPT longer than the message", with(good, good.length - 1, 4), Rcode.FORMERR, 1));
        cases.add(of("an option longer than OPT", append(with(good, good.length - 1, 4), 0, 10, 0, 1), Rcode.FORMERR, 1));
        cases.add(of("half an option", append(with(good, good.length - 1, 2), 0, 10), Rcode.FORMERR, 1));
        cases.add(of("two OPT", append(with(good, 11, 2), 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0), Rcode.FORMERR, 1));
        cases.add(of("class CH", with(good, opt - 1, 3), Rcode.REFUSED, 1));
        cases.add(of("class 0", with(good, opt - 1, 0), Rcode.REFUSED, 1));
        cases.add(of("class ANY", with(good, opt - 1, 255), Rcode.NOERROR, 1));
        cases.add(of("bytes behind the last record", append(good, 1, 2, 3, 4), Rcode.NOERROR, 1));
        cases.add(of("type 0", with(good, opt - 3, 0), Rcode.FORMERR, 1));
        cases.add(of("a name of 256 bytes", longName(256), Rcode.FORMERR, 0));
        cases.add(of("a name of 255 bytes", longName(255), Rcode.REFUSED, 1));
        return cases.stream();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void malformed(String what, byte[] query, int rcode, int questions) {
        byte[] response = answer(query, false);
        assertEquals(rcode, responder.record().rcode, what);
        if (rcode < 0) {
            assertEquals(0, response.length);
            return;
        }
        assertEquals(Query.u16(query, 0), Query.u16(response, 0));
        assertEquals(questions, Query.u16(response, 4));
        assertEquals(rcode, response[3] & 15);
    }

    @Test
    void survivesEveryCutOfAQuery() {
        byte[] good = query("web.service.consul.", Type.A, 1232).toWire();
        int questionEnd = good.length - 11;
        for (int length = 0; length < good.length; length++) {
            byte[] response = answer(Arrays.copyOf(good, length), false);
            if (length < 12) {
                assertEquals(0, response.length);
            } else {
                assertEquals(Rcode.FORMERR, response[3] & 15);
                assertEquals(length < questionEnd ? 12 : questionEnd, response.length);
            }
        }
    }

    @Test
    void doesNotSeeBytesBeyondTheMessage() {
        byte[] good = query("web.service.consul.", Type.A, -1).toWire();
        byte[] out = new byte[Responder.MAX_MESSAGE];
        assertEquals(12, responder.answer(zone, good, good.length - 1, false, out));
        assertEquals(Rcode.FORMERR, out[3] & 15);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void survivesMutationsWithinItsLimits(long seed) {
        var random = new java.util.Random(seed);
        List<byte[]> seeds = new ArrayList<>();
        for (String name : List.of("web.service.consul.", "many.service.consul.", "alias.service.consul.", "0a000001.addr.consul.", "9.0.0.10.in-addr.arpa.", "x.y.z.")) {
            for (int type : new int[] {Type.A, Type.SRV, Type.ANY, Type.SOA, Type.NS}) {
                seeds.add(query(name, type, -1).toWire());
                seeds.add(query(name, type, 4096).toWire());
            }
        }
        byte[] out = new byte[Responder.MAX_MESSAGE];
        for (int i = 0; i < 25_000; i++) {
            byte[] query = seeds.get(random.nextInt(seeds.size())).clone();
            for (int flips = 1 + random.nextInt(6); flips > 0; flips--) {
                query[random.nextInt(query.length)] = (byte) random.nextInt();
            }
            int length = random.nextInt(4) == 0 ? random.nextInt(query.length + 1) : query.length;
            boolean stream = random.nextInt(8) == 0;
            int written = responder.answer(zone, query, length, stream, out);
            if (written == Responder.OUTSIDE) {
                written = responder.refuse(query);
            }
            int most = stream ? Responder.MAX_MESSAGE : 1232;
            int size = written;
            assertTrue(size == 0 || (size >= 12 && size <= most), () -> "an answer of " + size + " bytes");
            if (size > 0) {
                byte[] response = Arrays.copyOf(out, size);
                org.junit.jupiter.api.Assertions.assertDoesNotThrow(() -> new Message(response));
                assertEquals(Query.u16(query, 0), Query.u16(response, 0));
            }
        }
    }

    // Others who know more.

    @Test
    void leavesNamesOutsideToAForwarder() {
        var forwarding = new Responder(TestZones.ANY_AGENT, Responder.UDP_PAYLOAD);
        for (String name : List.of("www.example.com.", "9.0.0.10.in-addr.arpa.", "0.0.10.in-addr.arpa.", "10.in-addr.arpa.", "35.216.184.93.in-addr.arpa.")) {
            byte[] query = query(name, Type.PTR, -1).toWire();
            assertEquals(Responder.OUTSIDE, forwarding.answer(zone, query, query.length, false, new byte[512]), name);
        }
        for (String name : List.of("none.consul.", "1.0.0.10.in-addr.arpa.", "34.216.184.93.in-addr.arpa.")) {
            byte[] query = query(name, Type.PTR, -1).toWire();
            byte[] out = new byte[512];
            assertTrue(forwarding.answer(zone, query, query.length, false, out) > 0, name);
            assertEquals(0x80, out[3] & 0x80, "RA");
        }
    }

    @Test
    void answersSharedNamesItselfWhenTheForwarderHasNobodyToAskAboutThem() {
        var forwarding = new Responder(TestZones.NARROW_AGENT, Responder.UDP_PAYLOAD);
        byte[] query = query("9.0.0.10.in-addr.arpa.", Type.PTR, -1).toWire();
        byte[] out = new byte[512];
        assertTrue(forwarding.answer(zone, query, query.length, false, out) > 0);
        assertEquals(Rcode.NXDOMAIN, out[3] & 15);
    }

    @Test
    void keepsARecordOfTheQuery() {
        byte[] query = query("many.service.consul.", Type.A, 1232).toWire();
        int size = answer(query, false).length;
        QueryRecord record = responder.record();

        assertEquals(7, record.revision);
        assertEquals(QueryRecord.Source.ZONE, record.source);
        assertEquals(0, record.rcode);
        assertEquals(size, record.responseBytes);
        assertEquals(query.length, record.queryBytes);
        assertTrue(record.truncated);
        assertEquals("many.service.consul.", DomainName.copyOf(record.query, record.nameFrom, record.nameTo).toString());
        assertEquals((1232 - 11 - record.nameTo - 4) / 16, record.answers);
    }

    private Message ask(String name, int type, int edns) throws IOException {
        return new Message(answer(query(name, type, edns).toWire(), false));
    }

    private byte[] answer(byte[] query, boolean stream) {
        byte[] out = new byte[Responder.MAX_MESSAGE];
        int length = responder.answer(zone, query, query.length, stream, out);
        return Arrays.copyOf(out, length == Responder.OUTSIDE ? responder.refuse(query) : length);
    }

    static Message query(String name, int type, int edns) {
        try {
            Message query = Message.newQuery(org.xbill.DNS.Record.newRecord(new Name(name), type, DClass.IN));
            query.getHeader().unsetFlag(Flags.RD);
            if (edns >= 0) {
                query.addRecord(new OPTRecord(edns, 0, 0), Section.ADDITIONAL);
            }
            return query;
        } catch (IOException e) {
            throw new IllegalArgumentException(name, e);
        }
    }

    private static List<String> rdata(Message message, int section) {
        return message.getSection(section).stream()
                .filter(r -> r.getType() != Type.OPT)
                .map(r -> r.getType() == Type.SOA ? ((SOARecord) r).getHost().toString() : r.rdataToString().replace(' ', '_'))
                .toList();
    }

    private static org.junit.jupiter.params.provider.Arguments of(String what, byte[] query, int rcode, int questions) {
        return org.junit.jupiter.params.provider.Arguments.of(what, query, rcode, questions);
    }

    private static byte[] with(byte[] bytes, int at, int value) {
        byte[] changed = bytes.clone();
        changed[at] = (byte) value;
        return changed;
    }

    private static byte[] append(byte[] bytes, int... more) {
        byte[] longer = Arrays.copyOf(bytes, bytes.length + more.length);
        for (int i = 0; i < more.length; i++) {
            longer[bytes.length + i] = (byte) more[i];
        }
        return longer;
    }

    private static byte[] longName(int length) {
        byte[] query = new byte[12 + length + 4];
        query[5] = 1;
        int left = length - 1;
        int at = 12;
        while (left > 0) {
            int label = Math.min(63, left - 1);
            if (left - 1 - label == 1) {
                label--;
            }
            query[at] = (byte) label;
            Arrays.fill(query, at + 1, at + 1 + label, (byte) 'a');
            at += 1 + label;
            left -= 1 + label;
        }
        query[at + 2] = 1;
        query[at + 4] = 1;
        return query;
    }
}
