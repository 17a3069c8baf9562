package dev.gatepost.dns.access;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// A server that answers so many queries a millisecond, on a clock of its own.
class FairShareTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
    private static final int POLITE = 9;

    private final FairShare shares = new FairShare(42);
    private final Random random = new Random(7);
    private long nowNanos = -5 * MILLI;
    private int perMilli = 100;
    private boolean filters = true;
    private final Map<Integer, Double> rates = new HashMap<>();
    private final Map<Integer, Double> due = new HashMap<>();
    private final Map<Integer, Integer> asked = new HashMap<>();
    private final Map<Integer, Integer> first = new HashMap<>();
    private final Map<Integer, Integer> answered = new HashMap<>();

    @Test
    void whoAsksLittleIsAnsweredFirstAndInFullThoughTheServerPauses() {
        aFewAskLittleAndTheServerPauses();
    }

    private void aFewAskLittleAndTheServerPauses() {
        floods(4, 60);
        rates.put(POLITE, 1.0);
        overload();
        for (int round = 0; round < 50; round++) {
            run(17 + round % 7 * 13);
            pause(50);
        }
        assertTrue(asked(POLITE) > 4000, "asked " + asked(POLITE));
        assertEquals(asked(POLITE), first(POLITE), "of all that it asked, first");
        for (int flood = 0; flood < 4; flood++) {
            assertEquals(0, first(flood), "a flood is not preferred, after a pause either");
            assertTrue(answered(flood) < asked(flood) / 2, answered(flood) + " answered of the " + asked(flood) + " of a flood");
        }
    }

    @Test
    void aPauseAsLongAsAPeriodCostsHimNothing() {
        floods(4, 60);
        rates.put(POLITE, 2.0);
        overload();
        for (int round = 0; round < 20; round++) {
            run(150 + round * 7 % 100);
            pause(100);
        }
        assertEquals(asked(POLITE), first(POLITE));
    }

    @Test
    void theSameHoldsWhereTheKernelFiltersNothing() {
        filters = false;
        aFewAskLittleAndTheServerPauses();
        floodsShareEvenly();
    }

    @Test
    void ofAFloodNotMuchMoreThanItsShareIsRead() {
        floods(1, 1000);
        overload();
        run(1000);
        assertEquals(1, shares.floods());
        assertTrue(shares.part(0) > 0.08 && shares.part(0) < 0.13, "read: " + shares.part(0));
    }

    @Test
    void aFloodTakesWhatNobodyElseWants() {
        floods(1, 300);
        overload();
        run(1000);
        assertShare(0, 100_000);
    }

    @Test
    void floodsShareEvenlyHoweverLargeTheyAre() {
        floodsShareEvenly();
    }

    private void floodsShareEvenly() {
        rates.clear();
        rates.put(0, 300.0);
        rates.put(1, 100.0);
        overload();
        run(1000);
        assertShare(0, 50_000);
        assertShare(1, 50_000);
    }

    @Test
    void manyWhoAskTheSameHaveTheSame() {
        floods(1000, 0.2);
        overload();
        run(2000);
        int all = 0;
        for (int client = 0; client < 1000; client++) {
            assertTrue(answered(client) > 0, "client " + client);
            all += answered(client);
        }
        assertTrue(all > 140_000, "answered of 200,000: " + all);
    }

    @Test
    void whatCanBeAnsweredIsFoundOutAsItChanges() {
        floods(3, 100);
        rates.put(POLITE, 1.0);
        perMilli = 20;
        overload();
        run(500);
        assertEquals(asked(POLITE), first(POLITE));
        perMilli = 100;
        run(2000);
        forget();
        run(1000);
        assertShare(0, 33_000);
        perMilli = 20;
        run(1000);
        forget();
        run(1000);
        assertShare(0, 6_300);
        assertEquals(asked(POLITE), first(POLITE));
    }

    @Test
    void whoFloodsNoMoreIsAnsweredLikeAnybody() {
        floods(3, 100);
        overload();
        run(500);
        rates.put(0, 1.0);
        run(200);
        forget();
        run(500);
        assertEquals(asked(0), first(0));
    }

    @Test
    void anIpv6ClientIsItsNetwork() {
        shares.begin(nowNanos);
        for (int i = 0; i < 1000; i++) {
            shares.seen(network(i));
        }
        shares.seen(client(POLITE));
        nowNanos += 100 * MILLI;
        shares.turnTo(nowNanos);
        assertEquals(FairShare.Place.LATER, shares.place(network(7)), "its network has asked much");
        assertEquals(FairShare.Place.FIRST, shares.place(client(POLITE)));
    }

    private static byte[] network(int host) {
        byte[] address = new byte[16];
        address[0] = 0x20;
        address[14] = (byte) (host >> 8);
        address[15] = (byte) host;
        return address;
    }

    private void floods(int clients, double rate) {
        for (int i = 0; i < clients; i++) {
            rates.put(i, rate);
        }
    }

    /// As many as can be are answered, as they come, until it is known to be an overload.
    private void overload() {
        shares.begin(nowNanos);
        double all = rates.values().stream().mapToDouble(Double::doubleValue).sum();
        for (int milli = 0; milli < 100; milli++) {
            nowNanos += MILLI;
            rates.forEach((client, rate) -> queries(client, 1, Math.min(1, perMilli / all), _ -> shares.seen(client(client))));
        }
        due.clear();
        forget();
    }

    private void forget() {
        asked.clear();
        first.clear();
        answered.clear();
    }

    private void run(int millis) {
        for (int i = 0; i < millis; i++) {
            pause(1);
        }
    }

    /// What has come in the meantime is read, and as much of it answered as in a millisecond.
    private void pause(int millis) {
        nowNanos += millis * MILLI;
        if (shares.turnTo(nowNanos) && !filters) {
            shares.takeAll();
        }
        List<Integer> later = new ArrayList<>();
        int[] preferred = {0};
        rates.forEach((client, rate) -> queries(client, millis, 1, _ -> {
            asked.merge(client, 1, Integer::sum);
            if (random.nextDouble() >= part(client)) {
                return;
            }
            switch (shares.place(client(client))) {
                case FIRST -> {
                    first.merge(client, 1, Integer::sum);
                    preferred[0]++;
                }
                case LATER -> later.add(client);
                case NEVER -> {}
            }
        }));
        Collections.shuffle(later, random);
        int places = Math.min(later.size(), perMilli);
        later.subList(0, places).forEach(client -> answered.merge(client, 1, Integer::sum));
        shares.missed(later.size() - places);
        shares.worked((places + preferred[0]) * MILLI / perMilli);
    }

    /// Which part of the client's queries the kernel lets pass.
    private double part(int client) {
        for (int i = 0; filters && i < shares.floods(); i++) {
            if (shares.flood(i) == shares.slot(client(client))) {
                return shares.part(i);
            }
        }
        return 1;
    }

    private void queries(int client, int millis, double part, IntConsumer query) {
        double now = due.computeIfAbsent(client, _ -> random.nextDouble()) + rates.getOrDefault(client, 0.0) * millis * part * (0.5 + random.nextDouble());
        int whole = (int) now;
        due.put(client, now - whole);
        for (int i = 0; i < whole; i++) {
            query.accept(i);
        }
    }

    private void assertShare(int client, int expected) {
        assertTrue(answered(client) > expected * 0.85 && answered(client) < expected * 1.15, answered(client) + " answered, expected about " + expected);
    }

    private int asked(int client) {
        return asked.getOrDefault(client, 0);
    }

    private int first(int client) {
        return first.getOrDefault(client, 0);
    }

    private int answered(int client) {
        return answered.getOrDefault(client, 0) + first(client);
    }

    private static byte[] client(int number) {
        return new byte[] {10, (byte) (number >> 16), (byte) (number >> 8), (byte) number};
    }
}
