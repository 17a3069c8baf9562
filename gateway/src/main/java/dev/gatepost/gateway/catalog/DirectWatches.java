package dev.gatepost.gateway.catalog;

import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Supplier;

/// A blocking query for each service, for as many as there is room for: whatever changes about a service wakes its own
/// query, with the whole truth in the answer. One thread each; a watch that fails covers nothing until it is answered again.
final class DirectWatches implements AutoCloseable {
    @FunctionalInterface
    interface Hearing {
        void heard(String service, ConsulClient.Answer answer) throws ConsulFailure;
    }

    private final Function<String, BlockingQuery> queries;
    private final Supplier<Backoff> backoffs;
    private final Hearing hearing;
    private final Map<String, Thread> watching = new ConcurrentHashMap<>();

    /// Those whose last question failed.
    private final Set<String> failing = ConcurrentHashMap.newKeySet();

    private volatile boolean closed;

    /// @param queries of a service, each going on from what is known of it
    DirectWatches(Function<String, BlockingQuery> queries, Supplier<Backoff> backoffs, Hearing hearing) {
        this.queries = queries;
        this.backoffs = backoffs;
        this.hearing = hearing;
    }

    /// Watches these services and no others, as far as there is room. A service that doesn't exist must not be among them:
    /// any write anywhere would wake its query.
    ///
    /// @param most how many at a time
    void watch(Collection<String> services, int most) {
        Set<String> gone = new HashSet<>(watching.keySet());
        services.forEach(gone::remove);
        gone.forEach(this::end);
        for (String service : services) {
            if (watching.size() >= most || closed) {
                return;
            }
            if (!watching.containsKey(service)) {
                BlockingQuery query = queries.apply(service);
                watching.put(service, Thread.ofVirtual().name("consul-watch-" + service).start(() -> listen(service, query)));
            }
        }
    }

    /// Whether a change of the service is told by its own watch.
    boolean covers(String service) {
        return watching.containsKey(service) && !failing.contains(service);
    }

    int count() {
        return watching.size();
    }

    @Override
    public void close() {
        closed = true;
        Set.copyOf(watching.keySet()).forEach(this::end);
    }

    private void end(String service) {
        Thread thread = watching.remove(service);
        if (thread != null) {
            thread.interrupt();
        }
        failing.remove(service);
    }

    private void listen(String service, BlockingQuery query) {
        Backoff backoff = backoffs.get();
        while (!closed && !Thread.currentThread().isInterrupted()) {
            try {
                hearing.heard(service, query.next().answer());
                failing.remove(service);
                backoff.reset();
            } catch (InterruptedException e) {
                return;
            } catch (ConsulFailure | RuntimeException e) {
                failing.add(service);
                query.restart();
                try {
                    Thread.sleep(backoff.next());
                } catch (InterruptedException interrupted) {
                    return;
                }
            }
        }
    }
}
