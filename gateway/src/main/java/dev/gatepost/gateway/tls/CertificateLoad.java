package dev.gatepost.gateway.tls;

import java.util.List;

/// What came of reading the configured certificates.
public sealed interface CertificateLoad {
    /// At least one certificate can be served, and every file that the configuration names exists.
    ///
    /// @param rejected what was found and cannot be used
    record Usable(Certificates certificates, List<RejectedCertificate> rejected) implements CertificateLoad {}

    /// The listener cannot start: a named file is missing, or nothing is left to serve.
    record Unusable(List<RejectedCertificate> problems) implements CertificateLoad {}
}
