package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.FileWatch;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.ClientTls;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/// All sources as one: a service that several of them know has the instances of all. Nothing is published before every
/// source has spoken, or its copy on disk has for it. Other datacenters are asked after that, and nobody waits for them.
public final class Catalog implements AutoCloseable {
    private final List<CatalogSource> sources;
    private final List<Other> others;
    private final Panic panic;

    // Guarded by `this`: the sources' threads, each of which publishes what it changed, one at a time.
    private final Map<CatalogSource, Snapshot> latest = new HashMap<>();
    private Snapshot published = Snapshot.EMPTY;
    private final Standby standby;
    private boolean closed;

    /// Written once, by whoever publishes first.
    private volatile Optional<String> ownDatacenter = Optional.empty();

    /// A datacenter that stands by.
    record Other(String datacenter, CatalogSource source) {}

    /// @param sources in order of precedence: where two know the same instance or node, the first one's counts
    public Catalog(List<CatalogSource> sources) {
        this(sources, List.of(), new Panic(Set.of(), HealthRule.PASSING));
    }

    /// @param others in the order of failover
    Catalog(List<CatalogSource> sources, List<Other> others, Panic panic) {
        this.sources = List.copyOf(sources);
        this.others = List.copyOf(others);
        this.panic = panic;
        this.standby = new Standby(others.size());
    }

    /// The sources that the configuration names.
    ///
    /// @param tls            towards Consul, for an `https` address
    /// @param servedRevision the revision that is being served, for the log; 0 before the first
    /// @throws IOException the file catalog is bad; the message has every problem on a line of its own
    public static Catalog of(GatewayConfig config, Optional<ClientTls> tls, LongSupplier servedRevision, InstantSource clock) throws IOException {
        List<CatalogSource> sources = new ArrayList<>();
        Optional<Path> file = config.catalog().file();
        if (file.isPresent()) {
            sources.add(FileCatalog.open(file.get(), FileWatch.Timing.DEFAULT, clock));
        }
        List<Other> others = new ArrayList<>();
        config.consul().ifPresent(consul -> {
            CatalogSource source =
                    new ConsulCatalog(consul, config.catalog().maxLossPercent(), tls, servedRevision, ConsulCatalog.Timing.DEFAULT, clock, RandomGenerator.getDefault());
            sources.add(kept(source, config, "", servedRevision, clock));
            consul.datacenters().stream().distinct().forEach(datacenter -> {
                CatalogSource other = ConsulCatalog.elsewhere(
                        consul, datacenter, config.catalog().maxLossPercent(), tls, servedRevision, ConsulCatalog.Timing.DEFAULT, clock, RandomGenerator.getDefault());
                others.add(new Other(datacenter, kept(other, config, "." + datacenter, servedRevision, clock)));
            });
        });
        return new Catalog(sources, others, new Panic(config.catalog().panic(), HealthRule.of(config.routes())));
    }

    /// With its copy on disk, where one is wanted.
    private static CatalogSource kept(CatalogSource source, GatewayConfig config, String suffix, LongSupplier servedRevision, InstantSource clock) {
        return config.catalog().lastGood()
                .map(copy -> copy.resolveSibling(copy.getFileName() + suffix))
                .<CatalogSource>map(copy -> new LastGood(source, copy, config.catalog().maxAge(), servedRevision, LastGood.Timing.DEFAULT, clock))
                .orElse(source);
    }

    /// @param changed called with each new snapshot by one thread at a time
    public void start(Consumer<Snapshot> changed) {
        if (sources.isEmpty()) {
            changed.accept(Snapshot.EMPTY);
            return;
        }
        for (CatalogSource source : sources) {
            source.start(snapshot -> publish(source, snapshot, changed));
        }
    }

    /// How each source stands, in order of precedence.
    public List<SourceStatus> status() {
        return sources.stream().map(CatalogSource::status).toList();
    }

    /// How those that stand by stand, the nearest first. Our own is not among them.
    public List<OtherDatacenter> others() {
        Optional<String> own = ownDatacenter;
        List<OtherDatacenter> standing = new ArrayList<>();
        for (int i = 0; i < others.size(); i++) {
            Other other = others.get(i);
            if (!own.equals(Optional.of(other.datacenter()))) {
                standing.add(new OtherDatacenter(other.datacenter(), i + 1, other.source().status()));
            }
        }
        return standing;
    }

    /// Consul's index as last heard; 0 where there is no Consul.
    public long index() {
        return sources.stream().mapToLong(CatalogSource::index).max().orElse(0);
    }

    /// When the sources last confirmed what is served: the one that did so longest ago. Empty before all have.
    public Optional<Instant> confirmedAt() {
        List<Optional<Instant>> confirmed = status().stream().map(SourceStatus::confirmedAt).toList();
        if (confirmed.stream().anyMatch(Optional::isEmpty)) {
            return Optional.empty();
        }
        return confirmed.stream().flatMap(Optional::stream).min(Instant::compareTo);
    }

    /// Nothing is published after it returns.
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        sources.forEach(CatalogSource::close);
        others.forEach(other -> other.source().close());
    }

    private synchronized void publish(CatalogSource source, Snapshot snapshot, Consumer<Snapshot> changed) {
        if (closed) {
            return;
        }
        latest.put(source, snapshot);
        if (latest.size() < sources.size()) {
            return;
        }
        Snapshot merged = sources.size() == 1 ? snapshot : published.updatedTo(merged());
        published = merged;
        standby.here(panic.applied(merged));
        changed.accept(standby.snapshot());
        if (ownDatacenter.isEmpty() && !others.isEmpty()) {
            ownDatacenter = Optional.of(ownDatacenter());
            askTheOthers(changed);
        }
    }

    /// The last source is Consul, where there is any.
    private String ownDatacenter() {
        return latest.getOrDefault(sources.getLast(), Snapshot.EMPTY).nodes().values().stream().map(Node::datacenter).findFirst().orElse("");
    }

    private void askTheOthers(Consumer<Snapshot> changed) {
        for (int i = 0; i < others.size(); i++) {
            int distance = i + 1;
            Other other = others.get(i);
            if (!other.datacenter().equals(ownDatacenter.orElse(""))) {
                other.source().start(snapshot -> publishElsewhere(distance, snapshot, changed));
            }
        }
    }

    private synchronized void publishElsewhere(int distance, Snapshot snapshot, Consumer<Snapshot> changed) {
        if (!closed) {
            standby.elsewhere(distance, snapshot);
            changed.accept(standby.snapshot());
        }
    }

    private Snapshot merged() {
        Map<String, Service> services = new TreeMap<>();
        Map<String, Node> nodes = new TreeMap<>();
        for (CatalogSource source : sources) {
            Snapshot part = latest.getOrDefault(source, Snapshot.EMPTY);
            part.services().forEach((name, service) -> services.merge(name, service, Catalog::united));
            part.nodes().forEach(nodes::putIfAbsent);
        }
        return new Snapshot(services, nodes);
    }

    private static Service united(Service first, Service second) {
        Map<String, Instance> instances = new LinkedHashMap<>();
        first.instances().forEach(instance -> instances.put(instance.key(), instance));
        second.instances().forEach(instance -> instances.putIfAbsent(instance.key(), instance));
        return new Service(first.name(), List.copyOf(instances.values()));
    }
}
