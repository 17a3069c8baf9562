package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.QueryLog;
import dev.gatepost.dns.forward.ForwardCounters.Event;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static dev.gatepost.dns.forward.ScriptedUpstream.reply;
import static dev.gatepost.dns.forward.ScriptedUpstream.says;
import static dev.gatepost.dns.forward.ServedForwarder.answers;
import static dev.gatepost.dns.forward.ServedForwarder.extendedError;
import static dev.gatepost.dns.forward.ServedForwarder.extendedErrorText;
import static dev.gatepost.dns.forward.ServedForwarder.lines;
import static dev.gatepost.dns.forward.ServedForwarder.query;
import static dev.gatepost.dns.forward.ServedForwarder.zone;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Upstreams that are slow, gone, wrong, or somebody else.
@Timeout(30)
class UpstreamTroubleTest {
    private static final ScriptedUpstream.Script SILENT = (_, _) -> List.of();

    private static ForwardSettings quick(Upstream... upstreams) {
        return ForwardSettings.of(List.of(zone(".", upstreams))).withLimits(4096, Duration.ofMillis(700), Duration.ofMillis(200));
    }

    @Test
    void takesNoAnswerThatIsNotToItsQuestion() throws IOException {
        ScriptedUpstream.Script forger = (query, _) -> {
            List<byte[]> sent = new ArrayList<>();
            byte[] otherId = reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.66").toWire();
            otherId[1] ^= 1;
            sent.add(otherId);
            sent.add(reply(query("www.examplf.com.", Type.A), Rcode.NOERROR, "answer @ 60 A 192.0.2.66").toWire());
            byte[] otherName = reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.66").toWire();
            otherName[13] ^= 1;
            sent.add(otherName);
            byte[] otherType = reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.66").toWire();
            otherType[12 + "www.example.com.".length() + 1 + 1] = 28;
            sent.add(otherType);
            byte[] noResponse = reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.66").toWire();
            noResponse[2] &= 0x7f;
            sent.add(noResponse);
            sent.add(new byte[5]);
            sent.add(reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.1").toWire());
            return sent;
        };
        try (var upstream = ScriptedUpstream.start(forger); var gatepost = ServedForwarder.to(upstream.upstream())) {
            assertEquals(List.of("www.example.com. 60 IN A 192.0.2.1"), answers(gatepost.ask("www.example.com.", Type.A)));
            assertEquals(6, gatepost.count(Event.FORGED));
        }
    }

    @Test
    void takesNoAnswerFromAnotherAddress() throws IOException {
        try (var stranger = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            var ports = new ArrayList<Integer>();
            ScriptedUpstream.Script script = (query, _) -> {
                byte[] forged = reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.66").toWire();
                for (int port : ports) {
                    stranger.send(new DatagramPacket(forged, forged.length, InetAddress.getLoopbackAddress(), port));
                }
                return List.of(reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.1").toWire());
            };
            try (var upstream = ScriptedUpstream.start(script); var gatepost = ServedForwarder.to(upstream.upstream())) {
                upstream.onPort(ports::add);
                assertEquals(List.of("www.example.com. 60 IN A 192.0.2.1"), answers(gatepost.ask("www.example.com.", Type.A)));
            }
        }
    }

    @Test
    void asksInMixedCaseAndTakesItBackInNoOther() throws IOException {
        ScriptedUpstream.Script lowering = (query, _) -> {
            byte[] lowered = reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.66").toWire();
            for (int i = 12; lowered[i] != 0; i++) {
                lowered[i] = (byte) Character.toLowerCase(lowered[i]);
            }
            return List.of(lowered, reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.1").toWire());
        };
        try (var upstream = ScriptedUpstream.start(lowering);
                var gatepost = ServedForwarder.start(ForwardSettings.of(List.of(new ForwardZone(DomainName.ROOT, List.of(upstream.upstream()), true))))) {
            String name = "a-long-enough-name-to-be-mixed.example.com.";
            assertEquals(List.of(name + " 60 IN A 192.0.2.1"), answers(gatepost.ask(name, Type.A)));
            assertNotEquals(name + " A", upstream.seen.getFirst());
        }
    }

    @Test
    void leavesOutWhatHasNothingToDoWithTheQuestion() throws IOException {
        try (var upstream = ScriptedUpstream.start(says(
                        "answer @ 60 CNAME web.example.net.",
                        "answer web.example.net. 50 A 192.0.2.1",
                        "answer www.bank.example. 86400 A 192.0.2.66",
                        "answer web.example.net. 50 AAAA 2001:db8::1",
                        "authority example.net. 60 NS ns.evil.example.",
                        "additional ns.evil.example. 60 A 192.0.2.66"));
                var gatepost = ServedForwarder.to(upstream.upstream())) {
            Message answer = gatepost.ask("www.example.com.", Type.A);
            assertEquals(List.of("web.example.net. 50 IN A 192.0.2.1", "www.example.com. 60 IN CNAME web.example.net."), answers(answer));
            assertEquals(List.of(), lines(answer, Section.AUTHORITY));
            assertEquals(List.of(), lines(answer, Section.ADDITIONAL));
            assertEquals(4, gatepost.count(Event.DROPPED_RECORD));
            assertEquals(0, gatepost.forwarder().cached(DomainName.of("www.bank.example")).size());
        }
    }

    @Test
    void asksAnotherWhenTheFirstIsSlowAndTakesWhicheverAnswersFirst() throws IOException {
        try (var silent = ScriptedUpstream.start(SILENT);
                var good = ScriptedUpstream.start(says("answer @ 60 A 192.0.2.1"));
                var gatepost = ServedForwarder.to(silent.upstream(), good.upstream())) {
            for (int i = 0; i < 4; i++) {
                assertEquals(Rcode.NOERROR, gatepost.ask("host" + i + ".example.com.", Type.A).getRcode());
            }
            assertTrue(silent.seen.size() < 4, () -> "learns who answers: " + silent.seen);
        }
    }

    @Test
    void passesOverWhoCanNotSay() throws IOException {
        try (var broken = ScriptedUpstream.start((query, _) -> List.of(reply(query, Rcode.SERVFAIL).toWire()));
                var refusing = ScriptedUpstream.start((query, _) -> List.of(reply(query, Rcode.REFUSED).toWire()));
                var good = ScriptedUpstream.start(says("answer @ 60 A 192.0.2.1"));
                var gatepost = ServedForwarder.to(broken.upstream(), refusing.upstream(), good.upstream())) {
            assertEquals(Rcode.NOERROR, gatepost.ask("www.example.com.", Type.A).getRcode());
        }
    }

    @Test
    void saysWhatWentWrongAndDoesNotAskAgainAtOnce() throws IOException {
        try (var broken = ScriptedUpstream.start((query, _) -> List.of(reply(query, Rcode.SERVFAIL).toWire())); var gatepost = ServedForwarder.to(broken.upstream())) {
            Message first = gatepost.ask("www.example.com.", Type.A);
            assertEquals(Rcode.SERVFAIL, first.getRcode());
            assertEquals(22, extendedError(first));
            assertEquals(broken.upstream() + ": SERVFAIL", extendedErrorText(first));
            Message second = gatepost.ask("www.example.com.", Type.A);
            assertEquals(13, extendedError(second), "a cached error");
            assertEquals(1, broken.seen.size());
            assertEquals(1, gatepost.count(Event.FAILURE_HIT));
        }
    }

    @Test
    void failsWithinItsDeadlineWhenNobodyAnswers() throws IOException {
        try (var silent = ScriptedUpstream.start(SILENT); var gatepost = ServedForwarder.start(quick(silent.upstream()))) {
            Message answer = gatepost.ask("www.example.com.", Type.A);
            assertEquals(Rcode.SERVFAIL, answer.getRcode());
            assertTrue(extendedErrorText(answer).contains("no answer in 700 ms"), () -> extendedErrorText(answer));
        }
    }

    @Test
    void failsAtOnceWhenNobodyListens() throws IOException {
        InetSocketAddress nobody;
        try (var socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            nobody = (InetSocketAddress) socket.getLocalSocketAddress();
        }
        try (var gatepost = ServedForwarder.to(Upstream.plain(nobody))) {
            Message answer = gatepost.ask("www.example.com.", Type.A);
            assertEquals(Rcode.SERVFAIL, answer.getRcode());
            assertFalse(extendedErrorText(answer).contains("no answer in"), () -> extendedErrorText(answer));
        }
    }

    @Test
    void answersWhatItKnewWhenTheUpstreamHasGone() throws IOException {
        try (var upstream = ScriptedUpstream.start(says("answer @ 1 A 192.0.2.1")); var gatepost = ServedForwarder.start(quick(upstream.upstream()))) {
            gatepost.ask("www.example.com.", Type.A);
            upstream.script(SILENT);
            Await.until("the answer is past its TTL", () -> gatepost.forwarder().cached(DomainName.of("www.example.com")).getFirst().state().equals("stale"));
            Message stale = gatepost.ask("www.example.com.", Type.A);
            assertEquals(List.of("www.example.com. 30 IN A 192.0.2.1"), answers(stale));
            assertEquals(3, extendedError(stale));
            int asked = upstream.seen.size();
            assertEquals(List.of("www.example.com. 30 IN A 192.0.2.1"), answers(gatepost.ask("www.example.com.", Type.A)), "at once");
            Await.until("the refresh has failed", () -> gatepost.count(Event.FAILED) == 1);
            assertEquals(List.of("www.example.com. 30 IN A 192.0.2.1"), answers(gatepost.ask("www.example.com.", Type.A)));
            assertTrue(asked >= 2, () -> "asked for a fresh one: " + upstream.seen);
            assertEquals(3, gatepost.count(Event.STALE));
        }
    }

    @Test
    void prefersANewNoToAnOldYes() throws IOException {
        try (var upstream = ScriptedUpstream.start(says("answer @ 1 A 192.0.2.1")); var gatepost = ServedForwarder.start(quick(upstream.upstream()))) {
            gatepost.ask("www.example.com.", Type.A);
            upstream.script((query, _) -> List.of(reply(query, Rcode.NXDOMAIN, "authority com. 900 SOA a. b. 1 2 3 4 900").toWire()));
            Await.until("the answer is past its TTL", () -> gatepost.forwarder().cached(DomainName.of("www.example.com")).getFirst().state().equals("stale"));
            assertEquals(Rcode.NXDOMAIN, gatepost.ask("www.example.com.", Type.A).getRcode());
        }
    }

    @Test
    void asksNobodyForMoreThanItCanHold() throws Exception {
        try (var silent = ScriptedUpstream.start(SILENT);
                var gatepost = ServedForwarder.start(ForwardSettings.of(List.of(zone(".", silent.upstream()))).withLimits(3, Duration.ofSeconds(2), Duration.ofSeconds(1)));
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Message>> waiting = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                String name = "host" + i + ".example.com.";
                waiting.add(threads.submit(() -> gatepost.ask(name, Type.A)));
            }
            Await.until("three are in flight", () -> gatepost.count(Event.MISS) == 3);
            Message more = gatepost.ask("more.example.com.", Type.A);
            assertEquals(Rcode.SERVFAIL, more.getRcode());
            assertTrue(extendedErrorText(more).contains("no answer"), "it was asked: " + extendedErrorText(more));
            assertEquals(1, gatepost.count(Event.OVERLOAD));
            int tooMany = 0;
            for (Future<Message> each : waiting) {
                assertEquals(Rcode.SERVFAIL, each.get().getRcode());
                tooMany += extendedErrorText(each.get()).equals("too many questions in flight") ? 1 : 0;
            }
            assertEquals(1, tooMany, "the oldest made room");
        }
    }

    @Test
    void noticesThatItsQuestionsComeBackToIt() throws IOException {
        // An upstream that forwards to us: found by the first question to it, and answered without waiting for a deadline.
        ServedForwarder[] gatepost = new ServedForwarder[1];
        AtomicInteger around = new AtomicInteger();
        try (var circle = ScriptedUpstream.raw((bytes, reply) -> {
                    around.incrementAndGet();
                    Thread.ofVirtual().start(() -> relay(gatepost[0].address(), bytes, reply));
                });
                var server = ServedForwarder.to(Upstream.plain(circle.address()))) {
            gatepost[0] = server;
            Message answer = server.ask("www.example.com.", Type.A);
            assertEquals(Rcode.SERVFAIL, answer.getRcode());
            assertTrue(extendedErrorText(answer).contains("sends our questions back to us"), () -> extendedErrorText(answer));
            assertTrue(server.count(Event.LOOP) >= 1);
            int rounds = around.get();
            assertEquals(Rcode.SERVFAIL, server.ask("other.example.com.", Type.A).getRcode());
            assertEquals(rounds, around.get(), "is not asked any more");
            assertFalse(server.forwarder().counters().upstreams().getFirst().usable());
        }
    }

    private static void relay(InetSocketAddress to, byte[] query, java.util.function.Consumer<byte[]> reply) {
        try (var socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            socket.setSoTimeout(5000);
            socket.send(new DatagramPacket(query, query.length, to));
            var packet = new DatagramPacket(new byte[4096], 4096);
            socket.receive(packet);
            reply.accept(Arrays.copyOf(packet.getData(), packet.getLength()));
        } catch (IOException _) {
            // The test is over.
        }
    }

    @Test
    void triesAnUpstreamAgainThatWasDown() throws IOException {
        int port;
        try (var first = ScriptedUpstream.start(SILENT)) {
            port = first.address().getPort();
        }
        try (var gatepost = ServedForwarder.start(quick(Upstream.plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))), 1, QueryLog.NONE)) {
            for (int i = 0; i < 3; i++) {
                assertEquals(Rcode.SERVFAIL, gatepost.ask("host" + i + ".example.com.", Type.A).getRcode());
            }
            assertFalse(gatepost.forwarder().counters().upstreams().getFirst().usable());
            try (var back = ScriptedUpstream.start(port, says("answer @ 60 A 192.0.2.1"))) {
                Await.until("it is found to be back", () -> gatepost.forwarder().counters().upstreams().getFirst().usable());
                assertEquals(". SOA", back.seen.getFirst());
                assertEquals(Rcode.NOERROR, gatepost.ask("www.example.com.", Type.A).getRcode());
            }
        }
    }

    @Test
    void cutAnswersByTcpAreNoAnswers() throws IOException {
        ScriptedUpstream.Script cut = (query, _) -> {
            Message reply = reply(query, Rcode.NOERROR);
            reply.getHeader().setFlag(Flags.TC);
            return List.of(reply.toWire());
        };
        try (var upstream = ScriptedUpstream.start(cut); var gatepost = ServedForwarder.to(upstream.upstream())) {
            assertEquals(Rcode.SERVFAIL, gatepost.ask("www.example.com.", Type.A).getRcode());
        }
    }
}
