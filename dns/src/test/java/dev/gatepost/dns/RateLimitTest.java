package dev.gatepost.dns;

import dev.gatepost.dns.access.Access;
import dev.gatepost.dns.access.AddressBlock;
import dev.gatepost.dns.access.AddressSet;
import dev.gatepost.dns.access.ResponseRates;
import java.io.IOException;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.CookieOption;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What a desk says to a network that asks too much. All queries come at one moment.
class RateLimitTest {
    private static final byte[] CLIENT = {(byte) 192, 0, 2, 1};
    private static final byte[] OTHER = {(byte) 198, 51, 100, 1};
    private static final int LIMIT = 10;

    private final Zone zone = TestZones.sample();
    private final ResponseRates rates = new ResponseRates(LIMIT, AddressSet.of(List.of(new AddressBlock(InetAddress.ofLiteral("198.51.100.0"), 24, true))));
    private final Desk desk = new Desk(() -> zone, Outside.Agent.NONE, DnsSettings.DEFAULT.withAccess(Access.EVERYBODY).withRates(rates), () -> 0, QueryLog.NONE);

    @Test
    void truncatesEverySecondAnswerAboveTheLimitAndSendsNothingForTheOthers() throws IOException {
        for (int i = 0; i < LIMIT; i++) {
            assertEquals(2, new Message(ask(CLIENT, QueryRecord.Transport.UDP, "web.service.consul.")).getSection(Section.ANSWER).size());
        }
        assertEquals(0, ask(CLIENT, QueryRecord.Transport.UDP, "web.service.consul.").length);
        var cut = new Message(ask(CLIENT, QueryRecord.Transport.UDP, "web.service.consul."));
        assertTrue(cut.getHeader().getFlag(Flags.TC));
        assertTrue(cut.getSection(Section.ANSWER).isEmpty() && cut.getSection(Section.AUTHORITY).isEmpty());
        assertEquals("web.service.consul.", cut.getQuestion().getName().toString());
        assertEquals(1232, cut.getOPT().getPayloadSize());
        var missing = new Message(ask(CLIENT, QueryRecord.Transport.UDP, "none.service.consul."));
        assertEquals(org.xbill.DNS.Rcode.NXDOMAIN, missing.getRcode(), "another kind of answer");
    }

    @Test
    void theKindsAreRecordsNoneNoNameAndErrors() throws IOException {
        for (String name : List.of("web.service.consul.", "down.service.consul.", "none.service.consul.", "www.example.com.")) {
            for (int i = 0; i < LIMIT; i++) {
                assertFalse(new Message(ask(CLIENT, QueryRecord.Transport.UDP, name)).getHeader().getFlag(Flags.TC));
            }
        }
        assertEquals(0, rates.limited());
        for (int i = 0; i < 10; i++) {
            byte[] answer = ask(CLIENT, QueryRecord.Transport.UDP, "www.example.com.");
            assertTrue(answer.length == 0 || !new Message(answer).getHeader().getFlag(Flags.TC), "an error is sent whole or not at all");
        }
        assertEquals(10, rates.limited());
    }

    @Test
    void aStreamAndTheExemptAreNotLimited() throws IOException {
        for (int i = 0; i < 3 * LIMIT; i++) {
            assertEquals(2, new Message(ask(CLIENT, QueryRecord.Transport.TCP, "web.service.consul.")).getSection(Section.ANSWER).size());
            assertEquals(2, new Message(ask(OTHER, QueryRecord.Transport.UDP, "web.service.consul.")).getSection(Section.ANSWER).size());
        }
        assertEquals(0, rates.limited());
    }

    @Test
    void whoBringsBackACookieIsNotLimited() throws IOException {
        Message first = withCookie(new CookieOption(new byte[8]));
        Message proven = withCookie(cookie(new Message(ask(CLIENT, QueryRecord.Transport.UDP, first))));
        for (int i = 0; i < 3 * LIMIT; i++) {
            assertEquals(2, new Message(ask(CLIENT, QueryRecord.Transport.UDP, proven)).getSection(Section.ANSWER).size());
        }
        assertEquals(0, rates.limited());
    }

    /// RFC 7873 section 5.2.3.
    @Test
    void whoKnowsCookiesIsToldToBringOneBack() throws IOException {
        for (int i = 0; i < LIMIT + 1; i++) {
            ask(CLIENT, QueryRecord.Transport.UDP, "web.service.consul.");
        }
        var told = new Message(ask(CLIENT, QueryRecord.Transport.UDP, withCookie(new CookieOption(new byte[8]))));
        assertEquals(Rcode.BADCOOKIE, told.getRcode());
        assertFalse(told.getHeader().getFlag(Flags.TC));
        assertTrue(told.getSection(Section.ANSWER).isEmpty());
        var answered = new Message(ask(CLIENT, QueryRecord.Transport.UDP, withCookie(cookie(told))));
        assertEquals(2, answered.getSection(Section.ANSWER).size());
    }

    private static Message withCookie(CookieOption cookie) {
        Message query = ResponderTest.query("web.service.consul.", Type.A, -1);
        query.addRecord(new OPTRecord(1232, 0, 0, 0, List.of(cookie)), Section.ADDITIONAL);
        return query;
    }

    /// That of the answer, to be sent with the next query.
    private static CookieOption cookie(Message answer) {
        var cookie = (CookieOption) answer.getOPT().getOptions(EDNSOption.Code.COOKIE).getFirst();
        return new CookieOption(cookie.getClientCookie(), cookie.getServerCookie().orElseThrow());
    }

    private byte[] ask(byte[] client, QueryRecord.Transport transport, Message message) {
        byte[] query = message.toWire();
        System.arraycopy(query, 0, desk.in, 0, query.length);
        return Arrays.copyOf(desk.out, desk.answer(query.length, transport, client, 4242, 1_000_000_000L));
    }

    private byte[] ask(byte[] client, QueryRecord.Transport transport, String name) {
        return ask(client, transport, ResponderTest.query(name, Type.A, 1232));
    }
}
