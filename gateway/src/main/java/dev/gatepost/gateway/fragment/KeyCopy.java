package dev.gatepost.gateway.fragment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The last known keys on disk, for a start while Consul is away: one JSON object with the time of the reading and a
/// checksum, replaced atomically. Certificates are among them, with their private keys, so nobody but its owner may read
/// it (mode 0600); where the file system has no such modes, it isn't written.
///
/// Confined to one thread.
final class KeyCopy {
    private static final Logger LOG = LoggerFactory.getLogger(KeyCopy.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FORMAT = 1;

    /// Unchanged keys are written again after so long, so that their age stays true.
    private static final Duration REFRESH = Duration.ofMinutes(5);

    /// @param confirmedAt when Consul last said so
    record Kept(SortedMap<String, String> values, Instant confirmedAt) {}

    private final Path file;
    private final Duration maxAge;
    private Optional<Kept> written = Optional.empty();
    private boolean complained;

    KeyCopy(Path file, Duration maxAge) {
        this.file = file;
        this.maxAge = maxAge;
    }

    /// Writes the keys if they changed. What can't be written is said once.
    void keep(SortedMap<String, String> values, Instant now) {
        if (written.filter(last -> last.values().equals(values) && Duration.between(last.confirmedAt(), now).compareTo(REFRESH) < 0).isPresent()) {
            return;
        }
        Kept fresh = new Kept(values, now);
        try {
            write(fresh);
            written = Optional.of(fresh);
            complained = false;
        } catch (IOException | UnsupportedOperationException e) {
            if (!complained) {
                LOG.warn("the fragments' last good copy can't be written to {} ({}); a start without Consul will have none", file, e.toString());
            }
            complained = true;
        }
    }

    private void write(Kept fresh) throws IOException {
        ObjectNode keys = JSON.createObjectNode();
        fresh.values().forEach(keys::put);
        ObjectNode root = JSON.createObjectNode();
        root.put("format", FORMAT);
        root.put("confirmedAt", fresh.confirmedAt().toString());
        root.put("sha256", sha256(keys));
        root.set("keys", keys);
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        Path unfinished = file.resolveSibling(file.getFileName() + ".new");
        // Whatever lies there has modes of its own.
        Files.deleteIfExists(unfinished);
        try (FileChannel channel = FileChannel.open(
                unfinished,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            ByteBuffer bytes = ByteBuffer.wrap(JSON.writeValueAsBytes(root));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /// The keys; empty when there are none, none that can be trusted, or too old ones: the latter two are logged.
    Optional<Kept> usable(Instant now) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            JsonNode root = JSON.readTree(Files.readAllBytes(file));
            JsonNode keys = root.path("keys");
            if (root.path("format").asInt() != FORMAT || !keys.isObject() || !root.path("sha256").asText().equals(sha256(keys))) {
                LOG.warn("{} is damaged, or no copy of keys in format {}, not used", file, FORMAT);
                return Optional.empty();
            }
            Instant confirmedAt = Instant.parse(root.path("confirmedAt").asText());
            if (Duration.between(confirmedAt, now).compareTo(maxAge) > 0) {
                LOG.warn("{} is from {} (expected: at most {} s ago), not used", file, confirmedAt, maxAge.toSeconds());
                return Optional.empty();
            }
            SortedMap<String, String> values = new TreeMap<>();
            keys.properties().forEach(key -> values.put(key.getKey(), key.getValue().asText()));
            return Optional.of(new Kept(Collections.unmodifiableSortedMap(values), confirmedAt));
        } catch (IOException | DateTimeException e) {
            // The message of a JSON error would quote what may be a private key.
            LOG.warn("{} can't be read ({}), not used", file, e.getClass().getSimpleName());
            return Optional.empty();
        }
    }

    private static String sha256(JsonNode keys) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(keys.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every JDK has it
        }
    }
}
