package dev.gatepost.gateway.catalog;

import java.util.function.Consumer;

/// Something that knows services: Consul, a file. It delivers a complete snapshot whenever what it knows changed,
/// from one thread of its own, and never an incomplete one: before its first complete read it delivers nothing.
public interface CatalogSource extends AutoCloseable {
    void start(Consumer<Snapshot> changed);

    SourceStatus status();

    /// Consul's index as of its last answer; 0 for a source that has none.
    default long index() {
        return 0;
    }

    /// Ends all watches; nothing is delivered after it returns.
    @Override
    void close();
}
