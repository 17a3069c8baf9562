package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.catalog.ConsulFailure.Kind;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How we stand with Consul: which of the watches get answers, since when, and what is kept from earlier. It logs when
/// that changes, and only then.
///
/// Its lock is between the watches and the catalog's own thread, which write, and whoever asks for the status.
final class ConsulStanding {
    private static final Logger LOG = LoggerFactory.getLogger(ConsulCatalog.class);

    private final String address;
    private final LongSupplier servedRevision;
    private final InstantSource clock;
    private final int watches;
    private final Map<String, ConsulFailure> failures = new TreeMap<>();
    private final Map<String, Instant> answers = new HashMap<>();
    private int recoveries;
    private boolean delivered;
    private List<String> keptServices = List.of();
    private Optional<String> held = Optional.empty();
    private Optional<Kind> logged = Optional.empty();
    private Instant failingSince = Instant.EPOCH;

    ConsulStanding(String address, LongSupplier servedRevision, InstantSource clock, int watches) {
        this.address = address;
        this.servedRevision = servedRevision;
        this.clock = clock;
        this.watches = watches;
    }

    synchronized void answered(String watch) {
        boolean allFailed = failures.size() == watches;
        answers.put(watch, clock.instant());
        if (failures.remove(watch) == null) {
            return;
        }
        if (allFailed) {
            recoveries++;
            notifyAll(); // the other watches need not sleep on
        }
        if (failures.isEmpty()) {
            logged = Optional.empty();
            LOG.info("consul answers again ({}) after {}, following it", address, words(Duration.between(failingSince, clock.instant())));
        }
    }

    /// @param alive the agent was there until this very moment: it closed the connection on which we waited
    synchronized void failed(String watch, ConsulFailure failure, boolean alive) {
        if (alive && !failures.containsKey(watch)) {
            answers.put(watch, clock.instant());
        }
        if (failures.isEmpty()) {
            failingSince = clock.instant();
        }
        failures.put(watch, failure);
        if (logged.isPresent() && logged.get() == failure.kind()) {
            return;
        }
        logged = Optional.of(failure.kind());
        LOG.warn("consul {} ({}): {}; {}", failure.kind().words(), address, failure.reason(), serving());
    }

    /// Sleeps before the next attempt; ends early when another watch got through.
    synchronized void awaitRetry(Duration longest) throws InterruptedException {
        long end = System.nanoTime() + longest.toNanos();
        int before = recoveries;
        for (long left = longest.toMillis(); left > 0 && recoveries == before; left = (end - System.nanoTime()) / 1_000_000) {
            wait(left);
        }
    }

    /// Nobody home: asking anything else is of no use.
    synchronized boolean away() {
        return failures.values().stream().anyMatch(failure -> failure.kind() == Kind.UNREACHABLE);
    }

    synchronized void delivered() {
        delivered = true;
    }

    /// Services whose last good state is kept because their own read failed.
    synchronized void kept(List<String> services, Optional<ConsulFailure> reason) {
        if (services.isEmpty() && !keptServices.isEmpty()) {
            LOG.info("consul answers for every service again ({})", address);
        }
        if (!services.isEmpty() && keptServices.isEmpty()) {
            LOG.warn("consul gives no usable answer for {} ({}): {}; keeping the last good state",
                    some(services), address, reason.map(ConsulFailure::reason).orElse("unknown"));
        }
        keptServices = services;
    }

    /// Something that Consul says is not believed yet, and why; empty once it is.
    synchronized void held(Optional<String> why) {
        if (why.isPresent() && !why.equals(held)) {
            LOG.warn("{} ({}); {}", why.get(), address, serving());
        }
        held = why;
    }

    synchronized SourceStatus status() {
        Optional<String> error = failures.values().stream().findFirst()
                .map(failure -> failure.kind().words() + ": " + failure.reason())
                .or(() -> held)
                .or(() -> keptServices.isEmpty() ? Optional.empty() : Optional.of("no usable answer for " + some(keptServices)));
        boolean reachable = failures.isEmpty() && answers.size() == watches;
        return new SourceStatus(address, reachable, confirmedAt(), error.isPresent(), keptServices, error);
    }

    private Optional<Instant> confirmedAt() {
        return delivered ? answers.values().stream().min(Instant::compareTo) : Optional.empty();
    }

    private String serving() {
        long revision = servedRevision.getAsLong();
        if (revision == 0) {
            return "nothing to serve yet, trying on";
        }
        String age = confirmedAt().map(at -> " from " + words(Duration.between(at, clock.instant())) + " ago").orElse("");
        return "serving revision " + revision + age;
    }

    static String some(List<String> names) {
        String first = String.join(", ", names.subList(0, Math.min(3, names.size())));
        return names.size() <= 3 ? first : first + " and " + (names.size() - 3) + " more";
    }

    private static String words(Duration duration) {
        return duration.toSeconds() < 1 ? duration.toMillis() + " ms" : duration.toSeconds() + " s";
    }
}
