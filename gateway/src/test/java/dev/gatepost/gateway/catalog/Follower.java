package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.ClientTls;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/// A [ConsulCatalog] together with everything that it delivered, as the gateway would receive it.
final class Follower implements AutoCloseable {
    static final Duration SOON = Duration.ofSeconds(1);
    static final Duration PATIENTLY = Duration.ofSeconds(20);

    /// The real timing, except that nothing relies on the regular sweep and outages are short.
    static final ConsulCatalog.Timing TIMING = new ConsulCatalog.Timing(
            Duration.ofSeconds(20),
            Duration.ofSeconds(5),
            Duration.ofMillis(5),
            Duration.ofMillis(20),
            Duration.ofHours(1),
            Duration.ofMillis(50),
            Duration.ofMillis(50),
            Duration.ofMillis(500),
            Duration.ofMillis(200),
            Duration.ofSeconds(3),
            Duration.ofSeconds(2));

    private final ConsulCatalog catalog;
    private final Optional<ClientTls> tls;
    private final List<Snapshot> delivered = new CopyOnWriteArrayList<>();
    private volatile Snapshot last = Snapshot.EMPTY;
    private final AtomicInteger revision = new AtomicInteger();
    private final CountDownLatch first = new CountDownLatch(1);

    private Follower(GatewayConfig.Consul consul, int maxLossPercent, Optional<ClientTls> tls, ConsulCatalog.Timing timing) {
        this.tls = tls;
        catalog = new ConsulCatalog(consul, maxLossPercent, tls, revision::get, timing, InstantSource.system(), new Random(7));
        catalog.start(snapshot -> {
            delivered.add(snapshot);
            last = snapshot;
            revision.incrementAndGet();
            first.countDown();
        });
    }

    static Follower of(String address) {
        return of(consul(address, ""), TIMING);
    }

    static Follower of(GatewayConfig.Consul consul, ConsulCatalog.Timing timing) {
        return new Follower(consul, 50, Optional.empty(), timing);
    }

    /// @param tls closed with it
    static Follower of(GatewayConfig.Consul consul, Optional<ClientTls> tls, ConsulCatalog.Timing timing) {
        return new Follower(consul, 50, tls, timing);
    }

    static Follower of(GatewayConfig.Consul consul, int maxLossPercent, ConsulCatalog.Timing timing) {
        return new Follower(consul, maxLossPercent, Optional.empty(), timing);
    }

    static GatewayConfig.Consul consul(String address, String token) {
        return new GatewayConfig.Consul(
                address, token, Optional.empty(), "gatepost", "", Optional.empty(), Optional.empty(), Optional.empty(), true, Duration.ofSeconds(1));
    }

    Follower awaitFirst() {
        Await.until("a first snapshot", PATIENTLY, () -> first.getCount() == 0);
        return this;
    }

    Snapshot snapshot() {
        return last;
    }

    List<Snapshot> delivered() {
        return delivered;
    }

    SourceStatus status() {
        return catalog.status();
    }

    ConsulCatalog catalog() {
        return catalog;
    }

    Snapshot await(String what, Duration within, Predicate<Snapshot> condition) {
        Snapshot[] met = {Snapshot.EMPTY};
        try {
            Await.until(what, within, () -> {
                met[0] = last;
                return condition.test(met[0]);
            });
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "; have " + last + ", " + status(), e);
        }
        return met[0];
    }

    /// Waits until the instance is as wanted.
    Snapshot awaitInstance(String what, String service, String id, Predicate<Instance> condition) {
        return await(what, SOON, snapshot -> instance(snapshot, service, id).filter(condition).isPresent());
    }

    static Optional<Instance> instance(Snapshot snapshot, String service, String id) {
        return Optional.ofNullable(snapshot.services().get(service)).stream()
                .flatMap(known -> known.instances().stream())
                .filter(instance -> instance.id().equals(id))
                .findFirst();
    }

    @Override
    public void close() {
        catalog.close();
        tls.ifPresent(ClientTls::close);
    }
}
