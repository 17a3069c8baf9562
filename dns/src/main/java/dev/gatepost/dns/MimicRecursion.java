package dev.gatepost.dns;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Asks for a mimic, which can't wait: what the agent knows is there at once; for the first name that it doesn't know the
/// mimic's answer is put off, and made again with what came of asking. Reusable scratch of one thread.
final class MimicRecursion implements Mimic.Recursion {
    /// Names that somebody is asked about for one query; the others lead nowhere.
    private static final int MOST_ASKED = 8;
    private static final byte[] NOBODY = {};

    private final Outside.Agent agent;
    private final Reach reach;
    private final SubQuestion question = new SubQuestion();
    private final Relay relay = new Relay();
    private Map<DomainName, byte[]> heard = Map.of();
    private Optional<DomainName> missing = Optional.empty();

    MimicRecursion(Outside.Agent agent, Reach reach) {
        this.agent = agent;
        this.reach = reach;
    }

    /// Turns to a query.
    ///
    /// @param known what was said to the questions that it took so far
    void begin(Map<DomainName, byte[]> known) {
        heard = known;
        missing = Optional.empty();
    }

    void end() {
        if (missing.isPresent()) {
            missing = Optional.empty();
        }
    }

    @Override
    public boolean isAvailable() {
        return reach.isRecursive();
    }

    @Override
    public Optional<byte[]> addresses(DomainName name) {
        byte[] said = heard.get(name);
        if (said != null) {
            return Optional.of(said);
        }
        if (missing.isPresent()) {
            return Optional.empty(); // one at a time: the agent keeps what it was asked last
        }
        byte[] wire = name.wire();
        if (!isAvailable() || !reach.covers(wire, 0, wire.length)) {
            return Optional.of(NOBODY);
        }
        question.begin(wire, 0, wire.length, RRType.A, 0, false, false);
        if (question.answer(agent, relay.clear(System.nanoTime()))) {
            return Optional.of(question.whole(relay));
        }
        if (heard.size() == MOST_ASKED) {
            return Optional.of(NOBODY);
        }
        missing = Optional.of(name);
        return Optional.empty();
    }

    /// Whether the answer had to be put off.
    boolean isWaiting() {
        return missing.isPresent();
    }

    Awaited awaited() {
        return new Awaited(missing, heard, true);
    }

    /// What is known with the reply to what was awaited.
    Map<DomainName, byte[]> heard(Awaited awaited, Outside.Reply reply, long nowNanos) {
        DomainName name = awaited.name().orElseThrow();
        byte[] wire = name.wire();
        question.begin(wire, 0, wire.length, RRType.A, 0, false, false);
        question.answer(reply, relay.clear(nowNanos));
        Map<DomainName, byte[]> more = new HashMap<>(awaited.heard());
        more.put(name, question.whole(relay));
        return more;
    }
}
