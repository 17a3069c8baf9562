package dev.gatepost.gateway.tls;

import dev.gatepost.gateway.config.GatewayConfig;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The certificates in service. A handshake takes the table once; a reload publishes another and touches no connection.
///
/// What cannot be used is rejected alone. After the first load, a file that turns bad keeps being served as it last was.
public final class Certificates implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Certificates.class);

    /// How long a replaced context outlives its replacement: an event loop that had just chosen it still opens an engine,
    /// which then keeps the context by itself.
    private static final Duration RETIREMENT = Duration.ofSeconds(10);

    private record Kept(String digest, ServerCertificate certificate) {}

    private record Retired(ServerCertificate certificate, Instant since) {}

    /// Whoever renews certificates has done so before this much is left of them.
    private static final Duration LONGEST_NOTICE = Duration.ofDays(14);

    private final List<GatewayConfig.Certificate> configured;
    private final Optional<Path> ticketFile;
    private final SecureRandom random = new SecureRandom();
    private final InstantSource clock;
    private List<CertificateText> written = List.of();
    private TicketKeys tickets;
    private Map<Path, Kept> kept = Map.of();
    private final List<Retired> retired = new ArrayList<>();
    private boolean closed;
    private volatile CertificateTable table;
    private volatile List<RejectedCertificate> rejected = List.of();
    private @Nullable CertificateWatch watch;
    private @Nullable Thread keeping;

    private Certificates(
            List<GatewayConfig.Certificate> configured, Optional<Path> ticketFile, TicketKeys tickets, InstantSource clock, CertificateTable table) {
        this.configured = List.copyOf(configured);
        this.ticketFile = ticketFile;
        this.tickets = tickets;
        this.clock = clock;
        this.table = table;
        table.certificates().forEach(certificate -> tickets.applyTo(certificate.context()));
    }

    /// One that never changes and needs no file.
    public static Certificates of(ServerCertificate certificate) {
        CertificateTable table = CertificateTable.from(List.of(certificate), Instant.now());
        return new Certificates(List.of(), Optional.empty(), TicketKeys.own(new SecureRandom()), InstantSource.system(), table);
    }

    /// With ticket keys that nobody else has.
    public static CertificateLoad load(List<GatewayConfig.Certificate> configured, InstantSource clock) {
        return load(configured, Optional.empty(), clock);
    }

    /// @param ticketFile holds the keys of session tickets; empty: we make our own
    public static CertificateLoad load(List<GatewayConfig.Certificate> configured, Optional<Path> ticketFile, InstantSource clock) {
        TicketKeys tickets;
        try {
            tickets = ticketFile.isPresent() ? TicketKeys.read(ticketFile.get()) : TicketKeys.own(new SecureRandom());
        } catch (IOException e) {
            return new CertificateLoad.Unusable(List.of(new RejectedCertificate(ticketFile.orElseThrow(), reason(e))));
        }
        Reading reading = Reading.of(configured, List.of(), Map.of());
        List<RejectedCertificate> missing = reading.missing();
        if (!missing.isEmpty() || reading.certificates().isEmpty()) {
            reading.certificates().forEach(Certificates::release);
            return new CertificateLoad.Unusable(problems(reading, configured));
        }
        Certificates certificates =
                new Certificates(configured, ticketFile, tickets, clock, CertificateTable.from(reading.certificates(), clock.instant()));
        certificates.kept = reading.kept();
        certificates.rejected = reading.rejected();
        certificates.warn(reading);
        return new CertificateLoad.Usable(certificates, reading.rejected());
    }

    private static List<RejectedCertificate> problems(Reading reading, List<GatewayConfig.Certificate> configured) {
        if (!reading.rejected().isEmpty()) {
            return reading.rejected();
        }
        if (configured.isEmpty()) {
            return List.of(new RejectedCertificate(
                    Path.of("https.certificates"), "empty (expected: a certificate and key, or a directory of NAME.pem with NAME.key)"));
        }
        return configured.stream()
                .map(each -> new RejectedCertificate(each.certificate(), "no NAME.pem or NAME.crt in the directory (expected: at least one)"))
                .toList();
    }

    /// @param serverName the SNI name in lower case; null when the client sent none
    public ServerCertificate choose(@Nullable String serverName) {
        return table.choose(serverName);
    }

    /// In order of precedence: the first is the default.
    public List<ServerCertificate> all() {
        return table.certificates();
    }

    public List<RejectedCertificate> rejected() {
        return rejected;
    }

    /// Reads the files again and serves what they hold now; unchanged ones keep their context.
    public synchronized void reload() { // the watch's thread against the one that obeys SIGHUP
        if (closed || configured.isEmpty()) {
            return;
        }
        releaseRetired(clock.instant().minus(RETIREMENT));
        reloadTickets();
        Reading reading = Reading.of(configured, written, kept);
        boolean sameProblems = reading.rejected().equals(rejected);
        rejected = reading.rejected();
        if (reading.certificates().isEmpty()) {
            LOG.warn("no usable certificate left in {}, serving the previous ones", configured);
            return;
        }
        List<ServerCertificate> before = table.certificates();
        if (!before.equals(reading.certificates())) {
            reading.certificates().stream().filter(certificate -> !before.contains(certificate)).forEach(certificate -> tickets.applyTo(certificate.context()));
            table = CertificateTable.from(reading.certificates(), clock.instant());
            for (ServerCertificate certificate : before) {
                if (!reading.certificates().contains(certificate)) {
                    retired.add(new Retired(certificate, clock.instant()));
                }
            }
            for (ServerCertificate certificate : reading.certificates()) {
                if (!before.contains(certificate)) {
                    LOG.info("certificate {} in service for {}, valid until {}", certificate.file(), certificate.names(), certificate.notAfter());
                }
            }
        }
        kept = reading.kept();
        if (!sameProblems) {
            warn(reading);
        } else {
            reading.certificates().stream().filter(certificate -> !before.contains(certificate)).forEach(this::warnOfEnd);
        }
    }

    /// Serves these as well, those that the configuration names before them, in place of those that were given before.
    public synchronized void serveBeside(List<CertificateText> texts) {
        if (!texts.equals(written)) {
            written = List.copyOf(texts);
            reload();
        }
    }

    /// A file that can't be used changes nothing.
    private void reloadTickets() {
        if (ticketFile.isEmpty()) {
            return;
        }
        try {
            TicketKeys read = TicketKeys.read(ticketFile.get());
            if (!read.sameAs(tickets)) {
                seal(read);
                LOG.info("session ticket keys of {} in use: {}, the first seals", ticketFile.get(), read.keys().size());
            }
        } catch (IOException e) {
            LOG.warn("session ticket keys not reread, the previous ones stay: {}: {}", ticketFile.get(), reason(e));
        }
    }

    private void seal(TicketKeys keys) {
        tickets = keys;
        table.certificates().forEach(certificate -> keys.applyTo(certificate.context()));
    }

    /// Follows changes of the files until closed, changes the ticket keys from time to time, and warns of certificates that end.
    public synchronized void watch() {
        if (watch == null && !configured.isEmpty() && !closed) {
            watch = CertificateWatch.start(Stream.concat(configured.stream().flatMap(GatewayConfig.Certificate::files), ticketFile.stream()).toList(), this::reload);
            keeping = Thread.ofVirtual().name("certificates-hourly").start(this::keep);
        }
    }

    private void keep() {
        try {
            for (int hours = TicketKeys.ROTATION_HOURS; ; hours += TicketKeys.ROTATION_HOURS) {
                TimeUnit.HOURS.sleep(TicketKeys.ROTATION_HOURS);
                rotateTickets();
                if (hours % 24 == 0) {
                    all().forEach(this::warnOfEnd);
                }
            }
        } catch (InterruptedException _) {
            // Closed: the thread ends.
        }
    }

    /// Seals with a new key from here on; those of a file change with the file alone.
    synchronized void rotateTickets() { // the hourly thread against the watch's
        if (!closed && ticketFile.isEmpty()) {
            seal(tickets.rotated(random));
        }
    }

    /// Connections in progress keep what they have; no new handshake may follow.
    @Override
    public void close() {
        CertificateWatch stopped;
        synchronized (this) {
            stopped = watch;
            closed = true;
            if (keeping != null) {
                keeping.interrupt();
            }
        }
        if (stopped != null) {
            stopped.close();
        }
        synchronized (this) {
            releaseRetired(Instant.MAX);
            table.certificates().forEach(Certificates::release);
        }
    }

    private void releaseRetired(Instant before) {
        for (Iterator<Retired> each = retired.iterator(); each.hasNext(); ) {
            Retired old = each.next();
            if (old.since().isBefore(before)) {
                release(old.certificate());
                each.remove();
            }
        }
    }

    private static void release(ServerCertificate certificate) {
        ReferenceCountUtil.release(certificate.context());
    }

    private void warn(Reading reading) {
        for (RejectedCertificate each : reading.rejected()) {
            LOG.warn("certificate rejected: {}", each.message());
        }
        reading.certificates().forEach(this::warnOfEnd);
    }

    /// Once a day: it has ended, or ends before long.
    private void warnOfEnd(ServerCertificate each) {
        Instant now = clock.instant();
        if (!each.validAt(now)) {
            LOG.warn("certificate {} is served outside its validity: {} to {}", each.file(), each.notBefore(), each.notAfter());
        } else if (each.notAfter().isBefore(now.plus(notice(each)))) {
            LOG.warn("certificate {} for {} ends in {} hours, at {}: renew it", each.file(), each.names(), Duration.between(now, each.notAfter()).toHours(), each.notAfter());
        }
    }

    /// A quarter of its life, so that certificates of a few days don't warn for most of it. In whole seconds: the division of a
    /// Duration is one of decimals, whose tables are large and made at first use.
    static Duration notice(ServerCertificate certificate) {
        Duration quarter = Duration.ofSeconds(Duration.between(certificate.notBefore(), certificate.notAfter()).toSeconds() / 4);
        return quarter.compareTo(LONGEST_NOTICE) < 0 ? quarter : LONGEST_NOTICE;
    }

    private static String reason(IOException problem) {
        return problem instanceof NoSuchFileException ? "does not exist (expected: a readable file)" : String.valueOf(problem.getMessage());
    }

    /// What the files hold at one moment.
    private record Reading(Map<Path, Kept> kept, List<ServerCertificate> certificates, List<RejectedCertificate> rejected, List<RejectedCertificate> missing) {
        static Reading of(List<GatewayConfig.Certificate> configured, List<CertificateText> written, Map<Path, Kept> before) {
            Reading reading = new Reading(new HashMap<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
            for (GatewayConfig.Certificate each : configured) {
                try {
                    CertificateFiles.of(each).forEach(files -> reading.add(files, Optional.ofNullable(before.get(files.certificate()))));
                } catch (IOException e) {
                    reading.reject(each.certificate(), "the directory is not readable: " + e.getMessage());
                }
            }
            written.forEach(text -> reading.add(text, Optional.ofNullable(before.get(text.place()))));
            return new Reading(
                    Map.copyOf(reading.kept), List.copyOf(reading.certificates), List.copyOf(reading.rejected), List.copyOf(reading.missing));
        }

        private void add(CertificateFiles files, Optional<Kept> before) {
            Optional<Path> absent = files.missing();
            if (absent.isPresent()) {
                RejectedCertificate problem = reject(files.certificate(), absent.get() + " does not exist (expected: a readable PEM file)");
                if (files.named()) {
                    missing.add(problem);
                }
                before.ifPresent(last -> keep(files, last));
                return;
            }
            try {
                String digest = files.digest();
                if (before.isPresent() && before.get().digest().equals(digest)) {
                    keep(files, before.get());
                } else {
                    keep(files, new Kept(digest, ServerCertificate.read(files)));
                }
            } catch (IOException e) {
                reject(files.certificate(), "not readable: " + e);
                before.ifPresent(last -> keep(files, last));
            } catch (CertificateException e) {
                reject(files.certificate(), e.getMessage() == null ? e.toString() : e.getMessage());
                before.ifPresent(last -> keep(files, last));
            }
        }

        private void add(CertificateText text, Optional<Kept> before) {
            String digest = text.digest();
            if (before.isPresent() && before.get().digest().equals(digest)) {
                keep(text.place(), before.get());
                return;
            }
            try {
                keep(text.place(), new Kept(digest, ServerCertificate.read(text)));
            } catch (IOException | CertificateException e) {
                String reason = e.getMessage() == null ? e.toString() : e.getMessage();
                reject(text.place(), reason + (before.isPresent() ? "; the version before stays in force" : ""));
                before.ifPresent(last -> keep(text.place(), last));
            }
        }

        private void keep(CertificateFiles files, Kept certificate) {
            keep(files.certificate(), certificate);
        }

        private void keep(Path place, Kept certificate) {
            if (kept.putIfAbsent(place, certificate) == null) {
                certificates.add(certificate.certificate());
            }
        }

        private RejectedCertificate reject(Path file, String reason) {
            RejectedCertificate problem = new RejectedCertificate(file, reason);
            rejected.add(problem);
            return problem;
        }
    }
}
