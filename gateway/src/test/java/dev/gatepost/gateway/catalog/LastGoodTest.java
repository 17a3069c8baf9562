package dev.gatepost.gateway.catalog;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class LastGoodTest {
    private static final Duration SOON = Duration.ofSeconds(5);
    private static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");
    private static final LastGood.Timing QUICK = new LastGood.Timing(Duration.ofHours(1), Duration.ofMillis(5), Duration.ofHours(1));
    private static final Snapshot CATALOG =
            CatalogTest.snapshot(CatalogTest.service("web", CatalogTest.instance("web", "web-1", "n1", 80), CatalogTest.instance("web", "web-1", "n2", 81)));

    @TempDir
    Path folder = Path.of("");

    private final FakeSource source = new FakeSource();
    private final List<Snapshot> delivered = new CopyOnWriteArrayList<>();

    @Test
    void readsBackWhatItWrote() throws IOException {
        Path file = folder.resolve("state/catalog.json");
        LastGood.write(file, new LastGood.Copy(CATALOG, NOW, 41));
        assertEquals(Optional.of(new LastGood.Copy(CATALOG, NOW, 41)), LastGood.read(file));
    }

    @Test
    void trustsNoCopyThatWasDamagedOrCutShort() throws IOException {
        Path file = folder.resolve("catalog.json");
        LastGood.write(file, new LastGood.Copy(CATALOG, NOW, 41));
        String good = Files.readString(file);
        Files.writeString(file, good.replace("\"port\":80,", "\"port\":90,"));
        assertEquals(Optional.empty(), LastGood.read(file));
        Files.writeString(file, good.substring(0, good.length() / 2));
        assertEquals(Optional.empty(), LastGood.read(file));
        Files.writeString(file, good.replace("\"format\":1", "\"format\":2"));
        assertEquals(Optional.empty(), LastGood.read(file));
        Files.writeString(file, "");
        assertEquals(Optional.empty(), LastGood.read(file));
        assertEquals(Optional.empty(), LastGood.read(folder.resolve("absent")));
    }

    @Test
    void writesWhatTheSourceSaysAndWhenItWasConfirmed() {
        Path file = folder.resolve("catalog.json");
        try (LastGood lastGood = lastGood(file)) {
            lastGood.start(delivered::add);
            source.says(CATALOG, NOW.minusSeconds(5));
            Await.until("the copy is written", SOON, () -> Files.exists(file));
            assertSame(CATALOG, delivered.getFirst());
        }
        assertEquals(Optional.of(new LastGood.Copy(CATALOG, NOW.minusSeconds(5), 7)), LastGood.read(file));
    }

    @Test
    void speaksForASourceThatFailsAtTheStartAndThenIsSilent() throws IOException {
        Path file = folder.resolve("catalog.json");
        LastGood.write(file, new LastGood.Copy(CATALOG, NOW.minusSeconds(60), 41));
        try (LastGood lastGood = lastGood(file)) {
            lastGood.start(delivered::add);
            source.fails("unreachable");
            Await.until("the copy speaks", SOON, () -> delivered.size() == 1);
            assertEquals(CATALOG, delivered.getFirst());
            assertTrue(lastGood.status().stale());
            assertEquals(Optional.of(NOW.minusSeconds(60)), lastGood.status().confirmedAt());

            source.says(CatalogTest.snapshot(
                    CatalogTest.service("web", CatalogTest.instance("web", "web-1", "n1", 80), CatalogTest.instance("web", "web-1", "n2", 81)),
                    CatalogTest.service("new", CatalogTest.instance("new", "new-1", "n1", 82))), NOW);
            assertSame(delivered.get(0).services().get("web"), delivered.get(1).services().get("web"));
            assertFalse(lastGood.status().stale());
        }
    }

    @Test
    void usesNoCopyThatIsTooOld() throws IOException {
        Path file = folder.resolve("catalog.json");
        LastGood.Copy copy = new LastGood.Copy(CATALOG, NOW.minusSeconds(3600), 41);
        LastGood.write(file, copy);
        assertEquals(Optional.of(copy), LastGood.usable(file, Duration.ofHours(1), NOW));
        assertEquals(Optional.empty(), LastGood.usable(file, Duration.ofHours(1), NOW.plusSeconds(1)));
    }

    private LastGood lastGood(Path file) {
        return new LastGood(source, file, Duration.ofHours(1), () -> 7, QUICK, InstantSource.fixed(NOW));
    }
}
