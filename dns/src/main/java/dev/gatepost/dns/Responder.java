package dev.gatepost.dns;

import dev.gatepost.dns.access.Access.Admission;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

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
    // RFC 8914 section 4.
    private static final int OTHER = 0;
    private static final int STALE_ANSWER = 3;
    private static final int NOT_READY = 14;
    private static final int PROHIBITED = 18;
    private static final int NOT_AUTHORITATIVE = 20;
    private static final int NOT_SUPPORTED = 21;
    private static final byte[] NOTHING_KNOWN = words("no complete catalog yet");
    private static final byte[] NOBODY_TO_ASK = words("not a name of ours, and nobody is asked about others");
    private static final byte[] NOT_THAT_CLASS = words("class IN only");
    private static final byte[] NOT_THAT_TYPE = words("no such operation");
    private static final byte[] NO_TRANSFERS = words("no zone transfers");
    private static final byte[] NOTHING_NOW = words("known, but there is nothing to point at now");
    private static final byte[] NOT_ALLOWED = words("not in dns.allow");
    private static final byte[] NO_FORWARDING = words("not in dns.allow-forwarding");
    /// Pointers reach no further (RFC 1035 section 4.1.4).
    private static final int POINTER_REACH = 0x3fff;
    private static final int MAX_CNAMES = 8;
    private static final int ADDRESS_BLOCK = 16;
    /// Most draws by weight for one answer: what they leave is filled up in order.
    private static final int DRAWS = 128;

    private final boolean forwards;
    private final boolean recursive;
    private final Outside.Agent agent;
    private final int udpPayload;
    private final QueryRecord record = new QueryRecord();
    private Query query = new Query();
    private final NameKey key = new NameKey();
    private final Relay relay = new Relay();
    private final Chain chain = new Chain();
    private final EdnsOptions options;
    private final byte[] spelled = new byte[16];
    private final byte[] renamed = new byte[DomainName.MAX_LENGTH + 8];
    private final byte[] starred = new byte[DomainName.MAX_LENGTH + 8];
    private int[] picks = new int[128];
    private long random = ThreadLocalRandom.current().nextLong() | 1;
    private long[] gluedGroups = new long[16];
    private Admission admission = Admission.ALL;

    // The answer in the making.
    private byte[] out = {};
    private int at;
    /// Where the records have to end, and where the message has to.
    private int limit;
    private int longest;
    private int answers;
    private int authority;
    private int additional;
    private boolean truncated;
    /// Where the beginning of the chain of aliases is not the zone's but a help for the client; null otherwise.
    private @Nullable Zone searched;
    private int searchedOrigin;

    /// @param agent      answers for the names outside, shared names that it covers included; the RA bit says that there is one
    /// @param udpPayload most bytes of an answer by UDP, whatever the client allows
    public Responder(Outside.Agent agent, int udpPayload) {
        this(agent, udpPayload, new EdnsOptions(() -> 0, DnsSettings.DEFAULT));
    }

    Responder(Outside.Agent agent, int udpPayload, EdnsOptions options) {
        this.options = options;
        this.agent = agent;
        this.forwards = !agent.equals(Outside.Agent.NONE);
        this.recursive = forwards && agent.recursive();
        this.udpPayload = udpPayload;
    }

    /// What is known of the query that was answered last.
    public QueryRecord record() {
        return record;
    }

    /// What the client may ask whose query is answered next, and those after it: any name, unless somebody says otherwise.
    void admit(Admission admission) {
        this.admission = admission;
    }

    /// Answers one query.
    ///
    /// @param in     the query; a few spare bytes behind it make the look-up cheaper
    /// @param stream whether it came over a stream, where an answer may be as long as it needs to be
    /// @param out    room for the answer: 64 KiB for a stream, else the larger of 512 and the UDP payload
    /// @return bytes written to `out`, or [#DROPPED] or [#OUTSIDE]
    public int answer(Zone zone, byte[] in, int length, boolean stream, byte[] out) {
        Query.Verdict verdict = query.read(in, length);
        begin(zone, in, length, stream, out);
        if (admission == Admission.IGNORED) {
            record.rcode = -1;
            record.denied = true;
            return DROPPED;
        }
        if (admission == Admission.REFUSED && (verdict == Query.Verdict.GOOD || verdict == Query.Verdict.MALFORMED)) {
            return prohibited(in, NOT_ALLOWED);
        }
        if (zone.mimic != null) {
            int written = zone.mimic.answer(in, length, stream, isRecursive(), out, record);
            if (written != OUTSIDE || verdict == Query.Verdict.GOOD) {
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

    /// Whether the query that was answered last shows that its client is where it says.
    boolean isAddressProven() {
        return options.standing() == Cookies.Standing.PROVEN;
    }

    /// In place of the answer that was just made: none of its records, and TC, so that the client comes again by TCP.
    int truncated(byte[] in) {
        truncated = true;
        return plain(in, Rcode.NOERROR);
    }

    /// The answer that was just made is not sent.
    int withheld() {
        record.rcode = -1;
        record.responseBytes = 0;
        record.answers = 0;
        return DROPPED;
    }

    private boolean isRecursive() {
        return recursive && admission == Admission.ALL;
    }

    /// Whether this client's question about a name, which the zone leaves to others, has somebody to go to.
    private boolean covers(byte[] bytes, int nameAt, int nameLength) {
        return forwards && agent.covers(bytes, nameAt, nameLength) && (admission == Admission.ALL || agent.isOwn(bytes, nameAt, nameLength));
    }

    private int prohibited(byte[] in, byte[] why) {
        record.denied = true;
        return plain(in, Rcode.REFUSED, PROHIBITED, why);
    }

    /// The REFUSED answer to the query that [#answer] has just called [#OUTSIDE].
    public int refuse(byte[] in) {
        return plain(in, Rcode.REFUSED, NOT_AUTHORITATIVE, NOBODY_TO_ASK);
    }

    /// The agent's answer to the query that [#answer] has just called [#OUTSIDE], or what it knows of the rest of the chain
    /// of aliases that the zone began.
    ///
    /// @return bytes written, or [#LATER]
    int relay(byte[] in, long nowNanos) {
        relay.clear(nowNanos);
        if (chain.isBegun()) {
            return chain.answer(agent, relay) ? chained(in) : LATER;
        }
        startBody(in);
        return agent.answer(query, in, out, at, limit, relay) ? relayed() : LATER;
    }

    /// The name that the agent has to ask about before the query that [#answer] has just called [#OUTSIDE] can be answered,
    /// unless it is the query's own.
    byte[] awaited() {
        return chain.name();
    }

    /// The answer to an earlier query, now that the reply is there.
    ///
    /// @param awaited as [#awaited()] said then
    int relay(Zone zone, byte[] in, int length, boolean stream, byte[] out, byte[] awaited, Outside.Reply reply, long nowNanos) {
        if (awaited.length > 0) {
            int written = answer(zone, in, length, stream, out);
            if (written != OUTSIDE) {
                return written;
            }
            if (!Arrays.equals(awaited, chain.name())) {
                // The zone has another alias by now, and the client will ask again.
                return plain(in, Rcode.SERVFAIL);
            }
            chain.answer(reply, relay.clear(nowNanos));
            return chained(in);
        }
        query.read(in, length);
        begin(zone, in, length, stream, out);
        startBody(in);
        reply.write(query, in, out, at, limit, relay.clear(nowNanos));
        return relayed();
    }

    private static byte[] words(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private int presented(int rcode) {
        return chain.isBegun() ? OUTSIDE : finish(rcode, true);
    }

    /// Adds what the agent knows of the target to the aliases that lead there.
    private int chained(byte[] in) {
        if (searched != null && !relay.truncated && (relay.rcode != Rcode.NOERROR || relay.answers == 0)) {
            answers = 0;
            authority = 0;
            relay.errorInfo = Relay.NO_ERROR_INFO;
            return noSuchName(searched, in, searchedOrigin, query.nameLength());
        }
        record.source = relay.source;
        record.upstream = relay.upstream;
        record.stale = relay.stale;
        if (relay.truncated || chain.length() > Math.min(limit, POINTER_REACH) - at) {
            truncated = true;
            return finish(Rcode.NOERROR, true);
        }
        at = chain.append(out, at);
        answers += relay.answers;
        authority += relay.authority;
        // RFC 6604 section 3: the code is that of the last name of the chain.
        return finish(relay.rcode == Rcode.NOERROR || relay.rcode == Rcode.NXDOMAIN ? relay.rcode : Rcode.SERVFAIL, true);
    }

    /// Answers for somebody outside from a zone of his own, behind the question of another responder's message.
    ///
    /// @param limit where the records have to end
    public void into(Zone own, Query asked, byte[] in, byte[] out, int limit, Relay relay) {
        chain.end();
        this.query = asked;
        this.out = out;
        this.limit = limit;
        at = asked.questionEnd();
        answers = 0;
        authority = 0;
        additional = 0;
        truncated = false;
        Owner owner = own.owners.find(key.read(in, Query.HEADER, asked.nameLength()));
        if (owner.found()) {
            relay.rcode = present(own, owner, asked.nameLength());
        } else {
            soa(own, own.originOf(in, Query.HEADER, asked.nameLength(), key), Query.HEADER, asked.nameLength());
            relay.rcode = Rcode.NXDOMAIN;
        }
        relay.end = at;
        relay.answers = answers;
        relay.authority = authority;
        relay.additional = additional;
        relay.truncated = truncated;
        relay.authoritative = true;
        relay.source = QueryRecord.Source.ZONE;
    }

    private int relayed() {
        at = relay.end;
        answers = relay.answers;
        authority = relay.authority;
        additional = relay.additional;
        truncated = relay.truncated;
        record.source = relay.source;
        record.upstream = relay.upstream;
        record.stale = relay.stale;
        int length = finish(relay.rcode, relay.authoritative);
        if (relay.authenticated && query.wantsAuthenticity()) {
            out[3] |= FLAG_AUTHENTIC_DATA;
        }
        return length;
    }

    private void begin(Zone zone, byte[] in, int length, boolean stream, byte[] out) {
        this.out = out;
        limit = stream ? MAX_MESSAGE : Math.clamp(query.udpSize, Query.PLAIN_UDP_SIZE, Math.max(Query.PLAIN_UDP_SIZE, udpPayload));
        limit = Math.min(limit, out.length);
        longest = limit;
        answers = 0;
        authority = 0;
        additional = 0;
        truncated = false;
        options.read(query, in);
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
        relay.errorInfo = zone.stale ? STALE_ANSWER : Relay.NO_ERROR_INFO;
        relay.errorText = Relay.NO_TEXT;
        chain.end();
        searched = null;
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
            return plain(in, Rcode.REFUSED, NOT_SUPPORTED, NOT_THAT_CLASS);
        }
        if (query.type == RRType.AXFR || query.type == RRType.IXFR) {
            // No zone transfers, to anybody: RFC 5936 section 2.2.1.
            return plain(in, Rcode.REFUSED, NOT_SUPPORTED, NO_TRANSFERS);
        }
        if (query.type == RRType.OPT || query.type == 0) {
            return plain(in, Rcode.FORMERR);
        }
        if (query.type >= RRType.FIRST_META && query.type <= RRType.LAST_META) {
            return plain(in, Rcode.NOTIMP, NOT_SUPPORTED, NOT_THAT_TYPE);
        }
        if (zone.delegations) {
            Owner cut = cut(zone, in, Query.HEADER, query.nameLength());
            // Whether a delegation is a secure one is for the delegating side to say (RFC 4035 section 3.1.4.1).
            if (cut.found() && (query.type != RRType.DS || cut.length != query.nameLength())) {
                boolean others = forwards && query.recursionDesired() && agent.covers(in, Query.HEADER, query.nameLength());
                return others ? OUTSIDE : referral(zone, in, cut);
            }
        }
        Owner owner = zone.owners.find(key.read(in, Query.HEADER, query.nameLength()));
        if (owner.found()) {
            if (forwards && leftToOthers(zone, owner) && covers(in, Query.HEADER, query.nameLength())) {
                return OUTSIDE;
            }
            startBody(in);
            return presented(present(zone, owner, query.nameLength()));
        }
        return absent(zone, in);
    }

    /// The highest name at or above this one, below its origin, that is delegated (RFC 1034 section 4.3.2, step 3b).
    private Owner cut(Zone zone, byte[] name, int from, int length) {
        Owner highest = Owner.MISSING;
        int at = from;
        for (int left = length; left > 1; ) {
            Owner owner = zone.owners.find(key.read(name, at, left));
            if (owner.found() && isApex(zone, owner)) {
                return highest;
            }
            highest = nameServers(owner) == null ? highest : owner;
            int step = 1 + name[at];
            at += step;
            left -= step;
        }
        return Owner.MISSING; // an island delegates nothing
    }

    @SuppressWarnings("NullAway") // null is "none", within this class, where an Optional would be garbage
    private static RRset nameServers(Owner owner) {
        for (RRset each : owner.sets) {
            if (each.type == RRType.NS) {
                return each;
            }
        }
        return null;
    }

    /// Who answers for a delegated name, with their addresses where they are known here; without a word of our own.
    private int referral(Zone zone, byte[] in, Owner cut) {
        startBody(in);
        record.source = QueryRecord.Source.ZONE;
        RRset servers = nameServers(cut);
        if (servers.blocks.length > limit - at) {
            truncated = true;
            return finish(Rcode.NOERROR, false);
        }
        int from = at;
        System.arraycopy(servers.blocks, 0, out, at, servers.blocks.length);
        at += servers.blocks.length;
        repoint(servers, 0, servers.count, from, Query.HEADER + query.nameLength() - cut.length);
        authority += servers.count;
        if (servers.glue.length > 0) {
            addGlue(zone, servers, 0, servers.count, from, false);
        }
        return finish(Rcode.NOERROR, false);
    }

    /// Answers for a name that is not in the table: under another name of an origin, spelling an address, covered by a
    /// wildcard, or not there at all.
    private int absent(Zone zone, byte[] in) {
        byte[] name = in;
        int from = Query.HEADER;
        int length = query.nameLength();
        int origin = zone.originOf(name, from, length, key);
        if (origin != Owner.ISLAND && zone.aliases[origin].length > 0) {
            int renamedLength = length - zone.origins[origin].name().length() + zone.aliases[origin].length;
            if (renamedLength > DomainName.MAX_LENGTH) {
                return noSuchName(zone, in, origin, length);
            }
            length = rename(zone, in, origin);
            name = renamed;
            from = 0;
            Owner owner = zone.owners.find(key.read(name, from, length));
            if (owner.found()) {
                startBody(in);
                return presented(present(zone, owner, length));
            }
            origin = zone.originOf(name, from, length, key);
        }
        if (spellsAddress(zone, name, from, length)) {
            return spelledAddress(zone, in, origin, length);
        }
        if (origin == Owner.ISLAND) {
            return admission == Admission.ALL || !forwards || covers(in, Query.HEADER, query.nameLength()) ? OUTSIDE : prohibited(in, NO_FORWARDING);
        }
        if (zone.origins[origin].shared() && covers(in, Query.HEADER, query.nameLength())) {
            return OUTSIDE;
        }
        Owner wildcard = zone.wildcards ? wildcard(zone, name, from, length) : Owner.MISSING;
        if (wildcard.found()) {
            startBody(in);
            return presented(present(zone, wildcard, length));
        }
        if (!zone.complete) {
            return plain(in, Rcode.SERVFAIL, NOT_READY, NOTHING_KNOWN);
        }
        int found = zone.search.length > 0 && length == query.nameLength() ? search(zone, in, origin) : DROPPED;
        return found != DROPPED ? found : noSuchName(zone, in, origin, length);
    }

    /// What the rest of the client's search list leads to, so that it need not ask for each by itself: an alias to the first
    /// name that has what was asked for. A no is never told this way.
    ///
    /// @return [#DROPPED] where nothing is found
    private int search(Zone zone, byte[] in, int origin) {
        int own = query.nameLength() - zone.search[0].length;
        if ((query.type != RRType.A && query.type != RRType.AAAA) || own < 1 || !endsWith(in, own, zone.search[0])) {
            return DROPPED;
        }
        System.arraycopy(in, Query.HEADER, renamed, 0, own);
        for (int i = 1; i < zone.search.length; i++) {
            byte[] domain = zone.search[i];
            if (own + domain.length > DomainName.MAX_LENGTH) {
                continue;
            }
            System.arraycopy(domain, 0, renamed, own, domain.length);
            Owner owner = zone.owners.find(key.read(renamed, 0, own + domain.length));
            if (owner.found() && pick(owner.sets, query.type) != null) {
                startBody(in);
                alias(zone, own + domain.length);
                return presented(present(zone, owner, at - own - domain.length, own + domain.length));
            }
        }
        renamed[own] = 0;
        boolean single = renamed[0] + 1 == own;
        if (single || !forwards || !query.recursionDesired() || zone.originOf(renamed, 0, own + 1, key) != Owner.ISLAND || !agent.covers(renamed, 0, own + 1)) {
            return DROPPED;
        }
        startBody(in);
        alias(zone, own + 1);
        chain.begin(query, out, at - own - 1, own + 1);
        searched = zone;
        searchedOrigin = origin;
        return OUTSIDE;
    }

    /// Whether the name's part behind its first bytes is the domain, which is in lower case.
    private boolean endsWith(byte[] in, int own, byte[] domain) {
        int at = Query.HEADER;
        while (at < Query.HEADER + own) {
            at += 1 + in[at];
        }
        if (at != Query.HEADER + own) {
            return false;
        }
        for (int i = 0; i < domain.length; i++) {
            byte b = in[at + i];
            if ((b >= 'A' && b <= 'Z' ? b + 32 : b) != domain[i]) {
                return false;
            }
        }
        return true;
    }

    /// Has the name that was asked for be another one, of [#renamed].
    private void alias(Zone zone, int length) {
        pointer(at, Query.HEADER);
        put16(at + 2, RRType.CNAME);
        put16(at + 4, Query.CLASS_IN);
        int seconds = (int) zone.authority().ttl().toSeconds();
        put16(at + 6, seconds >>> 16);
        put16(at + 8, seconds);
        put16(at + 10, length);
        System.arraycopy(renamed, 0, out, at + RRset.RECORD_HEADER, length);
        at += RRset.RECORD_HEADER + length;
        answers++;
    }

    /// @param length of the name, or of the one that it is another name for: as long as its own labels and the origin's
    private int noSuchName(Zone zone, byte[] in, int origin, int length) {
        startBody(in);
        soa(zone, origin, Query.HEADER, length);
        return finish(Rcode.NXDOMAIN, true);
    }

    /// Puts the origin that is meant in place of its other name.
    private int rename(Zone zone, byte[] in, int origin) {
        byte[] meant = zone.aliases[origin];
        int own = query.nameLength() - zone.origins[origin].name().length();
        System.arraycopy(in, Query.HEADER, renamed, 0, own);
        System.arraycopy(meant, 0, renamed, own, meant.length);
        return own + meant.length;
    }

    /// The wildcard directly below the longest part of the name that exists (RFC 4592 section 3.3.1).
    private Owner wildcard(Zone zone, byte[] name, int from, int length) {
        int at = from;
        for (int left = length; left > 1; ) {
            int step = 1 + name[at];
            at += step;
            left -= step;
            if (zone.owners.find(key.read(name, at, left)).found()) {
                starred[0] = 1;
                starred[1] = '*';
                System.arraycopy(name, at, starred, 2, left);
                return zone.owners.find(key.read(starred, 0, left + 2));
            }
        }
        return Owner.MISSING;
    }

    /// An apex or empty non-terminal of a shared origin says nothing that its real owner couldn't say better.
    private static boolean leftToOthers(Zone zone, Owner owner) {
        return owner.origin >= 0 && zone.origins[owner.origin].shared()
                && (!owner.declared || owner.length == zone.origins[owner.origin].name().length());
    }

    // Answers with a body.

    /// Answers from an owner that exists, following CNAMEs within the zone (RFC 1034 section 4.3.2).
    ///
    /// @param length of the name that is asked for, which is not the owner's where that is a wildcard
    private int present(Zone zone, Owner first, int length) {
        return present(zone, first, Query.HEADER, length);
    }

    /// @param nameAt where the name is in the answer
    private int present(Zone zone, Owner first, int nameAt, int length) {
        record.source = QueryRecord.Source.ZONE;
        Owner owner = first;
        int ownerAt = nameAt;
        int ownerLength = length;
        for (int hops = 0; ; hops++) {
            if (isApex(zone, owner) && query.type == RRType.SOA) {
                soaRecord(zone, owner.origin, ownerAt);
                answers++;
                return Rcode.NOERROR;
            }
            RRset set = pick(owner.sets, query.type);
            if (set == null) {
                if (owner.declared && owner.sets.length == 0 && relay.errorInfo == Relay.NO_ERROR_INFO) {
                    relay.errorInfo = OTHER;
                    relay.errorText = NOTHING_NOW;
                }
                soa(zone, query.type == RRType.DS ? delegating(zone, owner) : owner.origin, ownerAt, ownerLength);
                return Rcode.NOERROR;
            }
            int setAt = at;
            addAnswers(zone, set, ownerAt);
            if (set.type != RRType.CNAME || query.type == RRType.CNAME || query.type == RRType.ANY || truncated || hops == MAX_CNAMES) {
                return Rcode.NOERROR;
            }
            int targetAt = setAt + RRset.RECORD_HEADER;
            int targetLength = at - targetAt;
            owner = zone.owners.find(key.read(out, targetAt, targetLength));
            if (!owner.found() && zone.wildcards) {
                owner = wildcard(zone, out, targetAt, targetLength);
            }
            ownerAt = targetAt;
            ownerLength = targetLength;
            if (zone.delegations && cut(zone, out, targetAt, targetLength).found()) {
                // Not ours: the rest of the chain is for the client's resolver to follow.
                return Rcode.NOERROR;
            }
            if (!owner.found()) {
                int origin = zone.originOf(out, targetAt, targetLength, key);
                if (origin == Owner.ISLAND || zone.origins[origin].shared()) {
                    if (query.recursionDesired() && covers(out, targetAt, targetLength)) {
                        chain.begin(query, out, targetAt, targetLength);
                    }
                    // Else the rest of the chain is for the client's resolver to follow.
                    return Rcode.NOERROR;
                }
                soa(zone, origin, targetAt, targetLength);
                // RFC 6604 section 3: the code is that of the last name of the chain.
                return Rcode.NXDOMAIN;
            }
        }
    }

    /// Whether an origin is delegated securely is for the one above it to say (RFC 4035 section 3.1.4.1).
    private int delegating(Zone zone, Owner owner) {
        if (!isApex(zone, owner)) {
            return owner.origin;
        }
        DomainName above = zone.origins[owner.origin].name().parent();
        int origin = zone.originOf(above.wire(), 0, above.length(), key);
        return origin == Owner.ISLAND ? owner.origin : origin;
    }

    private static boolean isApex(Zone zone, Owner owner) {
        return owner.origin >= 0 && zone.origins[owner.origin].name().length() == owner.length;
    }

    /// The set to answer with: of the type asked for, or the CNAME in its place, or any one for ANY (RFC 8482 section 4.1).
    @SuppressWarnings("NullAway") // null is "none", within this class, where an Optional would be garbage
    private static RRset pick(RRset[] sets, int type) {
        for (RRset each : sets) {
            if (each.type == type || each.type == RRType.CNAME || type == RRType.ANY) {
                return each;
            }
        }
        return null;
    }

    private void startBody(byte[] in) {
        // The whole question as it came, with the client's case, which resolvers use as a nonce.
        System.arraycopy(in, Query.HEADER, out, Query.HEADER, query.questionEnd() - Query.HEADER);
        at = query.questionEnd();
        if (query.edns) {
            limit -= OPT_LENGTH + options.reserved(query);
        }
    }

    /// Adds what fits of a set, beginning anywhere in it, so that no record is first for everybody; more often where more
    /// weight is.
    private void addAnswers(Zone zone, RRset set, int ownerAt) {
        int first = set.count == 1 || set.ordered ? 0 : below(set.near);
        if (set.lot != null) {
            first = set.lot.draw(first, below(Integer.MAX_VALUE));
        }
        int from = at;
        if (set.near < set.count) {
            addNearFirst(zone, set, ownerAt);
            return;
        }
        if (set.blocks.length <= limit - at) {
            int split = set.offsets[first];
            System.arraycopy(set.blocks, split, out, at, set.blocks.length - split);
            System.arraycopy(set.blocks, 0, out, at + set.blocks.length - split, split);
            at += set.blocks.length;
            answers += set.count;
            if (ownerAt != Query.HEADER) {
                repoint(set, first, set.count, from, ownerAt);
            }
            if (set.glue.length > 0) {
                addGlue(zone, set, first, set.count, from, false);
            }
            return;
        }
        truncated = true;
        addPicked(zone, set, pickFitting(set, first), ownerAt);
    }

    /// Those that are near in one turn and then the others in theirs, as far as they fit.
    private void addNearFirst(Zone zone, RRset set, int ownerAt) {
        if (picks.length < set.count) {
            picks = new int[set.count];
        }
        int first = below(set.near);
        first = set.lot == null ? first : set.lot.draw(first, below(Integer.MAX_VALUE));
        int far = set.count - set.near;
        int firstFar = below(far);
        int room = limit - at;
        int fitting = 0;
        while (fitting < set.count) {
            int block = fitting < set.near ? wrap(first + fitting, set.near) : set.near + wrap(firstFar + fitting - set.near, far);
            room -= set.offsets[block + 1] - set.offsets[block];
            if (room < 0) {
                truncated = true;
                break;
            }
            picks[fitting++] = block;
        }
        addPicked(zone, set, fitting, ownerAt);
    }

    private void addPicked(Zone zone, RRset set, int fitting, int ownerAt) {
        int from = at;
        for (int i = 0; i < fitting; i++) {
            int block = picks[i];
            int size = set.offsets[block + 1] - set.offsets[block];
            System.arraycopy(set.blocks, set.offsets[block], out, at, size);
            pointer(at, ownerAt);
            at += size;
        }
        answers += fitting;
        if (set.glue.length > 0) {
            addGlue(zone, set, 0, fitting, from, true);
        }
    }

    /// Which records of a set that is too long are sent, each with its glue: half an answer that can be used beats a whole
    /// one that needs more questions. Where there are weights, as many as a few draws find are drawn by them.
    private int pickFitting(RRset set, int first) {
        int room = limit - at;
        if (picks.length < set.count) {
            picks = new int[set.count];
        }
        long[] taken = groups(set.count);
        int fitting = 0;
        int draws = set.lot == null ? 0 : DRAWS;
        int next = first;
        for (int tried = 0; tried < draws + set.count; tried++) {
            int block = next;
            next = tried < draws && set.lot != null ? set.lot.draw(below(set.count), below(Integer.MAX_VALUE)) : wrap(next + 1, set.count);
            if ((taken[block >>> 6] & 1L << block) != 0) {
                continue;
            }
            room -= set.offsets[block + 1] - set.offsets[block] + (set.glue.length > 0 ? set.glue[block].length : 0);
            if (room < 0) {
                break;
            }
            taken[block >>> 6] |= 1L << block;
            picks[fitting++] = block;
        }
        return fitting;
    }

    private void repoint(RRset set, int first, int count, int from, int ownerAt) {
        int block = from;
        for (int i = 0; i < count; i++) {
            pointer(block, ownerAt);
            int index = wrap(first + i, set.count);
            block += set.offsets[index + 1] - set.offsets[index];
        }
    }

    /// A cleared set of numbers below a bound.
    private long[] groups(int bound) {
        int words = (bound + 63) >>> 6;
        if (gluedGroups.length < words) {
            gluedGroups = new long[words];
        }
        Arrays.fill(gluedGroups, 0, words, 0);
        return gluedGroups;
    }

    /// Addresses of the targets just written, each target's once, while they fit; glue left out is no reason for TC
    /// (RFC 2181 section 9).
    ///
    /// @param picked whether they are those of [#picks], else `count` of them in their order
    private void addGlue(Zone zone, RRset set, int first, int count, int from, boolean picked) {
        long[] glued = groups(set.glueGroups);
        int block = from;
        for (int i = 0; i < count; i++) {
            int index = picked ? picks[i] : wrap(first + i, set.count);
            int target = block + set.targetAt;
            block += set.offsets[index + 1] - set.offsets[index];
            byte[] glue = set.glue[index];
            int group = set.glueGroup[index];
            if ((glued[group >>> 6] & 1L << group) != 0) {
                continue;
            }
            if (glue.length == 0 && set.type == RRType.SRV) {
                glued[group >>> 6] |= 1L << group;
                addHost(zone, target, set.offsets[index + 1] - set.offsets[index] - set.targetAt);
                continue;
            }
            if (glue.length > limit - at || target > POINTER_REACH) {
                return;
            }
            glued[group >>> 6] |= 1L << group;
            System.arraycopy(glue, 0, out, at, glue.length);
            int end = at + glue.length;
            while (at < end) {
                pointer(at, target);
                additional++;
                at += RRset.RECORD_HEADER + Query.u16(out, at + 10);
            }
        }
    }

    /// Addresses of a host name that is one of the zone's, with the aliases that lead to them.
    private void addHost(Zone zone, int hostAt, int hostLength) {
        int nameAt = hostAt;
        int length = hostLength;
        for (int hops = 0; hops < MAX_CNAMES; hops++) {
            Owner owner = zone.owners.find(key.read(out, nameAt, length));
            int aliasAt = 0;
            for (RRset each : owner.sets) {
                boolean alias = each.type == RRType.CNAME;
                if (each.type != RRType.A && each.type != RRType.AAAA && !alias) {
                    continue;
                }
                if (each.blocks.length > limit - at || nameAt > POINTER_REACH) {
                    return;
                }
                aliasAt = alias ? at + RRset.RECORD_HEADER : aliasAt;
                System.arraycopy(each.blocks, 0, out, at, each.blocks.length);
                repoint(each, 0, each.count, at, nameAt);
                at += each.blocks.length;
                additional += each.count;
            }
            if (aliasAt == 0) {
                return;
            }
            nameAt = aliasAt;
            length = at - aliasAt;
        }
    }

    private static int wrap(int index, int count) {
        return index < count ? index : index - count;
    }

    /// The SOA that a negative answer carries in its authority section (RFC 2308 sections 2.1 and 2.2). The origin's name
    /// is the tail of a name that the message holds already.
    private void soa(Zone zone, int origin, int nameAt, int nameLength) {
        record.source = QueryRecord.Source.ZONE;
        int ownerAt = origin == Owner.ISLAND ? nameAt : nameAt + nameLength - zone.origins[origin].name().length();
        if (2 + zone.soa(origin).length > limit - at) {
            return;
        }
        soaRecord(zone, origin, ownerAt);
        authority++;
    }

    private void soaRecord(Zone zone, int origin, int ownerAt) {
        byte[] soa = zone.soa(origin);
        pointer(at, ownerAt);
        System.arraycopy(soa, 0, out, at + 2, soa.length);
        at += 2 + soa.length;
    }

    // Names that spell an address.

    /// Whether the first label is 8 or 32 hexadecimal digits below a name whose children spell addresses.
    private boolean spellsAddress(Zone zone, byte[] name, int from, int length) {
        int digits = name[from];
        if (digits != 8 && digits != 32) {
            return false;
        }
        for (int i = 0; i < digits; i++) {
            int digit = Character.digit(name[from + 1 + i], 16);
            if (digit < 0) {
                return false;
            }
            spelled[i >> 1] = (byte) ((i & 1) == 0 ? digit << 4 : spelled[i >> 1] | digit);
        }
        return zone.owners.find(key.read(name, from + 1 + digits, length - 1 - digits)).spellsAddresses;
    }

    private int spelledAddress(Zone zone, byte[] in, int origin, int length) {
        record.source = QueryRecord.Source.ZONE;
        int size = in[Query.HEADER] / 2;
        int type = size == 4 ? RRType.A : RRType.AAAA;
        startBody(in);
        if (query.type != type && query.type != RRType.ANY) {
            soa(zone, origin, Query.HEADER, length);
            return finish(Rcode.NOERROR, true);
        }
        pointer(at, Query.HEADER);
        put16(at + 2, type);
        put16(at + 4, Query.CLASS_IN);
        int seconds = (int) zone.authority().ttl().toSeconds();
        put16(at + 6, seconds >>> 16);
        put16(at + 8, seconds);
        put16(at + 10, size);
        System.arraycopy(spelled, 0, out, at + RRset.RECORD_HEADER, size);
        at += ADDRESS_BLOCK - 4 + size;
        answers++;
        return finish(Rcode.NOERROR, true);
    }

    // Header and OPT.

    private int headerOnly(int rcode) {
        at = Query.HEADER;
        put16(4, 0);
        return seal(rcode, 0);
    }

    private int plain(byte[] in, int rcode) {
        answers = 0;
        authority = 0;
        additional = 0;
        System.arraycopy(in, Query.HEADER, out, Query.HEADER, query.questionEnd() - Query.HEADER);
        at = query.questionEnd();
        record.source = QueryRecord.Source.NONE;
        return finish(rcode, false);
    }

    /// With the reason, in words for whoever wonders.
    private int plain(byte[] in, int rcode, int errorInfo, byte[] words) {
        relay.errorInfo = errorInfo;
        relay.errorText = words;
        return plain(in, rcode);
    }

    /// To a client that may not have the address that it says (RFC 7873 section 5.2.3): a cookie to come back with, or where
    /// it knows none, the way by TCP.
    private int unproven(byte[] in) {
        if (options.standing() == Cookies.Standing.UNPROVEN) {
            return plain(in, Rcode.BADCOOKIE);
        }
        truncated = true;
        return plain(in, Rcode.NOERROR);
    }

    private int finish(int rcode, boolean authoritative) {
        if (query.edns) {
            opt(rcode);
        }
        put16(4, 1);
        return seal(rcode, (authoritative ? FLAG_AUTHORITATIVE : 0) | (truncated ? FLAG_TRUNCATED : 0) | (isRecursive() ? FLAG_RECURSION_AVAILABLE : 0));
    }

    private void opt(int rcode) {
        out[at] = 0;
        put16(at + 1, RRType.OPT);
        put16(at + 3, UDP_PAYLOAD);
        out[at + 5] = (byte) (rcode >> 4);
        out[at + 6] = 0;
        put16(at + 7, query.dnssecOk ? 0x8000 : 0);
        int length = at + 9;
        at = options.write(query, relay, out, at + OPT_LENGTH, longest);
        put16(length, at - length - 2);
        additional++;
    }

    private int seal(int rcode, int flags) {
        put16(0, query.id);
        put16(2, FLAG_RESPONSE | query.repeatedFlags() | flags | (rcode & 15));
        put16(6, answers);
        put16(8, authority);
        put16(10, additional);
        record.rcode = rcode;
        record.answers = answers;
        record.truncated = truncated;
        record.responseBytes = at;
        return at;
    }

    private void pointer(int where, int target) {
        put16(where, 0xc000 | target);
    }

    private void put16(int where, int value) {
        out[where] = (byte) (value >> 8);
        out[where + 1] = (byte) value;
    }

    /// Uniform enough and cheap: xorshift, scaled (Lemire).
    private int below(int bound) {
        random ^= random << 13;
        random ^= random >>> 7;
        random ^= random << 17;
        return (int) (((random >>> 32) * bound) >>> 32);
    }
}
