package dev.gatepost.benchmarks;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Origin;
import dev.gatepost.dns.Outside;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rdata;
import dev.gatepost.dns.Responder;
import dev.gatepost.dns.Zone;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/// What does one answer cost, by the number of names in the zone and of instances behind the name? `-prof gc` must show
/// no allocation for the responder. dnsjava, which encodes every answer anew, is the measure.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(1)
public class ZoneAnswerBenchmark {
    private static final Duration TTL = Duration.ofSeconds(2);
    private static final int QUERIES = 1024;

    @Param({"10", "1000", "100000"})
    public int names;

    @Param({"1", "100"})
    public int instances;

    private Zone zone = Zone.of(List.of(new Origin(DomainName.of("consul"), false)), new Zone.Authority("ns", List.of(), TTL, TTL));
    private Responder responder = new Responder(Outside.Agent.NONE, Responder.UDP_PAYLOAD);
    private byte[][] hits = {};
    private byte[][] misses = {};
    private List<InetAddress> addresses = List.of();
    private final byte[] out = new byte[Responder.MAX_MESSAGE];
    private int next;

    @Setup
    public void prepare() throws IOException {
        addresses = new ArrayList<>();
        for (int i = 0; i < instances; i++) {
            addresses.add(InetAddress.ofLiteral("10.0." + i / 250 + "." + i % 250));
        }
        List<RRset> sets = RRset.of(TTL, addresses.stream().map(Rdata.Address::new).toList());
        Zone.Builder builder = zone.change();
        for (int i = 0; i < names; i++) {
            builder.put(DomainName.of("service-" + i + ".service.consul"), sets);
        }
        zone = builder.build(1);
        hits = new byte[QUERIES][];
        misses = new byte[QUERIES][];
        for (int i = 0; i < QUERIES; i++) {
            hits[i] = query("Service-" + (int) (i * 7919L % names) + ".service.consul.");
            misses[i] = query("missing-" + i + ".service.consul.");
        }
    }

    @Benchmark
    public int hit() {
        byte[] query = hits[next++ & (QUERIES - 1)];
        return responder.answer(zone, query, query.length, false, out);
    }

    @Benchmark
    public int miss() {
        byte[] query = misses[next++ & (QUERIES - 1)];
        return responder.answer(zone, query, query.length, false, out);
    }

    /// The same hit without its look-up: parse, build, encode.
    @Benchmark
    public byte[] dnsjava() throws IOException {
        var query = new Message(hits[next++ & (QUERIES - 1)]);
        var answer = new Message(query.getHeader().getID());
        answer.getHeader().setFlag(Flags.QR);
        answer.getHeader().setFlag(Flags.AA);
        answer.addRecord(query.getQuestion(), Section.QUESTION);
        Name name = query.getQuestion().getName();
        for (InetAddress each : addresses) {
            answer.addRecord(new ARecord(name, DClass.IN, 2, each), Section.ANSWER);
        }
        return answer.toWire(Responder.UDP_PAYLOAD);
    }

    private static byte[] query(String name) throws IOException {
        Message query = Message.newQuery(org.xbill.DNS.Record.newRecord(new Name(name), Type.A, DClass.IN));
        query.addRecord(new org.xbill.DNS.OPTRecord(Responder.UDP_PAYLOAD, 0, 0), Section.ADDITIONAL);
        return query.toWire();
    }
}
