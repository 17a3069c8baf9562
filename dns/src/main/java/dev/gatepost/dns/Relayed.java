package dev.gatepost.dns;

/// What somebody outside says, at its place in the draft: the whole answer, or the rest of the chain of aliases that the zone
/// began. Reusable scratch of one thread.
final class Relayed {
    private final Outside.Agent agent;
    private final Draft draft;
    private final Chain chain;
    private final ZoneReader reader;
    private final Relay relay = new Relay();

    Relayed(Outside.Agent agent, Draft draft, Chain chain, ZoneReader reader) {
        this.agent = agent;
        this.draft = draft;
        this.chain = chain;
        this.reader = reader;
    }

    /// The one that was asked, or nothing.
    String upstream() {
        return relay.upstream;
    }

    /// Whether it is past its TTL.
    boolean stale() {
        return relay.stale;
    }

    /// Adds what the agent knows.
    ///
    /// @return rcode, or [Responder#LATER]
    int known(Query query, byte[] in, long nowNanos) {
        relay.clear(nowNanos);
        if (chain.isBegun()) {
            return chain.answer(agent, relay) ? chained() : Responder.LATER;
        }
        return agent.answer(query, in, draft.out, draft.at, draft.limit, relay) ? whole() : Responder.LATER;
    }

    /// Adds what came of asking.
    ///
    /// @return rcode
    int replied(Query query, byte[] in, Outside.Reply reply, long nowNanos) {
        relay.clear(nowNanos);
        if (chain.isBegun()) {
            chain.answer(reply, relay);
            return chained();
        }
        reply.write(query, in, draft.out, draft.at, draft.limit, relay);
        return whole();
    }

    private int whole() {
        draft.at = relay.end;
        draft.answers = relay.answers;
        draft.authority = relay.authority;
        draft.additional = relay.additional;
        draft.truncated = relay.truncated;
        draft.authoritative = relay.authoritative;
        draft.authentic = relay.authenticated;
        draft.source = relay.source;
        draft.explain(relay.errorInfo, relay.errorText);
        return relay.rcode;
    }

    private int chained() {
        if (reader.isSearching() && !relay.truncated && (relay.rcode != Rcode.NOERROR || relay.answers == 0)) {
            return reader.foundNowhere();
        }
        draft.source = relay.source;
        draft.authoritative = true;
        if (relay.errorInfo != ErrorInfo.NONE) {
            draft.explain(relay.errorInfo, relay.errorText);
        }
        if (relay.truncated || chain.length() > Math.min(draft.limit, Draft.POINTER_REACH) - draft.at) {
            draft.truncated = true;
            return Rcode.NOERROR;
        }
        draft.at = chain.append(draft.out, draft.at);
        draft.answers += relay.answers;
        draft.authority += relay.authority;
        // RFC 6604 section 3: the code is that of the last name of the chain.
        return relay.rcode == Rcode.NOERROR || relay.rcode == Rcode.NXDOMAIN ? relay.rcode : Rcode.SERVFAIL;
    }
}
