package dev.gatepost.gateway.tls;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/// A real certificate and key, made by keytool, as tests write them to files.
public record PemPair(X509Certificate certificate, Key key) {
    private static final String PASSWORD = "password";

    /// @param options further ones of `keytool -genkeypair`, e.g. `-keyalg EC -groupname secp256r1 -ext san=dns:a.example`
    public static PemPair make(String options) throws IOException {
        Path directory = Files.createTempDirectory("pem-pair");
        Path keyStore = directory.resolve("pair.p12");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-J-XX:TieredStopAtLevel=1", "-genkeypair", "-alias", "pair",
                "-storetype", "PKCS12", "-keystore", keyStore.toString(), "-storepass", PASSWORD));
        command.addAll(Arrays.asList(options.split(" ", -1)));
        if (!options.contains("-dname")) {
            command.addAll(List.of("-dname", "CN=common.example"));
        }
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String said;
            try (InputStream output = process.getInputStream()) {
                said = new String(output.readAllBytes(), StandardCharsets.UTF_8);
            }
            if (process.waitFor() != 0) {
                throw new IOException(said);
            }
            try (InputStream in = Files.newInputStream(keyStore)) {
                KeyStore pair = KeyStore.getInstance("PKCS12");
                pair.load(in, PASSWORD.toCharArray());
                return new PemPair((X509Certificate) pair.getCertificate("pair"), pair.getKey("pair", PASSWORD.toCharArray()));
            }
        } catch (GeneralSecurityException | InterruptedException e) {
            throw new IOException(e);
        } finally {
            Files.deleteIfExists(keyStore);
            Files.deleteIfExists(directory);
        }
    }

    public static PemPair ec(String name) throws IOException {
        return make("-keyalg EC -groupname secp256r1 -ext san=dns:" + name);
    }

    /// Writes `NAME.pem` and `NAME.key`.
    public Path writeTo(Path directory, String name) throws IOException {
        Path file = Files.writeString(directory.resolve(name + ".pem"), certificatePem());
        Files.writeString(directory.resolve(name + ".key"), keyPem());
        return file;
    }

    public String certificatePem() throws IOException {
        try {
            return block("CERTIFICATE", certificate.getEncoded());
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    public String keyPem() {
        return block("PRIVATE KEY", key.getEncoded());
    }

    /// As OpenSSL wrote keys for long: `BEGIN RSA PRIVATE KEY`, `BEGIN EC PRIVATE KEY`.
    public String olderKeyPem() {
        // SEQUENCE { INTEGER version, SEQUENCE algorithm, OCTET STRING key }
        byte[] pkcs8 = key.getEncoded();
        int version = content(pkcs8, 0);
        int algorithm = end(pkcs8, version);
        int octets = end(pkcs8, algorithm);
        return block(key.getAlgorithm() + " PRIVATE KEY", Arrays.copyOfRange(pkcs8, content(pkcs8, octets), end(pkcs8, octets)));
    }

    private static int content(byte[] der, int at) {
        return at + 2 + (der[at + 1] >= 0 ? 0 : der[at + 1] & 0x7f);
    }

    private static int end(byte[] der, int at) {
        if (der[at + 1] >= 0) {
            return at + 2 + der[at + 1];
        }
        int length = 0;
        for (int i = at + 2; i < content(der, at); i++) {
            length = (length << 8) | (der[i] & 0xff);
        }
        return content(der, at) + length;
    }

    private static String block(String label, byte[] der) {
        return "-----BEGIN " + label + "-----\n" + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + label + "-----\n";
    }
}
