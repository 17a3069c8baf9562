package dev.gatepost.dns;

import dev.gatepost.dns.access.Access;
import dev.gatepost.dns.access.Access.Admission;
import dev.gatepost.dns.access.ResponseRates;
import io.netty.buffer.ByteBuf;
import io.netty.util.NetUtil;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Where the queries of one event loop are answered, whichever way they came: the loop's responder, buffers, counters and
/// clock. Confined to that loop.
final class Desk {
    private static final Logger LOG = LoggerFactory.getLogger(Desk.class);
    private static final long CLOCK_CHECK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long PROXY_SAYING_NANOS = TimeUnit.SECONDS.toNanos(60);

    /// The query; spare bytes behind the longest let a look-up read whole words.
    final byte[] in = new byte[Responder.MAX_MESSAGE + 8];
    /// The answer.
    final byte[] out = new byte[Responder.MAX_MESSAGE];
    final DnsCounters.Loop counters = new DnsCounters.Loop();
    final ProxyHeader proxyHeader = new ProxyHeader();

    /// Sends an answer that was not there at once.
    @FunctionalInterface
    interface Sender {
        /// @param answer `answer[0, length)` is valid during the call
        void send(byte[] answer, int length);
    }

    private final Supplier<Zone> zone;
    private final Outside.Agent agent;
    private final Access access;
    private final ResponseRates rates;
    private final Responder responder;
    private final QueryLog log;
    private final boolean logs;
    private final EdnsOptions options;
    private final Arrival arrival = new Arrival();
    private final TrustedProxies proxies;
    private final boolean proxied;
    private boolean proxySaid;
    private long proxySaidNanos;
    private int proxyUnsaid;
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
    Desk(Supplier<Zone> zone, Outside.Agent agent, DnsSettings settings, LongSupplier idleNanos, QueryLog log) {
        this.zone = zone;
        this.agent = agent;
        this.access = settings.access();
        this.rates = settings.rates();
        this.options = new EdnsOptions(idleNanos, settings);
        this.responder = new Responder(agent, settings.udpPayload(), options);
        this.proxies = settings.proxies();
        this.proxied = !proxies.equals(TrustedProxies.NONE);
        this.log = log;
        this.logs = !log.equals(QueryLog.NONE);
        checkClock(System.nanoTime());
    }

    /// Answers the datagram in [#in] into [#out]: a query, behind the header of its proxy where one is trusted.
    ///
    /// @param sender 4 or 16 bytes, read before this returns
    /// @return as [#answer] does
    int answerDatagram(int length, byte[] sender, int port, long receivedNanos) {
        if (!proxied || !proxies.trusts(sender)) {
            return answer(length, QueryRecord.Transport.UDP, sender, port, receivedNanos);
        }
        ProxyHeader.Verdict verdict = proxyHeader.read(in, 0, length);
        if (verdict != ProxyHeader.Verdict.GOOD) {
            refuseProxy(verdict, sender);
            return Responder.DROPPED;
        }
        int queryLength = length - proxyHeader.length;
        System.arraycopy(in, proxyHeader.length, in, 0, queryLength);
        boolean named = proxyHeader.address.length > 0;
        return answer(
                queryLength, QueryRecord.Transport.UDP, named ? proxyHeader.address : sender, named ? proxyHeader.port : port, receivedNanos);
    }

    /// What a trusted proxy sent begins with no header that we read: counted, and said from time to time.
    void refuseProxy(ProxyHeader.Verdict verdict, byte[] proxy) {
        counters.add(DnsCounters.Loop.DROPPED, 1);
        long now = System.nanoTime();
        proxyUnsaid++;
        if (proxySaid && now - proxySaidNanos < PROXY_SAYING_NANOS) {
            return;
        }
        LOG.warn("dns: {} is a trusted proxy and sends {} (expected: PROXY protocol version 2): not answered, {} since this was said last",
                NetUtil.bytesToIpAddress(proxy),
                verdict == ProxyHeader.Verdict.VERSION_1 ? "PROXY protocol version 1" : "no PROXY header",
                proxyUnsaid);
        proxySaid = true;
        proxySaidNanos = now;
        proxyUnsaid = 0;
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
        options.turnTo(transport, address, epochSeconds(receivedNanos));
        responder.admit(access.of(address));
        Zone answering = zone.get();
        int written = responder.answer(answering, in, length, transport != QueryRecord.Transport.UDP, out);
        if (written == Responder.OUTSIDE) {
            written = responder.relay(in, receivedNanos);
            if (written == Responder.LATER) {
                return written;
            }
        }
        written = limited(written, transport, address, receivedNanos);
        done(answering, transport, address, port, receivedNanos);
        return written;
    }

    /// What becomes of an answer by UDP, which whoever forges a client's address would have sent there.
    private int limited(int written, QueryRecord.Transport transport, byte[] address, long nowNanos) {
        if (transport != QueryRecord.Transport.UDP || written == Responder.DROPPED || !rates.isLimiting() || responder.isAddressProven()) {
            return written;
        }
        ResponseRates.Kind kind = kind(responder.record());
        return switch (rates.count(address, kind, nowNanos)) {
            case SEND -> written;
            // An error is no longer than its query, and can't be cut.
            case CHALLENGE -> kind == ResponseRates.Kind.ERROR ? written : responder.unproven(in);
            case DROP -> responder.withheld();
        };
    }

    private static ResponseRates.Kind kind(QueryRecord record) {
        return switch (record.rcode) {
            case Rcode.NOERROR -> record.answers > 0 ? ResponseRates.Kind.RECORDS : ResponseRates.Kind.NODATA;
            case Rcode.NXDOMAIN -> ResponseRates.Kind.NXDOMAIN;
            default -> ResponseRates.Kind.ERROR;
        };
    }

    /// Has the query that [#answer] has just put off answered when somebody else has answered it.
    ///
    /// @param sender called on this event loop, perhaps before this returns
    void later(Sender sender) {
        agent.ask(new Waiting(Arrays.copyOf(in, arrival.length), responder.awaited(), arrival, sender));
    }

    private void done(Zone answering, QueryRecord.Transport transport, byte[] address, int port, long receivedNanos) {
        QueryRecord record = responder.record();
        long now = System.nanoTime();
        if (now - clockCheckedNanos > CLOCK_CHECK_NANOS) {
            checkClock(now);
        }
        record.startEpochNanos = receivedNanos + epochOffsetNanos;
        record.durationNanos = now - receivedNanos;
        record.transport = transport;
        counters.count(record, answering);
        if (logs) {
            record.clientAddress = address;
            record.clientPort = port;
            log.answered(record);
        }
    }

    /// A query whose answer somebody else has been asked for.
    private final class Waiting implements Outside.Asker {
        private final byte[] query;
        private Awaited awaited;
        private final QueryRecord.Transport transport;
        private final Admission admission;
        private final byte[] address;
        private final int port;
        private final long receivedNanos;
        private final Sender sender;

        Waiting(byte[] query, Awaited awaited, Arrival arrival, Sender sender) {
            this.query = query;
            this.awaited = awaited;
            this.admission = access.of(arrival.address);
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
            options.turnTo(transport, address, epochSeconds(receivedNanos));
            responder.admit(admission);
            boolean stream = transport != QueryRecord.Transport.UDP;
            Zone answering = zone.get();
            int written = responder.relay(answering, in, query.length, stream, out, awaited, reply, System.nanoTime());
            if (written == Responder.LATER) {
                awaited = responder.awaited();
                agent.ask(this);
                return;
            }
            written = limited(written, transport, address, System.nanoTime());
            done(answering, transport, address, port, receivedNanos);
            if (written != Responder.DROPPED) {
                sender.send(out, written);
            }
        }
    }

    /// Answers a message that came by HTTPS.
    void answerHttps(ByteBuf message, byte[] address, int port, HttpsReply reply) {
        int length = message.readableBytes();
        message.getBytes(message.readerIndex(), in, 0, length);
        int written = answer(length, QueryRecord.Transport.HTTPS, address, port, System.nanoTime());
        if (written == Responder.LATER) {
            later((answer, size) -> reply.answered(answer, size, Freshness.seconds(answer, size)));
        } else {
            reply.answered(out, written, written == Responder.DROPPED ? 0 : Freshness.seconds(out, written));
        }
    }

    private long epochSeconds(long nanoTime) {
        return (nanoTime + epochOffsetNanos) / 1_000_000_000;
    }

    /// Wall clock from the monotonic one, so that a query costs one clock reading.
    private void checkClock(long nowNanos) {
        epochOffsetNanos = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()) - nowNanos;
        clockCheckedNanos = nowNanos;
    }
}
