package dev.gatepost.gateway.config;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Tells when files, or what folders hold, may have changed.
///
/// A file's folder is watched, not the file, since whoever writes such files replaces them, and Kubernetes swaps a link
/// beside them whose name begins with two dots. What tells no event (a file bound into a container by itself, a link's
/// target elsewhere, a network file system) is found by looking every now and then.
public final class FileWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FileWatch.class);

    /// At most so many quiet periods in a row: a folder that never rests must not keep its reader waiting.
    private static final int MOST_QUIET_PERIODS = 10;

    /// @param quiet a writer is done when nothing happened for so long
    /// @param poll  how often to look without an event
    public record Timing(Duration quiet, Duration poll) {
        public static final Timing DEFAULT = new Timing(Duration.ofMillis(100), Duration.ofSeconds(5));
    }

    /// What counts in a folder that is watched as a whole.
    @FunctionalInterface
    public interface Interest {
        /// @param written whether only its content or its rights changed; it may also have come or gone
        boolean in(Path name, boolean written);
    }

    private final Timing timing;
    private final Interest interest;
    private final @Nullable WatchService events;
    /// The names that count in each folder; none: as the interest says.
    private final Map<WatchKey, Set<Path>> names = new HashMap<>();

    private FileWatch(Timing timing, Interest interest, @Nullable WatchService events) {
        this.timing = timing;
        this.interest = interest;
        this.events = events;
    }

    /// @param paths files, existing or not, and folders, in which everything counts
    public static FileWatch of(Collection<Path> paths, Timing timing) {
        return of(paths, timing, (_, _) -> true);
    }

    public static FileWatch of(Collection<Path> paths, Timing timing, Interest interest) {
        WatchService events = null;
        try {
            events = FileSystems.getDefault().newWatchService();
            FileWatch watch = new FileWatch(timing, interest, events);
            for (Path each : paths) {
                watch.register(each.toAbsolutePath());
            }
            return watch;
        } catch (IOException | UnsupportedOperationException e) {
            LOG.warn("{} can't be watched ({}), looking every {} s instead", paths, e.toString(), timing.poll().toSeconds());
            closeQuietly(events);
            return new FileWatch(timing, interest, null);
        }
    }

    private void register(Path path) throws IOException {
        boolean whole = Files.isDirectory(path);
        Path folder = whole ? path : path.getParent();
        if (folder == null || events == null) {
            return;
        }
        WatchKey key = folder.register(
                events, StandardWatchEventKinds.ENTRY_CREATE, StandardWatchEventKinds.ENTRY_MODIFY, StandardWatchEventKinds.ENTRY_DELETE);
        Set<Path> counting = names.get(key);
        if (whole) {
            names.put(key, Set.of());
        } else if (counting == null) {
            names.put(key, new HashSet<>(Set.of(path.getFileName())));
        } else if (!counting.isEmpty()) {
            counting.add(path.getFileName());
        }
    }

    /// Returns after a change and the quiet that follows it, or when it is time to look anyway.
    public void await() throws InterruptedException {
        if (events == null) {
            TimeUnit.NANOSECONDS.sleep(timing.poll().toNanos());
            return;
        }
        long lookAt = System.nanoTime() + timing.poll().toNanos();
        while (true) {
            WatchKey key = events.poll(lookAt - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (key == null) {
                return;
            }
            if (concerns(key)) {
                key.reset();
                awaitQuiet(events);
                return;
            }
            // A neighbour's doings, a log's perhaps: until the reset they gather in the key and wake nobody.
            TimeUnit.NANOSECONDS.sleep(timing.quiet().toNanos());
            key.reset();
        }
    }

    private void awaitQuiet(WatchService changes) throws InterruptedException {
        for (int i = 0; i < MOST_QUIET_PERIODS; i++) {
            WatchKey key = changes.poll(timing.quiet().toNanos(), TimeUnit.NANOSECONDS);
            if (key == null) {
                return;
            }
            key.pollEvents();
            key.reset();
        }
    }

    private boolean concerns(WatchKey key) {
        Set<Path> counting = names.getOrDefault(key, Set.of());
        boolean found = false;
        for (WatchEvent<?> event : key.pollEvents()) {
            // No name: events were lost. Two dots: Kubernetes swaps all at once.
            found |= !(event.context() instanceof Path name)
                    || name.toString().startsWith("..")
                    || (counting.isEmpty() ? interest.in(name, event.kind().equals(StandardWatchEventKinds.ENTRY_MODIFY)) : counting.contains(name));
        }
        return found;
    }

    @Override
    public void close() {
        closeQuietly(events);
    }

    private static void closeQuietly(@Nullable WatchService service) {
        try {
            if (service != null) {
                service.close();
            }
        } catch (IOException e) {
            LOG.debug("watch not closed", e);
        }
    }
}
