package dev.gatepost.gateway.tls;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// A certificate chain and its private key in one text, which somebody keeps elsewhere than in a file of the configuration.
///
/// @param place where, for messages
public record CertificateText(Path place, String pem) {
    /// Without the private key.
    @Override
    public String toString() {
        return "CertificateText[" + place + "]";
    }

    /// Equal as long as the text is.
    String digest() {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(pem.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    PemFile read() {
        return PemFile.of(place, pem);
    }
}
