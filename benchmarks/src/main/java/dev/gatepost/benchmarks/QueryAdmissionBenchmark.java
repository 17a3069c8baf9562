package dev.gatepost.benchmarks;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Origin;
import dev.gatepost.dns.Outside;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rdata;
import dev.gatepost.dns.Responder;
import dev.gatepost.dns.Zone;
import dev.gatepost.dns.access.Access;
import dev.gatepost.dns.access.AddressBlock;
import dev.gatepost.dns.access.AddressSet;
import dev.gatepost.dns.access.ResponseRates;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Type;

/// What do `dns.allow` and `dns.rate-limit` add to an answer, by the number of prefixes that are listed and of clients that
/// ask? The difference to `answer` is their cost; `-prof gc` must show no allocation.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class QueryAdmissionBenchmark {
    private static final Duration TTL = Duration.ofSeconds(2);
    private static final int QUERIES = 1 << 16;
    /// Between two queries: 100,000 a second.
    private static final long APART_NANOS = 10_000;

    /// Beside the private networks.
    @Param({"0", "100", "10000"})
    public int prefixes;

    @Param({"1", "10000"})
    public int clients;

    private Zone zone = Zone.of(List.of(new Origin(DomainName.of("consul"), false)), new Zone.Authority("ns", List.of(), TTL, TTL));
    private final Responder responder = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD);
    private final byte[] out = new byte[Responder.MAX_MESSAGE];
    private byte[] query = {};
    private byte[][] asking = {};
    private Access access = Access.PRIVATE;
    private final ResponseRates roomy = new ResponseRates(1_000_000, AddressSet.NOBODY);
    private final ResponseRates narrow = new ResponseRates(1, AddressSet.NOBODY);
    private long nowNanos;
    private int next;

    @Setup
    public void prepare() throws IOException {
        Random random = new Random(7);
        zone = zone.change()
                .put(DomainName.of("web.service.consul"), RRset.of(TTL, List.of(new Rdata.Address(InetAddress.ofLiteral("10.0.0.1")))))
                .build(1);
        List<AddressBlock> allowed = new ArrayList<>(AddressSet.PRIVATE_NETWORKS);
        for (int i = 0; i < prefixes; i++) {
            allowed.add(new AddressBlock(address(random.nextInt()), 24, true));
        }
        access = new Access(allowed, allowed, Access.Admission.REFUSED);
        byte[][] known = new byte[clients][];
        for (int i = 0; i < clients; i++) {
            known[i] = address(10 << 24 | random.nextInt(1 << 24)).getAddress();
        }
        asking = new byte[QUERIES][];
        for (int i = 0; i < QUERIES; i++) {
            asking[i] = known[random.nextInt(clients)];
        }
        byte[] wire = Message.newQuery(org.xbill.DNS.Record.newRecord(new Name("web.service.consul."), Type.A, DClass.IN)).toWire();
        query = Arrays.copyOf(wire, wire.length + Long.BYTES);
    }

    @Benchmark
    public int answer() {
        return responder.answer(zone, query, query.length - Long.BYTES, false, out);
    }

    @Benchmark
    public int answerToWhoIsAllowed(Blackhole consumed) {
        consumed.consume(access.of(asking[next++ & (QUERIES - 1)]));
        return answer();
    }

    /// Below the limit.
    @Benchmark
    public int answerBelowTheLimit(Blackhole consumed) {
        byte[] client = asking[next++ & (QUERIES - 1)];
        consumed.consume(access.of(client));
        int written = answer();
        consumed.consume(roomy.count(client, ResponseRates.Kind.RECORDS, nowNanos += APART_NANOS));
        return written;
    }

    /// Above it, where most are dropped after they were made.
    @Benchmark
    public int answerAboveTheLimit(Blackhole consumed) {
        byte[] client = asking[next++ & (QUERIES - 1)];
        consumed.consume(access.of(client));
        int written = answer();
        consumed.consume(narrow.count(client, ResponseRates.Kind.RECORDS, nowNanos += APART_NANOS));
        return written;
    }

    private static InetAddress address(int bits) throws UnknownHostException {
        return InetAddress.getByAddress(new byte[] {(byte) (bits >>> 24), (byte) (bits >>> 16), (byte) (bits >>> 8), (byte) bits});
    }
}
