package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Origin;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rdata;
import dev.gatepost.dns.Zone;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.zone.ServiceRecords.Surroundings;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/// The zone that a catalog snapshot makes: a pure function of snapshot and settings. [#next] gives what [#of] would, at a
/// cost in proportion to what changed.
public final class ServiceZone {
    private final ServiceRecords records;
    private final Snapshot snapshot;
    private final Zone zone;
    private final ReverseNames reverse;
    private final SortedMap<String, String> leftOut;
    /// Names of services that aren't in lower case, by what they are in it: next to none.
    private final Map<String, SortedSet<String>> spellings;
    private final Set<String> datacenters;
    private final List<StaticZone> statics;
    private final Surroundings around;
    /// Services in lower case that are to answer the gateways' addresses, whether they can or not.
    private final Set<String> fronted;

    private ServiceZone(
            ServiceRecords records,
            Snapshot snapshot,
            Zone zone,
            ReverseNames reverse,
            SortedMap<String, String> leftOut,
            Map<String, SortedSet<String>> spellings,
            Set<String> datacenters,
            List<StaticZone> statics,
            Surroundings around,
            Set<String> fronted) {
        this.records = records;
        this.snapshot = snapshot;
        this.zone = zone;
        this.reverse = reverse;
        this.leftOut = Collections.unmodifiableSortedMap(leftOut);
        this.spellings = Map.copyOf(spellings);
        this.datacenters = Set.copyOf(datacenters);
        this.statics = statics;
        this.around = around;
        this.fronted = Set.copyOf(fronted);
    }

    /// The zone of a snapshot, from nothing.
    public static ServiceZone of(Snapshot snapshot, ZoneSettings settings, long revision) {
        return of(snapshot, settings, List.of(), revision);
    }

    /// The same with zones beside the catalog's.
    public static ServiceZone of(Snapshot snapshot, ZoneSettings settings, List<StaticZone> statics, long revision) {
        return of(snapshot, settings, statics, GateView.NONE, revision);
    }

    private static ServiceZone of(Snapshot snapshot, ZoneSettings settings, List<StaticZone> statics, GateView gate, long revision) {
        Set<String> datacenters = datacenters(snapshot);
        var records = new ServiceRecords(settings);
        Zone apexes = Zone.of(
                origins(records, datacenters, statics),
                new Zone.Authority("ns", settings.nameServer(), settings.ttls().node(), settings.negativeTtl()));
        Zone.Builder kinds = apexes.change();
        kinds.spellAddressesUnder(records.names().under("addr", ""));
        for (String each : datacenters) {
            kinds.spellAddressesUnder(records.names().under("addr", each));
        }
        statics.forEach(each -> each.records().forEach(kinds::put));
        Zone beginning = kinds.build(0).searched(settings.search());
        return new ServiceZone(records, Snapshot.EMPTY, beginning, ReverseNames.EMPTY, new TreeMap<>(), Map.of(), datacenters, statics, Surroundings.NONE, Set.of())
                .next(snapshot, statics, gate, revision);
    }

    /// Every kind of name and every datacenter is a zone of its own, so that a resolver may be sent here for it alone and
    /// finds no SOA above the name that it was sent for.
    private static List<Origin> origins(ServiceRecords records, Set<String> datacenters, List<StaticZone> statics) {
        Names names = records.names();
        boolean late = records.settings().late();
        var origins = new ArrayList<Origin>();
        origins.add(new Origin(names.domain(), late));
        for (String datacenter : Stream.concat(Stream.of(""), datacenters.stream()).toList()) {
            if (!datacenter.isEmpty()) {
                origins.add(new Origin(names.within(datacenter), late));
            }
            Names.KINDS.forEach(kind -> origins.add(new Origin(names.under(kind, datacenter), late)));
        }
        names.alternative().ifPresent(alternative -> origins.add(Origin.alias(alternative, names.domain())));
        origins.addAll(Origin.privateReverse());
        statics.forEach(each -> origins.add(each.asOrigin()));
        return origins;
    }

    /// The zone of the snapshot that follows this one's, sharing what did not change.
    public ServiceZone next(Snapshot after, long revision) {
        return next(after, statics, around.gate(), revision);
    }

    /// The same with other zones beside it and another view of the gate. New datacenters and zones that come or go, which are
    /// rare, start from nothing.
    public ServiceZone next(Snapshot after, List<StaticZone> newStatics, GateView gate, long revision) {
        return datacenters(after).equals(datacenters) && follow(newStatics)
                ? new Step(after, newStatics, gate).to(revision)
                : of(after, records.settings(), newStatics, gate, revision);
    }

    /// Whether these zones are the ones that there are, as they were or written anew, each with its names to itself.
    @SuppressWarnings("ReferenceEquality") // those that did not change are the same object
    private boolean follow(List<StaticZone> now) {
        if (now == statics) {
            return true;
        }
        if (now.size() != statics.size()) {
            return false;
        }
        for (int i = 0; i < now.size(); i++) {
            StaticZone zone = now.get(i);
            StaticZone before = statics.get(i);
            boolean same = zone.origin().equals(before.origin())
                    // Where it has nothing at its top, that is ours.
                    && zone.records().containsKey(zone.origin()) == before.records().containsKey(zone.origin());
            if (!same || (zone != before && !isApart(zone, now))) {
                return false;
            }
        }
        return true;
    }

    /// Whether nobody else has names in it: neither the catalog, nor its addresses, nor another of these zones.
    private boolean isApart(StaticZone zone, List<StaticZone> all) {
        Names names = records.names();
        Stream<DomainName> ours = Stream.concat(Stream.of(names.domain(), DomainName.of("in-addr.arpa."), DomainName.of("ip6.arpa.")), names.alternative().stream());
        Stream<DomainName> others = all.stream().map(StaticZone::origin).filter(each -> !each.equals(zone.origin()));
        return Stream.concat(ours, others).noneMatch(each -> each.isWithin(zone.origin()) || zone.origin().isWithin(each));
    }

    private static Set<String> datacenters(Snapshot snapshot) {
        return ServiceRecords.datacenters(snapshot.nodes().values().stream());
    }

    /// What the DNS server serves.
    public Zone zone() {
        return zone;
    }

    /// Services and nodes that DNS can't name, `service NAME` or `node NAME`, each with the reason.
    public SortedMap<String, String> leftOut() {
        return leftOut;
    }

    /// The datacenters that the catalog has nodes of, in lower case.
    public Set<String> datacenters() {
        return datacenters;
    }

    Surroundings around() {
        return around;
    }

    Snapshot snapshot() {
        return snapshot;
    }

    ServiceRecords records() {
        return records;
    }

    /// What is answered to a name and type, and why.
    public DnsExplanation explain(DomainName name, int type) {
        return DnsExplanation.of(this, name, type);
    }

    /// The way from this zone to the next.
    private final class Step {
        private final Snapshot after;
        private final List<StaticZone> written;
        private final Zone.Builder change = zone.change();
        private final ReverseNames.Editor claims = reverse.edit();
        private final Set<InetAddress> claimed = new HashSet<>();
        private final SortedMap<String, String> out = new TreeMap<>(leftOut);
        private final Map<String, SortedSet<String>> spelt = new HashMap<>(spellings);
        private final Set<String> fronts = new HashSet<>(fronted);
        private final Surroundings then;
        /// Whether what is answered in place of instances is no longer the same.
        private final boolean otherGateways;

        Step(Snapshot after, List<StaticZone> written, GateView gate) {
            this.after = after;
            this.written = written;
            ZoneSettings settings = records.settings();
            this.then = new Surroundings(gate, settings.gateways().at(after, records.names(), settings.health(), gate.withheld()));
            this.otherGateways = !gate.servesAs(around.gate()) || !then.gateways().equals(around.gateways());
        }

        ServiceZone to(long revision) {
            services();
            after.nodesChangedFrom(snapshot, (old, fresh) -> replace("node", old, fresh, Node::name, this::ofNode, this::ofNode, ServiceZone.this::claims));
            for (int i = 0; i < written.size(); i++) {
                rewrite(statics.get(i), written.get(i));
            }
            if (otherGateways) {
                written.forEach(each -> each.records().forEach(this::advertise));
            }
            ReverseNames names = claims.done();
            for (InetAddress each : claimed) {
                pointer(DomainName.reverse(each), names.name(each));
            }
            return new ServiceZone(records, after, profiled(change.build(revision)), names, out, spelt, datacenters, written, then, fronts);
        }

        private Zone profiled(Zone built) {
            return switch (records.settings().profile()) {
                case STRICT -> built;
                case CONSUL_1_8 -> built.answeredBy(new ConsulProfile(records.settings(), new ConsulIndex(after), then));
            };
        }

        /// Services whose names differ in case alone are one in DNS.
        private void services() {
            var changed = new LinkedHashSet<String>();
            after.servicesChangedFrom(snapshot, (old, fresh) -> {
                String name = old.or(() -> fresh).map(Service::name).orElseThrow();
                changed.add(lower(name));
                respell(name, fresh.isPresent());
            });
            changed.addAll(then.gate().withheld().differencesTo(around.gate().withheld()));
            if (otherGateways) {
                changed.addAll(fronted);
            }
            if (changed.isEmpty()) {
                return;
            }
            Map<String, Service> before = merged(snapshot, spellings, changed);
            Map<String, Service> now = merged(after, spelt, changed);
            for (String each : changed) {
                replace("service", Optional.ofNullable(before.get(each)), Optional.ofNullable(now.get(each)), Service::name,
                        service -> ofService(service, around), service -> ofService(service, then), ServiceZone.this::claims);
                boolean asks = now.containsKey(each) && records.settings().gateways().standFor(each, now.get(each).instances());
                boolean _ = asks ? fronts.add(each) : fronts.remove(each);
            }
        }

        private void respell(String name, boolean present) {
            String lower = lower(name);
            if (name.equals(lower)) {
                return;
            }
            SortedSet<String> known = new TreeSet<>(spelt.getOrDefault(lower, Collections.emptySortedSet()));
            if (present ? known.add(name) : known.remove(name)) {
                spelt.put(lower, known);
            }
            if (known.isEmpty()) {
                spelt.remove(lower);
            }
        }

        private <T> void replace(
                String kind,
                Optional<T> before,
                Optional<T> now,
                Function<T, String> naming,
                Function<T, Map<DomainName, List<RRset>>> naturally,
                Function<T, Map<DomainName, List<RRset>>> then,
                BiConsumer<T, BiConsumer<InetAddress, ReverseNames.Claim>> claiming) {
            Map<DomainName, List<RRset>> old = Map.of();
            if (before.isPresent() && out.remove(kind + " " + naming.apply(before.get())) == null) {
                old = naturally.apply(before.get());
                claiming.accept(before.get(), (address, claim) -> {
                    claims.remove(address, claim);
                    claimed.add(address);
                });
            }
            Map<DomainName, List<RRset>> fresh = Map.of();
            if (now.isPresent()) {
                try {
                    fresh = then.apply(now.get());
                    claiming.accept(now.get(), (address, claim) -> {
                        claims.add(address, claim);
                        claimed.add(address);
                    });
                } catch (IllegalArgumentException e) {
                    // Not a name, or too long for one: this one is left out, and nothing else is affected.
                    out.put(kind + " " + naming.apply(now.get()), String.valueOf(e.getMessage()));
                }
            }
            for (DomainName each : old.keySet()) {
                if (!fresh.containsKey(each)) {
                    change.remove(each);
                }
            }
            fresh.forEach(change::put);
        }

        private Map<DomainName, List<RRset>> ofService(Service service, Surroundings beside) {
            if (!Names.isLabel(service.name())) {
                throw new IllegalArgumentException("name '" + service.name() + "' (expected: one label of letters, digits, '-' and '_')");
            }
            return records.ofService(service.name(), service.instances(), beside);
        }

        /// Names that operators wrote and that lead to the gateways tell how HTTPS is reached there, unless that was written
        /// as well.
        private void advertise(DomainName name, List<RRset> sets) {
            boolean known = sets.stream().anyMatch(set -> set.type() == RRType.HTTPS || set.type() == RRType.CNAME);
            List<InetAddress> addresses = sets.stream()
                    .flatMap(set -> set.records().stream())
                    .mapMulti((Rdata record, Consumer<InetAddress> each) -> {
                        if (record instanceof Rdata.Address(var address)) {
                            each.accept(address);
                        }
                    })
                    .toList();
            if (known || addresses.isEmpty()) {
                return;
            }
            boolean leads = then.gateways().containsAll(addresses);
            Optional<Rdata.Svcb> https = leads ? records.https(name, new Surroundings(then.gate(), addresses)) : Optional.empty();
            List<RRset> advertised = https.map(svcb -> RRset.of(sets.getFirst().ttl(), List.of(svcb))).orElse(List.of());
            change.put(name, Stream.concat(sets.stream(), advertised.stream()).toList());
        }

        /// What an operator wrote anew, name by name.
        @SuppressWarnings("ReferenceEquality") // one that did not change is the same object
        private void rewrite(StaticZone before, StaticZone now) {
            if (before == now) {
                return;
            }
            if (!before.soa().equals(now.soa())) {
                change.authority(now.origin(), now.soa());
            }
            before.records().keySet().stream().filter(name -> !now.records().containsKey(name)).forEach(change::remove);
            now.records().forEach((name, sets) -> {
                if (!sets.equals(before.records().get(name))) {
                    change.put(name, sets);
                    advertise(name, sets);
                }
            });
        }

        private Map<DomainName, List<RRset>> ofNode(Node node) {
            if (!Names.isHostName(node.name())) {
                throw new IllegalArgumentException("name '" + node.name() + "' (expected: labels of letters, digits, '-' and '_')");
            }
            return records.ofNode(node);
        }

        private void pointer(DomainName reverseName, Optional<DomainName> target) {
            target.ifPresentOrElse(
                    name -> change.put(reverseName, RRset.of(records.settings().ttls().node(), List.of(new Rdata.Ptr(name)))), () -> change.remove(reverseName));
        }
    }

    /// Calls back with every address that the service's instances have of their own, once each.
    private void claims(Service service, BiConsumer<InetAddress, ReverseNames.Claim> claim) {
        var seen = new HashMap<InetAddress, ReverseNames.Claim>();
        for (Instance each : service.instances()) {
            if (!each.serviceAddress().isEmpty() && Locator.of(each, records.names()) instanceof Locator.Addresses(var addresses, _, _)) {
                DomainName name = records.names().ofService(service.name(), each.node().datacenter()).getLast();
                addresses.forEach(address -> seen.putIfAbsent(address, new ReverseNames.Claim(false, name)));
            }
        }
        seen.forEach(claim);
    }

    private void claims(Node node, BiConsumer<InetAddress, ReverseNames.Claim> claim) {
        if (Locator.of(node, records.names()) instanceof Locator.Addresses(var addresses, _, _)) {
            addresses.forEach(address -> claim.accept(address, new ReverseNames.Claim(true, records.names().ofNode(node))));
        }
    }

    /// The services of some names, in lower case, those that differ in case alone made into one.
    private static Map<String, Service> merged(Snapshot snapshot, Map<String, SortedSet<String>> spellings, Set<String> lowerNames) {
        var merged = new HashMap<String, Service>();
        for (String lower : lowerNames) {
            SortedSet<String> names = new TreeSet<>(spellings.getOrDefault(lower, Collections.emptySortedSet()));
            names.add(lower);
            for (String name : names) {
                Service service = snapshot.services().get(name);
                if (service != null) {
                    merged.merge(lower, service, (one, other) -> {
                        var all = new ArrayList<Instance>(one.instances());
                        all.addAll(other.instances());
                        return new Service(one.name(), all);
                    });
                }
            }
        }
        return merged;
    }

    static String lower(String name) {
        return name.toLowerCase(Locale.ROOT);
    }
}
