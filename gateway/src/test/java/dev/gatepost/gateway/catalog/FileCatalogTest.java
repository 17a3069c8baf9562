package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.FileWatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class FileCatalogTest {
    private static final FileWatch.Timing QUICK = new FileWatch.Timing(Duration.ofMillis(5), Duration.ofMillis(50));
    private static final Duration SOON = Duration.ofSeconds(5);

    @TempDir
    Path folder = Path.of("");

    private final List<Snapshot> delivered = new CopyOnWriteArrayList<>();

    @Test
    void readsWhatTheContractShows() throws IOException {
        Snapshot snapshot = valid("""
                services:
                  - name: web
                    tags: [ "urlprefix-/", "gatepost.route=shop.example.com/api strip=/api" ]
                    instances: [ { id: web-1, address: 127.0.0.1, port: 9001, weight: 1, meta: {}, status: passing } ]
                """);
        Instance web = service(snapshot, "web").instances().getFirst();
        assertEquals("web-1", web.id());
        assertEquals("127.0.0.1", web.address());
        assertEquals(9001, web.port());
        assertEquals(List.of("urlprefix-/", "gatepost.route=shop.example.com/api strip=/api"), web.tags());
        assertEquals(Health.PASSING, web.health());
        assertEquals(1, web.weight());
        assertSame(web.node(), snapshot.nodes().get("file-127-0-0-1"));
    }

    @Test
    void addsTheServicesTagsAndMetaToEachInstanceAndLetsTheInstancesStatusWin() throws IOException {
        Snapshot snapshot = valid("""
                services:
                  - name: db
                    tags: [ "a,b" ]
                    meta: { team: core, tier: 1 }
                    status: critical
                    instances:
                      - { address: 10.0.0.1, port: 1, tags: [ c, "a,b" ], meta: { tier: 2 } }
                      - { address: "2001:db8::1", port: 2, weight: 7, status: warning }
                """);
        Instance first = service(snapshot, "db").instances().get(0);
        Instance second = service(snapshot, "db").instances().get(1);
        assertEquals("db-10.0.0.1-1", first.id());
        assertEquals(List.of("a,b", "c"), first.tags());
        assertEquals(Map.of("team", "core", "tier", "2"), first.meta());
        assertEquals(Health.CRITICAL, first.health());
        assertEquals("2001:db8::1", second.address());
        assertEquals(Health.WARNING, second.health());
        assertEquals(7, second.weight());
    }

    @Test
    void reportsEveryProblemWithItsLineAtOnce() throws IOException {
        List<String> problems = problems("""
                services:
                  - name: web
                    tag: [ x ]
                    instances: [ { id: 1, address: 127.0.0.1, port: 99999 } ]
                  - name: web2
                    instances: [ { address: "a b", port: 80, status: fine } ]
                  - name: twice
                    instances: [ { id: x, address: h, port: 1 }, { id: x, address: h, port: 2 } ]
                """);
        assertEquals(5, problems.size(), problems.toString());
        assertContains(problems, "services.yaml:3:5", "tag: unknown key (nearest known:");
        assertContains(problems, "services.yaml:4", "99999 (expected: a number from 1 to 65535)");
        assertContains(problems, "services.yaml:6", "a b (expected: an IP address or a host name)");
        assertContains(problems, "services.yaml:6", "fine (expected: one of: passing, warning, critical, maintenance)");
        assertContains(problems, "services.yaml:8", "x (expected: each id once in its service)");
    }

    @Test
    void refusesTextThatIsNotYamlAndAFileThatIsNotThere() throws IOException {
        assertContains(problems("services: ["), "services.yaml:", "not YAML");
        Path absent = folder.resolve("absent.yaml");
        IOException refused = assertThrows(IOException.class, () -> FileCatalog.open(absent, QUICK, InstantSource.system()));
        assertTrue(String.valueOf(refused.getMessage()).contains("absent.yaml: there is no such file"), refused.toString());
    }

    @Test
    void takesAnEmptyListAsNoServices() throws IOException {
        assertEquals(Snapshot.EMPTY, valid("services: []\n"));
        assertEquals(Snapshot.EMPTY, valid("services:\n"));
        assertEquals(Snapshot.EMPTY, valid(""));
    }

    @Test
    void followsTheFileAndKeepsUnchangedServicesTheSameObject() throws IOException {
        Path file = write(list("web", 1, "api", 2));
        try (FileCatalog catalog = FileCatalog.open(file, QUICK, InstantSource.system())) {
            catalog.start(delivered::add);
            Await.until("the first snapshot", SOON, () -> delivered.size() == 1);
            replace(file, list("web", 1, "api", 3));
            Await.until("the second snapshot", SOON, () -> delivered.size() == 2);
            assertSame(service(delivered.get(0), "web"), service(delivered.get(1), "web"));
            assertEquals(3, service(delivered.get(1), "api").instances().getFirst().port());
        }
    }

    @Test
    void keepsTheLastGoodServicesWhileTheFileIsBadOrGone() throws IOException {
        Path file = write(list("web", 1, "api", 2));
        try (FileCatalog catalog = FileCatalog.open(file, QUICK, InstantSource.system())) {
            catalog.start(delivered::add);
            Await.until("the first snapshot", SOON, () -> delivered.size() == 1);
            replace(file, "services: [ { name: web, instances: [ { port: 1 } ] } ]");
            Await.until("the bad file is noticed", SOON, () -> catalog.status().stale());
            assertTrue(catalog.status().lastError().orElseThrow().contains("services.yaml:1"), catalog.status().toString());
            Files.delete(file);
            Await.until("the missing file is noticed", SOON, () -> catalog.status().lastError().orElse("").contains("no such file"));
            assertEquals(1, delivered.size());
            replace(file, list("web", 5, "api", 2));
            Await.until("the good file is followed", SOON, () -> delivered.size() == 2);
            assertFalse(catalog.status().stale());
        }
    }

    @Test
    void seesALinkThatIsSwappedBesideTheFileAsKubernetesDoes() throws IOException {
        Files.createDirectory(folder.resolve("..d1"));
        Files.createDirectory(folder.resolve("..d2"));
        Files.writeString(folder.resolve("..d1/services.yaml"), list("web", 1, "api", 2));
        Files.writeString(folder.resolve("..d2/services.yaml"), list("web", 9, "api", 2));
        Files.createSymbolicLink(folder.resolve("..data"), Path.of("..d1"));
        Path file = Files.createSymbolicLink(folder.resolve("services.yaml"), Path.of("..data/services.yaml"));
        // Without the poll: the event is on the link's name, not on the file's.
        FileWatch.Timing noPoll = new FileWatch.Timing(Duration.ofMillis(5), Duration.ofHours(1));
        try (FileCatalog catalog = FileCatalog.open(file, noPoll, InstantSource.system())) {
            catalog.start(delivered::add);
            Await.until("the first snapshot", SOON, () -> delivered.size() == 1);
            Files.createSymbolicLink(folder.resolve("..data.new"), Path.of("..d2"));
            Files.move(folder.resolve("..data.new"), folder.resolve("..data"), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            Await.until("the swapped file is followed", SOON, () -> delivered.size() == 2);
        }
    }

    private static String list(String first, int firstPort, String second, int secondPort) {
        return """
                services:
                  - { name: %s, instances: [ { id: a, address: 127.0.0.1, port: %d } ] }
                  - { name: %s, instances: [ { id: b, address: 127.0.0.1, port: %d } ] }
                """.formatted(first, firstPort, second, secondPort);
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("services.yaml"), text);
    }

    private void replace(Path file, String text) throws IOException {
        Path fresh = Files.writeString(folder.resolve("fresh"), text);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private Snapshot valid(String text) throws IOException {
        return switch (FileCatalog.read(write(text))) {
            case ServicesReading.Valid valid -> valid.snapshot();
            case ServicesReading.Invalid invalid -> throw new AssertionError(invalid.problems().toString());
        };
    }

    private List<String> problems(String text) throws IOException {
        return switch (FileCatalog.read(write(text))) {
            case ServicesReading.Valid valid -> throw new AssertionError("accepted: " + valid.snapshot());
            case ServicesReading.Invalid invalid -> invalid.problems().stream().map(Object::toString).toList();
        };
    }

    private static void assertContains(List<String> lines, String place, String text) {
        assertTrue(lines.stream().anyMatch(line -> line.contains(place) && line.contains(text)), place + " ... " + text + " in " + lines);
    }

    private static Service service(Snapshot snapshot, String name) {
        return Objects.requireNonNull(snapshot.services().get(name), name);
    }
}
