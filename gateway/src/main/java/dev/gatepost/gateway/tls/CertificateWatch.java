package dev.gatepost.gateway.tls;

import dev.gatepost.gateway.config.FileWatch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One thread that notices changed certificate files.
final class CertificateWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CertificateWatch.class);

    /// A certificate and its key are two files: looks are far enough apart for whoever writes one after the other.
    private static final FileWatch.Timing TIMING = new FileWatch.Timing(Duration.ofMillis(200), Duration.ofSeconds(30));

    private final FileWatch watch;
    private final Runnable reload;
    private final Thread thread;

    private CertificateWatch(FileWatch watch, Runnable reload) {
        this.watch = watch;
        this.reload = reload;
        this.thread = Thread.ofVirtual().name("certificates").unstarted(this::run);
    }

    static CertificateWatch start(List<Path> files, Runnable reload) {
        CertificateWatch started = new CertificateWatch(FileWatch.of(files, TIMING), reload);
        started.thread.start();
        return started;
    }

    private void run() {
        try {
            while (true) {
                watch.await();
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

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
