package dev.gatepost.gateway.accesslog;

import dev.gatepost.dns.QueryRecord;
import dev.gatepost.dns.Rcode;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.concurrent.ThreadLocalRandom;

/// An access log with a lane for each event loop and one writer behind them. Encoding happens on the event loop, straight
/// into its lane: no record is queued, no byte copied twice, nothing allocated.
final class BufferedAccessLog implements AccessLog {
    private static final int SMALLEST_LANE = 64 * 1024;
    private static final int LARGEST_LANE = 64 * 1024 * 1024;

    private final LogWriter writer;
    private final FastThreadLocal<Pen> pens;
    private final int dnsSample;

    /// @param laneBytes a power of two: what waits for the writer, per event loop
    /// @param dnsSample of so many queries that were answered in order one is logged
    BufferedAccessLog(Sink sink, Origin origin, int laneBytes, int dnsSample, QueryMask mask) {
        this.dnsSample = dnsSample;
        this.writer = new LogWriter(sink);
        LogWriter writer = this.writer;
        this.pens = new FastThreadLocal<>() {
            @Override
            protected Pen initialValue() {
                Pen pen = new Pen(new Lane(laneBytes), new EcsEncoder(origin, mask));
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
        int sample = dnsSample > 1 && isOrdinary(query) ? dnsSample : 1;
        // At random: what is asked for in turn would be logged always or never otherwise.
        if (sample > 1 && ThreadLocalRandom.current().nextInt(sample) != 0) {
            return;
        }
        Pen pen = pens.get();
        int at = pen.lane.begin();
        if (at >= 0) {
            writer.published(pen.lane, pen.lane.commit(pen.encoder.encode(query, sample, pen.lane.ring(), at)));
        }
    }

    /// Answered in order. All else is rare, or ought to be seen.
    private static boolean isOrdinary(QueryRecord query) {
        return (query.rcode == Rcode.NOERROR || query.rcode == Rcode.NXDOMAIN) && !query.stale && !query.denied;
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
