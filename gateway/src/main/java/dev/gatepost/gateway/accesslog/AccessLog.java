package dev.gatepost.gateway.accesslog;

import dev.gatepost.dns.QueryRecord;

/// Takes one record per exchange or query on an event loop, without blocking it, and sees to it that whole JSON lines
/// reach the sink in the end. What a blocked sink made it drop is counted.
public interface AccessLog extends AutoCloseable {
    void log(ExchangeRecord exchange);

    void log(QueryRecord query);

    /// Lines lost because the sink did not keep up.
    long dropped();

    /// Writes out what is buffered, waiting a bounded time for a slow sink.
    @Override
    void close();

    /// Keeps nothing.
    AccessLog NONE = new AccessLog() {
        @Override
        public void log(ExchangeRecord exchange) {}

        @Override
        public void log(QueryRecord query) {}

        @Override
        public long dropped() {
            return 0;
        }

        @Override
        public void close() {}
    };
}
