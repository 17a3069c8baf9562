package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.catalog.ConsulClient.Answer;
import dev.gatepost.gateway.catalog.ConsulClient.Consistency;
import dev.gatepost.gateway.catalog.ConsulFailure.Kind;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.ClientTls;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The catalog as a Consul agent tells it, followed with four watches over all services instead of one for each, since
/// an agent allows a client address 200 connections and its own command line needs some of them. A watch never says what
/// is true, only what to read: a service's truth is `/v1/health/service/NAME`, read whole.
///
/// | event | seen by | read again |
/// |---|---|---|
/// | check changes state, maintenance mode on or off | `health/state/critical`, `health/state/warning`, compared with ours | that service; for a node's check all on that node |
/// | service comes, tags change | `catalog/services` | that service, then a search |
/// | service goes | `catalog/services` | nothing: it is dropped |
/// | port, address, Meta, weights change, an instance comes or goes | `catalog/services` returns with a higher index and the same body | those that changed so last; then a search: each node is asked for its services, and what differs is read |
/// | node's address or Meta changes | `catalog/nodes`, compared with ours | services on that node |
/// | a passing check comes or goes | the slow sweep: it changes no health | one service after the other |
/// | something written while a watch was down | each list is compared with what we hold | what differs; a search after a gap in `catalog/services` |
///
/// A watch returns within a few milliseconds of the write, and one service is read in one or two: a check that flaps costs
/// the agent its two watches asked again and that one read. A search costs a request for each node, or for each service
/// where there are fewer of those, over a few connections.
///
/// Where the agent speaks HTTP/2, which it does over TLS, every service has a watch of its own beside the four: hundreds
/// share a connection there. It sees any change of its service at once and brings the whole truth along; what the four
/// notice about such a service is checked a moment later, in case its watch has gone deaf.
///
/// A read that fails keeps what was there and is repeated; only the list of names removes a service; and a loss of more
/// than a set share of all instances at once is read a second time, consistently, before it is believed.
public final class ConsulCatalog implements CatalogSource {
    private static final Logger LOG = LoggerFactory.getLogger(ConsulCatalog.class);

    /// How long a service's own watch may take to tell what another one noticed.
    private static final Duration RECHECK = Duration.ofMillis(100);

    private static final String NODE = "/v1/catalog/node/";
    private static final String SERVICE = "/v1/health/service/";

    /// Connections for reading, beside the four that wait.
    private static final int READERS = 8;

    /// The same for another datacenter, which is read through the same agent.
    private static final int READERS_ELSEWHERE = 2;

    /// @param sleep        how long a watch sleeps at the agent when nothing happens
    /// @param answer       longest silence while an answer is due
    /// @param settle       pause between two rounds of reading while changes come in a row
    /// @param pace         shortest time between two returns of one watch, after a burst
    /// @param sweepEvery   how long the slow sweep takes to read everything once
    /// @param searchPause  shortest pause between two searches
    /// @param retryFirst   pause after a first failure, doubling
    /// @param retryLongest where the doubling ends
    /// @param confirm      how much later a sudden loss is read a second time
    /// @param doze         how long a service's own watch sleeps at the agent
    /// @param patience     how long the first snapshot waits for services whose reads fail
    public record Timing(
            Duration sleep,
            Duration answer,
            Duration settle,
            Duration pace,
            Duration sweepEvery,
            Duration searchPause,
            Duration retryFirst,
            Duration retryLongest,
            Duration confirm,
            Duration doze,
            Duration patience) {
        public static final Timing DEFAULT = new Timing(
                Duration.ofSeconds(20),
                Duration.ofSeconds(5),
                Duration.ofMillis(5),
                Duration.ofMillis(50),
                Duration.ofMinutes(5),
                Duration.ofMillis(200),
                Duration.ofMillis(100),
                Duration.ofSeconds(10),
                Duration.ofMillis(300),
                Duration.ofSeconds(60),
                Duration.ofSeconds(10));
    }

    private final ConsulClient client;
    private final Timing timing;
    private final RandomGenerator random;
    private final int maxLossPercent;
    private final boolean near;
    private final ConsulStanding standing;
    private final BlockingQueue<Heard> inbox = new LinkedBlockingQueue<>();
    private final ConsulWatches watches;
    private final ConsulReads reads;
    private final Thread thread = Thread.ofVirtual().name("consul-catalog").unstarted(this::follow);
    private volatile boolean closed;

    /// By [System#nanoTime], 0 while there is nothing to read; for the watchdog's eyes.
    private volatile long readingSince;

    private volatile Optional<String> datacenter = Optional.empty();

    // Owned by the catalog's thread.
    private final HeldCatalog catalog = new HeldCatalog();
    private final DirectWatches direct;
    private final Map<String, Long> readIndexes = new HashMap<>();
    private Optional<Long> recheckAt = Optional.empty();
    private final ReadQueue queue;
    private Consumer<Snapshot> changed = _ -> {};
    private Optional<Snapshot> delivered = Optional.empty();
    private long deliveredEdition;
    private int deliveredInstances;
    private long watchedRoster = -1;
    private int recoveries;
    private boolean namesHeard;
    private boolean nodesHeard;
    private final ConsulRights rights = new ConsulRights();
    private final Set<Health> sickHeard = EnumSet.noneOf(Health.class);
    private long lastDelivered;
    private long patienceEnds;

    /// @param maxLossPercent of all instances: a greater loss at once must be confirmed
    /// @param tls            for an `https` address: whom to believe and what to show
    /// @param servedRevision the revision that is being served, for log lines; 0 before the first
    public ConsulCatalog(
            GatewayConfig.Consul consul,
            int maxLossPercent,
            Optional<ClientTls> tls,
            LongSupplier servedRevision,
            Timing timing,
            InstantSource clock,
            RandomGenerator random) {
        this(consul, consul.address(), true, maxLossPercent, tls, servedRevision, timing, clock, random);
    }

    /// Another datacenter's catalog, asked for through the same agent: over fewer connections, and without a watch for
    /// each service, since every question crosses the distance.
    static ConsulCatalog elsewhere(
            GatewayConfig.Consul consul,
            String datacenter,
            int maxLossPercent,
            Optional<ClientTls> tls,
            LongSupplier servedRevision,
            Timing timing,
            InstantSource clock,
            RandomGenerator random) {
        return new ConsulCatalog(consul.in(datacenter), consul.address() + "?dc=" + datacenter, false, maxLossPercent, tls, servedRevision, timing, clock, random);
    }

    /// @param shownAs what it is called in status and log
    /// @param near whether it is our own datacenter's
    private ConsulCatalog(
            GatewayConfig.Consul consul,
            String shownAs,
            boolean near,
            int maxLossPercent,
            Optional<ClientTls> tls,
            LongSupplier servedRevision,
            Timing timing,
            InstantSource clock,
            RandomGenerator random) {
        this.near = near;
        this.timing = timing;
        this.random = random;
        this.maxLossPercent = maxLossPercent;
        this.client = new ConsulClient(consul, tls, new ConsulToken(consul), timing.answer(), timing.sleep(), timing.doze());
        this.standing = new ConsulStanding(shownAs, servedRevision, clock, ConsulWatches.ENDPOINTS, System.nanoTime());
        this.watches = new ConsulWatches(client, timing, consul.maxStale(), standing, this::watchBackoff, inbox::add);
        this.reads = new ConsulReads(client, timing.answer(), near ? READERS : READERS_ELSEWHERE);
        // A tenth more or less, so that a fleet's sweeps drift apart.
        long sweepNanos = timing.sweepEvery().toNanos();
        Duration sweepEvery = Duration.ofNanos(sweepNanos - sweepNanos / 10 + random.nextLong(Math.max(1, sweepNanos / 5)));
        this.direct = new DirectWatches(this::directQuery, this::backoff, (name, answer) -> inbox.add(new Heard.Direct(name, Shown.of(name, answer))));
        this.queue = new ReadQueue(sweepEvery, timing.searchPause(), this::backoff, System.nanoTime());
    }

    @Override
    public void start(Consumer<Snapshot> consumer) {
        changed = consumer;
        watches.start(() -> readingSince);
        thread.start();
    }

    @Override
    public SourceStatus status() {
        return standing.status();
    }

    @Override
    public long index() {
        return watches.index();
    }

    /// How many services have a watch of their own.
    int directlyWatched() {
        return direct.count();
    }

    /// The datacenter whose catalog this is, once known.
    public Optional<String> datacenter() {
        return datacenter;
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        watches.close();
        direct.close();
        reads.close();
        client.close();
        if (thread == Thread.currentThread() || thread.getState() == Thread.State.NEW) {
            return; // closed by its own consumer, or before it began
        }
        try {
            thread.join(timing.answer());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private BlockingQuery directQuery(String name) {
        Pace pace = new Pace(3, Duration.ofNanos(timing.pace().toNanos() / 4), System::nanoTime);
        return new BlockingQuery(client, SERVICE + ConsulClient.segment(name), timing.doze(), Duration.ZERO, pace)
                .after(readIndexes.getOrDefault(name, 0L));
    }

    private Backoff backoff() {
        return new Backoff(timing.retryFirst(), timing.retryLongest(), random);
    }

    /// Of those who notice that Consul is back: a fifth of the time that it was away is the longest they wait.
    private Backoff watchBackoff() {
        return new Backoff(timing.retryFirst(), timing.retryLongest(), 1.25, random);
    }

    // ---- the catalog's own thread: everything below ---------------------------------------------------------------

    private void follow() {
        while (!closed) {
            try {
                hear();
                readingSince = System.nanoTime();
                if (standing.recoveries() != recoveries) {
                    recoveries = standing.recoveries();
                    queue.retry(System.nanoTime());
                }
                if (!standing.away()) {
                    ReadQueue.Batch batch = queue.take(catalog.names(), catalog.nodeNames(), System.nanoTime());
                    read(batch.services(), Consistency.DEFAULT);
                    survey(batch.nodes());
                    queue.roundDone(System.nanoTime());
                }
                deliver();
                watchDirectly();
                readingSince = 0;
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                if (closed) {
                    return;
                }
                LOG.error("following consul failed, going on with what is known", e);
                queue.search();
            }
        }
    }

    private void watchDirectly() {
        if (near && delivered.isPresent() && client.dozers() > 0 && catalog.roster() != watchedRoster) {
            watchedRoster = catalog.roster();
            direct.watch(catalog.present(), client.dozers());
        }
    }

    /// Waits until there is something to do, and takes in what the watches heard.
    private void hear() throws InterruptedException {
        // While Consul is away there is nothing to read; a watch will tell when it is back.
        long idle = standing.away() ? timing.retryLongest().toNanos() : Math.min(queue.idle(System.nanoTime()), untilRecheck());
        Heard first = inbox.poll(idle, TimeUnit.NANOSECONDS);
        if (first != null) {
            // A change after a quiet while is taken at once; those in a row are gathered, a pause each.
            long sinceLast = System.nanoTime() - lastDelivered;
            if (sinceLast < timing.settle().toNanos()) {
                TimeUnit.NANOSECONDS.sleep(timing.settle().toNanos() - sinceLast);
            }
            List<Heard> all = new ArrayList<>(List.of(first));
            inbox.drainTo(all);
            all.forEach(this::take);
            standing.rights(rights.missing());
        }
        recheck();
    }

    private long untilRecheck() {
        return recheckAt.map(at -> Math.max(0, at - System.nanoTime())).orElse(Long.MAX_VALUE);
    }

    /// Services that differ are read, except for those that have a watch of their own: it tells in a moment, and then nothing differs.
    private void differ(Set<String> names) {
        Map<Boolean, List<String>> byCover = names.stream().collect(Collectors.partitioningBy(direct::covers));
        queue.differs(byCover.getOrDefault(false, List.of()));
        if (!byCover.getOrDefault(true, List.of()).isEmpty() && recheckAt.isEmpty()) {
            recheckAt = Optional.of(System.nanoTime() + RECHECK.toNanos());
        }
    }

    private void recheck() {
        if (recheckAt.isPresent() && untilRecheck() == 0) {
            recheckAt = Optional.empty();
            queue.differs(catalog.tagsDiffer());
            queue.differs(catalog.checksDiffer());
        }
    }

    /// Takes in what a service's own endpoint showed, if that is to be believed.
    private Optional<ConsulFailure> takeIn(Shown shown) {
        Optional<ConsulFailure> failure = shortened(shown);
        if (failure.isEmpty()) {
            String name = shown.service().name();
            if (catalog.put(shown.service()) && delivered.isPresent()) {
                queue.changed(name);
            }
            readIndexes.put(name, shown.index());
        }
        return failure;
    }

    private void take(Heard heard) {
        switch (heard) {
            case Heard.Names names -> {
                boolean first = !namesHeard;
                namesHeard = true;
                rights.names(names.tagsByName().isEmpty(), names.filtered());
                differ(catalog.list(names.tagsByName(), rights.lost(names.filtered())));
                queue.retain(catalog.names());
                readIndexes.keySet().retainAll(catalog.names());
                if (names.moved() && !first && !catalog.names().stream().allMatch(direct::covers)) {
                    queue.search();
                }
            }
            case Heard.Nodes nodes -> {
                rights.nodes(nodes.nodes().isEmpty(), nodes.filtered());
                nodesHeard = true;
                datacenter = nodes.nodes().values().stream().map(Node::datacenter).findFirst().or(() -> datacenter);
                queue.differs(catalog.nodes(nodes.nodes(), rights.lost(nodes.filtered())));
            }
            case Heard.Direct(String name, Shown shown) -> takeIn(shown).ifPresentOrElse(
                    _ -> queue.failed(name, System.nanoTime()), () -> queue.succeeded(name));
            case Heard.Sick sick -> {
                sickHeard.add(sick.state());
                differ(catalog.sick(sick.state(), sick.checks()));
            }
        }
    }

    private void read(Collection<String> names, Consistency consistency) throws InterruptedException {
        if (names.isEmpty()) {
            return;
        }
        Optional<ConsulFailure> reason = Optional.empty();
        for (ConsulReads.Read<Shown> read : reads.all(SERVICE, names, consistency, Shown::of)) {
            Optional<ConsulFailure> failure = read.failure().or(() -> read.said().flatMap(this::takeIn));
            if (failure.isPresent()) {
                queue.failed(read.name(), System.nanoTime());
                reason = failure;
            } else {
                queue.succeeded(read.name());
            }
        }
        if (!standing.away()) {
            standing.kept(List.copyOf(queue.failing()), reason);
        }
    }

    private Optional<ConsulFailure> shortened(Shown shown) {
        int before = catalog.instancesOf(shown.service().name());
        int now = shown.service().instances().size();
        return rights.lost(shown.filtered()) && now < before
                ? Optional.of(new ConsulFailure(Kind.DENIED, "shows " + now + " of " + before + " instances, the token may not see the rest"))
                : Optional.empty();
    }

    /// Asks nodes for their services, to learn which of them to read.
    private void survey(Collection<String> nodes) throws InterruptedException {
        if (nodes.isEmpty()) {
            return;
        }
        Map<String, List<Instance>> said = new HashMap<>();
        for (ConsulReads.Read<List<Instance>> read : reads.all(NODE, nodes, Consistency.DEFAULT, (_, answer) -> ConsulJson.nodeServices(answer.body()))) {
            read.said().ifPresentOrElse(instances -> said.put(read.name(), instances), queue::searchServices);
        }
        queue.differs(catalog.survey(said));
    }

    private void deliver() throws InterruptedException {
        if (!complete() || (delivered.isPresent() && catalog.edition() == deliveredEdition)) {
            return;
        }
        Snapshot now = catalog.snapshot();
        if (delivered.isEmpty()) {
            LOG.info("consul followed ({}): {} services, {} instances", client.address(), now.services().size(), catalog.instanceCount());
        } else if (lostTooMuch()) {
            if (!confirmedLoss(delivered.get()) || closed) {
                return;
            }
            now = catalog.snapshot();
        }
        standing.held(Optional.empty());
        standing.delivered();
        delivered = Optional.of(now);
        deliveredEdition = catalog.edition();
        deliveredInstances = catalog.instanceCount();
        lastDelivered = System.nanoTime();
        changed.accept(now);
    }

    /// Nothing is delivered before every service was read, except for those that fail for longer than our patience:
    /// one broken service must not keep all others away for ever.
    private boolean complete() {
        if (!namesHeard || !nodesHeard || sickHeard.size() < ConsulWatches.SICK.size()) {
            return false;
        }
        if (delivered.isPresent()) {
            return true;
        }
        if (catalog.names().isEmpty() || catalog.nodeNames().isEmpty()) {
            return false; // there are servers at least: what we get to see is nothing to deny anybody's existence with
        }
        Set<String> missing = catalog.missing();
        long now = System.nanoTime();
        if (patienceEnds == 0) {
            patienceEnds = now + timing.patience().toNanos();
        }
        if (missing.isEmpty()) {
            return true;
        }
        boolean failing = queue.failing().containsAll(missing);
        if (!failing || now - patienceEnds < 0) {
            return false;
        }
        LOG.warn("consul gives no usable answer for {} ({}); starting without", ConsulStanding.some(List.copyOf(missing)), client.address());
        return true;
    }

    private boolean lostTooMuch() {
        long had = deliveredInstances;
        return (had - catalog.instanceCount()) * 100 > had * maxLossPercent;
    }

    /// A sudden loss of most instances is what a fleet going down looks like, and also what a server that just
    /// started, or a token that lost its rights, looks like. Reads everything a second time, consistently.
    ///
    /// @return whether what is held then is to be believed; not while it can't be had
    private boolean confirmedLoss(Snapshot before) throws InterruptedException {
        standing.held(Optional.of("consul shows " + catalog.instanceCount() + " of " + deliveredInstances + " instances all of a sudden, reading it again"));
        TimeUnit.NANOSECONDS.sleep(timing.confirm().toNanos());
        try {
            Answer answer = client.ask(ConsulWatches.SERVICES, Consistency.CONSISTENT);
            catalog.list(ConsulJson.services(answer.body()), rights.lost(answer.filtered()));
            queue.retain(catalog.names());
            if (catalog.names().isEmpty() && before.services().containsKey("consul")) {
                // Servers list themselves: an empty list is never true where they were visible before.
                standing.held(Optional.of("consul lists no service any more, not even itself: does the token still have service:read?"));
                return false;
            }
            read(List.copyOf(catalog.names()), Consistency.CONSISTENT);
        } catch (ConsulFailure e) {
            queue.searchServices(); // comes back here
            return false;
        }
        LOG.info("consul shows {} of {} instances on a second read, following it", catalog.instanceCount(), deliveredInstances);
        return true;
    }
}
