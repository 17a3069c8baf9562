package dev.gatepost.admin;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class MetricsTest {
    private static final String TEXT = "text/plain;version=0.0.4";

    private final Metrics metrics = new Metrics();

    @Test
    void readsItsNumbersAtEachScrape() {
        AtomicLong requests = new AtomicLong(3);
        metrics.counter("gatepost_requests_total", "Requests.", requests::get, "protocol", "h2");
        metrics.counter("gatepost_requests_total", "Requests.", () -> 7, "protocol", "http1");
        metrics.gauge("gatepost_revision", "Revision.", () -> 41);
        assertEquals(3, samples(TEXT).get("gatepost_requests_total{protocol=\"h2\"}"));
        requests.set(5);
        Map<String, Double> samples = samples(TEXT);
        assertEquals(5, samples.get("gatepost_requests_total{protocol=\"h2\"}"));
        assertEquals(7, samples.get("gatepost_requests_total{protocol=\"http1\"}"));
        assertEquals(41, samples.get("gatepost_revision"));
    }

    @Test
    void showsADistributionFromPlainCounts() {
        metrics.histogram(
                "gatepost_request_seconds", "Durations.", List.of(0.001, 0.01, 0.1), () -> new Metrics.Buckets(List.of(5L, 3L, 2L, 1L), 1.25));
        Map<String, Double> samples = samples(TEXT);
        assertEquals(5, samples.get("gatepost_request_seconds_bucket{le=\"0.001\"}"));
        assertEquals(8, samples.get("gatepost_request_seconds_bucket{le=\"0.01\"}"));
        assertEquals(10, samples.get("gatepost_request_seconds_bucket{le=\"0.1\"}"));
        assertEquals(11, samples.get("gatepost_request_seconds_bucket{le=\"+Inf\"}"));
        assertEquals(11, samples.get("gatepost_request_seconds_count"));
        assertEquals(1.25, samples.get("gatepost_request_seconds_sum"));
    }

    @Test
    void followsLabelsThatComeAndGoWithinABound() {
        List<Metrics.Sample> routes = new ArrayList<>();
        metrics.counters("gatepost_route_requests_total", "Requests.", List.of("route"), 2, () -> routes);
        metrics.gauges("gatepost_upstream_endpoints", "Endpoints.", List.of("upstream"), 2, List::of);
        assertTrue(samples(TEXT).keySet().stream().noneMatch(name -> name.startsWith("gatepost_route_requests_total")));
        routes.add(new Metrics.Sample(List.of("a \"quoted\"\nhost/"), 1));
        assertEquals(1, samples(TEXT).get("gatepost_route_requests_total{route=\"a \\\"quoted\\\"\\nhost/\"}"));
        routes.add(new Metrics.Sample(List.of("b"), 2));
        routes.add(new Metrics.Sample(List.of("c"), 3));
        Map<String, Double> samples = samples(TEXT);
        assertFalse(samples.containsKey("gatepost_route_requests_total{route=\"c\"}"));
        assertEquals(1, samples.get("gatepost_metrics_omitted_samples{family=\"gatepost_route_requests\"}"));
    }

    @Test
    void showsADistributionForEachLabelWithinABound() {
        List<Metrics.Distribution> routes = List.of(
                new Metrics.Distribution(List.of("a"), new Metrics.Buckets(List.of(5L, 3L), 1.25)),
                new Metrics.Distribution(List.of("b"), new Metrics.Buckets(List.of(0L, 1L), 2)),
                new Metrics.Distribution(List.of("c"), new Metrics.Buckets(List.of(1L, 1L), 3)));
        metrics.histograms("gatepost_route_seconds", "Durations.", List.of("route"), List.of(0.01), 2, () -> routes);
        Map<String, Double> samples = samples(TEXT);
        assertEquals(5, samples.get("gatepost_route_seconds_bucket{route=\"a\",le=\"0.01\"}"));
        assertEquals(8, samples.get("gatepost_route_seconds_bucket{route=\"a\",le=\"+Inf\"}"));
        assertEquals(1.25, samples.get("gatepost_route_seconds_sum{route=\"a\"}"));
        assertEquals(1, samples.get("gatepost_route_seconds_count{route=\"b\"}"));
        assertFalse(samples.containsKey("gatepost_route_seconds_count{route=\"c\"}"));
        assertEquals(1, samples.get("gatepost_metrics_omitted_samples{family=\"gatepost_route_seconds\"}"));
    }

    @Test
    void keepsTheOthersWhenOneFamilyFails() {
        metrics.gauge("gatepost_broken", "Broken.", () -> {
            throw new IllegalStateException("broken on purpose");
        });
        metrics.gauge("gatepost_revision", "Revision.", () -> 41);
        Map<String, Double> samples = samples(TEXT);
        assertEquals(41, samples.get("gatepost_revision"));
        assertFalse(samples.containsKey("gatepost_broken"));
    }

    @Test
    void tellsOfTheJvmAndTheProcess() {
        Map<String, Double> samples = samples(TEXT);
        for (String family : List.of(
                "jvm_memory_used_bytes", "jvm_gc_", "jvm_threads_live_threads", "process_cpu_usage", "process_files_open_files",
                "process_uptime_seconds", "process_resident_memory_bytes", "jvm_classes_loaded_classes")) {
            assertTrue(samples.keySet().stream().anyMatch(name -> name.startsWith(family)), family);
        }
        assertTrue(samples.getOrDefault("process_resident_memory_bytes", 0.0) > 1_000_000);
    }

    @Test
    void speaksOpenMetricsWhenAsked() {
        metrics.counter("gatepost_requests_total", "Requests.", () -> 3);
        String prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        Response response = metrics.response(prometheus);
        assertTrue(response.contentType().startsWith("application/openmetrics-text"), response.contentType());
        assertTrue(text(response).endsWith("# EOF\n"));
        assertEquals(3, samples(prometheus).get("gatepost_requests_total"));
        assertTrue(metrics.response("*/*").contentType().startsWith("text/plain"));
    }

    @Test
    void refusesOneNameForTwoKinds() {
        metrics.gauge("gatepost_x", "X.", () -> 1);
        assertThrows(IllegalArgumentException.class, () -> metrics.counter("gatepost_x", "X.", () -> 1));
    }

    private Map<String, Double> samples(String accept) {
        Map<String, Double> samples = new HashMap<>();
        for (String line : text(metrics.response(accept)).split("\n", -1)) {
            if (!line.isEmpty() && !line.startsWith("#")) {
                int blank = line.lastIndexOf(' ');
                String value = line.substring(blank + 1);
                samples.put(line.substring(0, blank), value.equals("+Inf") ? Double.POSITIVE_INFINITY : Double.parseDouble(value));
            }
        }
        return samples;
    }

    private static String text(Response response) {
        return new String(response.body().bytes(), StandardCharsets.UTF_8);
    }
}
