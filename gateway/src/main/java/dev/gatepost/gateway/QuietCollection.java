package dev.gatepost.gateway;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Collects the whole heap while nobody waits: when nothing happened for a while, once, and again only after something did. What the last
/// burst left behind goes back to the machine then. The JVM's own periodic collections look for quiet in the collector instead, which
/// a gate that makes little garbage has at any load, and their pauses are requests'.
///
/// Used by one thread.
final class QuietCollection {
    private static final Logger LOG = LoggerFactory.getLogger(QuietCollection.class);
    /// Longer than the pauses of whoever comes by the clock, a check of health say: a heap without room to spare is marked, at some 40 ms
    /// of a core, as soon as work comes back.
    private static final Duration QUIET = Duration.ofMinutes(1);
    /// Percent of the heap that may stay free, in place of the JVM's 40 to 70, which serve whoever is busy.
    private static final String LEAST_FREE = "5";
    private static final String MOST_FREE = "10";
    private static final String LEAST_FREE_OPTION = "MinHeapFreeRatio";
    private static final String MOST_FREE_OPTION = "MaxHeapFreeRatio";

    private final LongSupplier activity;
    private final BooleanSupplier waiting;
    private final Runnable collection;
    private long seen;
    private long sinceNanos;
    private boolean collected;

    /// @param activity another number says that something happened
    /// @param waiting  whether somebody waits for something, a long download say
    QuietCollection(LongSupplier activity, BooleanSupplier waiting, Runnable collection, long nowNanos) {
        this.activity = activity;
        this.waiting = waiting;
        this.collection = collection;
        this.seen = activity.getAsLong();
        this.sinceNanos = nowNanos;
        this.collected = true; // nothing happened yet
    }

    /// Collects, and leaves the heap as small as it can be. It grows again by the JVM's ordinary rules.
    static void collectTightly() {
        HotSpotDiagnosticMXBean vm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        try {
            String least = vm.getVMOption(LEAST_FREE_OPTION).getValue();
            String most = vm.getVMOption(MOST_FREE_OPTION).getValue();
            // In this order: the least may never be more than the most.
            vm.setVMOption(LEAST_FREE_OPTION, LEAST_FREE);
            vm.setVMOption(MOST_FREE_OPTION, MOST_FREE);
            System.gc();
            vm.setVMOption(MOST_FREE_OPTION, most);
            vm.setVMOption(LEAST_FREE_OPTION, least);
        } catch (IllegalArgumentException e) {
            LOG.debug("a JVM without {} and {}", LEAST_FREE_OPTION, MOST_FREE_OPTION, e);
        }
    }

    /// To be called every now and then.
    ///
    /// @param nowNanos in the terms of [System#nanoTime()]
    void look(long nowNanos) {
        long now = activity.getAsLong();
        if (now != seen || waiting.getAsBoolean()) {
            seen = now;
            sinceNanos = nowNanos;
            collected = false;
        } else if (!collected && nowNanos - sinceNanos >= QUIET.toNanos()) {
            collected = true;
            collection.run();
        }
    }
}
