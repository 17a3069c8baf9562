package dev.gatepost.gateway;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/// Self-signed certificates by the real openssl.
public final class TestCertificate {
    private TestCertificate() {}

    /// Writes `FILE.pem` and `FILE.key` for the names, ECDSA P-256.
    public static void write(Path folder, String file, String... names) throws Exception {
        String alternatives = Arrays.stream(names).map("DNS:"::concat).collect(Collectors.joining(","));
        Command openssl = Command.run(
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", "/CN=" + names[0], "-addext", "subjectAltName=" + alternatives,
                "-keyout", folder.resolve(file + ".key").toString(), "-out", folder.resolve(file + ".pem").toString());
        if (openssl.exit() != 0) {
            throw new AssertionError("openssl: " + openssl.output());
        }
    }
}
