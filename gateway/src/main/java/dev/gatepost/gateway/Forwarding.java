package dev.gatepost.gateway;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.forward.ForwardSettings;
import dev.gatepost.dns.forward.ForwardZone;
import dev.gatepost.dns.forward.Forwarder;
import dev.gatepost.dns.forward.LocalNames;
import dev.gatepost.dns.forward.Upstream;
import dev.gatepost.gateway.config.FileWatch;
import dev.gatepost.gateway.config.GatewayConfig.Dns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The forwarder that the configuration asks for, and the watch over the files that decide on names in its place.
final class Forwarding implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Forwarding.class);
    private static final int MOST_SAID = 5;
    private static final FileWatch.Timing TIMING = new FileWatch.Timing(Duration.ofMillis(200), Duration.ofSeconds(30));

    private final Dns.Forwarding config;
    private final Forwarder forwarder;
    private final List<Path> files;
    private final FileWatch watch;
    private final Thread thread = Thread.ofVirtual().name("local-names").unstarted(this::follow);
    /// When the files that are served were written; used by the starting thread and then by the watching one.
    private List<FileTime> written = List.of();

    private Forwarding(Dns.Forwarding config, Forwarder forwarder) {
        this.config = config;
        this.forwarder = forwarder;
        this.files = Stream.concat(config.hosts().stream(), config.block().stream()).toList();
        this.watch = FileWatch.of(files, TIMING);
    }

    /// @throws IOException when a file that it names can't be read
    static Forwarding open(Dns.Forwarding config) throws IOException {
        Dns.Cache cache = config.cache();
        Forwarder forwarder = Forwarder.open(ForwardSettings.of(config.zones().stream().map(Forwarding::zone).toList())
                .withCache(cache.size(), cache.maxTtl(), cache.maxNegativeTtl(), cache.stale()));
        Forwarding opened = new Forwarding(config, forwarder);
        if (opened.files.isEmpty()) {
            return opened;
        }
        try {
            opened.readFiles();
        } catch (IOException e) {
            opened.close();
            throw e;
        }
        opened.thread.start();
        return opened;
    }

    /// Lines of the files that make no sense; each is left out, and nothing else is.
    static List<String> rejected(Dns.Forwarding config) throws IOException {
        return LocalNames.read(config.hosts(), config.block()).rejected();
    }

    Forwarder forwarder() {
        return forwarder;
    }

    private void readFiles() throws IOException {
        List<FileTime> times = new ArrayList<>();
        for (Path each : files) {
            times.add(Files.getLastModifiedTime(each));
        }
        if (times.equals(written)) {
            return;
        }
        LocalNames names = LocalNames.read(config.hosts(), config.block());
        forwarder.decideLocally(names);
        written = times;
        LOG.info("dns: {} names from hosts files and block lists", names.size());
        names.rejected().stream().limit(MOST_SAID).forEach(line -> LOG.warn("dns: line left out: {}", line));
        if (names.rejected().size() > MOST_SAID) {
            LOG.warn("dns: {} more lines left out", names.rejected().size() - MOST_SAID);
        }
    }

    private void follow() {
        try {
            while (true) {
                watch.await();
                try {
                    readFiles();
                } catch (IOException e) {
                    LOG.warn("dns: {}, names stay as they were", e.toString());
                }
            }
        } catch (InterruptedException _) {
            // Closed: the thread ends.
        }
    }

    private static ForwardZone zone(Dns.Forward zone) {
        return new ForwardZone(DomainName.of(zone.zone()), zone.to().stream().map(server -> upstream(zone, server)).toList(), zone.mixCase());
    }

    private static Upstream upstream(Dns.Forward zone, Dns.NameServer server) {
        return server.tls() ? Upstream.tls(server.address(), server.serverName(), zone.ca()) : Upstream.plain(server.address());
    }

    @Override
    public void close() {
        thread.interrupt();
        forwarder.close();
    }
}
