package dev.gatepost.dns;

/// The rest of a chain of aliases whose beginning is the zone's and whose target is somebody else's: a question of its own to
/// the agent, whose answer goes behind the aliases. Reusable scratch of one thread.
final class Chain {
    private final SubQuestion question = new SubQuestion();
    private int targetAt;
    private int from;
    private int to;
    private int count;

    boolean isBegun() {
        return targetAt > 0;
    }

    void end() {
        targetAt = 0;
    }

    /// @param out    the answer so far, where the target's name is
    void begin(Query asked, byte[] out, int nameAt, int nameLength) {
        targetAt = nameAt;
        question.begin(out, nameAt, nameLength, asked.type, asked.repeatedFlags(), asked.edns, asked.dnssecOk);
        from = question.from();
    }

    /// The target.
    DomainName name() {
        return question.name();
    }

    /// @return false when somebody has to be asked
    boolean answer(Outside.Agent agent, Relay relay) {
        if (!question.answer(agent, relay)) {
            return false;
        }
        done(relay);
        return true;
    }

    void answer(Outside.Reply reply, Relay relay) {
        question.answer(reply, relay);
        done(relay);
    }

    private void done(Relay relay) {
        to = relay.end;
        count = relay.answers + relay.authority;
    }

    /// Of the records, in bytes.
    int length() {
        return to - from;
    }

    /// Puts the records behind the aliases; returns where they end.
    int append(byte[] out, int at) {
        System.arraycopy(question.message(), from, out, at, to - from);
        int record = at;
        for (int i = 0; i < count; i++) {
            int fields = move(out, record, at);
            int rdata = fields + 10;
            switch (Query.u16(out, fields)) {
                case RRType.NS, 3, 4, RRType.CNAME, 7, 8, 9, RRType.PTR -> move(out, rdata, at);
                case RRType.MX -> move(out, rdata + 2, at);
                case RRType.SOA, 14 -> move(out, move(out, rdata, at), at);
                default -> {}
            }
            record = rdata + Query.u16(out, fields + 8);
        }
        return at + to - from;
    }

    /// Has the pointer at the end of a name, if there is one, lead to where its target is now; returns where the name ends.
    private int move(byte[] out, int name, int at) {
        int label = name;
        while (out[label] > 0) {
            label += 1 + out[label];
        }
        if (out[label] == 0) {
            return label + 1;
        }
        int led = Query.u16(out, label) & 0x3fff;
        put16(out, label, 0xc000 | (led < from ? targetAt + led - Query.HEADER : at + led - from));
        return label + 2;
    }

    private static void put16(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >> 8);
        bytes[at + 1] = (byte) value;
    }
}
