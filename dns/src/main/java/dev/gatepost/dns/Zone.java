package dev.gatepost.dns;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Everything the server answers for, immutable: a hash table from owner names to encoded record sets, in shards, so that
/// the next zone shares what did not change with this one. Several origins live in one zone.
public final class Zone {
    private static final int REFRESH_SECONDS = 3600;
    private static final int RETRY_SECONDS = 600;
    private static final int EXPIRE_SECONDS = 86400;
    private static final byte[] NO_ALIAS = {};
    private static final byte[][] NO_SEARCH = {};

    /// The name server that the zone names in its SOA and NS records.
    ///
    /// @param label       directly below the first origin
    /// @param addresses   its own addresses as others reach them; may be empty
    /// @param ttl         of NS and its addresses
    /// @param negativeTtl of NODATA and NXDOMAIN: both the SOA's TTL and its MINIMUM (RFC 2308 section 5)
    public record Authority(String label, List<InetAddress> addresses, Duration ttl, Duration negativeTtl) {
        public Authority {
            addresses = List.copyOf(addresses);
        }
    }

    final OwnerTable owners;
    final Origin[] origins;
    private final Authority authority;
    private final long revision;
    /// Whether a name that is not in it can be said not to exist.
    final boolean complete;
    /// Who forms the answers in place of the responder, if anybody.
    final @Nullable Mimic mimic;

    /// The search list of clients, in wire format.
    final byte[][] search;

    /// Each origin's SOA record without its owner.
    final byte[][] soas;
    /// For each origin the name in wire format that it is another name of; empty for those that are none.
    final byte[][] aliases;
    /// Whether it may lag behind what it was made from, since that can't be asked.
    final boolean stale;
    private @Nullable Zone staleTwin; // built by whichever thread asks first; two may build the same

    /// Whether any name in it is a wildcard.
    final boolean wildcards;
    /// Whether any name in it, and what is below, is somebody else's to answer for.
    final boolean delegations;
    private final Map<DomainName, Integer> originIndexes = new HashMap<>();
    /// Which lengths, in wire format, the origins have: saves looking at most of a name's labels.
    private final boolean[] originLengths = new boolean[DomainName.MAX_LENGTH + 1];

    private Zone(OwnerTable owners, Origin[] origins, Authority authority, long revision, boolean complete, boolean wildcards, boolean delegations, byte[][] search, @Nullable Mimic mimic, boolean stale) {
        this.owners = owners;
        this.origins = origins;
        this.authority = authority;
        this.revision = revision;
        this.complete = complete;
        this.wildcards = wildcards;
        this.delegations = delegations;
        this.search = search;
        this.stale = stale;
        this.mimic = mimic;
        this.soas = new byte[origins.length + 1][];
        this.aliases = new byte[origins.length][];
        for (int i = 0; i < origins.length; i++) {
            originLengths[origins[i].name().length()] = true;
            originIndexes.put(origins[i].name(), i);
            aliases[i] = origins[i].aliasOf().map(DomainName::wire).orElse(NO_ALIAS);
            soas[i] = origins[i].soa().map(given -> soa(given.soa(), given.ttl())).orElseGet(this::ownSoa);
        }
        soas[origins.length] = ownSoa();
    }

    /// A zone of nothing but its apexes. The first origin is where the name server's own name lives.
    public static Zone of(List<Origin> origins, Authority authority) {
        var empty = new Zone(OwnerTable.EMPTY, origins.toArray(Origin[]::new), authority, 0, true, false, false, NO_SEARCH, null, false);
        DomainName server = empty.server();
        Builder builder = empty.change();
        List<RRset> ns = RRset.of(authority.ttl(), List.of(new Rdata.Ns(server, authority.addresses())));
        for (Origin each : origins) {
            builder.put(each.name(), ns);
        }
        if (!authority.addresses().isEmpty()) {
            builder.put(server, RRset.of(authority.ttl(), authority.addresses().stream().map(Rdata.Address::new).toList()));
        }
        return builder.build(0);
    }

    /// Starts the next zone; what isn't touched is shared with this one.
    public Builder change() {
        return new Builder();
    }

    /// This zone as long as nobody knows yet what belongs into it: what it has is answered, all else within its origins is
    /// SERVFAIL, since NXDOMAIN would be a lie that caches keep.
    public Zone incomplete() {
        return new Zone(owners, origins, authority, revision, false, wildcards, delegations, search, null, false);
    }

    /// This zone while nobody can say whether it still holds: answers tell so (RFC 8914 section 4.4).
    public Zone asStale() {
        Zone twin = staleTwin;
        if (twin == null) {
            twin = new Zone(owners, origins, authority, revision, complete, wildcards, delegations, search, mimic, true);
            staleTwin = twin;
        }
        return twin;
    }

    /// This zone for clients that look for names in several domains: asked for one that is missing in the first of them, it
    /// answers where the others lead, or the name by itself.
    public Zone searched(List<DomainName> domains) {
        byte[][] wires = domains.stream().map(each -> DomainName.of(each.toString().toLowerCase(Locale.ROOT)).wire()).toArray(byte[][]::new);
        return new Zone(owners, origins, authority, revision, complete, wildcards, delegations, wires, mimic, stale);
    }

    /// This zone with answers formed by somebody else.
    public Zone answeredBy(Mimic other) {
        return new Zone(owners, origins, authority, revision, complete, wildcards, delegations, search, other, stale);
    }

    /// Our own count of published states; also the SOA's serial.
    public long revision() {
        return revision;
    }

    public Authority authority() {
        return authority;
    }

    public List<Origin> origins() {
        return List.of(origins);
    }

    /// Names that exist, empty non-terminals included.
    public int names() {
        return owners.size();
    }

    /// Whether the name exists, be it without records.
    public boolean contains(DomainName name) {
        return owners.find(new NameKey().of(name)).found();
    }

    /// The record sets at a name; empty when it has none or doesn't exist.
    public List<RRset> at(DomainName name) {
        return List.of(owners.find(new NameKey().of(name)).sets);
    }

    /// What became of a name from one zone to another.
    ///
    /// @param before its record sets; absent when the name wasn't there
    /// @param after  the same after the change
    public record Change(DomainName name, Optional<List<RRset>> before, Optional<List<RRset>> after) {}

    /// In which names this zone differs from the one that it was made from, names that exist only because others are below
    /// them left aside. Costs as much as what was put and removed on the way.
    public List<Change> changesFrom(Zone before) {
        var changes = new ArrayList<Change>();
        owners.changesFrom(before.owners, (old, owner) -> {
            Optional<List<RRset>> was = declared(old);
            Optional<List<RRset>> is = declared(owner);
            if (!was.equals(is)) {
                changes.add(new Change(old.found() ? old.name() : owner.name(), was, is));
            }
        });
        return changes;
    }

    private static Optional<List<RRset>> declared(Owner owner) {
        return owner.declared ? Optional.of(List.of(owner.sets)) : Optional.empty();
    }

    /// The origin that a name lies within, the longest of them; empty when the zone doesn't answer for it.
    public Optional<Origin> origin(DomainName name) {
        int index = originOf(name.wire(), 0, name.length(), new NameKey());
        return index == Owner.ISLAND ? Optional.empty() : Optional.of(origins[index]);
    }

    /// Index of the longest origin that holds the name, or [Owner#ISLAND].
    int originOf(byte[] bytes, int from, int length, NameKey scratch) {
        int at = from;
        for (int left = length; left > 0; ) {
            if (originLengths[left]) {
                Owner owner = owners.find(scratch.read(bytes, at, left));
                if (owner.found() && owner.origin >= 0 && origins[owner.origin].name().length() == left) {
                    return owner.origin;
                }
            }
            int step = 1 + bytes[at];
            at += step;
            left -= step;
        }
        return Owner.ISLAND;
    }

    private DomainName server() {
        return origins[0].name().child(authority.label());
    }

    /// That of an origin, or of an island.
    byte[] soa(int origin) {
        return soas[origin == Owner.ISLAND ? origins.length : origin];
    }

    private byte[] ownSoa() {
        int negative = Math.toIntExact(authority.negativeTtl().toSeconds());
        DomainName responsible = origins[0].name().child("hostmaster");
        return soa(
                new Rdata.Soa(server(), responsible, revision, REFRESH_SECONDS, RETRY_SECONDS, EXPIRE_SECONDS, negative), authority.negativeTtl());
    }

    /// Its TTL is that of a negative answer: the smaller of its own and MINIMUM (RFC 2308 section 3).
    private static byte[] soa(Rdata.Soa soa, Duration ttl) {
        byte[] rdata = soa.encode();
        return ByteBuffer.allocate(10 + rdata.length)
                .putShort((short) RRType.SOA)
                .putShort((short) Query.CLASS_IN)
                .putInt((int) Math.min(ttl.toSeconds(), soa.minimum()))
                .putShort((short) rdata.length)
                .put(rdata)
                .array();
    }

    /// The next zone in the making: costs as much as what is put and removed.
    public final class Builder {
        private final OwnerTable.Editor names = owners.edit();
        private final NameKey key = new NameKey();
        private Origin[] tops = origins;
        private boolean anyWildcard = wildcards;
        private boolean anyDelegation = delegations;

        private Builder() {}

        /// Sets what a name has, in place of what it had. No sets: the name exists, and has no records (NODATA).
        public Builder put(DomainName name, List<RRset> sets) {
            anyWildcard |= name.isWildcard();
            Owner old = names.find(key.of(name));
            int origin = old.found() ? old.origin : originFor(name);
            Owner owner = old.found() ? old : Owner.emptyNonTerminal(key.of(name), origin);
            names.put(owner.withSets(sets.toArray(RRset[]::new)));
            anyDelegation |= hasParent(name, origin) && sets.stream().anyMatch(set -> set.type == RRType.NS);
            if (!old.found()) {
                raiseParent(name, origin);
            }
            return this;
        }

        /// Takes a name's records away; it stays as an empty non-terminal while names below it exist.
        public Builder remove(DomainName name) {
            Owner old = names.find(key.of(name));
            if (!old.declared) {
                return this;
            }
            if (old.children > 0) {
                names.put(old.withoutSets());
            } else {
                names.remove(old);
                lowerParent(name, old.origin);
            }
            return this;
        }

        /// Makes `HEX.name` resolve to the address that 8 or 32 hexadecimal digits spell, as SRV targets of Consul do.
        public Builder spellAddressesUnder(DomainName name) {
            if (!names.find(key.of(name)).declared) {
                put(name, List.of());
            }
            names.put(names.find(key.of(name)).spellingAddresses());
            return this;
        }

        /// Gives an origin another start of authority of its own, or none.
        ///
        /// @param origin one of the zone's
        public Builder authority(DomainName origin, Optional<Origin.Authority> soa) {
            int index = Objects.requireNonNull(originIndexes.get(origin));
            tops = tops.clone();
            tops[index] = new Origin(origin, tops[index].shared(), tops[index].aliasOf(), soa);
            return this;
        }

        public Zone build(long revision) {
            return new Zone(names.table(), tops, authority, revision, true, anyWildcard, anyDelegation, search, null, false);
        }

        private int originFor(DomainName name) {
            for (DomainName each = name; ; each = each.parent()) {
                Integer index = originIndexes.get(each);
                if (index != null || each.isRoot()) {
                    return index == null ? Owner.ISLAND : index;
                }
            }
        }

        private void raiseParent(DomainName child, int origin) {
            if (!hasParent(child, origin)) {
                return;
            }
            DomainName name = child.parent();
            Owner parent = names.find(key.of(name));
            if (parent.found()) {
                names.put(parent.withChildren(parent.children + 1));
            } else {
                names.put(Owner.emptyNonTerminal(key.of(name), origin).withChildren(1));
                raiseParent(name, origin);
            }
        }

        private void lowerParent(DomainName child, int origin) {
            if (!hasParent(child, origin)) {
                return;
            }
            DomainName name = child.parent();
            Owner parent = names.find(key.of(name));
            Owner lowered = parent.withChildren(parent.children - 1);
            if (lowered.exists()) {
                names.put(lowered);
            } else {
                names.remove(parent);
                lowerParent(name, origin);
            }
        }

        /// Counting ends at the apex; an island has no parent in the zone.
        private boolean hasParent(DomainName child, int origin) {
            return origin != Owner.ISLAND && child.length() > origins[origin].name().length();
        }
    }

    /// Names of all origins, for a message.
    @Override
    public String toString() {
        var names = new ArrayList<String>();
        for (Origin each : origins) {
            names.add(each.name().toString());
        }
        return "zone revision " + revision + " of " + names() + " names under " + names;
    }
}
