package dev.gatepost.gateway.tls;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The labelled blocks of a PEM file in file order (RFC 7468). Text around the blocks is ignored, as every tool does.
record PemFile(Path path, List<Block> blocks) {
    /// @param label what stands after `BEGIN`
    record Block(String label, String base64) {
        byte[] der() throws CertificateException {
            try {
                return Base64.getMimeDecoder().decode(base64);
            } catch (IllegalArgumentException e) {
                throw new CertificateException("the block " + label + " is not base64 (" + e.getMessage() + ")", e);
            }
        }
    }

    /// Far above any real chain; a log file named by mistake is not read into memory.
    private static final long MAX_BYTES = 1 << 20;

    private static final Pattern BLOCK = Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----");

    static PemFile read(Path path) throws IOException, CertificateException {
        if (Files.size(path) > MAX_BYTES) {
            throw new CertificateException(Files.size(path) + " bytes long (expected: a PEM file of at most " + MAX_BYTES + ")");
        }
        return of(path, Files.readString(path, StandardCharsets.ISO_8859_1));
    }

    static PemFile of(Path path, String text) {
        Matcher matcher = BLOCK.matcher(text);
        List<Block> blocks = new ArrayList<>();
        while (matcher.find()) {
            blocks.add(new Block(matcher.group(1), matcher.group(2)));
        }
        return new PemFile(path, List.copyOf(blocks));
    }

    List<Block> certificates() {
        return blocks.stream().filter(block -> block.label().endsWith("CERTIFICATE")).toList();
    }

    /// Blocks that hold a private key, in whichever of its encodings.
    List<Block> privateKeys() {
        return blocks.stream().filter(block -> block.label().endsWith("PRIVATE KEY")).toList();
    }
}
