package dev.gatepost.dns;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Finds what the zone says to a question (RFC 1034 section 4.3.2), and writes it into the draft. Reusable scratch of one
/// thread, free of garbage.
final class ZoneReader {
    private static final int MOST_ALIASES = 8;
    private static final byte[] NOTHING_KNOWN = words("no complete catalog yet");
    private static final byte[] NOTHING_NOW = words("known, but there is nothing to point at now");

    private final Reach reach;
    private final Draft draft;
    private final Chain chain;
    private final NameKey key = new NameKey();
    private final SetWriter sets;
    private final byte[] spelled = new byte[16];
    private final byte[] renamed = new byte[DomainName.MAX_LENGTH + 8];
    private final byte[] starred = new byte[DomainName.MAX_LENGTH + 8];
    private Query query = new Query();
    /// Where the beginning of the chain of aliases is not the zone's but a help for the client; null otherwise.
    private @Nullable Zone searched;
    private int searchedOrigin;

    /// @param draft holds the question
    /// @param chain begun where aliases lead to a name that somebody else has to say more about
    ZoneReader(Reach reach, Draft draft, Chain chain) {
        this.reach = reach;
        this.draft = draft;
        this.chain = chain;
        this.sets = new SetWriter(draft, key);
    }

    /// @return rcode, or [Responder#OUTSIDE] for what the zone leaves to others, as far as it is not in the draft
    int read(Zone zone, Query asked, byte[] in) {
        begin(asked);
        if (zone.delegations) {
            Owner cut = cut(zone, in, Query.HEADER, query.nameLength());
            // Whether a delegation is a secure one is for the delegating side to say (RFC 4035 section 3.1.4.1).
            if (cut.found() && (query.type != RRType.DS || cut.length != query.nameLength())) {
                boolean others = query.recursionDesired() && reach.covers(in, Query.HEADER, query.nameLength());
                return others ? Responder.OUTSIDE : referral(zone, cut);
            }
        }
        Owner owner = zone.owners.find(key.read(in, Query.HEADER, query.nameLength()));
        if (!owner.found()) {
            return absent(zone, in);
        }
        draft.origin = owner.origin;
        if (reach.forwards() && leftToOthers(zone, owner) && reach.covers(in, Query.HEADER, query.nameLength())) {
            return Responder.OUTSIDE;
        }
        return present(zone, owner, Query.HEADER, query.nameLength());
    }

    /// Index of the origin that the question belongs to, or [Owner#ISLAND].
    int originOf(Zone zone, Query asked, byte[] in) {
        return zone.originOf(in, Query.HEADER, asked.nameLength(), key);
    }

    /// The same of a zone that leaves nothing to others.
    int readWhole(Zone zone, Query asked, byte[] in) {
        begin(asked);
        Owner owner = zone.owners.find(key.read(in, Query.HEADER, query.nameLength()));
        return owner.found()
                ? present(zone, owner, Query.HEADER, query.nameLength())
                : noSuchName(zone, zone.originOf(in, Query.HEADER, query.nameLength(), key), query.nameLength());
    }

    /// A reference that is written costs the collector's barrier, so none is that is there already.
    private void begin(Query asked) {
        if (query != asked) {
            query = asked;
        }
        if (searched != null) {
            searched = null;
        }
        chain.end();
    }

    // Names that are there.

    /// Answers from an owner that exists, following aliases within the zone.
    ///
    /// @param nameAt where the name that is asked for is in the draft
    /// @param length of that name, which is not the owner's where that is a wildcard
    private int present(Zone zone, Owner first, int nameAt, int length) {
        draft.source = QueryRecord.Source.ZONE;
        draft.authoritative = true;
        Owner owner = first;
        int ownerAt = nameAt;
        int ownerLength = length;
        for (int hops = 0; ; hops++) {
            if (isApex(zone, owner) && query.type == RRType.SOA) {
                soaRecord(zone, owner.origin, ownerAt);
                draft.answers++;
                return Rcode.NOERROR;
            }
            RRset set = pick(owner.sets, query.type);
            if (set == null) {
                if (owner.declared && owner.sets.length == 0 && draft.errorInfo == ErrorInfo.NONE) {
                    draft.explain(ErrorInfo.OTHER, NOTHING_NOW);
                }
                soa(zone, query.type == RRType.DS ? delegating(zone, owner) : owner.origin, ownerAt, ownerLength);
                return Rcode.NOERROR;
            }
            int setAt = draft.at;
            sets.addAnswers(zone, set, ownerAt);
            if (set.type != RRType.CNAME || query.type == RRType.CNAME || query.type == RRType.ANY || draft.truncated || hops == MOST_ALIASES) {
                return Rcode.NOERROR;
            }
            int targetAt = setAt + RRset.RECORD_HEADER;
            int targetLength = draft.at - targetAt;
            owner = zone.owners.find(key.read(draft.out, targetAt, targetLength));
            if (!owner.found() && zone.wildcards) {
                owner = wildcard(zone, draft.out, targetAt, targetLength);
            }
            ownerAt = targetAt;
            ownerLength = targetLength;
            if (zone.delegations && cut(zone, draft.out, targetAt, targetLength).found()) {
                // Not ours: the rest of the chain is for the client's resolver to follow.
                return Rcode.NOERROR;
            }
            if (!owner.found()) {
                return leading(zone, targetAt, targetLength);
            }
        }
    }

    /// Aliases that lead to a name that isn't there.
    private int leading(Zone zone, int targetAt, int targetLength) {
        int origin = zone.originOf(draft.out, targetAt, targetLength, key);
        if (origin != Owner.ISLAND && !zone.origins[origin].shared()) {
            soa(zone, origin, targetAt, targetLength);
            // RFC 6604 section 3: the code is that of the last name of the chain.
            return Rcode.NXDOMAIN;
        }
        if (query.recursionDesired() && reach.covers(draft.out, targetAt, targetLength)) {
            chain.begin(query, draft.out, targetAt, targetLength);
            return Responder.OUTSIDE;
        }
        // The rest of the chain is for the client's resolver to follow.
        return Rcode.NOERROR;
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

    private static boolean isApex(Zone zone, Owner owner) {
        return owner.origin >= 0 && zone.origins[owner.origin].name().length() == owner.length;
    }

    /// An apex or empty non-terminal of a shared origin says nothing that its real owner couldn't say better.
    private static boolean leftToOthers(Zone zone, Owner owner) {
        return owner.origin >= 0 && zone.origins[owner.origin].shared()
                && (!owner.declared || owner.length == zone.origins[owner.origin].name().length());
    }

    // Names that are not: under another name of an origin, spelling an address, covered by a wildcard, or not there at all.

    private int absent(Zone zone, byte[] in) {
        byte[] name = in;
        int from = Query.HEADER;
        int length = query.nameLength();
        int origin = zone.originOf(name, from, length, key);
        draft.origin = origin;
        if (origin != Owner.ISLAND && zone.aliases[origin].length > 0) {
            int renamedLength = length - zone.origins[origin].name().length() + zone.aliases[origin].length;
            if (renamedLength > DomainName.MAX_LENGTH) {
                return noSuchName(zone, origin, length);
            }
            rename(zone, in, origin);
            name = renamed;
            from = 0;
            length = renamedLength;
            Owner owner = zone.owners.find(key.read(name, from, length));
            if (owner.found()) {
                return present(zone, owner, Query.HEADER, length);
            }
            origin = zone.originOf(name, from, length, key);
        }
        if (spellsAddress(zone, name, from, length)) {
            return spelledAddress(zone, origin, in[Query.HEADER] / 2, length);
        }
        if (origin == Owner.ISLAND || (zone.origins[origin].shared() && reach.covers(in, Query.HEADER, query.nameLength()))) {
            return Responder.OUTSIDE;
        }
        Owner wildcard = zone.wildcards ? wildcard(zone, name, from, length) : Owner.MISSING;
        if (wildcard.found()) {
            return present(zone, wildcard, Query.HEADER, length);
        }
        if (!zone.complete) {
            draft.explain(ErrorInfo.NOT_READY, NOTHING_KNOWN);
            return Rcode.SERVFAIL;
        }
        if (zone.search.length > 0 && length == query.nameLength() && isSearched(zone, in)) {
            return search(zone, in, origin);
        }
        return noSuchName(zone, origin, length);
    }

    /// @param length of the name, or of the one that it is another name for: as long as its own labels and the origin's
    private int noSuchName(Zone zone, int origin, int length) {
        draft.authoritative = true;
        soa(zone, origin, Query.HEADER, length);
        return Rcode.NXDOMAIN;
    }

    /// Puts the origin that is meant in place of its other name.
    private void rename(Zone zone, byte[] in, int origin) {
        byte[] meant = zone.aliases[origin];
        int own = query.nameLength() - zone.origins[origin].name().length();
        System.arraycopy(in, Query.HEADER, renamed, 0, own);
        System.arraycopy(meant, 0, renamed, own, meant.length);
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

    /// @param size of the address
    private int spelledAddress(Zone zone, int origin, int size, int length) {
        draft.source = QueryRecord.Source.ZONE;
        draft.authoritative = true;
        int type = size == 4 ? RRType.A : RRType.AAAA;
        if (query.type != type && query.type != RRType.ANY) {
            soa(zone, origin, Query.HEADER, length);
            return Rcode.NOERROR;
        }
        draft.record(Query.HEADER, type, ttl(zone), size);
        draft.copy(spelled, 0, size);
        draft.answers++;
        return Rcode.NOERROR;
    }

    private static int ttl(Zone zone) {
        return (int) zone.authority().ttl().toSeconds();
    }

    // The search list of clients.

    /// Whether the name is missing in the first of the domains in which clients look for names.
    private boolean isSearched(Zone zone, byte[] in) {
        byte[] domain = zone.search[0];
        int own = query.nameLength() - domain.length;
        if ((query.type != RRType.A && query.type != RRType.AAAA) || own < 1) {
            return false;
        }
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

    /// What the rest of the list leads to, so that the client need not ask for each by itself: an alias to the first name that
    /// has what was asked for. A no is never told this way.
    private int search(Zone zone, byte[] in, int origin) {
        int own = query.nameLength() - zone.search[0].length;
        System.arraycopy(in, Query.HEADER, renamed, 0, own);
        for (int i = 1; i < zone.search.length; i++) {
            byte[] domain = zone.search[i];
            int length = own + domain.length;
            if (length > DomainName.MAX_LENGTH) {
                continue;
            }
            System.arraycopy(domain, 0, renamed, own, domain.length);
            Owner owner = zone.owners.find(key.read(renamed, 0, length));
            if (owner.found() && pick(owner.sets, query.type) != null) {
                return present(zone, owner, alias(zone, length), length);
            }
        }
        renamed[own] = 0;
        boolean single = renamed[0] + 1 == own;
        boolean elsewhere = !single && query.recursionDesired() && zone.originOf(renamed, 0, own + 1, key) == Owner.ISLAND && reach.covers(renamed, 0, own + 1);
        if (!elsewhere) {
            return noSuchName(zone, origin, query.nameLength());
        }
        chain.begin(query, draft.out, alias(zone, own + 1), own + 1);
        searched = zone;
        searchedOrigin = origin;
        return Responder.OUTSIDE;
    }

    /// Whether [#read] has just begun a chain for the client's search list.
    boolean isSearching() {
        return searched != null;
    }

    /// What to say in place of that chain when it leads nowhere.
    int foundNowhere() {
        Zone zone = searched;
        if (zone == null) {
            throw new IllegalStateException("nothing was searched for");
        }
        draft.clear();
        draft.at = query.questionEnd();
        return noSuchName(zone, searchedOrigin, query.nameLength());
    }

    /// Has the name that was asked for be another one, of [#renamed]; returns where that is in the draft.
    private int alias(Zone zone, int length) {
        draft.record(Query.HEADER, RRType.CNAME, ttl(zone), length);
        draft.copy(renamed, 0, length);
        draft.answers++;
        return draft.at - length;
    }

    // Delegations.

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
    private int referral(Zone zone, Owner cut) {
        draft.source = QueryRecord.Source.ZONE;
        draft.truncated = !sets.addAuthority(zone, nameServers(cut), Query.HEADER + query.nameLength() - cut.length);
        return Rcode.NOERROR;
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

    // SOA.

    /// The one that a negative answer carries in its authority section (RFC 2308 sections 2.1 and 2.2). The origin's name
    /// is the tail of a name that the message holds already.
    private void soa(Zone zone, int origin, int nameAt, int nameLength) {
        draft.source = QueryRecord.Source.ZONE;
        int ownerAt = origin == Owner.ISLAND ? nameAt : nameAt + nameLength - zone.origins[origin].name().length();
        if (2 + zone.soa(origin).length > draft.room()) {
            return;
        }
        soaRecord(zone, origin, ownerAt);
        draft.authority++;
    }

    private void soaRecord(Zone zone, int origin, int ownerAt) {
        byte[] soa = zone.soa(origin);
        draft.pointer(draft.at, ownerAt);
        draft.at += 2;
        draft.copy(soa, 0, soa.length);
    }

    private static byte[] words(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
