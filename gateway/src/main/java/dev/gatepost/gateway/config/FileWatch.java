package dev.gatepost.gateway.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Tells when files, or what folders hold, may have changed: it looks at what the file system says of them, a few times a second.
///
/// Links are followed, so the link that Kubernetes swaps, a link's target elsewhere, a file bound into a container by itself and a
/// network file system need no care. Notifications (inotify) would know nothing of most of these, and would tell of every write
/// into the same folder: a log that grows there, a line a request, costs its neighbour a wake-up a line.
public final class FileWatch {
    private static final String STAMP = "unix:ctime,ino,size";
    private static final Map<String, Object> ABSENT = Map.of();

    /// At most so many looks until nothing changes between two: a folder that never rests must not keep its reader waiting.
    private static final int MOST_LOOKS_TO_SETTLE = 10;
    /// A look at many files, or on a slow file system, is taken so much more seldom that it has one part in so many of the time.
    private static final int SHARE = 100;

    /// @param look   how often to look; a writer is done when two looks in a row see the same
    /// @param reread how often to tell of a change though none was seen
    public record Timing(Duration look, Duration reread) {
        public static final Timing DEFAULT = new Timing(Duration.ofMillis(100), Duration.ofSeconds(5));

        /// How long to rest after a look that took so long: one that met a pause of the machine or of the file system must not leave
        /// the watch blind for longer than it would read anyway.
        long restNanos(long tookNanos) {
            return Math.clamp(SHARE * tookNanos, look.toNanos(), Math.max(look.toNanos(), reread.toNanos()));
        }
    }

    private final List<Path> paths;
    private final Timing timing;
    private final Predicate<Path> counts;
    private Map<Path, Map<String, Object>> seen;
    private long tookNanos;

    private FileWatch(Collection<Path> paths, Timing timing, Predicate<Path> counts) {
        this.paths = List.copyOf(paths);
        this.timing = timing;
        this.counts = counts;
        this.seen = look();
    }

    /// From now on.
    ///
    /// @param paths files, existing or not, and folders, in which everything counts
    public static FileWatch of(Collection<Path> paths, Timing timing) {
        return of(paths, timing, _ -> true);
    }

    /// @param counts of which files in a folder the content counts; that one comes or goes counts anyway
    public static FileWatch of(Collection<Path> paths, Timing timing, Predicate<Path> counts) {
        return new FileWatch(paths, timing, counts);
    }

    /// Returns once something changed since the last return, or when it is time to read anyway.
    public void await() throws InterruptedException {
        long began = System.nanoTime();
        while (System.nanoTime() - began < timing.reread().toNanos()) {
            rest();
            if (changed()) {
                settle();
                return;
            }
        }
    }

    private void settle() throws InterruptedException {
        int looks = 0;
        do {
            rest();
        } while (changed() && ++looks < MOST_LOOKS_TO_SETTLE);
    }

    private void rest() throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(timing.restNanos(tookNanos));
    }

    private boolean changed() {
        long began = System.nanoTime();
        Map<Path, Map<String, Object>> now = look();
        tookNanos = System.nanoTime() - began;
        boolean changed = !now.equals(seen);
        seen = now;
        return changed;
    }

    private Map<Path, Map<String, Object>> look() {
        Map<Path, Map<String, Object>> found = new HashMap<>();
        for (Path path : paths) {
            found.put(path, stamp(path));
            if (Files.isDirectory(path)) {
                try (Stream<Path> entries = Files.list(path)) {
                    entries.filter(counts).forEach(entry -> found.put(entry, stamp(entry)));
                } catch (IOException | UncheckedIOException _) {
                    // As if it were empty: it is gone, or will be readable later.
                }
            }
        }
        return found;
    }

    private static Map<String, Object> stamp(Path path) {
        try {
            return Files.readAttributes(path, STAMP);
        } catch (IOException _) {
            return ABSENT;
        }
    }
}
