package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The gateway as a process of its own, for what only a process shows: signals, exit codes, a small heap, its output.
final class GatewayProcess implements AutoCloseable {
    private final Process process;
    private final Path errors;

    private GatewayProcess(Process process, Path errors) {
        this.process = process;
        this.errors = errors;
    }

    /// Starts `gatepost ARGUMENTS` in `home` with the given JVM options; its standard output goes to `output`.
    static GatewayProcess start(Path home, ProcessBuilder.Redirect output, List<String> jvmOptions, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED"));
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), "dev.gatepost.gateway.Main"));
        command.addAll(Arrays.asList(arguments));
        Path errors = home.resolve("stderr.txt");
        Process process = new ProcessBuilder(command)
                .directory(home.toFile())
                .redirectOutput(output)
                .redirectError(errors.toFile())
                .start();
        process.getOutputStream().close();
        return new GatewayProcess(process, errors);
    }

    /// The port that the log says a listener is on, once it serves the catalog.
    int port(String listener) {
        Pattern line = Pattern.compile("\\b" + listener + " listens on \\S*:(\\d+)");
        int[] port = new int[1];
        Await.until("the log names the port of " + listener + ": " + log(), Duration.ofSeconds(30), () -> {
            Matcher matcher = line.matcher(log());
            if (!matcher.find() || !log().contains("ready: ")) {
                return !process.isAlive();
            }
            port[0] = Integer.parseInt(matcher.group(1));
            return true;
        });
        if (port[0] == 0) {
            throw new AssertionError("ended with " + process.exitValue() + ": " + log());
        }
        return port[0];
    }

    /// What it wrote to standard error so far.
    String log() {
        try {
            return Files.readString(errors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    long pid() {
        return process.pid();
    }

    /// SIGTERM.
    void terminate() {
        process.destroy();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    int awaitExit() throws InterruptedException {
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            throw new AssertionError("still running after 60 s: " + log());
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
