package dev.gatepost.dns;

import dev.gatepost.dns.access.Access.Admission;

/// How far the client whose query is answered gets: what it may ask, and about which names somebody outside is asked for it.
/// Of one thread.
final class Reach {
    private final Outside.Agent agent;
    private final boolean forwards;
    private final boolean recursive;
    private Admission admission = Admission.ALL;

    Reach(Outside.Agent agent) {
        this.agent = agent;
        this.forwards = !agent.equals(Outside.Agent.NONE);
        this.recursive = forwards && agent.recursive();
    }

    /// Turns to a client that may ask so much.
    void admit(Admission given) {
        admission = given;
    }

    Admission admission() {
        return admission;
    }

    /// The RA bit.
    boolean isRecursive() {
        return recursive && admission == Admission.ALL;
    }

    /// Whether anybody is asked about anything.
    boolean forwards() {
        return forwards;
    }

    /// Whether this client's question about a name, which the zone leaves to others, has somebody to go to.
    boolean covers(byte[] bytes, int nameAt, int nameLength) {
        return forwards && agent.covers(bytes, nameAt, nameLength) && (admission == Admission.ALL || agent.isOwn(bytes, nameAt, nameLength));
    }

    /// Whether it is for the agent to say what becomes of such a question, be it that nobody is asked.
    boolean isForAgent(byte[] bytes, int nameAt, int nameLength) {
        return admission == Admission.ALL || !forwards || covers(bytes, nameAt, nameLength);
    }
}
