package dev.gatepost.dns;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xbill.DNS.CookieOption;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.GenericEDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// DNS cookies: RFC 7873 and RFC 9018.
class CookiesTest {
    private static final String SECRET = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    private static final String CLIENT = "2464c4abcf10c957";
    private static final HexFormat HEX = HexFormat.of();
    private static final byte[] ADDRESS = InetAddress.ofLiteral("198.51.100.100").getAddress();

    /// RFC 9018 appendix A: every server that has the secret makes the same.
    @ParameterizedTest
    @CsvSource({
        // A.1: a client without one of ours.
        "e5e973e5a6b2a43f48e7dc849e37bfcf,,198.51.100.100,1559731985,2464c4abcf10c957,2464c4abcf10c957010000005cf79f111f8130c3eee29480,UNPROVEN",
        // A.2: ours of half an hour ago and more is renewed.
        "e5e973e5a6b2a43f48e7dc849e37bfcf,,198.51.100.100,1559734385,2464c4abcf10c957010000005cf79f111f8130c3eee29480,2464c4abcf10c957010000005cf7a871d4a564a1442aca77,PROVEN",
        // A.4: made with the secret before.
        "445536bcd2513298075a5d379663c962,dd3bdf9344b678b185a6f5cb60fca715,2001:db8:220:1:59de:d0f4:8769:82b8,1559741961,"
                + "22681ab97d52c298010000005cf7c57926556bd0934c72f8,22681ab97d52c298010000005cf7c609a6bb79d16625507a,PROVEN",
    })
    void makesAndBelievesWhatTheRfcSays(String secret, String before, String address, long now, String sent, String expected, Cookies.Standing standing) {
        var cookies = new Cookies(CookieSecrets.of(before == null ? List.of(secret) : List.of(secret, before)));
        byte[] in = HEX.parseHex(sent);
        assertEquals(standing, cookies.read(in, 0, in.length, InetAddress.ofLiteral(address).getAddress(), now));
        assertEquals(expected, HEX.formatHex(cookies.cookie));
    }

    @Test
    void sendsAYoungOneBackAsItIs() {
        var cookies = new Cookies(CookieSecrets.of(List.of(SECRET)));
        byte[] made = made(cookies, ADDRESS, 1_000_000);
        assertEquals(Cookies.Standing.PROVEN, cookies.read(made, 0, made.length, ADDRESS, 1_000_000 + 1799));
        assertArrayEquals(made, cookies.cookie);
    }

    @Test
    void believesNoneOfAnotherAddressTimeClientOrLength() {
        var cookies = new Cookies(CookieSecrets.of(List.of(SECRET)));
        byte[] made = made(cookies, ADDRESS, 1_000_000);
        assertEquals(Cookies.Standing.UNPROVEN, cookies.read(made, 0, made.length, InetAddress.ofLiteral("198.51.100.101").getAddress(), 1_000_000));
        assertEquals(Cookies.Standing.UNPROVEN, cookies.read(made, 0, made.length, ADDRESS, 1_000_000 + 3601));
        assertEquals(Cookies.Standing.UNPROVEN, cookies.read(made, 0, made.length, ADDRESS, 1_000_000 - 301));
        assertEquals(Cookies.Standing.UNPROVEN, cookies.read(made, 0, 16, ADDRESS, 1_000_000));
        for (int i = 0; i < made.length; i++) {
            byte[] forged = made.clone();
            forged[i] ^= 1;
            assertEquals(Cookies.Standing.UNPROVEN, cookies.read(forged, 0, forged.length, ADDRESS, 1_000_000), "byte " + i);
        }
    }

    @Test
    void changesItsOwnSecretEveryDayAndBelievesThatOfTheDayBefore() {
        CookieSecrets secrets = CookieSecrets.random();
        long midnight = 20_000L * 86_400;
        byte[] evening = made(new Cookies(secrets), ADDRESS, midnight - 60);
        byte[] morning = made(new Cookies(secrets), ADDRESS, midnight + 60);
        var cookies = new Cookies(secrets);
        assertEquals(Cookies.Standing.PROVEN, cookies.read(evening, 0, evening.length, ADDRESS, midnight + 60));
        assertArrayEquals(morning, cookies.cookie, "one of today in return");
        assertEquals(2 * 2, secrets.at(midnight).length);
        assertTrue(Arrays.stream(secrets.at(midnight + 86_400)).noneMatch(word -> word == secrets.at(midnight - 60)[0]));
    }

    // In answers.

    @Test
    void answersWithACookieToWhoSendsOne() throws Exception {
        var asking = new Asking(false);
        Message first = asking.ask(new CookieOption(HEX.parseHex(CLIENT)));
        assertEquals(2, first.getSection(Section.ANSWER).size());
        CookieOption cookie = cookie(first);
        assertEquals(CLIENT, HEX.formatHex(cookie.getClientCookie()));
        assertEquals(16, cookie.getServerCookie().orElseThrow().length);
        assertArrayEquals(cookie.getServerCookie().orElseThrow(), cookie(asking.ask(cookie)).getServerCookie().orElseThrow());
        assertEquals(List.of(), asking.ask().getOPT().getOptions(EDNSOption.Code.COOKIE));
    }

    @Test
    void leavesRoomForTheCookie() throws Exception {
        var asking = new Asking(false);
        Message cut = asking.ask("many.service.consul.", 512, new CookieOption(HEX.parseHex(CLIENT)));
        assertTrue(asking.length <= 512, () -> "512 bytes are the client's limit: " + asking.length);
        assertEquals(1, cut.getOPT().getOptions(EDNSOption.Code.COOKIE).size());
    }

    @ParameterizedTest
    @CsvSource({"7", "9", "15", "41"})
    void refusesOneOfAnImpossibleLength(int length) throws Exception {
        assertEquals(Rcode.FORMERR, new Asking(false).ask(new GenericEDNSOption(EDNSOption.Code.COOKIE, new byte[length])).getRcode());
    }

    @Test
    void asksForProofWhereThatIsRequired() throws Exception {
        var asking = new Asking(true);
        Message refused = asking.ask(new CookieOption(HEX.parseHex(CLIENT)));
        assertEquals(Rcode.BADCOOKIE, refused.getRcode());
        assertEquals(0, refused.getSection(Section.ANSWER).size());
        Message answered = asking.ask(cookie(refused));
        assertEquals(Rcode.NOERROR, answered.getRcode());
        assertEquals(2, answered.getSection(Section.ANSWER).size());
        // Who knows no cookies proves his address by TCP.
        Message sent = asking.ask();
        assertTrue(sent.getHeader().getFlag(org.xbill.DNS.Flags.TC));
        assertEquals(0, sent.getSection(Section.ANSWER).size());
        asking.transport = QueryRecord.Transport.TCP;
        assertEquals(2, asking.ask().getSection(Section.ANSWER).size());
    }

    @Test
    void allocatesNothingForACookie() {
        var threads = (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
        var cookies = new Cookies(CookieSecrets.random());
        byte[] made = made(cookies, ADDRESS, 1_000_000);
        readMany(cookies, made, 4000);
        long before = threads.getCurrentThreadAllocatedBytes();
        readMany(cookies, made, 10_000);
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        // Less than an object each: what the machine itself allocates as it warms up is none of the cookies'.
        assertTrue(bytes < 100_000, () -> bytes + " bytes for 10,000 cookies");
    }

    private static void readMany(Cookies cookies, byte[] made, int times) {
        for (int i = 0; i < times; i++) {
            cookies.read(made, 0, made.length, ADDRESS, 1_000_000 + i % 3600);
        }
    }

    private static byte[] made(Cookies cookies, byte[] address, long now) {
        cookies.read(HEX.parseHex(CLIENT), 0, Cookies.CLIENT, address, now);
        return cookies.cookie.clone();
    }

    private static CookieOption cookie(Message answer) {
        return (CookieOption) answer.getOPT().getOptions(EDNSOption.Code.COOKIE).getFirst();
    }

    /// A desk's responder without the desk.
    private static final class Asking {
        private final EdnsOptions options;
        private final Responder responder;
        private final Zone zone = TestZones.sample();
        private QueryRecord.Transport transport = QueryRecord.Transport.UDP;
        private int length;

        Asking(boolean required) {
            options = new EdnsOptions(() -> 0, DnsSettings.DEFAULT.withCookies(CookieSecrets.of(List.of(SECRET)), required));
            responder = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD, options);
        }

        Message ask(EDNSOption... sent) throws Exception {
            return ask("web.service.consul.", 1232, sent);
        }

        Message ask(String name, int size, EDNSOption... sent) throws Exception {
            Message query = ResponderTest.query(name, Type.A, -1);
            query.addRecord(new OPTRecord(size, 0, 0, 0, sent), Section.ADDITIONAL);
            byte[] bytes = query.toWire();
            byte[] out = new byte[Responder.MAX_MESSAGE];
            options.turnTo(transport, ADDRESS, 1_000_000);
            length = responder.answer(zone, Arrays.copyOf(bytes, bytes.length + 8), bytes.length, transport != QueryRecord.Transport.UDP, out);
            return new Message(Arrays.copyOf(out, length));
        }
    }
}
