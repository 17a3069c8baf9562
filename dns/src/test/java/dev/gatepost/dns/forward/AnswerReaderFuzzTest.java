package dev.gatepost.dns.forward;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Mutator;
import dev.gatepost.dns.Relay;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Type;

import static dev.gatepost.dns.forward.ScriptedUpstream.reply;
import static dev.gatepost.dns.forward.ServedForwarder.query;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Whatever an upstream sends is read without an exception, and what is kept of it is well-formed.
class AnswerReaderFuzzTest {
    /// As in `PacketFuzzTest`.
    private static final long ROUNDS = Long.getLong("gatepost.fuzz.packets", 60_000);
    private static final long SEED = Long.getLong("gatepost.fuzz.seed", 42);
    private static final int[] TYPES = {Type.A, Type.NAPTR, Type.SRV, Type.MX, Type.SOA, Type.ANY, Type.HTTPS, Type.DNAME, Type.RRSIG, Type.PTR};
    private static final int FIXED = 9;
    private static final int LONGEST = 65_000;
    private static final int RESPONSE = 0x80;
    private static final int OPCODE = 0x78;
    private static final AnswerReader READER = new AnswerReader(Duration.ofDays(1), Duration.ofHours(1));

    /// The kept ones; with `JAZZER_FUZZ=1` those as well that Jazzer finds by the code that they reach.
    ///
    /// @param bytes which question, flags and counts, and what is behind the question
    @MethodSource("kept")
    @FuzzTest(maxDuration = "10m")
    void readsAnyAnswerAndKeepsNothingDamaged(byte[] bytes) throws IOException {
        if (bytes.length < FIXED || bytes.length > LONGEST) {
            return;
        }
        int type = TYPES[(bytes[0] & 0x7f) % TYPES.length];
        QuestionKey key = QuestionKey.of(DomainName.of("www.example.com").wire(), type, bytes[0] < 0, false);
        byte[] question = query("www.example.com.", type).toWire();
        ByteBuffer message = ByteBuffer.allocate(question.length + bytes.length - FIXED)
                .put(question, 0, 2)
                .put((byte) ((bytes[1] & ~OPCODE) | RESPONSE))
                .put(bytes[2])
                .put(question, 4, 2)
                .put(bytes, 3, FIXED - 3)
                .put(question, 12, question.length - 12)
                .put(bytes, FIXED, bytes.length - FIXED);
        int id = (question[0] & 0xff) << 8 | (question[1] & 0xff);
        assertTrue(AnswerReader.matches(message.array(), message.capacity(), id, key.name(), type));
        if (READER.read(message.array(), message.capacity(), key, "test", 0) instanceof Reading.Answered(var answer)) {
            wellFormed(key, answer);
        }
    }

    static Stream<Arguments> kept() throws IOException {
        return Mutator.kept(Path.of("src/test/resources/fuzz/answers.hex")).stream().map(bytes -> Arguments.of((Object) bytes));
    }

    @Test
    void readsDamagedAnswersAndKeepsNothingDamaged() throws IOException {
        byte[][] seeds = {
            reply(query("www.example.com.", Type.A), Rcode.NOERROR,
                    "answer @ 300 CNAME web.example.net.",
                    "answer web.example.net. 100 CNAME a.web.example.net.",
                    "answer a.web.example.net. 100 A 192.0.2.1",
                    "answer a.web.example.net. 100 A 192.0.2.2").toWire(),
            reply(query("www.example.com.", Type.A), Rcode.NXDOMAIN, "authority example.com. 60 SOA ns.example.com. root.example.com. 1 2 3 4 60").toWire(),
            reply(query("www.example.com.", Type.NAPTR), Rcode.NOERROR, "answer @ 60 NAPTR 1 2 \"s\" \"SIP\" \"\" sip.example.com.").toWire(),
            reply(query("www.example.com.", Type.SRV), Rcode.NOERROR, "answer @ 60 SRV 1 2 80 www.example.com.", "answer @ 60 SRV 1 2 81 x.www.example.com.").toWire(),
            reply(query("www.example.com.", Type.MX), Rcode.NOERROR, "answer @ 60 MX 10 mx.example.com.", "answer @ 60 DNAME example.org.").toWire(),
        };
        int[] types = {Type.A, Type.A, Type.NAPTR, Type.SRV, Type.MX};
        var random = new Random(SEED);
        var reader = new AnswerReader(Duration.ofDays(1), Duration.ofHours(1));
        long kept = 0;
        for (long round = 0; round < ROUNDS; round++) {
            int which = random.nextInt(seeds.length);
            byte[] bytes = Arrays.copyOf(seeds[which], seeds[which].length + random.nextInt(4));
            for (int i = random.nextInt(4); i >= 0; i--) {
                int at = 2 + random.nextInt(bytes.length - 2);
                bytes[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : random.nextBoolean() ? 0xc0 : random.nextInt(64));
            }
            int length = random.nextInt(8) == 0 ? random.nextInt(bytes.length) : bytes.length;
            QuestionKey key = QuestionKey.of(DomainName.of("www.example.com").wire(), types[which], random.nextBoolean(), false);
            if (AnswerReader.matches(bytes, length, (bytes[0] & 0xff) << 8 | (bytes[1] & 0xff), key.name(), types[which])
                    && reader.read(bytes, length, key, "test", 0) instanceof Reading.Answered(var answer)) {
                kept++;
                wellFormed(key, answer);
            }
        }
        long all = kept;
        System.out.println("fuzz: " + ROUNDS + " answers of upstreams, seed " + SEED + ", " + all + " kept");
        assertTrue(all > ROUNDS / 60, () -> all + " kept");
    }

    private static void wellFormed(QuestionKey key, CachedAnswer answer) {
        byte[] out = new byte[65535];
        byte[] question = query(key.domainName().toString(), key.type()).toWire();
        System.arraycopy(question, 0, out, 0, question.length);
        var relay = new Relay();
        answer.writeCached(out, question.length, out.length, relay);
        byte[] scratch = new byte[255];
        int at = question.length;
        for (int i = 0; i < relay.answers + relay.authority; i++) {
            assertTrue(Names.expand(out, at, relay.end, scratch) > 0);
            at = Names.end(out, at, relay.end);
            int size = AnswerReader.u16(out, at + 8);
            assertTrue(RdataLayout.isWhole(out, relay.end, AnswerReader.u16(out, at), at + 10, size));
            at += 10 + size;
        }
        assertEquals(relay.end, at);
        var _ = CachedEntry.of(key, answer, 0);
    }
}
