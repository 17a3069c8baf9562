package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What is counted of each route and endpoint, as Prometheus reads it.
final class GatewayMetricsTest {
    private static final Pattern BUCKET = Pattern.compile("gatepost_route_duration_seconds_bucket\\{route=\"a.test/\",le=\"([^\"]+)\"} (\\S+)");

    @TempDir
    Path home;

    @Test
    void tellsHowLongARoutesRequestsTakeAndWhatOfThatIsTheEndpoints() throws Exception {
        try (Origin origin = Origin.start("a")) {
            Files.writeString(home.resolve("services.yaml"), """
                    services:
                      - name: a
                        tags: [ "gatepost.route=a.test/" ]
                        instances: [ { id: a-1, address: 127.0.0.1, port: %d, weight: 1, meta: {}, status: passing } ]
                    """.formatted(origin.port()));
            try (RunningGateway gateway = RunningGateway.start(home, "catalog: { file: services.yaml }")) {
                Await.until("the file is served", Duration.ofSeconds(15), () -> gateway.admin("/api/v1/state").path("revision").asLong() > 0);
                for (int i = 0; i < 3; i++) {
                    assertEquals(200, gateway.status("a.test/name"));
                }
                Await.until("three are counted", Duration.ofSeconds(15), () -> buckets(gateway).getOrDefault("+Inf", 0.0) == 3);
                Map<String, Double> buckets = buckets(gateway);
                assertEquals(List.of("+Inf", "0.005", "0.025", "0.1", "0.25", "0.5", "1.0", "10.0", "2.5"), List.copyOf(buckets.keySet()));
                String metrics = gateway.text("/metrics");
                assertEquals(3, sample(metrics, "gatepost_route_duration_seconds_count{route=\"a.test/\"}"));
                assertEquals(3, sample(metrics, "gatepost_endpoint_answers_total{instance=\"file-127-0-0-1/a-1\",service=\"a\"}"));
                double whole = sample(metrics, "gatepost_route_duration_seconds_sum{route=\"a.test/\"}");
                double endpoint = sample(metrics, "gatepost_endpoint_answer_seconds_total{instance=\"file-127-0-0-1/a-1\",service=\"a\"}");
                assertTrue(endpoint > 0 && endpoint <= whole, endpoint + " of " + whole);
                assertEquals(sample(metrics, "gatepost_http_response_bytes_total"), sample(metrics, "gatepost_route_response_bytes_total{route=\"a.test/\"}"));
                assertEquals(sample(metrics, "gatepost_http_request_bytes_total"), sample(metrics, "gatepost_route_request_bytes_total{route=\"a.test/\"}"));
            }
        }
    }

    private static Map<String, Double> buckets(RunningGateway gateway) {
        Map<String, Double> buckets = new TreeMap<>();
        Matcher matcher = BUCKET.matcher(gateway.text("/metrics"));
        while (matcher.find()) {
            buckets.put(matcher.group(1), Double.valueOf(matcher.group(2)));
        }
        return buckets;
    }

    private static double sample(String metrics, String name) {
        return metrics.lines().filter(line -> line.startsWith(name + " ")).map(line -> Double.valueOf(line.substring(name.length() + 1))).findFirst().orElseThrow(() -> new AssertionError(name + " is not among " + ours(metrics)));
    }

    private static List<String> ours(String metrics) {
        return metrics.lines().filter(line -> line.startsWith("gatepost_")).toList();
    }
}
