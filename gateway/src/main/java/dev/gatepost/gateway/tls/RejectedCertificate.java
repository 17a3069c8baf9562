package dev.gatepost.gateway.tls;

import java.nio.file.Path;

/// A certificate that could not be used, with its reason and what was expected. Others are not affected.
public record RejectedCertificate(Path file, String reason) {
    /// One line for a person: `edge.pem: no certificate in it (expected: ...)`.
    public String message() {
        return file + ": " + reason;
    }
}
