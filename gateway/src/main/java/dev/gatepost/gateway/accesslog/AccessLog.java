package dev.gatepost.gateway.accesslog;

import dev.gatepost.dns.QueryRecord;
import dev.gatepost.gateway.config.GatewayConfig;
import java.io.IOException;

/// Takes one record per exchange or query on an event loop, without blocking it, and sees to it that whole JSON lines
/// reach the sink in the end. What a blocked sink made it drop is counted.
///
/// `log` is for long-lived threads, each of which gets a buffer of its own at its first record: event loops, not virtual
/// threads. A record may be cleared and its bytes reused as soon as `log` returns.
public interface AccessLog extends AutoCloseable {
    void log(ExchangeRecord exchange);

    void log(QueryRecord query);

    /// Lines lost because the sink did not keep up, or failed.
    long dropped();

    /// Writes out what is buffered, waiting a bounded time for a slow sink. What is logged afterwards is dropped.
    @Override
    void close();

    /// Who writes the log, as every line says.
    ///
    /// @param host    name of the machine or container
    /// @param version of this gateway
    record Origin(String host, String version) {}

    /// Opens what the configuration names: `stdout`, `file:PATH`, `tcp://HOST:PORT` or `none`.
    ///
    /// @param threads how many event loops will log: they share the buffer's bound
    /// @throws IllegalArgumentException when `output` is none of these
    /// @throws IOException              when a file cannot be opened; a TCP peer may come later
    static AccessLog open(GatewayConfig.AccessLog config, Origin origin, int threads) throws IOException {
        if (config.output().equals("none")) {
            return NONE;
        }
        return new BufferedAccessLog(Sink.open(config.output()), origin, BufferedAccessLog.laneBytes(config.buffer(), threads), config.dnsSample(), QueryMask.of(config.redact()));
    }

    /// Encodes each record as any other log does, and keeps nothing.
    static AccessLog discarding(Origin origin) {
        return new BufferedAccessLog(Sink.NOWHERE, origin, BufferedAccessLog.laneBytes(0, 1), 1, QueryMask.NONE);
    }

    /// Keeps nothing, and looks at nothing.
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
