package dev.gatepost.gateway.fragment;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

class KeyCopyTest {
    private static final Instant NOW = Instant.parse("2026-11-01T00:00:00Z");
    private static final TreeMap<String, String> KEYS = new TreeMap<>(Map.of("gatepost/routes/a", "route: a/\n", "gatepost/certificates/b", "\u00e4 secret"));

    @TempDir
    Path home;

    @Test
    void remembersTheKeysForAsLongAsIsAllowed() {
        Path file = home.resolve("state/keys");
        new KeyCopy(file, Duration.ofHours(1)).keep(KEYS, NOW);
        KeyCopy later = new KeyCopy(file, Duration.ofHours(1));
        assertEquals(Optional.of(new KeyCopy.Kept(KEYS, NOW)), later.usable(NOW.plusSeconds(3600)));
        assertEquals(Optional.empty(), later.usable(NOW.plusSeconds(3601)));
    }

    @Test
    void isForItsOwnerAloneWhateverWasThereBefore() throws Exception {
        Path file = home.resolve("keys");
        for (Path each : new Path[] {file, home.resolve("keys.new")}) {
            Files.createFile(each, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-r--r--")));
        }
        new KeyCopy(file, Duration.ofHours(1)).keep(KEYS, NOW);
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertFalse(Files.exists(home.resolve("keys.new")));
    }

    @Test
    void trustsNoDamagedCopy() throws Exception {
        Path file = home.resolve("keys");
        KeyCopy copy = new KeyCopy(file, Duration.ofHours(1));
        assertEquals(Optional.empty(), copy.usable(NOW));
        copy.keep(KEYS, NOW);
        String good = Files.readString(file);
        for (String damaged : new String[] {good.replace("route: a", "route: b"), good.substring(0, good.length() / 2), "", "{}", good.replace("\"format\":1", "\"format\":2")}) {
            Files.writeString(file, damaged);
            assertEquals(Optional.empty(), copy.usable(NOW), damaged);
        }
    }
}
