package dev.gatepost.admin;

import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricMetadata;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The families of numbers that others keep, read at each scrape. A family that fails to tell its numbers is left out; it
/// does not take the others with it.
final class Families implements MultiCollector {
    private static final Logger LOG = LoggerFactory.getLogger(Families.class);
    private static final String OMITTED = "gatepost_metrics_omitted_samples";

    enum Kind { COUNTER, GAUGE, HISTOGRAM }

    /// Adds its points to those of its family.
    @FunctionalInterface
    private interface Source {
        /// @return how many were left out
        int read(List<DataPointSnapshot> points);
    }

    private record Family(Kind kind, MetricMetadata metadata, List<Source> sources) {}

    private final Map<String, Family> families = new ConcurrentSkipListMap<>();

    void add(Kind kind, String name, String help, Labels labels, DoubleSupplier value) {
        add(kind, name, help, points -> {
            points.add(point(kind, labels, value.getAsDouble()));
            return 0;
        });
    }

    void addDynamic(Kind kind, String name, String help, List<String> labels, int most, Supplier<List<Metrics.Sample>> samples) {
        add(kind, name, help, points -> {
            List<Metrics.Sample> all = samples.get();
            for (Metrics.Sample sample : all.subList(0, Math.min(most, all.size()))) {
                points.add(point(kind, Labels.of(labels, sample.labels()), sample.value()));
            }
            return Math.max(0, all.size() - most);
        });
    }

    void addHistogram(String name, String help, Labels labels, List<Double> bounds, Supplier<Metrics.Buckets> buckets) {
        List<Double> ends = ends(bounds);
        add(Kind.HISTOGRAM, name, help, points -> {
            points.add(point(ends, labels, buckets.get()));
            return 0;
        });
    }

    void addHistograms(
            String name, String help, List<String> labels, List<Double> bounds, int most, Supplier<List<Metrics.Distribution>> distributions) {
        List<Double> ends = ends(bounds);
        add(Kind.HISTOGRAM, name, help, points -> {
            List<Metrics.Distribution> all = distributions.get();
            for (Metrics.Distribution one : all.subList(0, Math.min(most, all.size()))) {
                points.add(point(ends, Labels.of(labels, one.labels()), one.buckets()));
            }
            return Math.max(0, all.size() - most);
        });
    }

    private static List<Double> ends(List<Double> bounds) {
        List<Double> ends = new ArrayList<>(bounds);
        ends.add(Double.POSITIVE_INFINITY);
        return ends;
    }

    private static DataPointSnapshot point(List<Double> ends, Labels labels, Metrics.Buckets buckets) {
        return HistogramSnapshot.HistogramDataPointSnapshot.builder()
                .classicHistogramBuckets(ClassicHistogramBuckets.of(ends, buckets.counts()))
                .sum(buckets.sum())
                .labels(labels)
                .build();
    }

    private void add(Kind kind, String name, String help, Source source) {
        String base = kind == Kind.COUNTER && name.endsWith("_total") ? name.substring(0, name.length() - "_total".length()) : name;
        Family family = families.computeIfAbsent(
                base, _ -> new Family(kind, new MetricMetadata(base, help), new CopyOnWriteArrayList<>()));
        if (family.kind() != kind) {
            throw new IllegalArgumentException(name + ": " + kind + " (expected: " + family.kind() + ", as registered before)");
        }
        family.sources().add(source);
    }

    @Override
    public MetricSnapshots collect() {
        List<MetricSnapshot> snapshots = new ArrayList<>();
        List<GaugeSnapshot.GaugeDataPointSnapshot> omitted = new ArrayList<>();
        for (Map.Entry<String, Family> entry : families.entrySet()) {
            List<DataPointSnapshot> points = new ArrayList<>();
            try {
                int left = 0;
                for (Source source : entry.getValue().sources()) {
                    left += source.read(points);
                }
                snapshots.add(snapshot(entry.getValue(), points));
                if (left > 0) {
                    omitted.add(new GaugeSnapshot.GaugeDataPointSnapshot(left, Labels.of("family", entry.getKey()), null));
                }
            } catch (RuntimeException e) {
                LOG.warn("metric {} could not be read ({}), left out of this scrape", entry.getKey(), e.toString());
            }
        }
        if (!omitted.isEmpty()) {
            MetricMetadata metadata = new MetricMetadata(OMITTED, "Samples beyond the bound of their family.");
            snapshots.add(new GaugeSnapshot(metadata, omitted));
        }
        return new MetricSnapshots(snapshots);
    }

    private static DataPointSnapshot point(Kind kind, Labels labels, double value) {
        return switch (kind) {
            case COUNTER -> new CounterSnapshot.CounterDataPointSnapshot(value, labels, null, 0);
            case GAUGE -> new GaugeSnapshot.GaugeDataPointSnapshot(value, labels, null);
            case HISTOGRAM -> throw new IllegalArgumentException("a histogram is not one value");
        };
    }

    private static MetricSnapshot snapshot(Family family, List<DataPointSnapshot> points) {
        return switch (family.kind()) {
            case COUNTER -> new CounterSnapshot(family.metadata(), cast(points, CounterSnapshot.CounterDataPointSnapshot.class));
            case GAUGE -> new GaugeSnapshot(family.metadata(), cast(points, GaugeSnapshot.GaugeDataPointSnapshot.class));
            case HISTOGRAM ->
                new HistogramSnapshot(family.metadata(), cast(points, HistogramSnapshot.HistogramDataPointSnapshot.class));
        };
    }

    private static <T> List<T> cast(List<DataPointSnapshot> points, Class<T> type) {
        return points.stream().map(type::cast).toList();
    }
}
