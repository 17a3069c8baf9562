package dev.gatepost.dns.access;

import java.util.Random;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class FairShareTest {
    private static final int PLACES = 256;
    private final FairShare shares = new FairShare(PLACES, 42);

    @Test
    void aFloodTakesWhatNobodyElseWants() {
        int flood = 0;
        for (int turn = 0; turn < 3; turn++) {
            shares.begin();
            flood = taken(1, 5000);
        }
        assertEquals(PLACES / 2, flood);
    }

    @Test
    void whoAsksLittleIsAnsweredInFullBesideAFlood() {
        var random = new Random(5);
        int polite = 0;
        int wanted = 0;
        for (int turn = 0; turn < 1000; turn++) {
            shares.begin();
            int before = random.nextInt(5000);
            int flood = taken(1, before);
            int now = random.nextInt(12);
            polite += taken(2, now);
            wanted += now;
            flood += taken(1, 5000 - before);
            assertTrue(flood >= PLACES / 2 - 12 && flood <= PLACES * 3 / 4, "the flood has the rest: " + flood);
        }
        assertEquals(wanted, polite);
    }

    @Test
    void twoFloodsShareEvenly() {
        for (int turn = 0; turn < 5; turn++) {
            shares.begin();
            int one = taken(1, 3000);
            int other = taken(2, 1000);
            if (turn > 0) {
                assertEquals(PLACES / 4, one);
                assertEquals(PLACES / 4, other);
            }
        }
    }

    @Test
    void moreClientsThanPlacesGetOneEachUntilThePlacesAreTaken() {
        int all = 0;
        for (int turn = 0; turn < 5; turn++) {
            shares.begin();
            all = 0;
            for (int client = 0; client < 1000; client++) {
                all += taken(client, 1);
            }
        }
        assertEquals(PLACES, all);
    }

    @Test
    void anIpv6ClientIsItsNetwork() {
        shares.begin();
        int one = 0;
        for (int i = 0; i < 1000; i++) {
            byte[] address = new byte[16];
            address[0] = 0x20;
            address[14] = (byte) (i >> 8);
            address[15] = (byte) i;
            one += shares.takes(address) ? 1 : 0;
        }
        assertTrue(one <= PLACES / 2, "one client: " + one);
    }

    private int taken(int client, int queries) {
        byte[] address = {10, (byte) (client >> 16), (byte) (client >> 8), (byte) client};
        int taken = 0;
        for (int i = 0; i < queries; i++) {
            taken += shares.takes(address) ? 1 : 0;
        }
        return taken;
    }
}
