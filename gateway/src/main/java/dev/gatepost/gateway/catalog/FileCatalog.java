package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.FileWatch;
import dev.gatepost.gateway.config.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Services that a file lists, read again when its content changes. A file that turns bad is reported, line by line, and
/// what it said before stays.
public final class FileCatalog implements CatalogSource {
    private static final Logger LOG = LoggerFactory.getLogger(FileCatalog.class);

    private final Path file;
    private final FileWatch.Timing timing;
    private final InstantSource clock;
    private final Thread thread = Thread.ofVirtual().name("file-catalog").unstarted(this::follow);
    private Consumer<Snapshot> changed = _ -> {};

    /// Owned by the thread: what was last read, good or bad.
    private byte[] content = {};

    private Snapshot current;
    private volatile Instant confirmedAt;
    private volatile Optional<String> error = Optional.empty();

    private FileCatalog(Path file, Snapshot first, FileWatch.Timing timing, InstantSource clock) {
        this.file = file;
        this.current = first;
        this.timing = timing;
        this.clock = clock;
        this.confirmedAt = clock.instant();
    }

    /// Reads the file, for whoever wants to know what is in it or wrong with it.
    public static ServicesReading read(Path file) {
        return ServicesFile.read(file);
    }

    /// @throws IOException the file is bad; the message has every problem on a line of its own
    public static FileCatalog open(Path file, FileWatch.Timing timing, InstantSource clock) throws IOException {
        return switch (read(file)) {
            case ServicesReading.Valid valid -> new FileCatalog(file, valid.snapshot(), timing, clock);
            case ServicesReading.Invalid invalid -> throw new IOException(lines(invalid.problems()));
        };
    }

    @Override
    public void start(Consumer<Snapshot> consumer) {
        changed = consumer;
        thread.start();
    }

    @Override
    public SourceStatus status() {
        Optional<String> wrong = error;
        return new SourceStatus(file.toString(), wrong.isEmpty(), Optional.of(confirmedAt), wrong.isPresent(), List.of(), Safeguards.NONE, wrong);
    }

    @Override
    public void close() {
        thread.interrupt();
        if (thread == Thread.currentThread()) {
            return;
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void follow() {
        changed.accept(current);
        FileWatch watch = FileWatch.of(List.of(file), timing);
        try {
            while (true) {
                look();
                watch.await();
            }
        } catch (InterruptedException _) {
            // Closed: the thread ends.
        }
    }

    private void look() {
        try {
            byte[] now = Files.readAllBytes(file);
            if (content.length > 0 && Arrays.equals(now, content) && error.isEmpty()) {
                confirmedAt = clock.instant();
                return;
            }
            if (Arrays.equals(now, content)) {
                return; // as bad as before
            }
            content = now;
        } catch (IOException e) {
            content = new byte[0]; // an absent file, seen below
        }
        switch (read(file)) {
            case ServicesReading.Valid valid -> {
                if (error.isPresent()) {
                    LOG.info("{} is good again, following it", file);
                }
                error = Optional.empty();
                confirmedAt = clock.instant();
                Snapshot next = current.updatedTo(valid.snapshot());
                if (!next.equals(current)) {
                    current = next;
                    changed.accept(next);
                }
            }
            case ServicesReading.Invalid invalid -> {
                String problems = lines(invalid.problems());
                if (!error.equals(Optional.of(problems))) {
                    invalid.problems().forEach(problem -> LOG.warn("{}; keeping the services read before", problem));
                }
                error = Optional.of(problems);
            }
        }
    }

    private static String lines(List<Problem> problems) {
        return problems.stream().map(Problem::toString).collect(Collectors.joining("\n"));
    }
}
