package dev.gatepost.gateway.tls;

import dev.gatepost.gateway.config.GatewayConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The files of one certificate.
///
/// @param key empty when the certificate's file holds the key itself
/// @param named whether the configuration names it; otherwise it was found in a directory, and may go again
record CertificateFiles(Path certificate, Optional<Path> key, boolean named) {
    /// What a configured certificate stands for at this moment: itself, or the pairs in its directory in name order.
    static List<CertificateFiles> of(GatewayConfig.Certificate configured) throws IOException {
        if (!Files.isDirectory(configured.certificate())) {
            return List.of(new CertificateFiles(configured.certificate(), configured.key(), true));
        }
        try (Stream<Path> files = Files.list(configured.certificate())) {
            return files.filter(CertificateFiles::looksLikeCertificate).sorted().map(CertificateFiles::found).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /// A hidden file is never meant: Kubernetes keeps its own (`..data`) beside the links to it.
    private static boolean looksLikeCertificate(Path file) {
        String name = file.getFileName().toString();
        return !name.startsWith(".") && (name.endsWith(".pem") || name.endsWith(".crt")) && Files.isRegularFile(file);
    }

    private static CertificateFiles found(Path certificate) {
        String name = certificate.getFileName().toString();
        Path key = certificate.resolveSibling(name.substring(0, name.length() - 4) + ".key");
        return new CertificateFiles(certificate, Optional.of(key).filter(Files::exists), false);
    }

    /// The named file that does not exist, if one does not.
    Optional<Path> missing() {
        return Stream.concat(Stream.of(certificate), key.stream()).filter(path -> !Files.exists(path)).findFirst();
    }

    /// Equal as long as no byte of the files changes.
    String digest() throws IOException {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            sha256.update(Files.readAllBytes(certificate));
            if (key.isPresent()) {
                sha256.update((byte) 0);
                sha256.update(Files.readAllBytes(key.get()));
            }
            return HexFormat.of().formatHex(sha256.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
