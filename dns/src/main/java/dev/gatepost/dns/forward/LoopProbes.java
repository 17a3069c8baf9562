package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;

/// Questions that nobody else asks, on their way to upstreams: one that comes in again has gone in a circle. Any loop sends
/// them and any loop may meet one.
final class LoopProbes {
    /// HINFO: what no client asks for, so that only queries of this type are looked up.
    static final int TYPE = 13;
    private static final int MOST = 1024;
    private static final int LABEL_BYTES = 8;

    private final Map<DomainName, Probe> sent = new ConcurrentHashMap<>();
    private final SecureRandom random;

    LoopProbes(SecureRandom random) {
        this.random = random;
    }

    /// @param returned it has come back
    record Probe(ForwardAgent agent, Standing standing, DomainName name, AtomicBoolean returned) {}

    /// A new one below a zone, or empty labels' worth of refusal when too many are on their way.
    Probe next(ForwardAgent agent, Standing standing, DomainName zone) {
        DomainName name = label().append(label()).append(fits(zone) ? zone : DomainName.ROOT);
        Probe probe = new Probe(agent, standing, name, new AtomicBoolean());
        if (sent.size() < MOST) {
            sent.put(name, probe);
        }
        return probe;
    }

    private static boolean fits(DomainName zone) {
        return zone.length() + 2 * (1 + 2 * LABEL_BYTES) <= DomainName.MAX_LENGTH;
    }

    private DomainName label() {
        byte[] bytes = new byte[LABEL_BYTES];
        random.nextBytes(bytes);
        return DomainName.of(HexFormat.of().formatHex(bytes));
    }

    /// Whether a query is one of them; its sender is told.
    boolean met(byte[] bytes, int nameAt, int nameLength) {
        if (sent.isEmpty()) {
            return false;
        }
        Probe probe = sent.get(DomainName.copyOf(bytes, nameAt, nameAt + nameLength));
        if (probe == null) {
            return false;
        }
        if (probe.returned.compareAndSet(false, true)) {
            probe.agent.loops(probe.standing);
        }
        return true;
    }

    void over(Probe probe) {
        sent.remove(probe.name);
    }
}
