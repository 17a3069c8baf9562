package dev.gatepost.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A real program run to its end: curl, dig, h2load, the gateway's own launcher.
public record Command(int exit, String output) {
    /// Runs it with at most a minute of time; standard output and error together are the output.
    public static Command run(String... words) throws IOException, InterruptedException {
        return run(List.of(words));
    }

    /// For use inside a lambda.
    public static Command runUnchecked(String... words) {
        try {
            return run(words);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    public static Command run(List<String> words) throws IOException, InterruptedException {
        Path output = Files.createTempFile("command", ".out");
        try {
            Process process = new ProcessBuilder(words)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(60, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(String.join(" ", words) + " did not end within 60 s");
            }
            return new Command(process.exitValue(), Files.readString(output));
        } finally {
            Files.deleteIfExists(output);
        }
    }
}
