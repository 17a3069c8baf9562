package dev.gatepost.admin;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Resident set size, which the JVM doesn't tell.
final class ResidentMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private ResidentMemory() {}

    /// Not a number where there is no /proc.
    static double bytes() {
        try {
            for (String line : Files.readAllLines(STATUS)) {
                if (line.startsWith("VmRSS:")) {
                    return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024.0;
                }
            }
        } catch (IOException _) {
            // As said.
        }
        return Double.NaN;
    }
}
