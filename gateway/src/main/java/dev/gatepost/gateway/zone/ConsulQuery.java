package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRType;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/// A query as leniently as Consul reads it: any class, any EDNS version, two OPT records, NOTIFY as if it were QUERY.
final class ConsulQuery {
    private static final int HEADER = 12;
    private static final int NOTIFY = 4;
    private static final int OPTION_CLIENT_SUBNET = 8;

    private final byte[] in;
    private final int nameEnd;
    private boolean edns;
    private int payload;
    private byte[] subnet = {};

    private ConsulQuery(byte[] in, int nameEnd) {
        this.in = in;
        this.nameEnd = nameEnd;
    }

    /// What is to be done about some bytes.
    enum Verdict { ANSWER, IGNORE, FORMAT_ERROR, NOT_IMPLEMENTED }

    static Verdict verdict(byte[] in, int length) {
        if (length < HEADER || (in[2] & 0x80) != 0) {
            return Verdict.IGNORE;
        }
        int opcode = in[2] >> 3 & 15;
        if (opcode != 0 && opcode != NOTIFY) {
            return Verdict.NOT_IMPLEMENTED;
        }
        boolean counts = u16(in, 4) == 1 && u16(in, 6) <= 1 && u16(in, 8) <= 1 && u16(in, 10) <= 2;
        return counts && read(in, length).isPresent() ? Verdict.ANSWER : Verdict.FORMAT_ERROR;
    }

    /// Empty where a record runs out of its bounds.
    static Optional<ConsulQuery> read(byte[] in, int length) {
        int nameEnd = skipName(in, HEADER, length);
        if (nameEnd < 0 || nameEnd + 4 > length || nameEnd - HEADER > DomainName.MAX_LENGTH || hasPointer(in, HEADER, nameEnd)) {
            return Optional.empty();
        }
        var query = new ConsulQuery(in, nameEnd);
        int at = nameEnd + 4;
        int records = u16(in, 6) + u16(in, 8) + u16(in, 10);
        for (int i = 0; i < records && at < length; i++) {
            at = skipName(in, at, length);
            if (at < 0 || at + 10 > length || at + 10 + u16(in, at + 8) > length) {
                return Optional.empty();
            }
            int end = at + 10 + u16(in, at + 8);
            if (u16(in, at) == RRType.OPT) {
                query.edns = true;
                query.payload = u16(in, at + 2);
                query.subnet = subnet(in, at + 10, end);
            }
            at = end;
        }
        return Optional.of(query);
    }

    /// Name, type and class as they came.
    byte[] question() {
        return Arrays.copyOfRange(in, HEADER, nameEnd + 4);
    }

    DomainName name() {
        return DomainName.copyOf(in, HEADER, nameEnd);
    }

    int type() {
        return u16(in, nameEnd);
    }

    /// Most bytes of an answer, as the client says in its last OPT record; empty without one.
    OptionalInt payload() {
        return edns ? OptionalInt.of(payload) : OptionalInt.empty();
    }

    private static byte[] subnet(byte[] in, int from, int to) {
        for (int at = from; at + 4 <= to; at += 4 + u16(in, at + 2)) {
            if (u16(in, at) == OPTION_CLIENT_SUBNET && at + 4 + u16(in, at + 2) <= to) {
                return Arrays.copyOfRange(in, at + 4, at + 4 + u16(in, at + 2));
            }
        }
        return new byte[0];
    }

    /// The OPT record of the answer: the client's own size, and its subnet with the scope it holds for.
    byte[] opt(boolean scoped) {
        if (!edns) {
            return new byte[0];
        }
        boolean tailored = subnet.length >= 4;
        ByteBuffer opt = ByteBuffer.allocate(tailored ? 15 + subnet.length : 11);
        opt.put((byte) 0).putShort((short) RRType.OPT).putShort((short) payload).putInt(0).putShort((short) (opt.capacity() - 11));
        if (tailored) {
            opt.putShort((short) OPTION_CLIENT_SUBNET).putShort((short) subnet.length).put(subnet).put(18, scoped ? subnet[2] : 0);
        }
        return opt.array();
    }

    /// A question comes first, so a pointer in it has nothing to point at.
    private static boolean hasPointer(byte[] in, int from, int nameEnd) {
        int at = from;
        while (at < nameEnd && in[at] > 0) {
            at += 1 + in[at];
        }
        return at >= nameEnd || in[at] != 0;
    }

    private static int skipName(byte[] in, int from, int length) {
        int at = from;
        while (at < length) {
            int label = in[at] & 0xff;
            if (label == 0) {
                return at + 1;
            }
            if (label >= 0xc0) {
                return at + 2 <= length ? at + 2 : -1;
            }
            if (label > DomainName.MAX_LABEL) {
                return -1;
            }
            at += 1 + label;
        }
        return -1;
    }

    private static int u16(byte[] in, int at) {
        return (in[at] & 0xff) << 8 | (in[at + 1] & 0xff);
    }
}
