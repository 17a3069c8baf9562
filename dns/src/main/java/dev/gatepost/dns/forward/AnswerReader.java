package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.Rcode;
import java.time.Duration;
import java.util.Arrays;

/// Reads what an upstream sent, from untrusted bytes, and writes anew what of it answers the question: the chain of aliases
/// that begins at the name asked for, the records at its end, and the proof that there are none. All else is left behind.
/// Reusable scratch of one thread.
final class AnswerReader {
    static final int HEADER = 12;
    private static final int FLAG_RESPONSE = 0x8000;
    private static final int FLAG_TRUNCATED = 0x0200;
    private static final int FLAG_RECURSION_AVAILABLE = 0x0080;
    private static final int FLAG_AUTHENTIC_DATA = 0x0020;
    private static final int OPCODE = 0x7800;
    private static final int MOST_ALIASES = 16;
    private static final int ANSWER = 1;
    private static final int AUTHORITY = 2;
    private static final int DNAME = 39;
    private static final int RRSIG = 46;
    private static final int NSEC = 47;
    private static final int NSEC3 = 50;

    private final int maxTtl;
    private final int maxNegativeTtl;
    private final MessageWriter writer = new MessageWriter();
    private final byte[] current = new byte[DomainName.MAX_LENGTH];
    private int currentLength;
    private final byte[] owner = new byte[DomainName.MAX_LENGTH];
    private int ownerLength;
    private final byte[] other = new byte[DomainName.MAX_LENGTH];

    private byte[] message = {};
    private int length;
    private int records;
    private int[] ownerAt = new int[64];
    private int[] typeAt = new int[64];
    private int[] section = new int[64];
    private int writtenAnswers;
    private int writtenAuthority;
    private int lifetime;
    private int dropped;

    AnswerReader(Duration maxTtl, Duration maxNegativeTtl) {
        this.maxTtl = (int) maxTtl.toSeconds();
        this.maxNegativeTtl = (int) maxNegativeTtl.toSeconds();
    }

    /// Records of the last message that did not belong to the answer.
    int dropped() {
        return dropped;
    }

    /// Whether a message is the answer to what was sent: same id, same question byte for byte (RFC 5452 section 9.1).
    ///
    /// @param name as it was sent
    static boolean matches(byte[] message, int length, int id, byte[] name, int type) {
        if (length < HEADER || u16(message, 0) != id || (u16(message, 2) & (FLAG_RESPONSE | OPCODE)) != FLAG_RESPONSE) {
            return false;
        }
        if (u16(message, 4) == 0) {
            // Servers that can't read EDNS may answer so.
            return (message[3] & 15) != Rcode.NOERROR && (message[3] & 15) != Rcode.NXDOMAIN;
        }
        int end = HEADER + name.length;
        return u16(message, 4) == 1
                && length >= end + 4
                && Arrays.equals(message, HEADER, end, name, 0, name.length)
                && u16(message, end) == type
                && u16(message, end + 2) == 1;
    }

    /// Reads a message that [#matches].
    Reading read(byte[] bytes, int size, QuestionKey question, String upstream, long nowNanos) {
        message = bytes;
        length = size;
        dropped = 0;
        int flags = u16(message, 2);
        if ((flags & FLAG_TRUNCATED) != 0) {
            return new Reading.Truncated();
        }
        if (u16(message, 4) == 0) {
            return new Reading.Failed(flags & 15, false);
        }
        int extended = index(HEADER + question.nameLength() + 4);
        if (extended == BROKEN) {
            return new Reading.Unusable("a record runs out of the message");
        }
        int rcode = (flags & 15) | Math.max(0, extended);
        if (rcode != Rcode.NOERROR && rcode != Rcode.NXDOMAIN) {
            return new Reading.Failed(rcode, extended != NO_EDNS);
        }
        writer.start(question);
        writtenAnswers = 0;
        writtenAuthority = 0;
        lifetime = Integer.MAX_VALUE;
        System.arraycopy(question.name(), 0, current, 0, question.nameLength());
        currentLength = question.nameLength();
        int found = chain(question);
        if (found < 0) {
            return new Reading.Unusable("more than " + MOST_ALIASES + " aliases");
        }
        if (found > 0 && rcode == Rcode.NXDOMAIN) {
            return new Reading.Unusable("NXDOMAIN with records");
        }
        boolean believed = true;
        if (found == 0) {
            int soa = soa();
            if (soa < 0 && writtenAnswers == 0 && (flags & FLAG_RECURSION_AVAILABLE) == 0 && refers()) {
                return new Reading.Unusable("a referral: it does not recurse");
            }
            // RFC 2308 section 5: without SOA nobody knows for how long.
            believed = soa >= 0;
            if (believed) {
                negative(soa, question.dnssecOk());
            }
        } else if (question.dnssecOk()) {
            proofs(0);
        }
        if (writer.isFull()) {
            return new Reading.Unusable("longer than a message can be");
        }
        dropped = records - writtenAnswers - writtenAuthority;
        int ttl = believed ? Math.min(lifetime, found == 0 ? maxNegativeTtl : maxTtl) : 0;
        return new Reading.Answered(new CachedAnswer(
                writer.records(),
                writer.ttls(),
                rcode,
                writtenAnswers,
                writtenAuthority,
                (flags & FLAG_AUTHENTIC_DATA) != 0,
                block(question, found),
                upstream,
                nowNanos,
                ttl));
    }

    private static final int NO_EDNS = -1;
    private static final int BROKEN = -2;

    /// Finds all records; the upper bits of the code if there is an OPT, or [#NO_EDNS] or [#BROKEN].
    private int index(int from) {
        records = 0;
        int extended = NO_EDNS;
        int answers = u16(message, 6);
        int authority = u16(message, 8);
        int all = answers + authority + u16(message, 10);
        int at = from;
        for (int i = 0; i < all; i++) {
            int name = at;
            at = Names.end(message, at, length);
            if (at < 0 || at + 10 > length || at + 10 + u16(message, at + 8) > length) {
                return BROKEN;
            }
            int type = u16(message, at);
            if (type == RRType.OPT) {
                extended = (message[at + 4] & 0xff) << 4;
            } else if (u16(message, at + 2) == 1) {
                add(name, at, i < answers ? ANSWER : i < answers + authority ? AUTHORITY : 0);
            }
            at += 10 + u16(message, at + 8);
        }
        return extended;
    }

    private void add(int name, int type, int part) {
        if (records == ownerAt.length) {
            ownerAt = Arrays.copyOf(ownerAt, records * 2);
            typeAt = Arrays.copyOf(typeAt, records * 2);
            section = Arrays.copyOf(section, records * 2);
        }
        ownerAt[records] = name;
        typeAt[records] = type;
        section[records] = part;
        records++;
    }

    /// Follows aliases from the name asked for and writes them, and the records at the end.
    ///
    /// @return how many there are of those; -1 when it doesn't end
    private int chain(QuestionKey question) {
        for (int aliases = 0; aliases <= MOST_ALIASES; aliases++) {
            int found = set(question.type());
            if (found > 0) {
                if (question.dnssecOk() && question.type() != RRType.ANY && question.type() != RRSIG) {
                    signatures(ANSWER, question.type());
                }
                return found;
            }
            int alias = find(ANSWER, RRType.CNAME);
            if (alias < 0 || !expandRdata(alias, other)) {
                return 0;
            }
            if (question.dnssecOk()) {
                synthesis();
            }
            write(alias, ttl(alias));
            if (question.dnssecOk()) {
                signatures(ANSWER, RRType.CNAME);
            }
            currentLength = Names.expand(message, rdata(alias), length, current);
        }
        return -1;
    }

    private boolean expandRdata(int record, byte[] into) {
        return Names.end(message, rdata(record), rdata(record) + size(record)) == rdata(record) + size(record)
                && Names.expand(message, rdata(record), length, into) > 0;
    }

    /// Writes the records of a type at the current name, with one TTL (RFC 2181 section 5.2).
    private int set(int type) {
        int shortest = Integer.MAX_VALUE;
        for (int i = 0; i < records; i++) {
            if (section[i] == ANSWER && (type(i) == type || type == RRType.ANY) && isAtCurrent(i)) {
                shortest = Math.min(shortest, ttl(i));
            }
        }
        int found = 0;
        for (int i = 0; i < records && shortest < Integer.MAX_VALUE; i++) {
            if (section[i] == ANSWER && (type(i) == type || type == RRType.ANY) && isAtCurrent(i) && write(i, shortest)) {
                found++;
            }
        }
        return found;
    }

    private void signatures(int part, int covered) {
        for (int i = 0; i < records; i++) {
            if (section[i] == part && type(i) == RRSIG && size(i) >= 2 && u16(message, rdata(i)) == covered && isAtCurrent(i)) {
                write(i, ttl(i));
            }
        }
    }

    /// The DNAME that an alias was made from, for who checks its signature.
    private void synthesis() {
        for (int i = 0; i < records; i++) {
            boolean signed = type(i) == RRSIG && size(i) >= 2 && u16(message, rdata(i)) == DNAME;
            if (section[i] == ANSWER && (type(i) == DNAME || signed) && holdsCurrent(i)) {
                write(i, ttl(i));
            }
        }
    }

    /// Index of the SOA that says that the current name has nothing, or -1.
    private int soa() {
        for (int i = 0; i < records; i++) {
            if (section[i] == AUTHORITY && type(i) == RRType.SOA && holdsCurrent(i) && size(i) >= 22) {
                return i;
            }
        }
        return -1;
    }

    private boolean refers() {
        for (int i = 0; i < records; i++) {
            if (section[i] == AUTHORITY && type(i) == RRType.NS) {
                return true;
            }
        }
        return false;
    }

    private void negative(int soa, boolean dnssecOk) {
        int end = rdata(soa) + size(soa);
        int minimum = clampTtl(message, end - 4);
        int ttl = Math.min(Math.min(ttl(soa), minimum), maxNegativeTtl);
        if (!write(soa, ttl)) {
            // Broken rdata.
            lifetime = 0;
        }
        if (dnssecOk) {
            proofs(RRType.SOA);
        }
    }

    /// NSEC and NSEC3 with their signatures, and the signatures of one more type.
    private void proofs(int signedType) {
        for (int i = 0; i < records; i++) {
            if (section[i] != AUTHORITY) {
                continue;
            }
            int covered = type(i) == RRSIG && size(i) >= 2 ? u16(message, rdata(i)) : type(i);
            boolean proof = covered == NSEC || covered == NSEC3 || (type(i) == RRSIG && covered == signedType);
            if (proof) {
                write(i, ttl(i));
            }
        }
    }

    private boolean write(int record, int ttl) {
        int before = writer.at();
        ownerLength = Names.expand(message, ownerAt[record], length, owner);
        if (ownerLength < 0 || !RdataLayout.isWhole(message, length, type(record), rdata(record), size(record))) {
            return false;
        }
        int lengthAt = writer.startRecord(owner, ownerLength, type(record), ttl);
        RdataLayout.copy(message, length, type(record), rdata(record), size(record), writer, other);
        writer.endRdata(lengthAt);
        lifetime = Math.min(lifetime, ttl);
        if (section[record] == ANSWER) {
            writtenAnswers++;
        } else {
            writtenAuthority++;
        }
        return writer.at() > before;
    }

    /// Records may change places when they are all there is and of one size.
    private int block(QuestionKey question, int found) {
        boolean addresses = question.type() == RRType.A || question.type() == RRType.AAAA;
        return addresses && found > 1 && writtenAnswers == found ? 12 + (question.type() == RRType.A ? 4 : 16) : 0;
    }

    private int find(int part, int type) {
        for (int i = 0; i < records; i++) {
            if (section[i] == part && type(i) == type && isAtCurrent(i)) {
                return i;
            }
        }
        return -1;
    }

    private boolean isAtCurrent(int record) {
        ownerLength = Names.expand(message, ownerAt[record], length, owner);
        return ownerLength > 0 && Names.same(owner, 0, ownerLength, current, 0, currentLength);
    }

    private boolean holdsCurrent(int record) {
        ownerLength = Names.expand(message, ownerAt[record], length, owner);
        return ownerLength > 0 && Names.isWithin(current, currentLength, owner, ownerLength);
    }

    private int type(int record) {
        return u16(message, typeAt[record]);
    }

    private int ttl(int record) {
        return Math.min(clampTtl(message, typeAt[record] + 4), maxTtl);
    }

    private int size(int record) {
        return u16(message, typeAt[record] + 8);
    }

    private int rdata(int record) {
        return typeAt[record] + 10;
    }

    /// With the top bit set it is zero (RFC 2181 section 8).
    private static int clampTtl(byte[] bytes, int at) {
        int ttl = u16(bytes, at) << 16 | u16(bytes, at + 2);
        return Math.max(0, ttl);
    }

    static int u16(byte[] bytes, int at) {
        return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
    }
}
