package dev.gatepost.dns;

import java.util.Arrays;

/// The rest of a chain of aliases whose beginning is the zone's and whose target is somebody else's: a question of its own to
/// the agent, whose answer goes behind the aliases. Reusable scratch of one thread.
final class Chain {
    private static final int OPT_LENGTH = 11;
    private static final int RECURSION_DESIRED = 0x0100;
    private static final byte[] NOTHING = {};

    private final Query query = new Query();
    private final byte[] question = new byte[Query.HEADER + DomainName.MAX_LENGTH + 4 + OPT_LENGTH];
    /// As a message of its own, so that its pointers have to be moved; there is none before the first chain.
    private byte[] message = {};
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
        Arrays.fill(question, 0, Query.HEADER, (byte) 0);
        put16(question, 2, RECURSION_DESIRED | asked.repeatedFlags());
        question[5] = 1;
        System.arraycopy(out, nameAt, question, Query.HEADER, nameLength);
        int at = Query.HEADER + nameLength;
        put16(question, at, asked.type);
        put16(question, at + 2, Query.CLASS_IN);
        at += 4;
        if (asked.edns) {
            question[11] = 1;
            Arrays.fill(question, at, at + OPT_LENGTH, (byte) 0);
            put16(question, at + 1, RRType.OPT);
            put16(question, at + 3, Responder.UDP_PAYLOAD);
            put16(question, at + 7, asked.dnssecOk ? 0x8000 : 0);
            at += OPT_LENGTH;
        }
        query.read(question, at);
        from = query.questionEnd();
    }

    /// The target, or nothing without a chain.
    byte[] name() {
        return isBegun() ? Arrays.copyOfRange(question, Query.HEADER, query.nameTo) : NOTHING;
    }

    /// @return false when somebody has to be asked
    boolean answer(Outside.Agent agent, Relay relay) {
        if (!agent.answer(query, question, message(), from, message.length, relay)) {
            return false;
        }
        done(relay);
        return true;
    }

    void answer(Outside.Reply reply, Relay relay) {
        reply.write(query, question, message(), from, message.length, relay);
        done(relay);
    }

    private byte[] message() {
        if (message.length == 0) {
            message = new byte[Responder.MAX_MESSAGE];
        }
        return message;
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
        System.arraycopy(message, from, out, at, to - from);
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
