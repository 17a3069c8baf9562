package dev.gatepost.gateway.config;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class FileWatchTest {
    /// Without the poll: what returns has seen an event.
    private static final FileWatch.Timing EVENTS_ONLY = new FileWatch.Timing(Duration.ofMillis(2), Duration.ofHours(1));

    @TempDir
    Path folder;

    @Test
    void tellsOfAFileThatIsWrittenButNotOfItsNeighbours() throws Exception {
        Path file = Files.writeString(folder.resolve("services.yaml"), "a");
        CountDownLatch told = new CountDownLatch(1);
        try (FileWatch watch = FileWatch.of(List.of(file), EVENTS_ONLY)) {
            Thread waiting = await(watch, told);
            for (int i = 0; i < 20; i++) {
                Files.writeString(folder.resolve("access.json"), "line " + i);
                assertFalse(told.await(5, TimeUnit.MILLISECONDS), "told of a neighbour");
            }
            Files.writeString(file, "b");
            assertTrue(told.await(10, TimeUnit.SECONDS), "not told");
            waiting.join();
        }
    }

    @Test
    void tellsOfAnythingInAWatchedFolder() throws Exception {
        CountDownLatch told = new CountDownLatch(1);
        try (FileWatch watch = FileWatch.of(List.of(folder.resolve("one"), folder), EVENTS_ONLY)) {
            Thread waiting = await(watch, told);
            Files.writeString(folder.resolve("another"), "x");
            assertTrue(told.await(10, TimeUnit.SECONDS), "not told");
            waiting.join();
        }
    }

    @Test
    void tellsOnlyOfWhatIsOfInterestInAFolder() throws Exception {
        Path log = Files.writeString(folder.resolve("access.log"), "");
        CountDownLatch told = new CountDownLatch(1);
        try (FileWatch watch = FileWatch.of(List.of(folder), EVENTS_ONLY, (name, written) -> !written || name.toString().endsWith(".yaml"))) {
            Thread waiting = await(watch, told);
            for (int i = 0; i < 20; i++) {
                Files.writeString(log, "line " + i);
                assertFalse(told.await(5, TimeUnit.MILLISECONDS), "told of a log");
            }
            Files.writeString(folder.resolve("new"), "x");
            assertTrue(told.await(10, TimeUnit.SECONDS), "not told of what came");
            waiting.join();
        }
    }

    @Test
    void looksNowAndThenWhereTheFolderCannotBeWatched() throws Exception {
        Path absent = folder.resolve("no-such-folder/services.yaml");
        CountDownLatch told = new CountDownLatch(1);
        try (FileWatch watch = FileWatch.of(List.of(absent), new FileWatch.Timing(Duration.ofMillis(1), Duration.ofMillis(5)))) {
            Thread waiting = await(watch, told);
            assertTrue(told.await(10, TimeUnit.SECONDS), "never looked");
            waiting.join();
        }
    }

    private static Thread await(FileWatch watch, CountDownLatch told) {
        return Thread.ofVirtual().start(() -> {
            try {
                watch.await();
                told.countDown();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        });
    }
}
