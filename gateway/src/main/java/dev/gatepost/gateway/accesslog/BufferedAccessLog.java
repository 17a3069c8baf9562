package dev.gatepost.gateway.accesslog;

import dev.gatepost.dns.QueryRecord;
import io.netty.util.concurrent.FastThreadLocal;

/// An access log with a lane for each event loop and one writer behind them. Encoding happens on the event loop, straight
/// into its lane: no record is queued, no byte copied twice, nothing allocated.
final class BufferedAccessLog implements AccessLog {
    private static final int SMALLEST_LANE = 64 * 1024;
    private static final int LARGEST_LANE = 64 * 1024 * 1024;

    private final LogWriter writer;
    private final FastThreadLocal<Pen> pens;

    /// @param laneBytes a power of two: what waits for the writer, per event loop
    BufferedAccessLog(Sink sink, Origin origin, int laneBytes) {
        this.writer = new LogWriter(sink);
        LogWriter writer = this.writer;
        this.pens = new FastThreadLocal<>() {
            @Override
            protected Pen initialValue() {
                Pen pen = new Pen(new Lane(laneBytes), new EcsEncoder(origin));
                writer.add(pen.lane);
                return pen;
            }
        };
        writer.start();
    }

    /// The share of one event loop in `total`, rounded down to a power of two, but room for a few lines at least.
    static int laneBytes(int total, int threads) {
        int share = Integer.highestOneBit(Math.max(1, total / Math.max(1, threads)));
        return Math.clamp(share, SMALLEST_LANE, LARGEST_LANE);
    }

    @Override
    public void log(ExchangeRecord exchange) {
        Pen pen = pens.get();
        int at = pen.lane.begin();
        if (at >= 0) {
            writer.published(pen.lane, pen.lane.commit(pen.encoder.encode(exchange, pen.lane.ring(), at)));
        }
    }

    @Override
    public void log(QueryRecord query) {
        Pen pen = pens.get();
        int at = pen.lane.begin();
        if (at >= 0) {
            writer.published(pen.lane, pen.lane.commit(pen.encoder.encode(query, pen.lane.ring(), at)));
        }
    }

    @Override
    public long dropped() {
        return writer.dropped();
    }

    @Override
    public void close() {
        writer.close();
    }

    /// What one event loop writes with.
    private record Pen(Lane lane, EcsEncoder encoder) {}
}
