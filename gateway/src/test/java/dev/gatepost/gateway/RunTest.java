package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatepost.gateway.catalog.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// `gatepost run` and signals.
final class RunTest {
    private static final String GOOD = "http: { address: 127.0.0.1:0 }\ncatalog: { file: services.yaml }\n";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir Path folder;

    @Test
    void rereadsOnSighupKeepsServingWhatItCannotReadAndEndsWith0OnSigint() throws Exception {
        Path file = Files.writeString(folder.resolve("gatepost.yaml"), GOOD);
        Files.writeString(folder.resolve("services.yaml"), "services: []\n");
        Path err = folder.resolve("err.txt");
        Process gateway = start(file, err, Map.of());
        try {
            awaitLog(gateway, err, "ready: 0 services");

            Files.writeString(file, "threads: none\n");
            signal(gateway, "HUP");
            awaitLog(gateway, err, "configuration not reread because of the above, going on with the one in use");
            assertTrue(read(err).contains(file + ":1:10: threads: none (expected: a number from 1 to 1024)"), () -> read(err));

            Files.writeString(file, GOOD);
            signal(gateway, "HUP");
            awaitLog(gateway, err, "certificates reread");

            signal(gateway, "INT");
            assertTrue(gateway.waitFor(60, TimeUnit.SECONDS), () -> read(err) + threads(gateway));
            assertEquals(0, gateway.exitValue(), () -> read(err));
        } finally {
            gateway.destroyForcibly();
        }
    }

    @Test
    void writesItsOwnLogAsJsonFromTheLevelThatIsAskedFor() throws Exception {
        Path file = Files.writeString(folder.resolve("gatepost.yaml"), GOOD);
        Files.writeString(folder.resolve("services.yaml"), "services: []\n");
        Path err = folder.resolve("err.txt");
        Process gateway = start(file, err, Map.of("GATEPOST_LOG_FORMAT", "json", "GATEPOST_LOG_LEVEL", "debug"));
        try {
            awaitLog(gateway, err, "ready: 0 services");
            awaitLog(gateway, err, "\"level\":\"DEBUG\"");
            ObjectMapper json = new ObjectMapper();
            String log = Files.readString(err);
            for (String line : log.substring(0, log.lastIndexOf('\n')).lines().toList()) {
                assertTrue(json.readTree(line).has("formattedMessage"), line);
            }
        } finally {
            gateway.destroyForcibly();
        }
    }

    /// What its threads are doing, virtual ones included.
    private String threads(Process gateway) {
        Path dump = folder.resolve("threads.txt");
        try {
            Command told = Command.run(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), String.valueOf(gateway.pid()), "Thread.dump_to_file", dump.toString());
            return told.exit() == 0 ? read(dump) : told.output();
        } catch (Exception e) {
            return e.toString();
        }
    }

    private static Process start(Path file, Path err, Map<String, String> environment) throws IOException {
        ProcessBuilder command = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED",
                        "-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        Main.class.getName(), "run", "--config", file.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(err.toFile());
        command.environment().putAll(environment);
        return command.start();
    }

    private static void awaitLog(Process gateway, Path log, String words) {
        Await.until("the log says: " + words, PATIENCE, () -> read(log).contains(words) || !gateway.isAlive());
        assertTrue(gateway.isAlive(), () -> read(log));
    }

    private static void signal(Process process, String name) throws IOException, InterruptedException {
        assertEquals(0, new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start().waitFor());
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
