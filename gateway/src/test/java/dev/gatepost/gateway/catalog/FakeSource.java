package dev.gatepost.gateway.catalog;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// A source that says what the test tells it to.
final class FakeSource implements CatalogSource {
    private Consumer<Snapshot> changed = _ -> {};
    private volatile Optional<Instant> confirmedAt = Optional.empty();
    private volatile Optional<String> error = Optional.empty();

    void says(Snapshot snapshot, Instant at) {
        confirmedAt = Optional.of(at);
        error = Optional.empty();
        changed.accept(snapshot);
    }

    void fails(String why) {
        error = Optional.of(why);
    }

    @Override
    public void start(Consumer<Snapshot> consumer) {
        changed = consumer;
    }

    @Override
    public SourceStatus status() {
        return new SourceStatus("fake", error.isEmpty(), confirmedAt, error.isPresent(), List.of(), Safeguards.NONE, error);
    }

    @Override
    public void close() {
        changed = _ -> {};
    }
}
