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
    private final List<String> watches;
    private final Map<String, Long> completed = new HashMap<>();
    private final Map<String, ConsulFailure> failures = new TreeMap<>();
    private final Map<String, Instant> answers = new HashMap<>();
    private int recoveries;
    private boolean delivered;
    private List<String> keptServices = List.of();
    private Optional<String> held = Optional.empty();
    private Optional<String> alarm = Optional.empty();
    private List<String> missingRules = List.of();
    private Optional<Kind> logged = Optional.empty();
    private Instant failingSince = Instant.EPOCH;

    /// @param address how it is called in status and log
    /// @param watches their endpoints
    ConsulStanding(String address, LongSupplier servedRevision, InstantSource clock, List<String> watches, long nanoTime) {
        this.address = address;
        this.servedRevision = servedRevision;
        this.clock = clock;
        this.watches = List.copyOf(watches);
        watches.forEach(watch -> completed.put(watch, nanoTime));
    }

    synchronized void answered(String watch) {
        boolean allFailed = failures.size() == watches.size();
        completed.put(watch, System.nanoTime());
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

    /// How often a watch has got through after all of them had failed.
    synchronized int recoveries() {
        return recoveries;
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

    /// The watchdog's look: a watch comes back at least once a wait, whether or not anything changed, and reading what
    /// changed takes a bounded time. Where one doesn't, nobody else would notice.
    ///
    /// @param longest      what is allowed
    /// @param readingSince when the reading that is going on began; 0 when none is
    synchronized void look(Duration longest, long readingSince, long nanoTime) {
        Optional<String> overdue = watches.stream()
                .filter(watch -> nanoTime - completed.getOrDefault(watch, nanoTime) > longest.toNanos())
                .findFirst()
                .or(() -> readingSince != 0 && nanoTime - readingSince > longest.toNanos() ? Optional.of("what the watches announced") : Optional.empty());
        Optional<String> now = overdue.map(what -> "no completed answer for " + what + " in " + words(longest));
        if (now.isPresent() && alarm.isEmpty()) {
            LOG.warn("watchdog: {} ({}); {}", now.get(), address, serving());
        }
        if (now.isEmpty() && alarm.isPresent()) {
            LOG.info("watchdog: every question to consul is answered again ({})", address);
        }
        alarm = now;
    }

    /// What the token seems to lack, as lines of an ACL policy.
    synchronized void rights(List<String> missing) {
        if (!missing.isEmpty() && !missing.equals(missingRules)) {
            LOG.warn("consul's token sees too little ({}): its policy lacks {}; {}", address, String.join(" and ", missing), serving());
        }
        if (missing.isEmpty() && !missingRules.isEmpty()) {
            LOG.info("consul's token sees enough again ({})", address);
        }
        missingRules = missing;
    }

    synchronized SourceStatus status() {
        Optional<String> error = failures.values().stream().findFirst()
                .map(failure -> failure.kind().words() + ": " + failure.reason())
                .or(() -> held)
                .or(() -> alarm)
                .or(() -> missingRules.isEmpty() ? Optional.empty() : Optional.of("the token lacks " + String.join(" and ", missingRules)))
                .or(() -> keptServices.isEmpty() ? Optional.empty() : Optional.of("no usable answer for " + some(keptServices)));
        boolean reachable = failures.isEmpty() && answers.size() == watches.size();
        return new SourceStatus(address, reachable, confirmedAt(), error.isPresent(), keptServices, new Safeguards(alarm, held, Optional.empty(), missingRules), error);
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
