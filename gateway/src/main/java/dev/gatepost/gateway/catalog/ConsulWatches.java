package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.catalog.ConsulFailure.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// The four watches over all services, one thread each, and the watchdog over them. There is no failure after which a watch
/// gives up.
final class ConsulWatches implements AutoCloseable {
    static final String SERVICES = "/v1/catalog/services";
    static final String NODES = "/v1/catalog/nodes";
    private static final String CRITICAL = "/v1/health/state/critical";
    private static final String WARNING = "/v1/health/state/warning";

    /// All watches; also what has to be heard once before anything is known.
    static final List<String> ENDPOINTS = List.of(SERVICES, NODES, CRITICAL, WARNING);

    /// Two lists instead of `state/any`: the agent has them at hand, where it would go through every passing check for that.
    static final Map<String, Health> SICK = Map.of(CRITICAL, Health.CRITICAL, WARNING, Health.WARNING);

    @FunctionalInterface
    private interface Reading {
        Heard read(BlockingQuery.Heard heard) throws ConsulFailure;
    }

    private final ConsulClient client;
    private final ConsulCatalog.Timing timing;
    private final Duration maxStale;
    private final ConsulStanding standing;
    private final Supplier<Backoff> backoffs;
    private final Consumer<Heard> hearing;
    private final List<Thread> threads = new ArrayList<>();

    /// The last index of each watch.
    private final Map<String, Long> indexes = new ConcurrentHashMap<>();

    private volatile boolean closed;

    ConsulWatches(
            ConsulClient client,
            ConsulCatalog.Timing timing,
            Duration maxStale,
            ConsulStanding standing,
            Supplier<Backoff> backoffs,
            Consumer<Heard> hearing) {
        this.client = client;
        this.timing = timing;
        this.maxStale = maxStale;
        this.standing = standing;
        this.backoffs = backoffs;
        this.hearing = hearing;
    }

    /// @param readingSince when the reading that is going on began, by [System#nanoTime]; 0 when none is
    void start(LongSupplier readingSince) {
        watch(SERVICES, timing.pace(), heard -> new Heard.Names(ConsulJson.services(heard.answer().body()), heard.moved(), heard.answer().filtered()));
        watch(NODES, timing.pace(), heard -> new Heard.Nodes(ConsulJson.nodes(heard.answer().body()), heard.answer().filtered()));
        SICK.forEach((endpoint, state) ->
                watch(endpoint, Duration.ofNanos(timing.pace().toNanos() / 4), heard -> new Heard.Sick(state, ConsulJson.sick(heard.answer().body()))));
        run("consul-watchdog", () -> guard(readingSince));
    }

    /// The highest index heard; 0 before the first.
    long index() {
        return indexes.values().stream().mapToLong(Long::longValue).max().orElse(0);
    }

    @Override
    public void close() {
        closed = true;
        threads.forEach(Thread::interrupt);
    }

    private void run(String name, Runnable loop) {
        threads.add(Thread.ofVirtual().name(name).start(loop));
    }

    private void watch(String endpoint, Duration interval, Reading reading) {
        Pace pace = new Pace(3, interval, System::nanoTime);
        BlockingQuery query = new BlockingQuery(client, endpoint, timing.sleep(), maxStale, pace);
        run("consul-" + endpoint.substring(endpoint.lastIndexOf('/') + 1), () -> listen(query, reading));
    }

    private void listen(BlockingQuery query, Reading reading) {
        Backoff backoff = backoffs.get();
        while (!closed) {
            try {
                BlockingQuery.Heard heard = query.next();
                indexes.put(query.endpoint(), heard.answer().index());
                hearing.accept(reading.read(heard));
                standing.answered(query.endpoint());
                backoff.reset();
            } catch (InterruptedException e) {
                return;
            } catch (ConsulFailure | RuntimeException e) {
                if (closed) {
                    return;
                }
                query.restart();
                ConsulFailure failure = e instanceof ConsulFailure known ? known : new ConsulFailure(Kind.GARBLED, e.toString(), e);
                standing.failed(query.endpoint(), failure, failure.connectionLost());
                client.dropIdleConnections();
                try {
                    standing.awaitRetry(backoff.next());
                } catch (InterruptedException interrupted) {
                    return;
                }
            }
        }
    }

    /// Barks when a watch, or whoever reads what it announced, is not heard of for two waits.
    private void guard(LongSupplier readingSince) {
        try {
            while (!closed) {
                TimeUnit.NANOSECONDS.sleep(timing.sleep().toNanos() / 4);
                standing.look(timing.sleep().plus(timing.sleep()), readingSince.getAsLong(), System.nanoTime());
            }
        } catch (InterruptedException _) {
            // closed
        }
    }
}
