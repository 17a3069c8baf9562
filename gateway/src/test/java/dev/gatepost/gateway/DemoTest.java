package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// The demo as a person meets it: what it prints is pasted into a shell.
final class DemoTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir Path folder;

    @Test
    void everyLineThatItPrintsToTryWorksAsPrinted() throws Exception {
        Path out = folder.resolve("out.txt");
        Path err = folder.resolve("err.txt");
        Process demo = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED",
                        "-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        "-Djava.io.tmpdir=" + folder, Main.class.getName(), "demo", "--port-offset", String.valueOf(freeOffset()))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            Await.until("the demo says what to try", PATIENCE, () -> read(out).contains("Each answer leaves one line") || !demo.isAlive());
            assertTrue(demo.isAlive(), () -> read(err));
            List<String> lines = read(out).lines().filter(line -> line.startsWith("  curl ") || line.startsWith("  dig ")).map(String::strip).toList();
            assertEquals(12, lines.size(), lines::toString);
            List<String> answers = new ArrayList<>();
            for (String line : lines) {
                answers.add(shell(line));
            }
            assertTrue(answers.get(0).matches("(?s).*hello from web-[12]\\n.*"), answers.get(0));
            assertTrue(answers.get(1).matches("(?s).*hello from web-[12]\\n.*"), answers.get(1));
            assertTrue(answers.get(2).contains("GET /a?b=c HTTP/1.1"), answers.get(2));
            assertTrue(answers.get(2).toLowerCase(Locale.ROOT).contains("x-forwarded-proto: https"), answers.get(2));
            assertTrue(answers.get(3).contains("request number 1"), answers.get(3));
            assertTrue(answers.get(4).contains(" 503 "), answers.get(4));
            assertTrue(answers.get(5).contains("127.0.0.1") && answers.get(5).contains("status: NOERROR"), answers.get(5));
            assertTrue(answers.get(6).contains("SRV\t1 1 "), answers.get(6));
            assertTrue(answers.get(7).contains("ANSWER: 0"), answers.get(7));
            assertTrue(answers.get(8).contains("\"found\""), answers.get(8));
            assertTrue(answers.get(9).contains("sick"), answers.get(9));
            assertTrue(answers.get(10).contains("\"revision\""), answers.get(10));
            assertTrue(answers.get(11).contains("# TYPE gatepost_"), answers.get(11));

            demo.destroy();
            assertTrue(demo.waitFor(60, TimeUnit.SECONDS), "ends on SIGTERM");
            assertEquals(0, demo.exitValue(), () -> read(err));
            assertEquals(8, read(out).lines().filter(line -> line.startsWith("{\"@timestamp\"")).count(), "a line for each of 5 responses and 3 queries");
            try (var left = Files.list(folder)) {
                assertFalse(left.anyMatch(file -> file.getFileName().toString().startsWith("gatepost-demo-")), "its folder is gone");
            }
        } finally {
            demo.destroyForcibly();
        }
    }

    private String shell(String line) throws IOException, InterruptedException {
        Path output = folder.resolve("line.txt");
        Process process = new ProcessBuilder("sh", "-c", line).redirectErrorStream(true).redirectOutput(output.toFile()).start();
        assertTrue(process.waitFor(30, TimeUnit.SECONDS), line);
        assertEquals(0, process.exitValue(), () -> line + "\n" + read(output));
        return read(output);
    }

    /// An offset at which all four ports are free at this moment.
    private static int freeOffset() throws IOException {
        for (int offset = 21_000; offset < 40_000; offset += 17) {
            if (isFree(8080 + offset) && isFree(8443 + offset) && isFree(8053 + offset) && isFree(9090 + offset)) {
                return offset;
            }
        }
        throw new IOException("no free ports");
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException _) {
            return false;
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
