package dev.gatepost.dns.forward;

import dev.gatepost.dns.forward.ForwardCounters.Event;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import static dev.gatepost.dns.forward.ScriptedUpstream.reply;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// More questions than may be in flight.
@Timeout(30)
class CrowdedForwarderTest {
    @Test
    void theOldestQuestionMakesRoomForTheNewest() throws Exception {
        ScriptedUpstream.Script script = (query, _) -> query.getQuestion().getName().toString().startsWith("mute")
                ? List.of()
                : List.of(reply(query, Rcode.NOERROR, "answer @ 60 A 192.0.2.1").toWire());
        try (var upstream = ScriptedUpstream.start(script);
                var served = ServedForwarder.start(settings(upstream, 2))) {
            List<CompletableFuture<Message>> mute = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                String name = "mute" + i + ".example.com.";
                mute.add(ask(served, name));
                Await.until(name + " is asked", () -> upstream.seen.stream().anyMatch(each -> each.startsWith(name)));
            }
            assertEquals(Rcode.NOERROR, served.ask("www.example.com.", Type.A).getRcode(), "the newest is asked and answered");
            Message first = mute.getFirst().get();
            assertEquals(Rcode.SERVFAIL, first.getRcode());
            assertTrue(ServedForwarder.extendedErrorText(first).contains("too many questions in flight"), first::toString);
            assertEquals(1, served.count(Event.OVERLOAD));
            assertEquals(Rcode.NOERROR, served.ask("www.example.net.", Type.A).getRcode(), "there is room by now");
            assertEquals(1, served.count(Event.OVERLOAD));
        }
    }

    private static ForwardSettings settings(ScriptedUpstream upstream, int questions) {
        return ForwardSettings.of(List.of(ServedForwarder.zone(".", upstream.upstream()))).withLimits(questions, Duration.ofSeconds(20), Duration.ofSeconds(20));
    }

    private static CompletableFuture<Message> ask(ServedForwarder served, String name) {
        var answer = new CompletableFuture<Message>();
        Thread.ofVirtual().start(() -> {
            try {
                answer.complete(served.ask(name, Type.A));
            } catch (IOException | RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }
}
