package dev.gatepost.benchmarks;

import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.HostPattern;
import dev.gatepost.gateway.route.Match;
import dev.gatepost.gateway.route.PathPattern;
import dev.gatepost.gateway.route.RequestFacts;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteOptions;
import dev.gatepost.gateway.route.RouteTable;
import dev.gatepost.gateway.route.Upstream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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

/// Does the cost of a look-up depend on the number of routes? Nine in ten routes are exact hosts with ten paths each, the
/// rest wildcards and paths of any host. Requests walk through all of them, so the caches see what a busy table shows them.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RouteTableBenchmark {
    private static final int REQUESTS = 4096;
    private static final RequestFacts REQUEST = RequestFacts.plain(true);

    @Param({"10", "1000", "100000"})
    int routes;

    private RouteTable table = RouteTable.EMPTY;
    private final byte[][] hosts = new byte[REQUESTS][];
    private final byte[][] wildHosts = new byte[REQUESTS][];
    private final byte[][] otherHosts = new byte[REQUESTS][];
    private final byte[][] paths = new byte[REQUESTS][];
    private final byte[][] anyPaths = new byte[REQUESTS][];
    private int next;

    @Setup
    public void fill() {
        Upstream upstream = new Upstream("web", List.of(new Endpoint("n/web", "web", "n", "dc", "127.0.0.1", 80, 1)), 1);
        List<Route> all = new ArrayList<>();
        int hostCount = Math.max(1, routes / 10);
        for (int i = 0; i < routes; i++) {
            int host = i % hostCount;
            String pattern = switch (i / hostCount) {
                case 0 -> "svc-" + host + ".apps.example.com/";
                case 8 -> "*.team-" + host + ".example.com/";
                case 9 -> "/any/service-" + host;
                default -> "svc-" + host + ".apps.example.com/api/v" + i / hostCount + "/things";
            };
            int slash = pattern.indexOf('/');
            all.add(Route.of(
                    HostPattern.parse(pattern.substring(0, slash)), PathPattern.parse(pattern.substring(slash)), 0, RouteOptions.NONE, upstream));
        }
        table = RouteTable.of(all);
        Random random = new Random(1);
        for (int i = 0; i < REQUESTS; i++) {
            int host = random.nextInt(hostCount);
            hosts[i] = bytes("svc-" + host + ".apps.example.com");
            wildHosts[i] = bytes("shop.team-" + host + ".example.com");
            otherHosts[i] = bytes("svc-" + host + ".apps.example.org");
            paths[i] = bytes("/api/v" + (1 + random.nextInt(9)) + "/things/" + random.nextInt(1000) + "/details");
            anyPaths[i] = bytes("/any/service-" + host + "/details");
        }
    }

    @Benchmark
    public Match exactHost() {
        int i = next++ & (REQUESTS - 1);
        return match(hosts[i], paths[i]);
    }

    @Benchmark
    public Match wildcardHost() {
        int i = next++ & (REQUESTS - 1);
        return match(wildHosts[i], paths[i]);
    }

    @Benchmark
    public Match anyHost() {
        int i = next++ & (REQUESTS - 1);
        return match(otherHosts[i], anyPaths[i]);
    }

    @Benchmark
    public Match noRoute() {
        int i = next++ & (REQUESTS - 1);
        return match(otherHosts[i], paths[i]);
    }

    private Match match(byte[] host, byte[] path) {
        return table.match(host, 0, host.length, 443, path, 0, path.length, REQUEST);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
