package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Relay;
import dev.gatepost.dns.forward.ForwardCounters.Event;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static dev.gatepost.dns.forward.ScriptedUpstream.reply;
import static dev.gatepost.dns.forward.ScriptedUpstream.says;
import static dev.gatepost.dns.forward.ServedForwarder.answers;
import static dev.gatepost.dns.forward.ServedForwarder.lines;
import static dev.gatepost.dns.forward.ServedForwarder.query;
import static dev.gatepost.dns.forward.ServedForwarder.zone;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What is remembered, for how long, and how it is answered.
@Timeout(30)
class AnswerCacheTest {
    private static final AnswerReader READER = new AnswerReader(Duration.ofDays(1), Duration.ofHours(1));

    private static CachedAnswer read(String name, int type, boolean dnssecOk, Message reply, long nowNanos) {
        QuestionKey key = QuestionKey.of(DomainName.of(name).wire(), type, dnssecOk, false);
        byte[] bytes = reply.toWire(65535);
        Reading reading = READER.read(bytes, bytes.length, key, "test", nowNanos);
        return reading instanceof Reading.Answered(var answer) ? answer : failed(reading);
    }

    private static CachedAnswer failed(Reading reading) {
        throw new AssertionError(reading.toString());
    }

    /// The message that a cached answer makes, as a client gets it so long after.
    private static Message after(Duration age, String name, int type, CachedAnswer answer, Relay relay) throws IOException {
        byte[] question = query(name, type).toWire();
        byte[] out = new byte[65535];
        System.arraycopy(question, 0, out, 0, question.length);
        relay.nowNanos = answer.storedNanos + age.toNanos();
        relay.answers = 0;
        relay.authority = 0;
        answer.writeCached(out, question.length, out.length, relay);
        out[7] = (byte) relay.answers;
        out[9] = (byte) relay.authority;
        return new Message(java.util.Arrays.copyOf(out, relay.end));
    }

    @Test
    void countsTtlsDownAndAnswersThirtySecondsPastThem() throws IOException {
        Message reply = reply(query("www.example.com.", Type.A), Rcode.NOERROR, "answer @ 300 CNAME web.example.net.", "answer web.example.net. 100 A 192.0.2.1");
        CachedAnswer answer = read("www.example.com.", Type.A, false, reply, 5);
        assertEquals(100, answer.ttlSeconds, "the shortest of the chain");
        var relay = new Relay();
        assertEquals(
                List.of("www.example.com. 300 IN CNAME web.example.net.", "web.example.net. 100 IN A 192.0.2.1"),
                lines(after(Duration.ofMillis(999), "www.example.com.", Type.A, answer, relay), Section.ANSWER));
        assertEquals(
                List.of("www.example.com. 201 IN CNAME web.example.net.", "web.example.net. 1 IN A 192.0.2.1"),
                lines(after(Duration.ofMillis(99_999), "www.example.com.", Type.A, answer, relay), Section.ANSWER));
        assertFalse(relay.stale);
        assertEquals(
                List.of("www.example.com. 30 IN CNAME web.example.net.", "web.example.net. 30 IN A 192.0.2.1"),
                lines(after(Duration.ofSeconds(100), "www.example.com.", Type.A, answer, relay), Section.ANSWER));
        assertTrue(relay.stale);
    }

    @Test
    void cutsWhatIsTooLongForTheClientToWhatFits() throws IOException {
        String[] lines = new String[100];
        for (int i = 0; i < lines.length; i++) {
            lines[i] = "answer @ 300 A 192.0.2." + i;
        }
        CachedAnswer answer = read("www.example.com.", Type.A, false, reply(query("www.example.com.", Type.A), Rcode.NOERROR, lines), 0);
        byte[] question = query("www.example.com.", Type.A).toWire();
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            byte[] out = new byte[512];
            System.arraycopy(question, 0, out, 0, question.length);
            var relay = new Relay();
            relay.nowNanos = TimeUnit.SECONDS.toNanos(7);
            answer.writeCached(out, question.length, out.length, relay);
            assertTrue(relay.truncated);
            assertEquals((512 - question.length) / 16, relay.answers);
            assertEquals(question.length + 16 * relay.answers, relay.end);
            out[7] = (byte) relay.answers;
            List<String> records = lines(new Message(java.util.Arrays.copyOf(out, relay.end)), Section.ANSWER);
            assertEquals(relay.answers, Set.copyOf(records).size());
            assertTrue(records.stream().allMatch(each -> each.startsWith("www.example.com. 293 IN A 192.0.2.")), records::toString);
            seen.addAll(records);
        }
        assertEquals(100, seen.size(), "another part each time");
    }

    @ParameterizedTest
    @CsvSource({
        "600, 60, 60", // MINIMUM is shorter
        "60, 600, 60", // the SOA's own TTL is shorter
        "90000, 90000, 3600", // dns.cache-max-negative-ttl
        "0, 60, 0",
    })
    void believesANoForTheShorterOfSoaTtlAndMinimum(int ttl, int minimum, int expected) throws IOException {
        for (int rcode : new int[] {Rcode.NOERROR, Rcode.NXDOMAIN}) {
            Message reply = reply(query("no.example.com.", Type.A), rcode, "authority example.com. " + ttl + " SOA ns. root. 1 2 3 4 " + minimum);
            CachedAnswer answer = read("no.example.com.", Type.A, false, reply, 0);
            assertEquals(expected, answer.ttlSeconds);
            assertEquals(
                    List.of("example.com. " + expected + " IN SOA ns. root. 1 2 3 4 " + minimum),
                    lines(after(Duration.ZERO, "no.example.com.", Type.A, answer, new Relay()), Section.AUTHORITY));
        }
    }

    @Test
    void believesNoNoWithoutSoaOrWithOneFromElsewhere() throws IOException {
        assertEquals(0, read("no.example.com.", Type.A, false, reply(query("no.example.com.", Type.A), Rcode.NXDOMAIN), 0).ttlSeconds);
        Message elsewhere = reply(query("no.example.com.", Type.A), Rcode.NXDOMAIN, "authority example.net. 60 SOA ns. root. 1 2 3 4 60");
        CachedAnswer answer = read("no.example.com.", Type.A, false, elsewhere, 0);
        assertEquals(0, answer.ttlSeconds);
        assertEquals(0, answer.authority);
    }

    @Test
    void capsPositiveTtlsAndTakesTheTopBitForZero() throws IOException {
        assertEquals(86400, read("a.b.", Type.A, false, reply(query("a.b.", Type.A), Rcode.NOERROR, "answer @ 604800 A 192.0.2.1"), 0).ttlSeconds);
        byte[] bytes = reply(query("a.b.", Type.A), Rcode.NOERROR, "answer @ 60 A 192.0.2.1").toWire();
        bytes[bytes.length - 10] = (byte) 0x80;
        QuestionKey key = QuestionKey.of(DomainName.of("a.b.").wire(), Type.A, false, false);
        assertEquals(0, ((Reading.Answered) READER.read(bytes, bytes.length, key, "test", 0)).answer().ttlSeconds);
    }

    @Test
    void keepsOneTtlForASet() throws IOException {
        Message reply = reply(query("a.b.", Type.A), Rcode.NOERROR, "answer @ 60 A 192.0.2.1", "answer @ 20 A 192.0.2.2");
        CachedAnswer answer = read("a.b.", Type.A, false, reply, 0);
        assertEquals(List.of("a.b. 20 IN A 192.0.2.1", "a.b. 20 IN A 192.0.2.2"), answers(after(Duration.ZERO, "a.b.", Type.A, answer, new Relay())));
    }

    @Test
    void keepsSignaturesAndProofsForWhoAskedForThem() throws IOException {
        String signature = " RRSIG A 8 2 60 20300101000000 20200101000000 1 example.com. AAAA";
        Message reply = reply(
                query("www.example.com.", Type.A),
                Rcode.NOERROR,
                "answer @ 60 A 192.0.2.1",
                "answer @ 60" + signature,
                "authority a.example.com. 60 NSEC z.example.com. A RRSIG NSEC",
                "authority example.com. 60 NS ns.example.com.");
        reply.getHeader().setFlag(Flags.AD);
        CachedAnswer asked = read("www.example.com.", Type.A, true, reply, 0);
        assertEquals(2, asked.answers);
        assertEquals(1, asked.authority);
        assertTrue(asked.authenticated);
        CachedAnswer plain = read("www.example.com.", Type.A, false, reply, 0);
        assertEquals(1, plain.answers);
        assertEquals(0, plain.authority);
    }

    @Test
    void passesTypesOnThatItDoesNotKnow() throws IOException {
        try (var upstream = ScriptedUpstream.start((query, _) -> switch (query.getQuestion().getType()) {
                    case Type.HTTPS -> List.of(reply(query, Rcode.NOERROR, "answer @ 60 HTTPS 1 . alpn=h2 port=8443").toWire());
                    case Type.SRV -> List.of(reply(query, Rcode.NOERROR, "answer @ 60 SRV 1 2 80 www.example.com.").toWire());
                    case Type.NAPTR -> List.of(reply(query, Rcode.NOERROR, "answer @ 60 NAPTR 1 2 \"s\" \"SIP\" \"\" sip.example.com.").toWire());
                    case Type.MX -> List.of(reply(query, Rcode.NOERROR, "answer @ 60 MX 10 mx.example.com.").toWire());
                    default -> List.of(reply(query, Rcode.NOERROR, "answer @ 60 TYPE65280 \\# 3 010203").toWire());
                });
                var gatepost = ServedForwarder.to(upstream.upstream())) {
            assertEquals(List.of("www.example.com. 60 IN HTTPS 1 . alpn=h2 port=8443"), answers(gatepost.ask("www.example.com.", Type.HTTPS)));
            assertEquals(List.of("www.example.com. 60 IN SRV 1 2 80 www.example.com."), answers(gatepost.ask("www.example.com.", Type.SRV)));
            assertEquals(List.of("www.example.com. 60 IN NAPTR 1 2 \"s\" \"SIP\" \"\" sip.example.com."), answers(gatepost.ask("www.example.com.", Type.NAPTR)));
            assertEquals(List.of("www.example.com. 60 IN MX 10 mx.example.com."), answers(gatepost.ask("www.example.com.", Type.MX)));
            assertEquals(List.of("www.example.com. 60 IN TYPE65280 \\# 3 010203"), answers(gatepost.ask("www.example.com.", 65280)));
        }
    }

    @Test
    void knowsThatANameDoesNotExistWhateverIsAskedOfIt() throws IOException {
        try (var upstream = ScriptedUpstream.start((query, _) -> List.of(
                        reply(query, Rcode.NXDOMAIN, "authority com. 900 SOA a. b. 1 2 3 4 900").toWire()));
                var gatepost = ServedForwarder.to(upstream.upstream())) {
            for (int type : new int[] {Type.A, Type.AAAA, Type.HTTPS, Type.A}) {
                Message answer = gatepost.ask("nobody.example.com.", type);
                assertEquals(Rcode.NXDOMAIN, answer.getRcode());
                assertEquals(1, lines(answer, Section.AUTHORITY).size());
            }
            assertEquals(1, upstream.seen.size());
        }
    }

    @Test
    void remembersNothingWithATtlOfZero() throws IOException {
        try (var upstream = ScriptedUpstream.start(says("answer @ 0 A 192.0.2.1")); var gatepost = ServedForwarder.to(upstream.upstream())) {
            gatepost.ask("www.example.com.", Type.A);
            assertEquals(List.of("www.example.com. 0 IN A 192.0.2.1"), answers(gatepost.ask("www.example.com.", Type.A)));
            assertEquals(2, upstream.seen.size());
        }
    }

    @Test
    void beginsWithAnotherAddressEachTime() throws IOException {
        try (var upstream = ScriptedUpstream.start(says("answer @ 60 A 192.0.2.1", "answer @ 60 A 192.0.2.2", "answer @ 60 A 192.0.2.3"));
                var gatepost = ServedForwarder.to(upstream.upstream())) {
            Set<String> first = new HashSet<>();
            for (int i = 0; i < 60; i++) {
                List<String> answer = lines(gatepost.ask("www.example.com.", Type.A), Section.ANSWER);
                assertEquals(3, new HashSet<>(answer).size());
                first.add(answer.getFirst());
            }
            assertEquals(3, first.size());
        }
    }

    @Test
    void saysWhatIsValidatedToThoseAloneWhoUnderstand() throws IOException {
        ScriptedUpstream.Script validating = (query, _) -> {
            Message reply = reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.1");
            reply.getHeader().setFlag(Flags.AD);
            return List.of(reply.toWire());
        };
        try (var upstream = ScriptedUpstream.start(validating); var gatepost = ServedForwarder.to(upstream.upstream())) {
            assertFalse(gatepost.ask("www.example.com.", Type.A).getHeader().getFlag(Flags.AD));
            Message understanding = query("www.example.com.", Type.A);
            understanding.getHeader().setFlag(Flags.AD);
            assertTrue(gatepost.udp(understanding).getHeader().getFlag(Flags.AD));
            Message signed = query("www.example.com.", Type.A);
            signed.addRecord(new OPTRecord(1232, 0, 0, 0x8000), Section.ADDITIONAL);
            assertTrue(gatepost.udp(signed).getHeader().getFlag(Flags.AD));
        }
    }

    @Test
    void asksAgainForWhatIsPopularBeforeItEnds() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        ScriptedUpstream.Script counting = (query, _) -> List.of(reply(query, Rcode.NOERROR, "answer @ 2 A 192.0.2." + asked.incrementAndGet()).toWire());
        try (var upstream = ScriptedUpstream.start(counting); var gatepost = ServedForwarder.to(upstream.upstream())) {
            long began = System.nanoTime();
            gatepost.ask("www.example.com.", Type.A);
            Await.until("it was asked for again", () -> {
                try {
                    gatepost.ask("www.example.com.", Type.A);
                    return asked.get() == 2 && gatepost.count(Event.PREFETCH) == 1;
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            assertEquals(1, gatepost.count(Event.MISS), () -> "no client waited, for " + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began) + " ms");
        }
    }

    @Test
    void staysWithinItsMemory() throws IOException {
        String text = "x".repeat(200);
        try (var upstream = ScriptedUpstream.start(says("answer @ 600 TXT \"" + text + "\""));
                var gatepost = ServedForwarder.start(ForwardSettings.of(List.of(zone(".", upstream.upstream())))
                        .withCache(20_000, Duration.ofDays(1), Duration.ofHours(1), Duration.ofDays(1)))) {
            for (int i = 0; i < 200; i++) {
                assertEquals(Rcode.NOERROR, gatepost.ask("host" + i + ".example.com.", Type.TXT).getRcode());
            }
            assertTrue(gatepost.forwarder().cachedBytes() <= 20_000, () -> gatepost.forwarder().cachedBytes() + " bytes");
            assertTrue(gatepost.forwarder().cachedAnswers() > 10, () -> gatepost.forwarder().cachedAnswers() + " answers");
        }
    }

    @Test
    void forgetsANameWhenToldTo() throws IOException {
        try (var upstream = ScriptedUpstream.start(says("answer @ 600 A 192.0.2.1")); var gatepost = ServedForwarder.to(upstream.upstream())) {
            for (String each : List.of("example.com.", "www.example.com.", "www.example.net.")) {
                gatepost.ask(each, Type.A);
            }
            assertEquals(1, gatepost.forwarder().flush(DomainName.of("EXAMPLE.com"), false));
            assertEquals(1, gatepost.forwarder().flush(DomainName.of("com"), true));
            assertEquals(1, gatepost.forwarder().cachedAnswers());
        }
    }
}
