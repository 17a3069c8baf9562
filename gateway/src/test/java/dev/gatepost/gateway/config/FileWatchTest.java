package dev.gatepost.gateway.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class FileWatchTest {
    /// What returns has seen a change.
    private static final FileWatch.Timing CHANGES_ONLY = new FileWatch.Timing(Duration.ofMillis(2), Duration.ofHours(1));

    @TempDir
    Path folder;

    @Test
    void tellsOfAFileThatIsWrittenButNotOfItsNeighbours() throws Exception {
        Path file = Files.writeString(folder.resolve("services.yaml"), "a");
        FileWatch watch = FileWatch.of(List.of(file), CHANGES_ONLY);
        CountDownLatch told = await(watch);
        for (int i = 0; i < 20; i++) {
            Files.writeString(folder.resolve("access.json"), "line " + i);
            assertFalse(told.await(5, TimeUnit.MILLISECONDS), "told of a neighbour");
        }
        Files.writeString(file, "b"); // as long as before
        assertTrue(told.await(10, TimeUnit.SECONDS), "not told");
    }

    @Test
    void restsLongerAfterALongLookButNeverLongerThanItWouldReadAnyway() {
        FileWatch.Timing timing = new FileWatch.Timing(Duration.ofMillis(100), Duration.ofSeconds(5));
        assertEquals(Duration.ofMillis(100).toNanos(), timing.restNanos(10_000));
        assertEquals(Duration.ofSeconds(2).toNanos(), timing.restNanos(Duration.ofMillis(20).toNanos()));
        assertEquals(Duration.ofSeconds(5).toNanos(), timing.restNanos(Duration.ofSeconds(1).toNanos()));
        assertEquals(Duration.ofSeconds(1).toNanos(), new FileWatch.Timing(Duration.ofSeconds(1), Duration.ZERO).restNanos(1));
    }

    @Test
    void tellsOfAFileThatComesAndOfOneThatGoes() throws Exception {
        Path file = folder.resolve("no-such-folder/services.yaml");
        FileWatch watch = FileWatch.of(List.of(file), CHANGES_ONLY);
        CountDownLatch come = await(watch);
        assertFalse(come.await(20, TimeUnit.MILLISECONDS), "told of nothing");
        Files.createDirectory(file.getParent());
        Files.writeString(file, "a");
        assertTrue(come.await(10, TimeUnit.SECONDS), "not told that it came");
        CountDownLatch gone = await(watch);
        Files.delete(file);
        assertTrue(gone.await(10, TimeUnit.SECONDS), "not told that it went");
    }

    @Test
    void tellsOfWhatChangesBehindALink() throws Exception {
        Path target = Files.writeString(Files.createDirectory(folder.resolve("elsewhere")).resolve("target"), "a");
        Path link = Files.createSymbolicLink(folder.resolve("services.yaml"), target);
        CountDownLatch told = await(FileWatch.of(List.of(link), CHANGES_ONLY));
        Files.writeString(target, "b");
        assertTrue(told.await(10, TimeUnit.SECONDS), "not told");
    }

    @Test
    void tellsOfAChangeOfRights() throws Exception {
        Path file = Files.writeString(folder.resolve("services.yaml"), "a");
        CountDownLatch told = await(FileWatch.of(List.of(file), CHANGES_ONLY));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--------"));
        assertTrue(told.await(10, TimeUnit.SECONDS), "not told");
    }

    @Test
    void tellsOfAnythingInAWatchedFolder() throws Exception {
        CountDownLatch told = await(FileWatch.of(List.of(folder.resolve("one"), folder), CHANGES_ONLY));
        Files.writeString(folder.resolve("another"), "x");
        assertTrue(told.await(10, TimeUnit.SECONDS), "not told");
    }

    @Test
    void tellsOnlyOfContentThatCountsInAFolder() throws Exception {
        Path log = Files.writeString(folder.resolve("access.log"), "");
        FileWatch watch = FileWatch.of(List.of(folder), CHANGES_ONLY, file -> file.toString().endsWith(".yaml"));
        CountDownLatch told = await(watch);
        for (int i = 0; i < 20; i++) {
            Files.writeString(log, "line " + i);
            assertFalse(told.await(5, TimeUnit.MILLISECONDS), "told of a log");
        }
        Path fresh = Files.writeString(folder.resolve("new.yaml"), "x");
        assertTrue(told.await(10, TimeUnit.SECONDS), "not told of what came");
        CountDownLatch written = await(watch);
        Files.writeString(fresh, "y");
        assertTrue(written.await(10, TimeUnit.SECONDS), "not told of what was written");
    }

    @Test
    void tellsNowAndThenWithoutAChange() throws Exception {
        CountDownLatch told = await(FileWatch.of(List.of(folder), new FileWatch.Timing(Duration.ofMillis(1), Duration.ofMillis(5))));
        assertTrue(told.await(10, TimeUnit.SECONDS), "never told");
    }

    private static CountDownLatch await(FileWatch watch) {
        CountDownLatch told = new CountDownLatch(1);
        Thread.ofVirtual().start(() -> {
            try {
                watch.await();
                told.countDown();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
        return told;
    }
}
