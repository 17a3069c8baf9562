package dev.gatepost.dns;

import dev.gatepost.dns.access.Access.Admission;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;

/// A mimic whose answer leads to names that others have to be asked about.
class MimicRecursionTest {
    private static final byte[] IN = new byte[Responder.MAX_MESSAGE];
    private static final byte[] OUT = new byte[Responder.MAX_MESSAGE];

    private final Set<DomainName> known = new HashSet<>();
    private final Responder responder = new Responder(new Telling(), Responder.UDP_PAYLOAD);
    private int length;

    @Test
    void itsAnswerIsMadeAgainWithEachReply() throws IOException {
        known.add(DomainName.of("b.test"));
        Zone zone = leadingTo("a.test", "b.test", "c.test");
        assertEquals(Responder.OUTSIDE, ask(zone));
        assertEquals(Responder.LATER, responder.relay(IN, 0));
        Awaited first = responder.awaited();
        assertEquals(Optional.of(DomainName.of("a.test")), first.name());
        ask(TestZones.sample()); // another query in between
        assertEquals(Responder.LATER, responder.relay(zone, IN, length, false, OUT, first, address("192.0.2.7"), 0));
        Awaited second = responder.awaited();
        assertEquals(Optional.of(DomainName.of("c.test")), second.name());
        int written = responder.relay(zone, IN, length, false, OUT, second, nothing(), 0);
        assertEquals(List.of("192.0.2.7", "192.0.2.1"), answers(written));
    }

    @Test
    void soManyNamesAreAskedAboutAndTheOthersLeadNowhere() throws IOException {
        Zone zone = leadingTo(IntStream.range(0, 20).mapToObj(i -> "n" + i + ".test").toArray(String[]::new));
        int written = ask(zone);
        assertEquals(Responder.OUTSIDE, written);
        int asked = 0;
        Awaited awaited = responder.awaited();
        for (written = Responder.LATER; written == Responder.LATER; asked++) {
            written = responder.relay(zone, IN, length, false, OUT, awaited, address("192.0.2.7"), 0);
            awaited = responder.awaited();
        }
        assertEquals(8, asked);
        assertEquals(8, answers(written).size());
    }

    @Test
    void nobodyIsAskedForAClientThatMayNotAsk() throws IOException {
        responder.admit(Admission.OWN_NAMES);
        assertEquals(List.of(), answers(ask(leadingTo("a.test"))));
    }

    private int ask(Zone zone) {
        byte[] query = ResponderTest.query("web.service.consul.", Type.A, -1).toWire();
        System.arraycopy(query, 0, IN, 0, query.length);
        length = query.length;
        return responder.answer(zone, IN, length, false, OUT);
    }

    private static List<String> answers(int written) throws IOException {
        return new Message(Arrays.copyOf(OUT, written)).getSection(Section.ANSWER).stream().map(each -> ((ARecord) each).getAddress().getHostAddress()).toList();
    }

    /// Answers the addresses of some names, as far as somebody says them.
    private static Zone leadingTo(String... names) {
        return TestZones.sample().answeredBy((in, queryLength, _, recursion, out, record) -> {
            try {
                var answer = new Message(Arrays.copyOf(in, queryLength));
                boolean waiting = false;
                for (String each : names) {
                    Optional<byte[]> said = recursion.addresses(DomainName.of(each));
                    waiting |= said.isEmpty();
                    if (said.isPresent() && said.get().length > 0) {
                        new Message(said.get()).getSection(Section.ANSWER).forEach(found -> answer.addRecord(found, Section.ANSWER));
                    }
                }
                byte[] bytes = answer.toWire();
                System.arraycopy(bytes, 0, out, 0, bytes.length);
                record.rcode = Rcode.NOERROR;
                return waiting ? Responder.OUTSIDE : bytes.length;
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static Outside.Reply address(String text) {
        return (_, _, out, from, _, relay) -> {
            byte[] record = {(byte) 0xc0, Query.HEADER, 0, Type.A, 0, 1, 0, 0, 0, 60, 0, 4};
            System.arraycopy(record, 0, out, from, record.length);
            System.arraycopy(InetAddress.ofLiteral(text).getAddress(), 0, out, from + record.length, 4);
            relay.end = from + record.length + 4;
            relay.answers = 1;
        };
    }

    private static Outside.Reply nothing() {
        return (_, _, _, from, _, relay) -> {
            relay.end = from;
            relay.rcode = Rcode.NXDOMAIN;
        };
    }

    /// Knows some names, and has to ask about all others.
    private final class Telling implements Outside.Agent {
        @Override
        public boolean covers(byte[] bytes, int nameAt, int nameLength) {
            return true;
        }

        @Override
        public boolean answer(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
            DomainName name = DomainName.copyOf(in, Query.HEADER, Query.HEADER + query.nameLength());
            if (known.contains(name)) {
                address("192.0.2.1").write(query, in, out, from, to, relay);
            }
            return known.contains(name);
        }

        @Override
        public void ask(Outside.Asker asker) {
            throw new IllegalStateException("not asked here");
        }
    }
}
