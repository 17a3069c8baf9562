package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.QueryLog;
import dev.gatepost.dns.QueryRecord;
import dev.gatepost.dns.forward.ForwardCounters.Event;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static dev.gatepost.dns.forward.ScriptedUpstream.reply;
import static dev.gatepost.dns.forward.ScriptedUpstream.says;
import static dev.gatepost.dns.forward.ServedForwarder.answers;
import static dev.gatepost.dns.forward.ServedForwarder.query;
import static dev.gatepost.dns.forward.ServedForwarder.zone;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What is asked of whom, and what of it reaches the client.
@Timeout(30)
class ForwarderTest {
    @Test
    void asksTheUpstreamOnceAndThenAnswersFromTheCache() throws IOException {
        try (var upstream = ScriptedUpstream.start(says("answer @ 300 A 192.0.2.1")); var gatepost = ServedForwarder.to(upstream.upstream())) {
            for (String spelling : List.of("www.example.com.", "WWW.example.COM.", "www.example.com.")) {
                Message answer = gatepost.ask(spelling, Type.A);
                assertEquals(Rcode.NOERROR, answer.getRcode());
                assertFalse(answer.getHeader().getFlag(Flags.AA));
                assertEquals(List.of(spelling + " 300 IN A 192.0.2.1"), answers(answer));
            }
            assertEquals(List.of("www.example.com. A"), upstream.seen);
            assertEquals(2, gatepost.count(Event.HIT));
            assertEquals(1, gatepost.count(Event.MISS));
        }
    }

    @Test
    void asksWhomTheLongestZoneNames() throws IOException {
        try (var inner = ScriptedUpstream.start(says("answer @ 60 A 192.0.2.2"));
                var outer = ScriptedUpstream.start(says("answer @ 60 A 192.0.2.1"));
                var gatepost = ServedForwarder.start(ForwardSettings.of(
                        List.of(zone("example.com", outer.upstream()), zone("corp.example.com", inner.upstream()))))) {
            gatepost.ask("a.corp.example.com.", Type.A);
            gatepost.ask("a.notcorp.example.com.", Type.A);
            gatepost.ask("example.com.", Type.A);
            assertEquals(Rcode.REFUSED, gatepost.ask("example.org.", Type.A).getRcode());
            assertEquals(Rcode.NXDOMAIN, gatepost.ask("1.0.0.10.in-addr.arpa.", Type.PTR).getRcode(), "a private reverse name stays here");
            assertEquals(List.of("a.corp.example.com. A"), inner.seen);
            assertEquals(List.of("a.notcorp.example.com. A", "example.com. A"), outer.seen);
        }
    }

    @Test
    void asksAboutPrivateReverseNamesWhereAForwarderCoversThem() throws IOException {
        try (var upstream = ScriptedUpstream.start(says("answer @ 60 PTR host.corp.")); var gatepost = ServedForwarder.to(upstream.upstream())) {
            assertEquals(List.of("1.0.0.10.in-addr.arpa. 60 IN PTR host.corp."), answers(gatepost.ask("1.0.0.10.in-addr.arpa.", Type.PTR)));
            assertEquals(Rcode.NXDOMAIN, gatepost.ask("nobody.consul.", Type.A).getRcode());
            assertEquals(1, upstream.seen.size());
        }
    }

    @Test
    void answersNothingToWhoDoesNotAskForRecursion() throws IOException {
        try (var upstream = ScriptedUpstream.start(says("answer @ 60 A 192.0.2.1")); var gatepost = ServedForwarder.to(upstream.upstream())) {
            gatepost.ask("www.example.com.", Type.A);
            Message snoop = query("www.example.com.", Type.A);
            snoop.getHeader().unsetFlag(Flags.RD);
            assertEquals(Rcode.REFUSED, gatepost.udp(snoop).getRcode());
        }
    }

    @Test
    void putsOneQuestionForAllWhoAskItAtATime() throws Exception {
        var asked = new CountDownLatch(1);
        var answer = new CountDownLatch(1);
        ScriptedUpstream.Script slow = (query, _) -> {
            asked.countDown();
            await(answer);
            return List.of(reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.1").toWire());
        };
        int clients = 20;
        try (var upstream = ScriptedUpstream.start(slow);
                var gatepost = ServedForwarder.start(ForwardSettings.of(List.of(zone(".", upstream.upstream()))), 2, QueryLog.NONE);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<Message> client = () -> gatepost.ask("www.example.com.", Type.A);
            List<Future<Message>> waiting = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                waiting.add(threads.submit(client));
            }
            await(asked);
            Await.until("all have joined", () -> gatepost.count(Event.COALESCED) == clients - 1);
            answer.countDown();
            for (Future<Message> each : waiting) {
                assertEquals(List.of("www.example.com. 60 IN A 192.0.2.1"), answers(each.get()));
            }
            assertEquals(1, gatepost.count(Event.MISS) - gatepost.count(Event.COALESCED));
        }
    }

    @Test
    void asksByTcpForWhatIsTooLongByUdp() throws IOException {
        String[] many = new String[200];
        for (int i = 0; i < many.length; i++) {
            many[i] = "answer @ 60 A 192.0.2." + i;
        }
        ScriptedUpstream.Script script = (query, tcp) -> {
            Message reply = reply(query, Rcode.NOERROR, tcp ? many : new String[] {many[0]});
            if (!tcp) {
                reply.getHeader().setFlag(Flags.TC);
            }
            return List.of(reply.toWire());
        };
        try (var upstream = ScriptedUpstream.start(script); var gatepost = ServedForwarder.to(upstream.upstream())) {
            Message udp = gatepost.ask("many.example.com.", Type.A);
            assertTrue(udp.getHeader().getFlag(Flags.TC));
            assertTrue(udp.toWire().length <= 1232);
            Message tcp = gatepost.tcp(query("many.example.com.", Type.A));
            assertEquals(200, tcp.getSection(Section.ANSWER).size());
            assertEquals(List.of("many.example.com. A", "many.example.com. A/tcp"), upstream.seen);
            assertEquals(1, gatepost.count(Event.TCP_RETRY));
        }
    }

    @Test
    void asksEachTimeFromAnotherPortWithAnotherId() throws IOException {
        try (var upstream = ScriptedUpstream.start(says("answer @ 60 A 192.0.2.1")); var gatepost = ServedForwarder.to(upstream.upstream())) {
            for (int i = 0; i < 20; i++) {
                gatepost.ask("host" + i + ".example.com.", Type.A);
            }
            Set<Integer> ids = new HashSet<>();
            upstream.messages.forEach(message -> ids.add(message.getHeader().getID()));
            assertTrue(ids.size() > 15, () -> "ids " + ids);
            assertTrue(new HashSet<>(upstream.sourcePorts).size() > 15, () -> "ports " + upstream.sourcePorts);
        }
    }

    @Test
    void speaksItsOwnEdnsAndPassesOnDoAndCdAlone() throws IOException {
        try (var upstream = ScriptedUpstream.start(says("answer @ 60 A 192.0.2.1")); var gatepost = ServedForwarder.to(upstream.upstream())) {
            Message query = query("www.example.com.", Type.A);
            query.getHeader().setFlag(Flags.CD);
            query.addRecord(new OPTRecord(4096, 0, 0, 0x8000, List.of(new org.xbill.DNS.CookieOption(new byte[8]))), Section.ADDITIONAL);
            gatepost.udp(query);
            gatepost.udp(query("www.example.com.", Type.A));
            Message first = upstream.messages.get(0);
            assertEquals(1232, first.getOPT().getPayloadSize());
            assertEquals(0x8000, first.getOPT().getFlags());
            assertEquals(List.of(), first.getOPT().getOptions());
            assertTrue(first.getHeader().getFlag(Flags.CD));
            assertEquals(2, upstream.messages.size(), "DO and CD make another question");
            assertEquals(0, upstream.messages.get(1).getOPT().getFlags());
            assertFalse(upstream.messages.get(1).getHeader().getFlag(Flags.CD));
        }
    }

    @Test
    void asksWithoutEdnsWhoDoesNotKnowIt() throws IOException {
        ScriptedUpstream.Script old = (query, _) -> List.of(query.getOPT() == null
                ? reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.1").toWire()
                : reply(query, Rcode.FORMERR).toWire());
        try (var upstream = ScriptedUpstream.start(old); var gatepost = ServedForwarder.to(upstream.upstream())) {
            assertEquals(List.of("a.example.com. 60 IN A 192.0.2.1"), answers(gatepost.ask("a.example.com.", Type.A)));
            assertEquals(List.of("b.example.com. 60 IN A 192.0.2.1"), answers(gatepost.ask("b.example.com.", Type.A)));
            assertEquals(3, upstream.seen.size(), "remembers it");
        }
    }

    @Test
    void followsAnAliasOfItsOwnToWhereOthersKnowMore() throws IOException {
        ScriptedUpstream.Script script = (query, _) -> query.getQuestion().getType() == Type.A
                ? List.of(reply(query, Rcode.NOERROR, "answer @ 60 CNAME web.example.com.", "answer web.example.com. 60 A 192.0.2.1").toWire())
                : List.of(reply(query, Rcode.NXDOMAIN, "authority example.com. 60 SOA ns.example.com. root.example.com. 1 2 3 4 60").toWire());
        try (var upstream = ScriptedUpstream.start(script); var gatepost = ServedForwarder.to(upstream.upstream())) {
            for (int i = 0; i < 2; i++) {
                Message answer = gatepost.ask("External.service.consul.", Type.A);
                assertEquals(Rcode.NOERROR, answer.getRcode());
                assertEquals(
                        List.of(
                                "External.service.consul. 5 IN CNAME www.example.com.",
                                "www.example.com. 60 IN CNAME web.example.com.",
                                "web.example.com. 60 IN A 192.0.2.1"),
                        ServedForwarder.lines(answer, Section.ANSWER));
                Message none = gatepost.tcp(query("external.service.consul.", Type.AAAA));
                assertEquals(Rcode.NXDOMAIN, none.getRcode());
                assertEquals(List.of("external.service.consul. 5 IN CNAME www.example.com."), answers(none));
                assertEquals(List.of("example.com. 60 IN SOA ns.example.com. root.example.com. 1 2 3 4 60"), ServedForwarder.lines(none, Section.AUTHORITY));
            }
            assertEquals(List.of("www.example.com. A", "www.example.com. AAAA"), upstream.seen);
            Message alone = query("external.service.consul.", Type.A);
            alone.getHeader().unsetFlag(Flags.RD);
            assertEquals(1, answers(gatepost.udp(alone)).size());
        }
    }

    @Test
    void tellsTheLogWhoAnswered() throws IOException {
        var log = new ConcurrentLinkedQueue<String>();
        QueryLog lines = (QueryRecord query) -> log.add(DomainName.copyOf(query.query, query.nameFrom, query.nameTo) + " " + query.source + " " + query.upstream);
        try (var upstream = ScriptedUpstream.start(says("answer @ 60 A 192.0.2.1"));
                var gatepost = ServedForwarder.start(ForwardSettings.of(List.of(zone(".", upstream.upstream()))), 1, lines)) {
            gatepost.ask("www.example.com.", Type.A);
            gatepost.ask("www.example.com.", Type.A);
            assertEquals(List.of("www.example.com. FORWARD " + upstream.upstream(), "www.example.com. CACHE "), List.copyOf(log));
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
