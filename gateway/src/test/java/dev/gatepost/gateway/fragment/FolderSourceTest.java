package dev.gatepost.gateway.fragment;

import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.config.FileWatch;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class FolderSourceTest {
    private static final FileWatch.Timing OFTEN = new FileWatch.Timing(Duration.ofMillis(5), Duration.ofMillis(20));

    private static final Duration SOON = Duration.ofSeconds(15);

    @TempDir
    Path folder;

    /// Written by the source's thread.
    private volatile FragmentSource.Found found = FragmentSource.Found.NOTHING;

    /// Root may list everything, so that the file system alone can't say no here.
    @Test
    void aFolderInItThatIsClosedTakesNothingAwayAndLeavesTheOthersAlone() throws Exception {
        Path closed = Files.createDirectory(folder.resolve("lost+found"));
        Files.writeString(closed.resolve("old.yaml"), "route: old/");
        Files.writeString(folder.resolve("shop.yaml"), "route: shop/");
        AtomicBoolean open = new AtomicBoolean(true);
        FolderSource.Listing all = Files::list;
        FolderSource.Listing listing = each -> {
            if (each.equals(closed) && !open.get()) {
                throw new AccessDeniedException(each.toString());
            }
            return all.of(each);
        };
        try (FolderSource source = new FolderSource(folder, OFTEN, InstantSource.system(), listing)) {
            source.start(each -> found = each);
            Await.until("both are read", SOON, () -> found.fragments().size() == 2);
            open.set(false);
            Files.writeString(folder.resolve("more.yaml"), "route: more/");
            Await.until("what is new beside the closed one is read", SOON, () -> found.fragments().size() == 3);
            List<Fragment> fragments = found.fragments();
            assertEquals(List.of("old", "more", "shop"), fragments.stream().map(Fragment::name).toList());
            assertTrue(fragments.getFirst().unreadable().orElse("").contains("AccessDenied"), fragments::toString);
            assertEquals(List.of(closed.toString()), found.rejected().stream().map(RejectedFragment::source).toList());
            assertTrue(source.status().lastError().isEmpty());
        }
    }

    @Test
    void aPipeIsNoFragment() throws Exception {
        assertEquals(0, new ProcessBuilder("mkfifo", folder.resolve("pipe.yaml").toString()).start().waitFor());
        Files.writeString(folder.resolve("shop.yaml"), "route: shop/");
        try (FolderSource source = new FolderSource(folder, OFTEN, InstantSource.system())) {
            source.start(each -> found = each);
            Await.until("the other is read", SOON, () -> !found.fragments().isEmpty());
        }
        assertEquals(List.of("pipe.yaml: no regular file", "shop.yaml: "), Stream.of(found).flatMap(each -> each.fragments().stream())
                .map(each -> Path.of(each.place().source()).getFileName() + ": " + each.unreadable().orElse("").replace("java.io.IOException: ", "")).toList());
    }
}
