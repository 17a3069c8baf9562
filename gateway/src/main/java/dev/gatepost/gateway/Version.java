package dev.gatepost.gateway;

import dev.gatepost.gateway.tls.TlsProvider;
import io.netty.channel.epoll.Epoll;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/// Which build this is: the build writes its version and commit into a properties file of the jar.
///
/// @param commit as `git describe` names it, with `-dirty` for a changed tree; `unknown` for a build without git
record Version(String version, String commit) {
    static Version ofThisBuild() {
        Properties build = new Properties();
        try (InputStream in = Version.class.getResourceAsStream("build.properties")) {
            if (in != null) {
                build.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Version(build.getProperty("version", "unknown"), build.getProperty("commit", "unknown"));
    }

    /// For a person: build, JDK, and what carries bytes and encrypts on this machine.
    List<String> describe() {
        return List.of(
                "gatepost %s (commit %s)".formatted(version, commit),
                "java %s (%s), %s %s".formatted(
                        Runtime.version(), System.getProperty("java.vendor"), System.getProperty("os.name"), System.getProperty("os.arch")),
                "transport " + transport(),
                "tls " + TlsProvider.current().describe());
    }

    static String transport() {
        if (Epoll.isAvailable()) {
            return "epoll";
        }
        Throwable cause = Epoll.unavailabilityCause();
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return "NIO (epoll did not load: " + cause.getMessage() + ")";
    }

    /// picocli makes it by name.
    static final class Provider implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return ofThisBuild().describe().toArray(String[]::new);
        }
    }
}
