package dev.gatepost.gateway.zone;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.ErrorInfo;
import dev.gatepost.dns.Origin;
import dev.gatepost.dns.Outside;
import dev.gatepost.dns.Query;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rcode;
import dev.gatepost.dns.Rdata;
import dev.gatepost.dns.Relay;
import dev.gatepost.dns.Responder;
import dev.gatepost.dns.Zone;
import dev.gatepost.gateway.catalog.ConsulLookup;
import dev.gatepost.gateway.catalog.ConsulLookup.Found;
import dev.gatepost.gateway.catalog.ConsulLookup.Wanted;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Snapshot;
import io.netty.channel.EventLoop;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/// Answers for names that no snapshot holds: Consul is asked when somebody asks for one, off the event loops, once for all
/// who ask at the time. What it said serves for a moment, and for an hour while it can't say anything. All other names
/// outside the zone are left to somebody else.
public final class LateNames implements Outside {
    private static final long FRESH_NANOS = Duration.ofMillis(1500).toNanos();
    private static final long DATACENTERS_FRESH_NANOS = Duration.ofSeconds(10).toNanos();
    private static final Duration LAST_GOOD = Duration.ofHours(1);
    private static final int MOST_NAMES = 10_000;
    private static final int MOST_QUESTIONS = 64;

    private final ZoneSettings settings;
    private final Names names;
    private final ConsulLookup lookup;
    private final Supplier<Set<String>> ownDatacenters;
    private final Outside others;
    private final Zone empty;

    private final Cache<DomainName, Known> known = Caffeine.newBuilder().maximumSize(MOST_NAMES).expireAfterWrite(LAST_GOOD).build();
    private final ConcurrentHashMap<DomainName, CompletableFuture<Outcome>> asked = new ConcurrentHashMap<>();
    private final Semaphore places = new Semaphore(MOST_QUESTIONS);
    private final AtomicBoolean refreshing = new AtomicBoolean();
    private volatile Optional<Datacenters> datacenters = Optional.empty();

    /// A name's answers, as a zone that has no other name, and when Consul said so.
    private record Known(Zone zone, long atNanos) {}

    private record Datacenters(Set<String> names, long atNanos) {}

    /// @param zone empty when nobody can say
    private record Outcome(Optional<Zone> zone, boolean stale, String trouble) {}

    /// @param ownDatacenters those that the catalog answers for, in lower case
    /// @param others         answer for the names that aren't late
    public LateNames(ZoneSettings settings, ConsulLookup lookup, Supplier<Set<String>> ownDatacenters, Outside others) {
        this.settings = settings;
        this.names = new Names(settings.domain(), settings.alternativeDomain());
        this.lookup = lookup;
        this.ownDatacenters = ownDatacenters;
        this.others = others;
        this.empty = switch (settings.profile()) {
            case STRICT -> ServiceZone.of(Snapshot.EMPTY, settings, 0).zone();
            // Consul knows one zone.
            case CONSUL_1_8 -> Zone.of(
                    List.of(new Origin(settings.domain(), false)),
                    new Zone.Authority("ns", settings.nameServer(), settings.ttls().node(), settings.negativeTtl()));
        };
    }

    @Override
    public Agent on(EventLoop loop) {
        return new LateAgent(loop, others.on(loop));
    }

    private Optional<LateName> late(DomainName name) {
        return LateName.of(names, name).filter(each -> !each.ofService() || isElsewhere(each.wanted().datacenter()));
    }

    /// Before Consul has said which datacenters there are, any might be one.
    private boolean isElsewhere(String datacenter) {
        if (ownDatacenters.get().contains(datacenter)) {
            return false;
        }
        Optional<Datacenters> last = datacenters;
        if (last.isEmpty() || System.nanoTime() - last.get().atNanos > DATACENTERS_FRESH_NANOS) {
            if (refreshing.compareAndSet(false, true)) {
                Thread.ofVirtual().name("dns-datacenters").start(this::refreshDatacenters);
            }
        }
        return last.isEmpty() || last.get().names.contains(datacenter);
    }

    private void refreshDatacenters() {
        try {
            Set<String> found = Set.copyOf(lookup.datacenters().stream().map(each -> each.toLowerCase(Locale.ROOT)).toList());
            datacenters = Optional.of(new Datacenters(found, System.nanoTime()));
        } catch (IOException _) {
            // What was known stays; the next question tries again.
        } finally {
            refreshing.set(false);
        }
    }

    private CompletableFuture<Outcome> ask(DomainName name, LateName late) {
        if (!places.tryAcquire()) {
            return CompletableFuture.completedFuture(lastGood(name, "too many questions to Consul at a time"));
        }
        var future = new CompletableFuture<Outcome>();
        Thread.ofVirtual().name("dns-late").start(() -> {
            Outcome outcome;
            try {
                Zone zone = zone(name, late, lookup.find(late.wanted()));
                known.put(name, new Known(zone, System.nanoTime()));
                outcome = new Outcome(Optional.of(zone), false, "");
            } catch (IOException | RuntimeException e) {
                outcome = lastGood(name, String.valueOf(e.getMessage()));
            } finally {
                places.release();
            }
            asked.remove(name);
            future.complete(outcome);
        });
        return future;
    }

    private Outcome lastGood(DomainName name, String trouble) {
        return new Outcome(Optional.ofNullable(known.getIfPresent(name)).map(Known::zone), true, trouble);
    }

    private Zone zone(DomainName name, LateName late, Optional<Found> found) {
        boolean query = late.wanted() instanceof Wanted.Query;
        if (found.isEmpty() || (found.get().instances().isEmpty() && !query)) {
            return empty;
        }
        if (late.wanted() instanceof Wanted.OnNode) {
            List<RRset> sets = new ServiceRecords(settings).ofNode(found.get().instances().getFirst().node()).values().stream().findFirst().orElse(List.of());
            return empty.change().put(name, sets).build(0);
        }
        // A prepared query has its own rule of health.
        List<Instance> instances = found.get().instances().stream()
                .filter(each -> query || settings.health().admits(each.health()))
                .filter(each -> late.tag().isEmpty() || ServiceRecords.hasTag(late.tag()).test(each))
                .toList();
        return empty.change().put(name, records(instances, ttl(found.get(), late), query)).build(0);
    }

    private Duration ttl(Found found, LateName late) {
        try {
            return found.ttl().isEmpty() ? ttl(found.instances(), late) : Duration.parse("PT" + found.ttl());
        } catch (DateTimeParseException _) {
            return ttl(found.instances(), late);
        }
    }

    private Duration ttl(List<Instance> instances, LateName late) {
        return switch (late.wanted()) {
            case Wanted.Query _ -> instances.stream().findFirst().map(each -> settings.ttls().ofService(each.service())).orElse(settings.ttls().others());
            case Wanted.Connect(var service, _) -> settings.ttls().ofService(service);
            case Wanted.Ingress(var service, _) -> settings.ttls().ofService(service);
            case Wanted.Service(var service, _) -> settings.ttls().ofService(service);
            case Wanted.OnNode _ -> settings.ttls().node();
        };
    }

    /// SRV records point at spelled addresses: those resolve in any datacenter.
    private List<RRset> records(List<Instance> instances, Duration ttl, boolean ordered) {
        var addresses = new ArrayList<RRset.Weighted>();
        var services = new ArrayList<RRset.Weighted>();
        var aliases = new ArrayList<RRset.Weighted>();
        for (Instance each : instances) {
            int weight = each.weight();
            switch (Locator.of(each, names)) {
                case Locator.Addresses(var ips, _, _) -> {
                    InetAddress ip = ips.getFirst();
                    DomainName target = names.under("addr", "").child(HexFormat.of().formatHex(ip.getAddress()));
                    ips.forEach(address -> addresses.add(new RRset.Weighted(new Rdata.Address(address), weight)));
                    services.add(new RRset.Weighted(new Rdata.Srv(1, weight, each.port(), target, List.of(ip)), weight));
                }
                case Locator.HostName(var host) -> {
                    services.add(new RRset.Weighted(new Rdata.Srv(1, weight, each.port(), host, List.of()), weight));
                    aliases.add(new RRset.Weighted(new Rdata.Cname(host), weight));
                }
                case Locator.Nowhere _ -> {}
            }
        }
        var all = new ArrayList<RRset.Weighted>(addresses);
        all.addAll(services);
        if (addresses.isEmpty() && !aliases.isEmpty()) {
            all.add(aliases.getFirst());
        }
        return ordered ? RRset.ordered(ttl, all.stream().map(RRset.Weighted::rdata).toList()) : RRset.weighted(ttl, all);
    }

    /// One event loop's part, confined to it.
    private final class LateAgent implements Agent {
        private final EventLoop loop;
        private final Agent other;
        private final Responder responder = new Responder(Agent.NONE, Responder.UDP_PAYLOAD);
        /// What [#answer] has just said false to; empty where it was the other who did.
        private Optional<LateName> wanted = Optional.empty();
        private DomainName name = DomainName.ROOT;

        LateAgent(EventLoop loop, Agent other) {
            this.loop = loop;
            this.other = other;
        }

        @Override
        public boolean recursive() {
            return !other.equals(Agent.NONE) && other.recursive();
        }

        @Override
        public boolean covers(byte[] bytes, int nameAt, int nameLength) {
            DomainName asking = DomainName.copyOf(bytes, nameAt, nameAt + nameLength);
            return isOurs(asking) ? late(asking).isPresent() : other.covers(bytes, nameAt, nameLength);
        }

        @Override
        public boolean isOwn(byte[] bytes, int nameAt, int nameLength) {
            return isOurs(DomainName.copyOf(bytes, nameAt, nameAt + nameLength));
        }

        @Override
        public boolean answer(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
            name = DomainName.copyOf(in, Query.HEADER, Query.HEADER + query.nameLength());
            wanted = late(name);
            if (wanted.isEmpty() && isOurs(name)) {
                // Of a datacenter that isn't there.
                responder.into(empty, query, in, out, to, relay);
                return true;
            }
            if (wanted.isEmpty()) {
                return other.answer(query, in, out, from, to, relay);
            }
            Known last = known.getIfPresent(name);
            if (last == null || relay.nowNanos - last.atNanos > FRESH_NANOS) {
                return false;
            }
            responder.into(last.zone, query, in, out, to, relay);
            return true;
        }

        @Override
        public void ask(Asker asker) {
            if (wanted.isEmpty()) {
                other.ask(asker);
                return;
            }
            LateName late = wanted.get();
            CompletableFuture<Outcome> future = asked.computeIfAbsent(name, each -> LateNames.this.ask(each, late));
            if (future.isDone()) {
                asked.remove(name, future); // one that was not even begun
            }
            var _ = future.thenAccept(outcome -> loop.execute(
                    () -> asker.answered((query, in, out, from, to, relay) -> write(outcome, query, in, out, from, to, relay))));
        }

        private void write(Outcome outcome, Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
            if (outcome.zone.isPresent()) {
                responder.into(outcome.zone.get(), query, in, out, to, relay);
                relay.stale = outcome.stale;
                relay.errorInfo = outcome.stale ? ErrorInfo.STALE_ANSWER : ErrorInfo.NONE;
            } else {
                relay.end = from;
                relay.rcode = Rcode.SERVFAIL;
                relay.errorInfo = ErrorInfo.NO_REACHABLE_AUTHORITY;
            }
            relay.errorText = outcome.trouble.getBytes(StandardCharsets.UTF_8);
        }

        private boolean isOurs(DomainName asking) {
            return asking.isWithin(settings.domain()) || settings.alternativeDomain().filter(asking::isWithin).isPresent();
        }
    }
}
