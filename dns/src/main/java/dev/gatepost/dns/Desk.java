package dev.gatepost.dns;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
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

    /// Sends an answer that was not there at once.
    @FunctionalInterface
    interface Sender {
        /// @param answer `answer[0, length)` is valid during the call
        void send(byte[] answer, int length);
    }

    private final Supplier<Zone> zone;
    private final Outside.Agent agent;
    private final Responder responder;
    private final QueryLog log;
    private final boolean logs;
    private final EdnsOptions options;
    private final Arrival arrival = new Arrival();
    private long epochOffsetNanos;
    private long clockCheckedNanos;

    /// How the query came that is being answered.
    private static final class Arrival {
        int length;
        QueryRecord.Transport transport = QueryRecord.Transport.UDP;
        byte[] address = {};
        int port;
        long receivedNanos;
    }

    /// @param idleNanos how long a connection may be idle at the moment
    Desk(Supplier<Zone> zone, Outside.Agent agent, int udpPayload, LongSupplier idleNanos, QueryLog log) {
        this.zone = zone;
        this.agent = agent;
        this.options = new EdnsOptions(idleNanos);
        this.responder = new Responder(agent, udpPayload, options);
        this.log = log;
        this.logs = !log.equals(QueryLog.NONE);
        checkClock(System.nanoTime());
    }

    /// Answers the query in [#in] into [#out].
    ///
    /// @param address       the client's, 4 or 16 bytes, read before this returns
    /// @param receivedNanos [System#nanoTime] at receipt
    /// @return length of the answer; 0 for none; [Responder#LATER]: [#later] gets it
    int answer(int length, QueryRecord.Transport transport, byte[] address, int port, long receivedNanos) {
        arrival.length = length;
        arrival.transport = transport;
        arrival.address = address;
        arrival.port = port;
        arrival.receivedNanos = receivedNanos;
        options.turnTo(transport);
        int written = responder.answer(zone.get(), in, length, transport != QueryRecord.Transport.UDP, out);
        if (written == Responder.OUTSIDE) {
            written = responder.relay(in, receivedNanos);
            if (written == Responder.LATER) {
                return written;
            }
        }
        done(transport, address, port, receivedNanos);
        return written;
    }

    /// Has the query that [#answer] has just put off answered when somebody else has answered it.
    ///
    /// @param sender called on this event loop, perhaps before this returns
    void later(Sender sender) {
        agent.ask(new Waiting(Arrays.copyOf(in, arrival.length), responder.awaited(), arrival, sender));
    }

    private void done(QueryRecord.Transport transport, byte[] address, int port, long receivedNanos) {
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
    }

    /// A query whose answer somebody else has been asked for.
    private final class Waiting implements Outside.Asker {
        private final byte[] query;
        private final byte[] awaited;
        private final QueryRecord.Transport transport;
        private final byte[] address;
        private final int port;
        private final long receivedNanos;
        private final Sender sender;

        Waiting(byte[] query, byte[] awaited, Arrival arrival, Sender sender) {
            this.query = query;
            this.awaited = awaited;
            this.transport = arrival.transport;
            this.address = arrival.address.clone();
            this.port = arrival.port;
            this.receivedNanos = arrival.receivedNanos;
            this.sender = sender;
        }

        @Override
        public byte[] client() {
            return address;
        }

        @Override
        public void answered(Outside.Reply reply) {
            System.arraycopy(query, 0, in, 0, query.length);
            options.turnTo(transport);
            boolean stream = transport != QueryRecord.Transport.UDP;
            int written = responder.relay(zone.get(), in, query.length, stream, out, awaited, reply, System.nanoTime());
            done(transport, address, port, receivedNanos);
            sender.send(out, written);
        }
    }

    /// Wall clock from the monotonic one, so that a query costs one clock reading.
    private void checkClock(long nowNanos) {
        epochOffsetNanos = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()) - nowNanos;
        clockCheckedNanos = nowNanos;
    }
}
