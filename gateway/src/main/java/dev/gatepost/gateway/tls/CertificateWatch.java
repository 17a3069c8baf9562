package dev.gatepost.gateway.tls;

import dev.gatepost.gateway.config.GatewayConfig;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One thread that notices changed certificate files. It watches directories, not files: tools that renew certificates
/// replace the file, and Kubernetes replaces a link beside it. What no event tells (a link's target elsewhere, a network
/// file system, a directory that was itself replaced) the slow poll finds.
final class CertificateWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CertificateWatch.class);
    private static final Duration POLL = Duration.ofSeconds(30);

    /// A certificate and its key are two files: wait until nothing more changes for so long.
    private static final Duration QUIET = Duration.ofMillis(200);
    /// At most so many quiet periods in a row: a directory that never rests must not starve the reload.
    private static final int MOST_QUIET_PERIODS = 10;

    private final Runnable reload;
    private final @Nullable WatchService service;
    private final Thread thread;

    private CertificateWatch(List<GatewayConfig.Certificate> configured, Runnable reload) {
        this.reload = reload;
        this.service = open(directories(configured));
        this.thread = Thread.ofVirtual().name("certificates").unstarted(this::run);
    }

    static CertificateWatch start(List<GatewayConfig.Certificate> configured, Runnable reload) {
        CertificateWatch watch = new CertificateWatch(configured, reload);
        watch.thread.start();
        return watch;
    }

    private static Set<Path> directories(List<GatewayConfig.Certificate> configured) {
        Set<Path> directories = new LinkedHashSet<>();
        for (GatewayConfig.Certificate each : configured) {
            if (Files.isDirectory(each.certificate())) {
                directories.add(each.certificate());
            } else {
                addParent(directories, each.certificate());
            }
            each.key().ifPresent(key -> addParent(directories, key));
        }
        return directories;
    }

    private static void addParent(Set<Path> directories, Path file) {
        Path parent = file.toAbsolutePath().getParent();
        if (parent != null) {
            directories.add(parent);
        }
    }

    private static @Nullable WatchService open(Set<Path> directories) {
        try {
            WatchService service = FileSystems.getDefault().newWatchService();
            for (Path directory : directories) {
                directory.register(
                        service,
                        StandardWatchEventKinds.ENTRY_CREATE,
                        StandardWatchEventKinds.ENTRY_DELETE,
                        StandardWatchEventKinds.ENTRY_MODIFY);
            }
            return service;
        } catch (IOException | UnsupportedOperationException e) {
            LOG.warn("cannot watch {} ({}), reading the certificates every {} s instead", directories, e.toString(), POLL.toSeconds());
            return null;
        }
    }

    private void run() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                if (changed(POLL)) {
                    for (int i = 0; i < MOST_QUIET_PERIODS && changed(QUIET); i++) {
                        LOG.trace("certificate files still changing");
                    }
                }
                reloadNow();
            }
        } catch (InterruptedException _) {
            // Closed: the thread ends.
        }
    }

    private void reloadNow() {
        try {
            reload.run();
        } catch (RuntimeException e) {
            LOG.error("certificates not reloaded, serving the previous ones", e);
        }
    }

    /// Waits for a change, at most so long.
    private boolean changed(Duration atMost) throws InterruptedException {
        if (service == null) {
            Thread.sleep(atMost);
            return false;
        }
        WatchKey key = service.poll(atMost.toMillis(), TimeUnit.MILLISECONDS);
        if (key == null) {
            return false;
        }
        List<WatchEvent<?>> events = key.pollEvents();
        key.reset();
        LOG.debug("{} changes in {}", events.size(), key.watchable());
        return true;
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
            if (service != null) {
                service.close();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.debug("watch not closed", e);
        }
    }
}
