package dev.gatepost.gateway.catalog;

import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A source that remembers on disk what another source said, and speaks for it at the start while that one is away.
///
/// The copy is one JSON object with the time at which the source last confirmed it and a checksum, replaced atomically, by
/// a thread of its own and not more often than every few seconds. One that is damaged, from another version, or older
/// than allowed is not used, and one line says so.
final class LastGood implements CatalogSource {
    private static final Logger LOG = LoggerFactory.getLogger(LastGood.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FORMAT = 1;

    /// @param grace    how long the source may take to answer before the copy speaks
    /// @param interval shortest time between two writes
    /// @param refresh  an unchanged catalog is written again after so long, so that its age stays true
    record Timing(Duration grace, Duration interval, Duration refresh) {
        static final Timing DEFAULT = new Timing(Duration.ofSeconds(3), Duration.ofSeconds(2), Duration.ofMinutes(5));
    }

    /// The catalog in the copy. Instances name their node instead of repeating it.
    private record Stored(Map<String, Node> nodes, Map<String, List<StoredInstance>> services) {}

    private record StoredInstance(
            String id,
            String node,
            String address,
            int port,
            List<String> tags,
            Map<String, String> meta,
            Map<String, Instance.TaggedAddress> taggedAddresses,
            Weights weights,
            List<Check> checks) {}

    /// @param confirmedAt when its source last said so
    record Copy(Snapshot snapshot, Instant confirmedAt, long revision) {}

    private final CatalogSource source;
    private final Path file;
    private final Duration maxAge;
    private final LongSupplier servedRevision;
    private final Timing timing;
    private final InstantSource clock;
    private final Thread writer = Thread.ofVirtual().name("last-good").unstarted(this::keep);
    private Consumer<Snapshot> changed = _ -> {};

    /// Guards the order of delivery: the source's thread against ours, which delivers the copy once at most.
    private final Object delivering = new Object();

    private volatile Optional<Snapshot> live = Optional.empty();
    private volatile Optional<Copy> speaking = Optional.empty();
    private volatile boolean closed;

    LastGood(CatalogSource source, Path file, Duration maxAge, LongSupplier servedRevision, Timing timing, InstantSource clock) {
        this.source = source;
        this.file = file;
        this.maxAge = maxAge;
        this.servedRevision = servedRevision;
        this.timing = timing;
        this.clock = clock;
    }

    @Override
    public void start(Consumer<Snapshot> consumer) {
        changed = consumer;
        source.start(this::hear);
        writer.start();
    }

    @Override
    public SourceStatus status() {
        SourceStatus status = source.status();
        return speaking.map(copy -> new SourceStatus(
                        status.address(),
                        status.reachable(),
                        Optional.of(copy.confirmedAt()),
                        true,
                        status.staleServices(),
                        status.safeguards().withCopyFrom(copy.confirmedAt()),
                        status.lastError()))
                .orElse(status);
    }

    @Override
    public long index() {
        return source.index();
    }

    @Override
    public void close() {
        source.close();
        closed = true;
        writer.interrupt();
        if (writer == Thread.currentThread()) {
            return;
        }
        try {
            writer.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void hear(Snapshot snapshot) {
        synchronized (delivering) {
            Snapshot shared = speaking.map(Copy::snapshot).map(copy -> copy.updatedTo(snapshot)).orElse(snapshot);
            speaking = Optional.empty();
            changed.accept(shared);
            live = Optional.of(snapshot); // last, so that the copy names the revision that serves it
        }
    }

    // ---- our own thread -------------------------------------------------------------------------------------------

    private void keep() {
        Optional<Snapshot> written = Optional.empty();
        Instant writtenAt = Instant.EPOCH;
        boolean complained = false;
        try {
            standIn();
            while (!closed) {
                Optional<Snapshot> now = live;
                boolean due = now.isPresent()
                        && (!now.equals(written) || Duration.between(writtenAt, clock.instant()).compareTo(timing.refresh()) >= 0);
                long began = System.nanoTime();
                if (due && source.status().confirmedAt().isPresent()) {
                    try {
                        write(file, new Copy(now.get(), source.status().confirmedAt().get(), servedRevision.getAsLong()));
                        written = now;
                        writtenAt = clock.instant();
                        complained = false;
                    } catch (IOException e) {
                        if (!complained) {
                            LOG.warn("the catalog's last good copy can't be written to {} ({}); a start without its source will have none", file, e.toString());
                        }
                        complained = true;
                    }
                }
                // A large catalog that changes all the time takes a small share of a core.
                TimeUnit.NANOSECONDS.sleep(Math.max(timing.interval().toNanos(), 50 * (System.nanoTime() - began)));
            }
        } catch (InterruptedException _) {
            // closed
        }
    }

    /// Delivers the copy when the source fails or keeps silent at the start.
    private void standIn() throws InterruptedException {
        long end = System.nanoTime() + timing.grace().toNanos();
        while (live.isEmpty() && source.status().lastError().isEmpty() && System.nanoTime() - end < 0) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        if (live.isPresent()) {
            return;
        }
        Instant now = clock.instant();
        Optional<Copy> copy = usable(file, maxAge, now);
        if (copy.isEmpty()) {
            return;
        }
        synchronized (delivering) {
            if (live.isEmpty() && !closed) {
                LOG.warn("{} gives no answer, serving the copy of its catalog from {} s ago ({}, revision {} then)",
                        source.status().address(), Duration.between(copy.get().confirmedAt(), now).toSeconds(), file, copy.get().revision());
                speaking = copy;
                changed.accept(copy.get().snapshot());
            }
        }
    }

    // ---- the file -------------------------------------------------------------------------------------------------

    static void write(Path file, Copy copy) throws IOException {
        byte[] catalog = JSON.writeValueAsBytes(stored(copy.snapshot()));
        ObjectNode root = JSON.createObjectNode();
        root.put("format", FORMAT);
        root.put("confirmedAt", copy.confirmedAt().toString());
        root.put("revision", copy.revision());
        root.put("sha256", sha256(catalog));
        root.putRawValue("catalog", new RawValue(new SerializedString(new String(catalog, StandardCharsets.UTF_8))));
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            ByteBuffer bytes = ByteBuffer.wrap(JSON.writeValueAsBytes(root));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /// The copy, unless it is older than allowed.
    static Optional<Copy> usable(Path file, Duration maxAge, Instant now) {
        Optional<Copy> copy = read(file);
        Optional<Copy> fresh = copy.filter(read -> Duration.between(read.confirmedAt(), now).compareTo(maxAge) <= 0);
        if (fresh.isEmpty() && copy.isPresent()) {
            LOG.warn("{} is from {} (expected: at most {} s ago), not used", file, copy.get().confirmedAt(), maxAge.toSeconds());
        }
        return fresh;
    }

    /// Empty when there is none, or none that can be trusted; the latter is logged.
    static Optional<Copy> read(Path file) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            JsonNode root = JSON.readTree(Files.readAllBytes(file));
            if (root.path("format").asInt() != FORMAT) {
                LOG.warn("{} is no copy of a catalog in format {}, not used", file, FORMAT);
                return Optional.empty();
            }
            if (!root.path("sha256").asText().equals(sha256(JSON.writeValueAsBytes(root.path("catalog"))))) {
                LOG.warn("{} is damaged (its checksum is another), not used", file);
                return Optional.empty();
            }
            Stored stored = JSON.treeToValue(root.path("catalog"), Stored.class);
            return Optional.of(new Copy(snapshot(stored), Instant.parse(root.path("confirmedAt").asText()), root.path("revision").asLong()));
        } catch (IOException | DateTimeException | IllegalArgumentException e) {
            LOG.warn("{} can't be read ({}), not used", file, e.toString().lines().findFirst().orElse(""));
            return Optional.empty();
        }
    }

    private static String sha256(byte[] catalog) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(catalog));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }

    private static Stored stored(Snapshot snapshot) {
        Map<String, Node> nodes = new TreeMap<>(snapshot.nodes());
        Map<String, List<StoredInstance>> services = new TreeMap<>();
        snapshot.services().forEach((name, service) -> {
            service.instances().forEach(instance -> nodes.putIfAbsent(instance.node().name(), instance.node()));
            services.put(name, service.instances().stream()
                    .map(i -> new StoredInstance(
                            i.id(), i.node().name(), i.serviceAddress(), i.port(), i.tags(), i.meta(), i.taggedAddresses(), i.weights(), i.checks()))
                    .toList());
        });
        return new Stored(nodes, services);
    }

    private static Snapshot snapshot(Stored stored) {
        Map<String, Service> services = new TreeMap<>();
        stored.services().forEach((name, instances) -> services.put(name, new Service(name, instances.stream()
                .map(i -> new Instance(
                        i.id(), name, known(stored.nodes(), i.node()), i.address(), i.port(), i.tags(), i.meta(), i.taggedAddresses(), i.weights(), i.checks()))
                .toList())));
        return new Snapshot(services, stored.nodes());
    }

    private static Node known(Map<String, Node> nodes, String name) {
        Node node = nodes.get(name);
        if (node == null) {
            throw new IllegalArgumentException("an instance on an unknown node " + name);
        }
        return node;
    }
}
