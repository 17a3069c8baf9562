package dev.gatepost.dns.access;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/// Which queries are answered of more than can be: in each turn, the first few of every client. One client's flood costs
/// that client alone. Confined to one event loop.
///
/// What a client may have follows from what all wanted in the turn before: the level at which half of the places would be
/// taken (max-min fairness). The other half is for what comes on top of that.
public final class FairShare {
    private static final int CLIENTS = 4096;
    /// So many of a client's queries go before those of anybody who has more.
    private static final int FEW = 2;

    private final int places;
    private final int placesForMany;
    /// What each client has wanted in this turn.
    private final short[] wanted = new short[CLIENTS];
    /// How many clients have wanted so much.
    private final int[] clients;
    private final long secret;
    private int share;
    private int taken;

    /// @param places queries that are answered in a turn
    public FairShare(int places) {
        this(places, ThreadLocalRandom.current().nextLong());
    }

    /// @param secret so that nobody can tell from outside who shares a slot with whom
    FairShare(int places, long secret) {
        this.places = places;
        this.secret = secret;
        this.placesForMany = places * 3 / 4;
        this.share = places / 2;
        this.clients = new int[share + 1];
    }

    /// Begins a turn.
    public void begin() {
        Arrays.fill(clients, 0);
        for (short each : wanted) {
            clients[Math.min(each, clients.length - 1)]++;
        }
        share = level();
        taken = 0;
        Arrays.fill(wanted, (short) 0);
    }

    /// The most that everybody could have.
    private int level() {
        int level = 0;
        int above = CLIENTS - clients[0];
        for (int left = places / 2 - above; level < clients.length - 1 && left >= 0; left -= above) {
            level++;
            above -= clients[level];
        }
        return Math.max(FEW, level);
    }

    /// Whether there is a place for one more query of this client.
    ///
    /// @param client 4 or 16 bytes: an IPv6 client is its /64
    public boolean takes(byte[] client) {
        int slot = slot(client);
        int before = wanted[slot];
        if (before < Short.MAX_VALUE) {
            wanted[slot]++;
        }
        if (before >= share || taken >= (before < FEW ? places : placesForMany)) {
            return false;
        }
        taken++;
        return true;
    }

    private int slot(byte[] client) {
        long word = 0;
        for (int i = 0; i < Math.min(client.length, 8); i++) {
            word = word << 8 | (client[i] & 0xff);
        }
        return (int) (((word ^ secret) * 0x9e3779b97f4a7c15L) >>> 52);
    }
}
