package dev.gatepost.dns;

import java.util.Arrays;

/// A question of our own to whoever answers for names outside, on the way to an answer, and what is said to it: a message
/// with nothing in front of its records. Reusable scratch of one thread.
final class SubQuestion {
    private static final int OPT_LENGTH = 11;
    private static final int RECURSION_DESIRED = 0x0100;

    private final Query query = new Query();
    private final byte[] question = new byte[Query.HEADER + DomainName.MAX_LENGTH + 4 + OPT_LENGTH];
    /// There is none before the first answer.
    private byte[] message = {};

    /// @param bytes where the name is, uncompressed
    /// @param flags of the query that it is asked for, as far as they are repeated
    void begin(byte[] bytes, int nameAt, int nameLength, int type, int flags, boolean edns, boolean dnssecOk) {
        Arrays.fill(question, 0, Query.HEADER, (byte) 0);
        put16(2, RECURSION_DESIRED | flags);
        question[5] = 1;
        System.arraycopy(bytes, nameAt, question, Query.HEADER, nameLength);
        int at = Query.HEADER + nameLength;
        put16(at, type);
        put16(at + 2, Query.CLASS_IN);
        at += 4;
        if (edns) {
            question[11] = 1;
            Arrays.fill(question, at, at + OPT_LENGTH, (byte) 0);
            put16(at + 1, RRType.OPT);
            put16(at + 3, Responder.UDP_PAYLOAD);
            put16(at + 7, dnssecOk ? 0x8000 : 0);
            at += OPT_LENGTH;
        }
        query.read(question, at);
    }

    /// The name that is asked about.
    DomainName name() {
        return DomainName.copyOf(question, Query.HEADER, query.nameTo);
    }

    /// Where the records of the answer begin.
    int from() {
        return query.questionEnd();
    }

    /// @return false when somebody has to be asked
    boolean answer(Outside.Agent agent, Relay relay) {
        return agent.answer(query, question, message(), from(), message.length, relay);
    }

    void answer(Outside.Reply reply, Relay relay) {
        reply.write(query, question, message(), from(), message.length, relay);
    }

    byte[] message() {
        if (message.length == 0) {
            message = new byte[Responder.MAX_MESSAGE];
        }
        return message;
    }

    /// A copy of the answer, with its question and the counts of its records.
    byte[] whole(Relay relay) {
        byte[] whole = Arrays.copyOf(message(), relay.end);
        System.arraycopy(question, 0, whole, 0, from());
        whole[2] |= (byte) 0x80;
        whole[3] = (byte) (relay.rcode & 15);
        whole[6] = (byte) (relay.answers >> 8);
        whole[7] = (byte) relay.answers;
        whole[8] = (byte) (relay.authority >> 8);
        whole[9] = (byte) relay.authority;
        whole[11] = 0;
        return whole;
    }

    private void put16(int at, int value) {
        question[at] = (byte) (value >> 8);
        question[at + 1] = (byte) value;
    }
}
