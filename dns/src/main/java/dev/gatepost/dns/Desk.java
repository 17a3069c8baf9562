package dev.gatepost.dns;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Where the queries of one event loop are answered, whichever way they came: the loop's responder, buffers, counters and
/// clock. Confined to that loop.
final class Desk {
    private static final long CLOCK_CHECK_NANOS = TimeUnit.SECONDS.toNanos(1);

    /// The query; spare bytes behind the longest let a look-up read whole words.
    final byte[] in = new byte[Responder.MAX_MESSAGE + 8];
    /// The answer.
    final byte[] out = new byte[Responder.MAX_MESSAGE];
    final DnsCounters.Loop counters = new DnsCounters.Loop();

    private final Supplier<Zone> zone;
    private final Responder responder;
    private final QueryLog log;
    private final boolean logs;
    private long epochOffsetNanos;
    private long clockCheckedNanos;

    Desk(Supplier<Zone> zone, int udpPayload, QueryLog log) {
        this.zone = zone;
        this.responder = new Responder(false, udpPayload);
        this.log = log;
        this.logs = !log.equals(QueryLog.NONE);
        checkClock(System.nanoTime());
    }

    /// Answers the query in [#in] into [#out].
    ///
    /// @param address       the client's, 4 or 16 bytes, read before this returns
    /// @param receivedNanos [System#nanoTime] at receipt
    /// @return length of the answer; 0 for none
    int answer(int length, QueryRecord.Transport transport, byte[] address, int port, long receivedNanos) {
        boolean stream = transport != QueryRecord.Transport.UDP;
        int written = responder.answer(zone.get(), in, length, stream, out);
        if (written == Responder.OUTSIDE) {
            written = responder.refuse(in);
        }
        QueryRecord record = responder.record();
        long now = System.nanoTime();
        if (now - clockCheckedNanos > CLOCK_CHECK_NANOS) {
            checkClock(now);
        }
        record.startEpochNanos = receivedNanos + epochOffsetNanos;
        record.durationNanos = now - receivedNanos;
        record.transport = transport;
        counters.count(record);
        if (logs) {
            record.clientAddress = address;
            record.clientPort = port;
            log.answered(record);
        }
        return written;
    }

    /// Wall clock from the monotonic one, so that a query costs one clock reading.
    private void checkClock(long nowNanos) {
        epochOffsetNanos = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()) - nowNanos;
        clockCheckedNanos = nowNanos;
    }
}
