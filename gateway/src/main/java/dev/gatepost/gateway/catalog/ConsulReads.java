package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.catalog.ConsulClient.Answer;
import dev.gatepost.gateway.catalog.ConsulClient.Consistency;
import dev.gatepost.gateway.catalog.ConsulFailure.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/// Many questions to one agent, some at a time: an endpoint asked about each of several names.
final class ConsulReads implements AutoCloseable {
    @FunctionalInterface
    interface Parsing<T> {
        T parse(String name, Answer answer) throws ConsulFailure;
    }

    /// What the endpoint said of a name, or why nothing.
    record Read<T>(String name, Optional<T> said, Optional<ConsulFailure> failure) {
        private static <T> Read<T> failed(String name, ConsulFailure failure) {
            return new Read<>(name, Optional.empty(), Optional.of(failure));
        }
    }

    private final ConsulClient client;
    private final Duration answer;
    private final ExecutorService readers;

    /// @param answer   longest silence while an answer is due
    /// @param atOnce how many connections it takes, beside the four that wait
    ConsulReads(ConsulClient client, Duration answer, int atOnce) {
        this.readers = Executors.newFixedThreadPool(atOnce, Thread.ofVirtual().name("consul-read-", 0).factory());
        this.client = client;
        this.answer = answer;
    }

    /// Asks about all of them, in their order.
    <T> List<Read<T>> all(String endpoint, Collection<String> names, Consistency consistency, Parsing<T> parsing) throws InterruptedException {
        List<String> order = List.copyOf(names);
        List<Callable<Read<T>>> reads = order.stream().<Callable<Read<T>>>map(name -> () -> read(endpoint, name, consistency, parsing)).toList();
        // Each read is bounded by silence; this bounds the drip.
        List<Future<Read<T>>> results = readers.invokeAll(reads, 3 * answer.toMillis(), TimeUnit.MILLISECONDS);
        List<Read<T>> outcomes = new ArrayList<>();
        for (int i = 0; i < order.size(); i++) {
            outcomes.add(outcome(order.get(i), results.get(i)));
        }
        return outcomes;
    }

    private <T> Read<T> read(String endpoint, String name, Consistency consistency, Parsing<T> parsing) {
        String path = endpoint + ConsulClient.segment(name);
        try {
            return read(path, name, consistency, parsing, 1);
        } catch (ConsulFailure e) {
            return Read.failed(name, e);
        }
    }

    /// A kept connection that the agent closed meanwhile says nothing about the agent: once more on another.
    private <T> Read<T> read(String path, String name, Consistency consistency, Parsing<T> parsing, int retries) throws ConsulFailure {
        try {
            return new Read<>(name, Optional.of(parsing.parse(name, client.ask(path, consistency))), Optional.empty());
        } catch (ConsulFailure e) {
            if (!e.connectionLost() || retries == 0) {
                throw e;
            }
            return read(path, name, consistency, parsing, retries - 1);
        }
    }

    private static <T> Read<T> outcome(String name, Future<Read<T>> result) throws InterruptedException {
        try {
            return result.get();
        } catch (CancellationException e) {
            return Read.failed(name, new ConsulFailure(Kind.UNREACHABLE, "no whole answer in time", e));
        } catch (ExecutionException e) {
            return Read.failed(name, new ConsulFailure(Kind.GARBLED, String.valueOf(e.getCause()), e));
        }
    }

    @Override
    public void close() {
        readers.shutdownNow();
    }
}
