package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.fragment.Fragments;
import dev.gatepost.gateway.route.Conflict;
import dev.gatepost.gateway.tls.CertificateText;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.ServerCertificate;
import dev.gatepost.gateway.zone.Withheld;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How what is known becomes what is served: the catalog's last snapshot, the fragments in force, the certificates and what
/// the gate has found out make the next state, which takes the last one's place by one write; its history and the log
/// come after that.
///
/// The lock is between the catalog's thread, the fragments', and the one that looks at the gate.
final class Publication {
    private static final int MOST_CONFLICTS_TOLD = 10;
    private static final Logger LOG = LoggerFactory.getLogger(Publication.class);

    private final AtomicReference<GatewayState> served;
    private final GatewayState.Settings settings;
    private final Optional<Certificates> certificates;
    private final Withholding withholding;
    private final LongSupplier index;
    private final InstantSource clock;
    private final History history = new History();
    private Optional<Snapshot> known = Optional.empty();
    private Optional<Fragments> written = Optional.empty();
    private Withheld withheld = Withheld.NOTHING;
    private List<ServerCertificate> shown = List.of();

    /// @param served what every reader reads; holds the state before the first
    /// @param index  Consul's, as last heard
    Publication(
            AtomicReference<GatewayState> served,
            GatewayState.Settings settings,
            Optional<Certificates> certificates,
            Withholding withholding,
            LongSupplier index,
            InstantSource clock) {
        this.served = served;
        this.settings = settings;
        this.certificates = certificates;
        this.withholding = withholding;
        this.index = index;
        this.clock = clock;
    }

    History history() {
        return history;
    }

    /// Called by the catalog's one thread whenever what it knows has changed.
    synchronized void follow(Snapshot snapshot) {
        known = Optional.of(snapshot);
        written.ifPresent(fragments -> publish(snapshot, fragments));
    }

    /// Called by the fragments' one thread whenever others are in force.
    void follow(Fragments fragments) {
        certificates.ifPresent(beside -> beside.serveBeside(
                fragments.certificates().stream().map(each -> new CertificateText(Path.of(each.source().replace('\0', '?')), each.text())).toList()));
        synchronized (this) {
            written = Optional.of(fragments);
            known.ifPresent(snapshot -> publish(snapshot, fragments));
        }
    }

    /// What the gate finds out, and certificates that change, make other names though the catalog stays as it was.
    synchronized void look(boolean draining) {
        if (known.isPresent() && written.isPresent() && gateHasChanged(known.get(), draining)) {
            publish(known.get(), written.get());
        }
    }

    private boolean gateHasChanged(Snapshot snapshot, boolean draining) {
        Withheld now = withholding.from(snapshot, draining, System.nanoTime());
        if (now.saysAs(withheld) && certificatesInUse().equals(shown)) {
            return false;
        }
        withheld = now;
        return true;
    }

    private List<ServerCertificate> certificatesInUse() {
        return certificates.map(Certificates::all).orElse(List.of());
    }

    private void publish(Snapshot snapshot, Fragments fragments) {
        GatewayState last = Objects.requireNonNull(served.get());
        shown = certificatesInUse();
        GatewayState next = last.next(snapshot, fragments, shown, withheld, settings, clock.instant());
        served.set(next);
        remember(last, next);
        tell(last, next);
    }

    private void remember(GatewayState last, GatewayState next) {
        if (last.revision() == 0) {
            history.begin(next, index.getAsLong());
        } else {
            history.add(next, index.getAsLong(), Changeset.between(last, next));
        }
    }

    private static void tell(GatewayState last, GatewayState next) {
        List<Conflict> conflicts = next.routes().newConflicts();
        conflicts.stream().limit(MOST_CONFLICTS_TOLD).forEach(conflict -> LOG.warn("declarations differ: {}", conflict));
        if (conflicts.size() > MOST_CONFLICTS_TOLD) {
            LOG.warn("declarations differ: {} more, see /api/v1/conflicts", conflicts.size() - MOST_CONFLICTS_TOLD);
        }
        if (last.revision() == 0) {
            LOG.info("ready: {} services, {} routes, {} rejected", next.catalog().services().size(), next.routes().size(), next.routes().rejected().size());
        }
    }
}
