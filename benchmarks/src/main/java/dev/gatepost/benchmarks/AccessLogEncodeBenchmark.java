package dev.gatepost.benchmarks;

import dev.gatepost.dns.QueryRecord;
import dev.gatepost.gateway.accesslog.AccessLog;
import dev.gatepost.gateway.accesslog.ConnectionLabel;
import dev.gatepost.gateway.accesslog.EcsEncoder;
import dev.gatepost.gateway.accesslog.EndpointLabel;
import dev.gatepost.gateway.accesslog.ExchangeRecord;
import dev.gatepost.gateway.accesslog.RouteLabel;
import dev.gatepost.gateway.accesslog.Slice;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// What does an event loop pay for one log line? With `-prof gc`: nothing in garbage.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class AccessLogEncodeBenchmark {
    /// 2026-11-22T16:41:48Z.
    private static final long START = 1_795_365_708_000_000_000L;

    private final EcsEncoder encoder = new EcsEncoder(new AccessLog.Origin("edge-1", "0.1.0"));
    private final byte[] out = new byte[64 * 1024 + EcsEncoder.MAX_BYTES];
    private final ExchangeRecord exchange = new ExchangeRecord();
    private final QueryRecord query = new QueryRecord();
    private int at;
    private long count;

    @Setup
    public void fill() {
        exchange.connection = new ConnectionLabel(
                "192.0.2.7", 51_234, "198.51.100.1", 8443, "https", "1.3", "TLS_AES_128_GCM_SHA256", "shop.example.com", "h2", true);
        exchange.route = new RouteLabel("shop.example.com/api", "shop.example.com/api", "tag");
        exchange.durationNanos = 2_345_678;
        set(exchange.method, "GET");
        set(exchange.target, "/api/items/4711?page=2&sort=desc");
        set(exchange.authority, "shop.example.com:8443");
        set(exchange.referrer, "https://shop.example.com/");
        set(exchange.userAgent, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        set(exchange.requestId, "0190f7b2c4d87e31");
        set(exchange.responseMimeType, "application/json");
        exchange.protocol = ExchangeRecord.Protocol.H2;
        exchange.httpVersion = 20;
        exchange.status = 200;
        exchange.requestBytes = 412;
        exchange.responseBytes = 1893;
        exchange.responseBodyBytes = 1742;
        exchange.attempt(new EndpointLabel("web", "web-1", "node-a", "dc1", "10.0.0.5", 9001)).reusedConnection = true;
        exchange.reusedConnection = true;
        exchange.revision = 41;
        exchange.healthyInstances = 3;
        exchange.requestHeaderNanos = 12_000;
        exchange.firstByteNanos = 1_900_000;
        exchange.bodyNanos = 17_000;

        query.durationNanos = 8_500;
        query.clientAddress = new byte[] {(byte) 192, 0, 2, 7};
        query.clientPort = 40_001;
        query.query = "............\3web\7service\6consul\0".getBytes(StandardCharsets.ISO_8859_1);
        query.nameFrom = 12;
        query.nameTo = query.query.length;
        query.id = 4711;
        query.type = 1;
        query.queryClass = 1;
        query.answers = 2;
        query.queryBytes = 36;
        query.responseBytes = 68;
        query.revision = 41;
    }

    @Benchmark
    public int exchange() {
        exchange.startEpochNanos = next();
        at = encoder.encode(exchange, out, from());
        return at;
    }

    @Benchmark
    public int query() {
        query.startEpochNanos = next();
        at = encoder.encode(query, 1, out, from());
        return at;
    }

    /// 50,000 a second, so that the cached second changes as often as it does in life.
    private long next() {
        return START + count++ * 20_000;
    }

    private int from() {
        return at >= 64 * 1024 ? 0 : at;
    }

    private static void set(Slice slice, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        slice.set(bytes, 0, bytes.length);
    }
}
