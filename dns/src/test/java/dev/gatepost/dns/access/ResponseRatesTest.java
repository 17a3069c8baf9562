package dev.gatepost.dns.access;

import dev.gatepost.dns.access.ResponseRates.Kind;
import dev.gatepost.dns.access.ResponseRates.Verdict;
import java.net.InetAddress;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ResponseRatesTest {
    private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
    private final ResponseRates rates = new ResponseRates(100, AddressSet.of(List.of(new AddressBlock(InetAddress.ofLiteral("10.9.0.0"), 16, true))));
    private long now = 1_000_000_007L * 1_000_000_000L;

    @Test
    void sendsASecondsWorthAndThenTheRate() {
        assertEquals(100, sent(ask("192.0.2.1", Kind.RECORDS, 2000, 0)));
        // In debt for a window by now: 15 s.
        now += 13 * SECOND;
        assertEquals(0, sent(ask("192.0.2.1", Kind.RECORDS, 1, 0)), "still in debt");
        now += 3 * SECOND;
        assertTrue(sent(ask("192.0.2.1", Kind.RECORDS, 100, 0)) >= 98, "paid");
    }

    @Test
    void whoStaysBelowTheRateIsNeverLimited() {
        assertEquals(3000, sent(ask("192.0.2.1", Kind.RECORDS, 3000, SECOND / 99)));
        assertEquals(0, rates.limited());
    }

    @Test
    void everySecondOneAboveTheLimitIsTruncated() {
        Map<Verdict, Integer> verdicts = ask("192.0.2.1", Kind.NXDOMAIN, 1100, 0);
        assertEquals(Map.of(Verdict.SEND, 100, Verdict.CHALLENGE, 500, Verdict.DROP, 500), verdicts);
        assertEquals(1000, rates.limited());
        assertEquals(1, rates.networks());
    }

    @Test
    void aNetworkIsCountedAsOneAndOthersApart() {
        ask("192.0.2.1", Kind.RECORDS, 1000, 0);
        assertEquals(0, sent(ask("192.0.2.254", Kind.RECORDS, 1, 0)), "the same /24");
        assertEquals(1, sent(ask("192.0.3.1", Kind.RECORDS, 1, 0)));
        ask("2001:db8:1:200::1", Kind.RECORDS, 1000, 0);
        assertEquals(0, sent(ask("2001:db8:1:2ff::2", Kind.RECORDS, 1, 0)), "the same /56");
        assertEquals(1, sent(ask("2001:db8:1:300::1", Kind.RECORDS, 1, 0)));
    }

    @Test
    void kindsOfAnswersAreCountedApart() {
        ask("192.0.2.1", Kind.NXDOMAIN, 1000, 0);
        assertEquals(100, sent(ask("192.0.2.1", Kind.RECORDS, 100, 0)));
    }

    @Test
    void theExemptAreNotCounted() {
        assertEquals(5000, sent(ask("10.9.1.1", Kind.ERROR, 5000, 0)));
        assertEquals(Map.of(Verdict.SEND, 5000), new ResponseRatesTest().askNobody());
    }

    private Map<Verdict, Integer> askNobody() {
        Map<Verdict, Integer> verdicts = new EnumMap<>(Verdict.class);
        for (int i = 0; i < 5000; i++) {
            verdicts.merge(ResponseRates.NONE.count(new byte[4], Kind.RECORDS, now), 1, Integer::sum);
        }
        return verdicts;
    }

    /// Forged addresses of a million networks don't take a quiet network's credit for longer than they come.
    @Test
    void aTableThatIsFullForgetsThoseWhoOweLeast() {
        ask("192.0.2.1", Kind.RECORDS, 1500, 0);
        for (int i = 0; i < 1_000_000; i++) {
            rates.count(new byte[] {(byte) (i >> 16), (byte) (i >> 8), (byte) i, 1}, Kind.RECORDS, now);
        }
        assertEquals(0, sent(ask("192.0.2.1", Kind.RECORDS, 10, 0)), "who owes most is remembered");
    }

    /// The stored time wraps: nobody is in debt for days.
    @ParameterizedTest
    @ValueSource(longs = {1, 5, 7, 12, 13, 25, 26, 400})
    void debtEndsHoweverLongNobodyAsks(long days) {
        ask("192.0.2.1", Kind.RECORDS, 5000, 0);
        now += TimeUnit.DAYS.toNanos(days) + 16 * SECOND;
        assertTrue(sent(ask("192.0.2.1", Kind.RECORDS, 100, 0)) >= 99);
    }

    private Map<Verdict, Integer> ask(String client, Kind kind, int times, long everyNanos) {
        byte[] address = InetAddress.ofLiteral(client).getAddress();
        Map<Verdict, Integer> verdicts = new EnumMap<>(Verdict.class);
        for (int i = 0; i < times; i++) {
            now += everyNanos;
            verdicts.merge(rates.count(address, kind, now), 1, Integer::sum);
        }
        return verdicts;
    }

    private static int sent(Map<Verdict, Integer> verdicts) {
        return verdicts.getOrDefault(Verdict.SEND, 0);
    }
}
