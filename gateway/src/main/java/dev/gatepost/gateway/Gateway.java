package dev.gatepost.gateway;

import dev.gatepost.dns.DnsServer;
import dev.gatepost.dns.DnsSettings;
import dev.gatepost.dns.Outside;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.TlsListener;
import dev.gatepost.dns.Zone;
import dev.gatepost.dns.forward.Forwarder;
import dev.gatepost.gateway.accesslog.AccessLog;
import dev.gatepost.gateway.catalog.Catalog;
import dev.gatepost.gateway.catalog.ConsulLookup;
import dev.gatepost.gateway.catalog.SourceStatus;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.fragment.FragmentWatch;
import dev.gatepost.gateway.proxy.ConnectionStart;
import dev.gatepost.gateway.proxy.Gate;
import dev.gatepost.gateway.proxy.GateSettings;
import dev.gatepost.gateway.proxy.ListenerSpec;
import dev.gatepost.gateway.proxy.LocalPath;
import dev.gatepost.gateway.proxy.TlsStart;
import dev.gatepost.gateway.route.RouteSettings;
import dev.gatepost.gateway.tls.CertificateLoad;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.ClientTls;
import dev.gatepost.gateway.tls.RejectedCertificate;
import dev.gatepost.gateway.tls.TlsProvider;
import dev.gatepost.gateway.tls.UpstreamTls;
import dev.gatepost.gateway.zone.Gateways;
import dev.gatepost.gateway.zone.LateNames;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The wiring and the life of one gateway: what is opened in which order, what is served, and how it ends.
///
/// Start opens the log, the event loops and the listeners, and follows the catalog while DNS and the admin API open. Until the first
/// snapshot is there, and it has warmed up, it is not ready; without a snapshot it answers 503 and SERVFAIL. Stop goes the other way:
/// not ready, a grace, listeners closed, connections drained, DNS, admin and catalog closed.
public final class Gateway implements AutoCloseable {
    private static final long GATE_VIEW_MILLIS = 100;
    /// For a catalog, before we are warm without one.
    private static final Duration FIRST_STATE_WAIT = Duration.ofSeconds(30);
    /// A connection whose SYN has reached us is complete after that long: a round trip, or a second one after a loss.
    private static final Duration HANDSHAKE = Duration.ofMillis(1500);
    /// For queries in a queue.
    private static final Duration DATAGRAMS = Duration.ofMillis(200);
    /// In looks at the sources: not more often than needed, since for some milliseconds it undoes what a process that leaves has set.
    private static final int SHARE_EVERY = 5;
    private static final Duration SHORTLY = Duration.ofMillis(20);
    private static final Logger LOG = LoggerFactory.getLogger(Gateway.class);

    private final GatewayConfig config;
    private final InstantSource clock;
    private final Deque<Opened> opened = new ArrayDeque<>();
    private final CountDownLatch stopped = new CountDownLatch(1);
    private final AccessLog accessLog;
    private final Optional<ClientTls> consulTls;
    private final Optional<Certificates> certificates;
    private final UpstreamTls upstreamTls;
    private final Gate gate;
    private final Optional<Forwarder> forwarder;
    private final Optional<DnsServer> dns;
    private volatile Optional<AdminApi> admin = Optional.empty(); // written by the thread that waits for its port
    private final Catalog catalog;
    private final FragmentWatch fragments;
    private final AtomicReference<GatewayState> state; // written by the publication, read by everybody, once per request or query
    private final GatewayState.Settings settings;
    private final Publication publication;
    private final Object draining = new Object(); // a signal's thread against the admin API's
    private volatile @Nullable DnsServer answering; // by HTTPS; set once, before it is ready
    private volatile boolean warm; // written by the thread that sees to it
    private volatile boolean drains;
    private volatile boolean stale; // written by one thread, read by the event loops

    /// Something to close when the gateway ends, last opened first.
    private record Opened(String name, AutoCloseable closing) {}

    private Gateway(GatewayConfig config, InstantSource clock) throws StartFailure {
        this.config = config;
        this.clock = clock;
        this.state = new AtomicReference<>(GatewayState.unknown(settings(config, Gateways.NONE), clock.instant()));
        boolean takesOver = config.drain().handOver();
        try {
            this.accessLog = open("access log", AccessLog.open(
                    config.accessLog(), new AccessLog.Origin(hostName(), Version.ofThisBuild().version()), config.threads()));
            EventLoopGroup loops = EventLoops.open(config.threads());
            open("event loops", () -> EventLoops.close(loops).awaitUninterruptibly());
            this.certificates = config.https().isPresent() ? Optional.of(open("certificates", certificates(config.https().get()))) : Optional.empty();
            this.consulTls = config.consul().isPresent() ? ClientTls.of(config.consul().get()).map(tls -> open("TLS to consul", tls)) : Optional.empty();
            this.fragments = open("fragments", FragmentWatch.of(config, consulTls, clock));
            this.catalog = open("catalog", Catalog.of(config, consulTls, () -> state().revision(), clock));
            this.upstreamTls = open("TLS to upstreams", UpstreamTls.of(config.upstreams()));
            upstreamTls.watch();
            GateSettings gateSettings = GateSettings.from(config, upstreamTls);
            this.gate = open("gate", Gate.start(gateSettings, loops, () -> state().serving(), accessLog, dnsOverHttps()));
            if (!takesOver) {
                gate.listen(listeners());
            }
            this.settings = settings(config, gateways());
            state.set(GatewayState.unknown(settings, clock.instant()));
            Withholding withholding = new Withholding(gate, OwnAddresses.amongst(ownAddresses()), ownPorts());
            this.publication = new Publication(state, settings, certificates, withholding, catalog::index, clock);
            followSources(); // the first state is made while the rest opens
            if (takesOver) {
                warmUp();
                gate.listen(listeners());
            }
            this.forwarder = forwards(config)
                    ? Optional.of(open("forwarder", Forwarding.open(config.dns().orElseThrow().forwarding())).forwarder())
                    : Optional.empty();
            this.dns = config.dns().isPresent() ? Optional.of(open("dns", post(config.dns().get(), loops))) : Optional.empty();
            if (config.admin().isPresent() && takesOver) {
                takeOverAdmin(config.admin().get().address());
            } else if (config.admin().isPresent()) {
                this.admin = Optional.of(open("admin", AdminApi.start(config.admin().get().address(), this)));
            }
        } catch (IOException | UncheckedIOException e) {
            close();
            throw new StartFailure(String.valueOf(e.getMessage()), e);
        } catch (StartFailure | RuntimeException | Error e) { // an error too: what is left open would keep the process
            close();
            throw e;
        }
        this.answering = dns.orElse(null);
        sayWhatListens();
        if (!takesOver) {
            Thread warming = Thread.ofVirtual().name("warm-up").start(this::warmUp);
            open("warm-up", () -> end(warming));
        }
        Thread looking = Thread.ofVirtual().name("sources").start(this::lookAtSources);
        open("look at the sources", looking::interrupt);
        if (config.dns().isPresent()) {
            Thread watching = Thread.ofVirtual().name("gate-view").start(this::lookAtGate);
            open("look at the gate", watching::interrupt);
        }
    }

    private void followSources() {
        fragments.start(publication::follow);
        catalog.start(publication::follow);
    }

    /// Until the catalog is there and the code compiled. Before we listen where another process serves meanwhile: we would only answer 503.
    /// Else while we do, since nobody serves in our place.
    private void warmUp() {
        try {
            for (long deadline = System.nanoTime() + FIRST_STATE_WAIT.toNanos(); state().revision() == 0 && System.nanoTime() < deadline; ) {
                Thread.sleep(SHORTLY);
            }
            int asked = new WarmUp(config, certificates).run();
            // Half of the heap is by now what only the start needed. Nobody waits for us yet, whereas an ordinary collection would leave it
            // where it is, or copy what lives while somebody does.
            if (asked > 0) {
                System.gc();
            }
            warm = true;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    private static void end(Thread thread) throws InterruptedException {
        thread.interrupt();
        thread.join();
    }

    /// The admin port can't be shared: we have it as soon as the process before us has closed it, which it does first of all.
    private void takeOverAdmin(InetSocketAddress address) {
        Thread waiting = Thread.ofVirtual().name("admin").unstarted(() -> {
            while (!Thread.currentThread().isInterrupted()) {
                try {
                    admin = Optional.of(open("admin", AdminApi.start(address, this)));
                    adminAddress().ifPresent(taken -> sayListens("admin", taken));
                    return;
                } catch (IOException | UncheckedIOException e) {
                    LOG.debug("admin port {} not free yet: {}", address, e.toString());
                    pause(SHORTLY);
                }
            }
        });
        open("wait for the admin port", waiting::interrupt);
        waiting.start();
    }

    /// @throws StartFailure when a listener's port is taken, a certificate is missing, a file can't be read
    public static Gateway start(GatewayConfig config) throws StartFailure {
        return new Gateway(config, InstantSource.system());
    }

    private <T extends AutoCloseable> T open(String name, T closing) {
        synchronized (opened) { // the admin's thread against the main one
            opened.push(new Opened(name, closing));
        }
        return closing;
    }

    /// Where names lead that answer the gateways' addresses.
    private Gateways gateways() throws StartFailure {
        GatewayConfig.Dns.Gateways asked = config.dns().map(dns -> dns.names().gateways()).orElse(GatewayConfig.Dns.Gateways.NONE);
        List<InetAddress> addresses = asked.addresses().isEmpty() && asked.services().isEmpty() ? OwnAddresses.of(config) : asked.addresses();
        if (addresses.isEmpty() && asked.services().isEmpty() && asked.answers().containsValue(true)) {
            throw new StartFailure("dns.gateway: none, and this machine has no address that leads outside (expected: the addresses at which clients reach the gateway, since dns.answer is to give them)");
        }
        return new Gateways(
                asked.answers(), addresses, asked.services(),
                config.http().isEmpty() ? 0 : asked.httpPort() > 0 ? asked.httpPort() : port(config.http().get().address(), "http"),
                config.https().isEmpty() ? 0 : asked.httpsPort() > 0 ? asked.httpsPort() : port(config.https().get().address(), "https"));
    }

    /// At which clients, or others, may know this gateway.
    private List<InetAddress> ownAddresses() {
        List<InetAddress> known = new ArrayList<>(OwnAddresses.of(config));
        config.dns().ifPresent(dns -> known.addAll(dns.names().gateways().addresses()));
        return known;
    }

    private Set<Integer> ownPorts() {
        return listeners().stream().map(listener -> port(listener.address(), listener.name())).collect(Collectors.toSet());
    }

    /// That of the configuration, which a gateway that takes over has before it listens.
    private int port(InetSocketAddress configured, String listener) {
        return configured.getPort() != 0 ? configured.getPort() : gate.address(listener).getPort();
    }

    private static GatewayState.Settings settings(GatewayConfig config, Gateways gateways) {
        return new GatewayState.Settings(RouteSettings.of(config.routes()), Post.zone(config, gateways));
    }

    private Certificates certificates(GatewayConfig.Https https) throws StartFailure {
        return switch (Certificates.load(https.certificates(), https.ticketKeys(), clock)) {
            case CertificateLoad.Unusable unusable -> throw new StartFailure(
                    unusable.problems().stream().map(RejectedCertificate::message).collect(Collectors.joining("; ")));
            case CertificateLoad.Usable usable -> {
                usable.rejected().forEach(rejected -> LOG.warn("certificate not served: {}", rejected.message()));
                usable.certificates().watch();
                yield usable.certificates();
            }
        };
    }

    private List<ListenerSpec> listeners() {
        List<ListenerSpec> listeners = new ArrayList<>();
        boolean shared = config.drain().handOver();
        config.http().ifPresent(http ->
                listeners.add(new ListenerSpec("http", http.address(), http.h2c() ? ConnectionStart.CLEARTEXT : ConnectionStart.PLAIN, shared)));
        config.https().ifPresent(https -> listeners.add(new ListenerSpec("https", https.address(), new TlsStart(certificates.orElseThrow()), shared)));
        return listeners;
    }

    /// The gate's listeners are there before the post is.
    private Optional<LocalPath> dnsOverHttps() {
        return postPath().map(https -> new LocalPath(DnsOverHttps.ID, https.host(), https.path(), new DnsOverHttps(() -> Optional.ofNullable(answering))));
    }

    private DnsServer post(GatewayConfig.Dns post, EventLoopGroup loops) throws IOException {
        Outside forwarding = forwarder.isPresent() ? forwarder.get() : Outside.NONE;
        Outside outside = forwarding;
        if (config.consul().isPresent()) {
            ConsulLookup lookup = open("consul lookup", new ConsulLookup(config.consul().get(), consulTls));
            outside = new LateNames(settings.zone(), lookup, () -> state().names().datacenters(), forwarding);
        }
        Optional<TlsListener> tls = post.ways().tls().map(address -> new TlsListener(address, TlsStart.contexts(certificates.orElseThrow())));
        DnsSettings how = Post.server(config, post);
        how.exposure(forwarder.isPresent()).ifPresent(LOG::warn);
        return DnsServer.start(post.address(), tls, loops, this::zone, outside, how, accessLog::log);
    }

    /// What the post serves at this moment.
    private Zone zone() {
        Zone zone = state().zone();
        return stale ? zone.asStale() : zone;
    }

    /// On a thread of its own: a source tells its status when it has told the log, whose reader may have stopped, and
    /// an event loop must not wait for that.
    private void lookAtSources() {
        QuietCollection quiet = new QuietCollection(this::activity, gate::isBusy, QuietCollection::collectTightly, System.nanoTime());
        try {
            for (int looks = 0; ; looks++) {
                quiet.look(System.nanoTime());
                if (config.drain().handOver() && !drains && looks % SHARE_EVERY == 0) {
                    gate.listeners().forEach(SharedPort::share);
                    dns.ifPresent(server -> server.listeners().forEach(SharedPort::share));
                }
                stale = state().revision() > 0 && catalog.status().stream().anyMatch(SourceStatus::stale);
                TimeUnit.SECONDS.sleep(1);
            }
        } catch (InterruptedException _) {
            // closed
        }
    }

    private long activity() {
        return gate.activity() + dns.stream().flatMapToLong(server -> LongStream.of(server.counters().durations())).sum();
    }

    private void lookAtGate() {
        try {
            while (true) {
                TimeUnit.MILLISECONDS.sleep(GATE_VIEW_MILLIS);
                publication.look(drains);
            }
        } catch (InterruptedException _) {
            // closed
        }
    }

    private static boolean forwards(GatewayConfig config) {
        return config.dns().filter(dns -> dns.forwarding().isAny()).isPresent();
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    private void sayWhatListens() {
        Version version = Version.ofThisBuild();
        LOG.info("gatepost {} ({}), {} event loops on {}, TLS by {}",
                version.version(), version.commit(), config.threads(), Version.transport(), TlsProvider.current().describe());
        if (!Epoll.isAvailable() || TlsProvider.current() != TlsProvider.BORINGSSL) {
            LOG.warn("a native library did not load (see the line above): serving all the same, at more CPU per request and handshake");
        }
        httpAddress().ifPresent(address -> sayListens("http", address));
        httpsAddress().ifPresent(address -> sayListens("https", address));
        dnsAddress().ifPresent(address -> sayListens("dns", address));
        dnsTlsAddress().ifPresent(address -> sayListens("dns over tls", address));
        adminAddress().ifPresent(address -> sayListens("admin", address));
    }

    private static void sayListens(String listener, InetSocketAddress address) {
        LOG.info("{} listens on {}:{}", listener, address.getAddress().getHostAddress(), address.getPort());
    }

    // ---- what the admin API shows ---------------------------------------------------------------------------------

    GatewayState state() {
        return Objects.requireNonNull(state.get());
    }

    History history() {
        return publication.history();
    }

    GatewayState.Settings settings() {
        return settings;
    }

    Catalog catalog() {
        return catalog;
    }

    FragmentWatch fragments() {
        return fragments;
    }

    Gate gate() {
        return gate;
    }

    Optional<DnsServer> dns() {
        return dns;
    }

    Optional<Forwarder> forwarder() {
        return forwarder;
    }

    /// At which requests the post answers.
    Optional<GatewayConfig.Dns.HttpsPath> postPath() {
        return config.dns().flatMap(dns -> dns.ways().https());
    }

    Optional<Certificates> certificates() {
        return certificates;
    }

    AccessLog accessLog() {
        return accessLog;
    }

    InstantSource clock() {
        return clock;
    }

    /// Why it should get no traffic; empty when it should.
    Optional<String> notReady() {
        if (drains) {
            return Optional.of("draining");
        }
        if (state().revision() == 0) {
            return Optional.of("no complete catalog yet");
        }
        if (!warm) {
            return Optional.of("warming up");
        }
        Instant oldest = clock.instant().minus(config.catalog().maxAge());
        return catalog.confirmedAt().filter(confirmed -> confirmed.isBefore(oldest))
                .map(confirmed -> "the catalog was last confirmed at " + confirmed + " (expected: within " + config.catalog().maxAge() + ")");
    }

    // ---- addresses ------------------------------------------------------------------------------------------------

    public Optional<InetSocketAddress> httpAddress() {
        return config.http().map(_ -> gate.address("http"));
    }

    public Optional<InetSocketAddress> httpsAddress() {
        return config.https().map(_ -> gate.address("https"));
    }

    public Optional<InetSocketAddress> dnsAddress() {
        return dns.map(DnsServer::localAddress);
    }

    public Optional<InetSocketAddress> dnsTlsAddress() {
        return dns.flatMap(DnsServer::tlsAddress);
    }

    public Optional<InetSocketAddress> adminAddress() {
        return admin.map(AdminApi::address);
    }

    // ---- change and end -------------------------------------------------------------------------------------------

    /// Takes over what can change while serving: the contents of certificate files, those for upstreams among them. The file catalog
    /// is followed anyway, and anything else that differs waits for a restart.
    public void reload(GatewayConfig next) {
        certificates.ifPresent(Certificates::reload);
        upstreamTls.reload();
        if (next.equals(config)) {
            LOG.info("certificates reread; the file catalog is followed anyway");
        } else {
            LOG.warn("certificates reread; the rest of the configuration has changed as well, which takes a restart to apply");
        }
    }

    /// Finishes what is in flight and takes nothing new: not ready, after the configured grace no listener of the gate, and
    /// no connection when it returns. The admin API and DNS go on until [#stop()].
    public void drain() {
        drains = true;
        synchronized (draining) {
            LOG.info("draining: not ready, listeners close in {} ms, connections within {} ms",
                    config.drain().grace().toMillis(), config.drain().timeout().toMillis());
            pause(leaveNames());
            if (config.drain().handOver()) {
                SharedPort.hand(gate.listeners(), HANDSHAKE);
            }
            gate.stopAccepting();
            if (!gate.drain(config.drain().timeout())) {
                LOG.warn("connections were cut off after {} ms of draining", config.drain().timeout().toMillis());
            }
        }
    }

    /// Takes this gateway's addresses out of DNS, where there are others to go to. Returns how long clients may still come:
    /// the grace, or as long as they may remember the address.
    private Duration leaveNames() {
        Duration grace = config.drain().grace();
        if (config.dns().isEmpty()) {
            return grace;
        }
        Zone before = state().zone();
        publication.look(drains);
        Duration remembered = state().zone().changesFrom(before).stream()
                .flatMap(change -> change.before().stream().flatMap(List::stream))
                .map(RRset::ttl)
                .max(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
        return remembered.compareTo(grace) > 0 ? remembered : grace;
    }

    /// Drains and ends.
    public void stop() {
        if (config.drain().handOver()) {
            admin.ifPresent(AdminApi::close);
        }
        drain();
        if (config.drain().handOver()) {
            dns.ifPresent(server -> {
                SharedPort.hand(server.listeners(), DATAGRAMS);
                server.close(); // before anything else: a query that comes after all would never be answered
            });
        }
        close();
    }

    /// Returns when the gateway has ended.
    public void awaitStopped() throws InterruptedException {
        stopped.await();
    }

    /// Ends at once, cutting off what is in flight.
    @Override
    public void close() {
        synchronized (opened) { // a signal's thread against the main one
            while (!opened.isEmpty()) {
                Opened each = opened.pop();
                try {
                    each.closing().close();
                } catch (Exception e) {
                    LOG.warn("{} did not close: {}", each.name(), e.toString());
                }
            }
        }
        stopped.countDown();
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
