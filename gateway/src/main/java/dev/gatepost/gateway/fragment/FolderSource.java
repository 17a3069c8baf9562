package dev.gatepost.gateway.fragment;

import dev.gatepost.gateway.config.FileWatch;
import dev.gatepost.gateway.config.Place;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Fragments in a folder and in the folders directly below it: `NAME.yaml` is of routes, `NAME.zone` a zone,
/// `NAME.pem` a certificate chain with its key, `NAME.fabio` of fabio's commands, which apply in the order of their names. The extension alone tells, since a ConfigMap has no folders.
///
/// The folder may be swapped as a whole behind a link (Kubernetes) and its files replaced (consul-template). A folder that
/// can't be read takes nothing away; a file that is gone does.
final class FolderSource implements FragmentSource {
    private static final Logger LOG = LoggerFactory.getLogger(FolderSource.class);

    /// Far above any fragment; what lies here by mistake is not read into memory.
    private static final long MOST_BYTES = 1 << 20;
    /// A folder that is swapped while it is read is read again.
    private static final int ATTEMPTS = 3;

    /// What a folder holds.
    @FunctionalInterface
    interface Listing {
        Stream<Path> of(Path folder) throws IOException;
    }

    private final Path folder;
    private final FileWatch.Timing timing;
    private final InstantSource clock;
    private final Listing listing;
    private final Thread thread = Thread.ofVirtual().name("fragment-folder").unstarted(this::follow);
    private Consumer<Found> found = _ -> {};
    /// As of the last reading; owned by the thread.
    private List<Fragment> last = List.of();
    private volatile FragmentStatus status;

    FolderSource(Path folder, FileWatch.Timing timing, InstantSource clock) {
        this(folder, timing, clock, Files::list);
    }

    FolderSource(Path folder, FileWatch.Timing timing, InstantSource clock, Listing listing) {
        this.listing = listing;
        this.folder = folder;
        this.timing = timing;
        this.clock = clock;
        this.status = new FragmentStatus(folder.toString(), 0, Optional.empty(), Optional.empty());
    }

    @Override
    public void start(Consumer<Found> consumer) {
        found = consumer;
        thread.start();
    }

    @Override
    public FragmentStatus status() {
        return status;
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

    private void follow() {
        Set<Path> watched = Set.of();
        FileWatch watch = FileWatch.of(Set.of(), timing);
        try {
            while (!Thread.currentThread().isInterrupted()) {
                Set<Path> folders = folders();
                if (!folders.equals(watched)) {
                    watch = FileWatch.of(folders, timing, FolderSource::isFragment);
                    watched = folders;
                }
                look();
                watch.await();
            }
        } catch (InterruptedException _) {
            // closed
        }
    }

    /// The folder, and those in it, as far as they can be listed.
    private Set<Path> folders() {
        Set<Path> folders = new HashSet<>(Set.of(folder));
        try (Stream<Path> entries = listing.of(folder)) {
            entries.filter(entry -> !isHidden(entry) && Files.isDirectory(entry)).forEach(folders::add);
        } catch (IOException | UncheckedIOException e) {
            LOG.debug("{} can't be listed", folder, e);
        }
        return folders;
    }

    private void look() {
        String reason = "";
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try {
                Found read = read();
                if (status.lastError().isPresent()) {
                    LOG.info("{} can be read again", folder);
                }
                status = new FragmentStatus(folder.toString(), read.fragments().size(), Optional.of(clock.instant()), Optional.empty());
                last = read.fragments();
                found.accept(read);
                return;
            } catch (NoSuchFileException e) {
                reason = "there is no " + e.getMessage();
            } catch (IOException | UncheckedIOException e) {
                reason = e.toString();
            }
        }
        FragmentStatus before = status;
        if (!before.lastError().equals(Optional.of(reason))) {
            LOG.warn("fragments.folder: {} can't be read ({}), keeping {} fragments", folder, reason, before.fragments());
        }
        status = new FragmentStatus(folder.toString(), before.fragments(), before.confirmedAt(), Optional.of(reason));
        if (before.lastError().isEmpty() && before.confirmedAt().isEmpty()) {
            found.accept(Found.NOTHING);
        }
    }

    private Found read() throws IOException {
        List<Fragment> fragments = new ArrayList<>();
        List<RejectedFragment> rejected = new ArrayList<>();
        List<Path> entries;
        try (Stream<Path> all = listing.of(folder)) {
            entries = all.filter(each -> !isHidden(each)).sorted().toList();
        }
        for (Path entry : entries) {
            if (Files.isDirectory(entry)) {
                addBelow(entry, fragments, rejected);
            } else {
                add(entry, fragments, rejected);
            }
        }
        return new Found(fragments, rejected);
    }

    /// A folder that is closed to us, `lost+found` of a volume say, is nothing to the others; what it held before stays.
    private void addBelow(Path below, List<Fragment> fragments, List<RejectedFragment> rejected) throws IOException {
        List<Path> files;
        try (Stream<Path> all = listing.of(below)) {
            files = all.filter(each -> !isHidden(each) && !Files.isDirectory(each)).sorted().toList();
        } catch (NoSuchFileException e) {
            throw e; // swapped under our hands
        } catch (IOException | UncheckedIOException e) {
            rejected.add(new RejectedFragment(Fragment.FILE, below.toString(), "the folder can't be listed: %s (expected: one that we may read)".formatted(e)));
            last.stream()
                    .filter(each -> below.equals(Path.of(each.place().source()).getParent()))
                    .forEach(each -> fragments.add(new Fragment(each.kind(), Fragment.FILE, each.name(), each.place(), "", Optional.of(e.toString()))));
            return;
        }
        for (Path file : files) {
            add(file, fragments, rejected);
        }
    }

    private void add(Path file, List<Fragment> fragments, List<RejectedFragment> rejected) throws IOException {
        String fileName = file.getFileName().toString();
        int dot = fileName.lastIndexOf('.');
        // What has no extension is no fragment: a README.
        if (dot <= 0 || isTemporary(fileName)) {
            return;
        }
        String name = fileName.substring(0, dot);
        Optional<Fragment.Kind> kind = kind(fileName.substring(dot + 1));
        if (kind.isEmpty()) {
            rejected.add(new RejectedFragment(Fragment.FILE, file.toString(), "unknown extension (expected: NAME.yaml, NAME.zone, NAME.fabio, or NAME.pem with chain and key)"));
            return;
        }
        String text = "";
        Optional<String> unreadable = Optional.empty();
        try {
            text = text(file);
        } catch (NoSuchFileException e) {
            throw e; // swapped under our hands
        } catch (IOException e) {
            unreadable = Optional.of(e.toString());
        }
        fragments.add(new Fragment(kind.get(), Fragment.FILE, name, Place.ofFile(file), text, unreadable));
    }

    private static String text(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new IOException("no regular file"); // a pipe would never end
        }
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException("%d bytes long (expected: at most %d)".formatted(Files.size(file), MOST_BYTES));
        }
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    private static Optional<Fragment.Kind> kind(String extension) {
        return switch (extension) {
            case "yaml", "yml" -> Optional.of(Fragment.Kind.ROUTE);
            case "zone" -> Optional.of(Fragment.Kind.ZONE);
            case "fabio" -> Optional.of(Fragment.Kind.COMMANDS);
            case "pem" -> Optional.of(Fragment.Kind.CERTIFICATE);
            default -> Optional.empty();
        };
    }

    /// What is written into a file counts where that is a fragment; a log that grows here is nobody's business.
    private static boolean isFragment(Path file) {
        String fileName = file.getFileName().toString();
        int dot = fileName.lastIndexOf('.');
        return dot > 0 && kind(fileName.substring(dot + 1)).isPresent() && !isHidden(file);
    }

    private static boolean isTemporary(String fileName) {
        return fileName.endsWith("~") || fileName.endsWith(".tmp");
    }

    private static boolean isHidden(Path file) {
        return file.getFileName().toString().startsWith(".");
    }
}
