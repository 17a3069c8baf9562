package dev.gatepost.dns;

import dev.gatepost.dns.access.Access.Admission;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// Turns the bytes of a query into the bytes of its answer: parse, look up, copy encoded records, patch. Pure but for its
/// scratch and its random numbers, free of garbage, for one thread at a time; one per event loop.
public final class Responder {
    /// Result of [#answer]: say nothing.
    public static final int DROPPED = 0;
    /// Result of [#answer]: a good query for a name that the zone leaves to others. [#refuse] is the answer to fall back on.
    public static final int OUTSIDE = -1;

    /// Result of [#relay]: the answer comes later.
    static final int LATER = -2;

    /// The largest message there is: the length of one over TCP is sent in two bytes.
    public static final int MAX_MESSAGE = 65535;

    /// What we offer and what we use over UDP: fits any path without fragments (DNS flag day 2020).
    public static final int UDP_PAYLOAD = 1232;

    private static final int OPT_LENGTH = 11;
    private static final int FLAG_RESPONSE = 0x8000;
    private static final int FLAG_AUTHORITATIVE = 0x0400;
    private static final int FLAG_TRUNCATED = 0x0200;
    private static final int FLAG_RECURSION_AVAILABLE = 0x0080;
    private static final int FLAG_AUTHENTIC_DATA = 0x0020;
    private static final byte[] NOBODY_TO_ASK = words("not a name of ours, and nobody is asked about others");
    private static final byte[] NOT_THAT_CLASS = words("class IN only");
    private static final byte[] NOT_THAT_TYPE = words("no such operation");
    private static final byte[] NO_TRANSFERS = words("no zone transfers");
    private static final byte[] NOT_ALLOWED = words("not in dns.allow");
    private static final byte[] NO_FORWARDING = words("not in dns.allow-forwarding");

    private final int udpPayload;
    private final EdnsOptions options;
    private final QueryRecord record = new QueryRecord();
    private final Query query = new Query();
    private final Draft draft = new Draft();
    private final Chain chain = new Chain();
    private final Reach reach;
    private final ZoneReader reader;
    private final Relayed relayed;
    private final MimicRecursion recursion;

    /// @param agent      answers for the names outside, shared names that it covers included; the RA bit says that there is one
    /// @param udpPayload most bytes of an answer by UDP, whatever the client allows
    public Responder(Outside.Agent agent, int udpPayload) {
        this(agent, udpPayload, new EdnsOptions(() -> 0, DnsSettings.DEFAULT));
    }

    Responder(Outside.Agent agent, int udpPayload, EdnsOptions options) {
        this.udpPayload = udpPayload;
        this.options = options;
        this.reach = new Reach(agent);
        this.reader = new ZoneReader(reach, draft, chain);
        this.relayed = new Relayed(agent, draft, chain, reader);
        this.recursion = new MimicRecursion(agent, reach);
    }

    /// What is known of the query that was answered last.
    public QueryRecord record() {
        return record;
    }

    /// What the client may ask whose query is answered next, and those after it: any name, unless somebody says otherwise.
    void admit(Admission admission) {
        reach.admit(admission);
    }

    // From the zone.

    /// Answers one query.
    ///
    /// @param in     the query; a few spare bytes behind it make the look-up cheaper
    /// @param stream whether it came over a stream, where an answer may be as long as it needs to be
    /// @param out    room for the answer: 64 KiB for a stream, else the larger of 512 and the UDP payload
    /// @return bytes written to `out`, or [#DROPPED] or [#OUTSIDE]
    public int answer(Zone zone, byte[] in, int length, boolean stream, byte[] out) {
        return answer(zone, in, length, stream, out, Map.of());
    }

    /// @param heard by the zone's mimic, if it has one, of the names that its answer leads to
    private int answer(Zone zone, byte[] in, int length, boolean stream, byte[] out, Map<DomainName, byte[]> heard) {
        Query.Verdict verdict = query.read(in, length);
        begin(zone, in, length, stream, out);
        if (reach.admission() == Admission.IGNORED) {
            record.rcode = -1;
            record.denied = true;
            return DROPPED;
        }
        if (reach.admission() == Admission.REFUSED && (verdict == Query.Verdict.GOOD || verdict == Query.Verdict.MALFORMED)) {
            return prohibited(in, NOT_ALLOWED);
        }
        if (zone.mimic != null) {
            recursion.begin(heard);
            int written = zone.mimic.answer(in, length, stream, recursion, out, record);
            if (written != OUTSIDE || verdict == Query.Verdict.GOOD) {
                record.origin = query.nameLength() > 0 ? reader.originOf(zone, query, in) : Owner.ISLAND;
                return written;
            }
            // What was asked can't be asked on: others are asked good queries only.
        }
        return switch (verdict) {
            case DROP -> {
                record.rcode = -1;
                yield DROPPED;
            }
            case UNREADABLE -> headerOnly(Rcode.FORMERR);
            case OTHER_OPERATION -> headerOnly(Rcode.NOTIMP);
            case MALFORMED -> plain(in, Rcode.FORMERR);
            case GOOD -> good(zone, in);
        };
    }

    private void begin(Zone zone, byte[] in, int length, boolean stream, byte[] out) {
        options.read(query, in);
        int longest = stream ? MAX_MESSAGE : Math.clamp(query.udpSize, Query.PLAIN_UDP_SIZE, Math.max(Query.PLAIN_UDP_SIZE, udpPayload));
        draft.begin(out, Math.min(longest, out.length), query.edns ? OPT_LENGTH + options.reserved(query) : 0);
        if (zone.stale) {
            draft.explain(ErrorInfo.STALE_ANSWER, Relay.NO_TEXT);
        }
        chain.end();
        recursion.end();
        record.query = in;
        record.nameFrom = Query.HEADER;
        record.nameTo = query.nameTo;
        record.id = query.id;
        record.type = query.type;
        record.queryClass = query.queryClass;
        record.opcode = query.opcode;
        record.queryBytes = length;
        record.responseBytes = 0;
        record.answers = 0;
        record.truncated = false;
        record.source = QueryRecord.Source.NONE;
        record.upstream = "";
        record.stale = false;
        record.denied = false;
        record.origin = Owner.ISLAND;
        record.revision = zone.revision();
    }

    private int good(Zone zone, byte[] in) {
        if (query.edns && query.ednsVersion != 0) {
            return plain(in, Rcode.BADVERS);
        }
        if (options.lacksProof()) {
            return unproven(in);
        }
        if (query.queryClass != Query.CLASS_IN && query.queryClass != Query.CLASS_ANY) {
            return plain(in, Rcode.REFUSED, ErrorInfo.NOT_SUPPORTED, NOT_THAT_CLASS);
        }
        if (query.type == RRType.AXFR || query.type == RRType.IXFR) {
            // No zone transfers, to anybody: RFC 5936 section 2.2.1.
            return plain(in, Rcode.REFUSED, ErrorInfo.NOT_SUPPORTED, NO_TRANSFERS);
        }
        if (query.type == RRType.OPT || query.type == 0) {
            return plain(in, Rcode.FORMERR);
        }
        if (query.type >= RRType.FIRST_META && query.type <= RRType.LAST_META) {
            return plain(in, Rcode.NOTIMP, ErrorInfo.NOT_SUPPORTED, NOT_THAT_TYPE);
        }
        draft.question(in, query.questionEnd());
        int rcode = reader.read(zone, query, in);
        if (rcode != OUTSIDE) {
            return finish(rcode);
        }
        boolean asked = chain.isBegun() || reach.isForAgent(in, Query.HEADER, query.nameLength());
        return asked ? OUTSIDE : prohibited(in, NO_FORWARDING);
    }

    private int prohibited(byte[] in, byte[] why) {
        record.denied = true;
        return plain(in, Rcode.REFUSED, ErrorInfo.PROHIBITED, why);
    }

    /// Answers for somebody outside from a zone of his own, behind the question of another responder's message.
    ///
    /// @param limit where the records have to end
    public void into(Zone own, Query asked, byte[] in, byte[] out, int limit, Relay relay) {
        draft.begin(out, limit, 0);
        draft.at = asked.questionEnd();
        relay.rcode = reader.readWhole(own, asked, in);
        relay.end = draft.at;
        relay.answers = draft.answers;
        relay.authority = draft.authority;
        relay.additional = draft.additional;
        relay.truncated = draft.truncated;
        relay.authoritative = true;
        relay.source = QueryRecord.Source.ZONE;
    }

    // From others.

    /// The REFUSED answer to the query that [#answer] has just called [#OUTSIDE].
    public int refuse(byte[] in) {
        return plain(in, Rcode.REFUSED, ErrorInfo.NOT_AUTHORITATIVE, NOBODY_TO_ASK);
    }

    /// The agent's answer to the query that [#answer] has just called [#OUTSIDE], or what it knows of the rest of the chain
    /// of aliases that the zone began.
    ///
    /// @return bytes written, or [#LATER]
    int relay(byte[] in, long nowNanos) {
        if (recursion.isWaiting()) {
            return LATER;
        }
        if (!chain.isBegun()) {
            draft.question(in, query.questionEnd());
        }
        int rcode = relayed.known(query, in, nowNanos);
        return rcode == LATER ? LATER : finishRelayed(rcode);
    }

    /// What the agent has to be asked before the query that was just put off can be answered.
    Awaited awaited() {
        return recursion.isWaiting() ? recursion.awaited() : chain.isBegun() ? Awaited.chain(chain.name()) : Awaited.ANSWER;
    }

    /// The answer to an earlier query, now that the reply is there.
    ///
    /// @param awaited as [#awaited()] said then
    /// @return bytes written, or [#LATER] where it leads on to another name
    int relay(Zone zone, byte[] in, int length, boolean stream, byte[] out, Awaited awaited, Outside.Reply reply, long nowNanos) {
        if (awaited.name().isEmpty()) {
            query.read(in, length);
            begin(zone, in, length, stream, out);
            draft.question(in, query.questionEnd());
            return finishRelayed(relayed.replied(query, in, reply, nowNanos));
        }
        int written = answer(zone, in, length, stream, out, awaited.mimic() ? recursion.heard(awaited, reply, nowNanos) : Map.of());
        if (written != OUTSIDE) {
            return written;
        }
        if (awaited.mimic() && recursion.isWaiting()) {
            return LATER;
        }
        if (!awaited.mimic() && chain.isBegun() && awaited.name().get().equals(chain.name())) {
            return finishRelayed(relayed.replied(query, in, reply, nowNanos));
        }
        // The zone has another alias by now, and the client will ask again.
        return plain(in, Rcode.SERVFAIL);
    }

    private int finishRelayed(int rcode) {
        record.upstream = relayed.upstream();
        record.stale = relayed.stale();
        return finish(rcode);
    }

    // Afterwards.

    /// Whether the query that was answered last shows that its client is where it says.
    boolean isAddressProven() {
        return options.standing() == Cookies.Standing.PROVEN;
    }

    /// To a client that may not have the address that it says, in place of an answer: a cookie to come back with (RFC 7873
    /// section 5.2.3), or where it knows none, the way by TCP.
    int unproven(byte[] in) {
        if (options.standing() == Cookies.Standing.UNPROVEN) {
            return plain(in, Rcode.BADCOOKIE);
        }
        draft.clear();
        draft.truncated = true;
        draft.question(in, query.questionEnd());
        return finish(Rcode.NOERROR);
    }

    /// The answer that was just made is not sent.
    int withheld() {
        record.rcode = -1;
        record.responseBytes = 0;
        record.answers = 0;
        return DROPPED;
    }

    // Header and OPT.

    private int headerOnly(int rcode) {
        draft.at = Query.HEADER;
        return seal(rcode, 0);
    }

    /// Without records.
    private int plain(byte[] in, int rcode) {
        draft.clear();
        draft.question(in, query.questionEnd());
        return finish(rcode);
    }

    /// With the reason, in words for whoever wonders.
    private int plain(byte[] in, int rcode, int errorInfo, byte[] words) {
        draft.explain(errorInfo, words);
        return plain(in, rcode);
    }

    private int finish(int rcode) {
        if (query.edns) {
            opt(rcode);
        }
        return seal(rcode, 1);
    }

    private void opt(int rcode) {
        byte[] out = draft.out;
        int at = draft.at;
        out[at] = 0;
        draft.put16(at + 1, RRType.OPT);
        draft.put16(at + 3, UDP_PAYLOAD);
        out[at + 5] = (byte) (rcode >> 4);
        out[at + 6] = 0;
        draft.put16(at + 7, query.dnssecOk ? 0x8000 : 0);
        draft.at = at + OPT_LENGTH;
        options.write(query, draft);
        draft.put16(at + 9, draft.at - at - OPT_LENGTH);
        draft.additional++;
    }

    private int seal(int rcode, int questions) {
        int flags = (draft.authoritative ? FLAG_AUTHORITATIVE : 0)
                | (draft.truncated ? FLAG_TRUNCATED : 0)
                | (questions > 0 && reach.isRecursive() ? FLAG_RECURSION_AVAILABLE : 0)
                | (draft.authentic && query.wantsAuthenticity() ? FLAG_AUTHENTIC_DATA : 0);
        draft.put16(0, query.id);
        draft.put16(2, FLAG_RESPONSE | query.repeatedFlags() | flags | (rcode & 15));
        draft.put16(4, questions);
        draft.put16(6, draft.answers);
        draft.put16(8, draft.authority);
        draft.put16(10, draft.additional);
        record.rcode = rcode;
        record.answers = draft.answers;
        record.truncated = draft.truncated;
        record.responseBytes = draft.at;
        record.source = draft.source;
        record.origin = draft.origin;
        return draft.at;
    }

    private static byte[] words(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
