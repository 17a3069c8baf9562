package dev.gatepost.gateway.tls;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Which certificate answers which SNI name: the exact name, else the wildcard one label up, else the first certificate.
record CertificateTable(List<ServerCertificate> certificates, Map<String, ServerCertificate> byName) {
    /// Where two certificates share a name, one that is valid now goes before one that is not, then the first listed.
    static CertificateTable from(List<ServerCertificate> certificates, Instant now) {
        if (certificates.isEmpty()) {
            throw new IllegalArgumentException("no certificate (expected: at least 1)");
        }
        Map<String, ServerCertificate> byName = new HashMap<>();
        for (ServerCertificate certificate : certificates) {
            for (String name : certificate.names()) {
                byName.merge(name, certificate, (earlier, later) -> earlier.validAt(now) || !later.validAt(now) ? earlier : later);
            }
        }
        return new CertificateTable(List.copyOf(certificates), Map.copyOf(byName));
    }

    /// @param serverName lower-case; null when the client sent none
    ServerCertificate choose(@Nullable String serverName) {
        if (serverName == null) {
            return certificates.getFirst();
        }
        ServerCertificate exact = byName.get(serverName);
        if (exact != null) {
            return exact;
        }
        int dot = serverName.indexOf('.');
        ServerCertificate wildcard = dot < 0 ? null : byName.get("*" + serverName.substring(dot));
        return wildcard != null ? wildcard : certificates.getFirst();
    }
}
