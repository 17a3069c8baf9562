package dev.gatepost.admin;

import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.prometheus.metrics.model.snapshots.Labels;
import java.util.List;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// What `/metrics` shows: the JVM's own figures, and families whose numbers others keep in plain counters and hand over when
/// asked. So counting costs a hot path one addition, and this class is not on it.
///
/// Labels are given as names and values in turn: `"method", "GET"`. Names of counters end in `_total` by themselves.
public final class Metrics {
    private static final String TEXT = "text/plain; version=0.0.4; charset=utf-8";
    private static final String OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Families families = new Families();
    private final JvmGcMetrics gc = new JvmGcMetrics();

    /// One number of a family.
    ///
    /// @param labels the values, in the order of the family's label names
    public record Sample(List<String> labels, double value) {
        public Sample {
            labels = List.copyOf(labels);
        }
    }

    /// How often a value fell between two bounds, the last count being of those above all bounds, and the sum of all values.
    public record Buckets(List<Long> counts, double sum) {
        public Buckets {
            counts = List.copyOf(counts);
        }
    }

    /// One distribution of a family.
    ///
    /// @param labels the values, in the order of the family's label names
    public record Distribution(List<String> labels, Buckets buckets) {
        public Distribution {
            labels = List.copyOf(labels);
        }
    }

    public Metrics() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ClassLoaderMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new FileDescriptorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        gc.bindTo(registry);
        registry.getPrometheusRegistry().register(families);
        gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.", ResidentMemory::bytes);
    }

    /// A number that only grows.
    public Metrics counter(String name, String help, LongSupplier value, String... labels) {
        families.add(Families.Kind.COUNTER, name, help, Labels.of(labels), value::getAsLong);
        return this;
    }

    /// A number that comes and goes.
    public Metrics gauge(String name, String help, DoubleSupplier value, String... labels) {
        families.add(Families.Kind.GAUGE, name, help, Labels.of(labels), value);
        return this;
    }

    /// A distribution. `bounds` are the inclusive upper ends of the buckets, rising.
    public Metrics histogram(String name, String help, List<Double> bounds, Supplier<Buckets> buckets, String... labels) {
        families.addHistogram(name, help, Labels.of(labels), bounds, buckets);
        return this;
    }

    /// Distributions whose labels come and go.
    ///
    /// @param most how many are shown at most
    public Metrics histograms(String name, String help, List<String> labels, List<Double> bounds, int most, Supplier<List<Distribution>> distributions) {
        families.addHistograms(name, help, labels, bounds, most, distributions);
        return this;
    }

    /// Counters whose labels come and go, such as one for each route.
    ///
    /// @param most how many samples are shown at most; `gatepost_metrics_omitted_samples` counts the rest
    public Metrics counters(String name, String help, List<String> labels, int most, Supplier<List<Sample>> samples) {
        families.addDynamic(Families.Kind.COUNTER, name, help, labels, most, samples);
        return this;
    }

    /// The same for gauges.
    public Metrics gauges(String name, String help, List<String> labels, int most, Supplier<List<Sample>> samples) {
        families.addDynamic(Families.Kind.GAUGE, name, help, labels, most, samples);
        return this;
    }

    /// Prometheus text, or OpenMetrics where the client asks for it.
    Response response(String accept) {
        String contentType = accept.contains("application/openmetrics-text") ? OPEN_METRICS : TEXT;
        return Response.text(contentType, registry.scrape(contentType));
    }
}
