package dev.gatepost.gateway.tls;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A certificate that nobody vouches for, made on the spot for a demonstration: P-256, for the given names and 127.0.0.1.
/// The JDK cannot make one by a public API, but its `keytool` can.
public final class SelfSigned {
    private static final int VALID_DAYS = 365;
    private static final int KEYTOOL_SECONDS = 60;
    private static final String ALIAS = "gatepost";
    private static final String PASSWORD_VARIABLE = "GATEPOST_KEYSTORE_PASSWORD";

    private SelfSigned() {}

    /// @throws IOException with a message for a person, when no keytool is there or it fails
    public static ServerCertificate certificate(List<String> names) throws IOException {
        Pair pair = make(names);
        try {
            return ServerCertificate.of(Path.of("self-signed"), pair.key(), List.of(pair.certificate()));
        } catch (CertificateException e) {
            throw new IOException("no self-signed certificate: " + e.getMessage(), e);
        }
    }

    /// The same as files, `NAME.pem` and `NAME.key`, for a configuration to name and a client to trust.
    ///
    /// @throws IOException with a message for a person, when no keytool is there or it fails
    public static void write(Path folder, String name, List<String> names) throws IOException {
        Pair pair = make(names);
        try {
            Files.writeString(folder.resolve(name + ".pem"), pem("CERTIFICATE", pair.certificate().getEncoded()));
            Files.writeString(folder.resolve(name + ".key"), pem("PRIVATE KEY", pair.key().getEncoded()));
        } catch (CertificateEncodingException e) {
            throw new IOException("no self-signed certificate: " + e.getMessage(), e);
        }
    }

    /// RFC 7468.
    private static String pem(String label, byte[] der) {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n".formatted(label, base64, label);
    }

    private record Pair(PrivateKey key, X509Certificate certificate) {}

    private static Pair make(List<String> names) throws IOException {
        Path directory = Files.createTempDirectory("gatepost-tls");
        Path keyStore = directory.resolve("self-signed.p12");
        String password = HexFormat.of().formatHex(new SecureRandom().generateSeed(16));
        try {
            keytool(keyStore, password, names);
            return load(keyStore, password);
        } finally {
            Files.deleteIfExists(keyStore);
            Files.deleteIfExists(directory);
        }
    }

    private static void keytool(Path keyStore, String password, List<String> names) throws IOException {
        Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
        if (!Files.isExecutable(keytool)) {
            throw new IOException("no self-signed certificate: " + keytool
                    + " does not exist (expected: a whole JDK or JRE; or give https.certificates a certificate and key)");
        }
        String alternatives = Stream.concat(names.stream().map(name -> "dns:" + name), Stream.of("ip:127.0.0.1"))
                .collect(Collectors.joining(","));
        ProcessBuilder builder = new ProcessBuilder(
                keytool.toString(), "-J-XX:TieredStopAtLevel=1", "-genkeypair", "-alias", ALIAS, "-keyalg", "EC", "-groupname", "secp256r1",
                "-validity", Integer.toString(VALID_DAYS), "-dname", "CN=Gatepost demo", "-ext", "san=" + alternatives,
                "-ext", "eku=serverAuth", "-storetype", "PKCS12", "-keystore", keyStore.toString(),
                // By the environment: a password among the arguments would show in the process list.
                "-storepass:env", PASSWORD_VARIABLE);
        builder.environment().put(PASSWORD_VARIABLE, password);
        Process process = builder.redirectErrorStream(true).start();
        try (InputStream output = process.getInputStream()) {
            process.getOutputStream().close();
            String said = new String(output.readAllBytes(), StandardCharsets.UTF_8).strip();
            if (!process.waitFor(KEYTOOL_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException("no self-signed certificate: keytool failed: " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("no self-signed certificate: interrupted", e);
        } finally {
            process.destroyForcibly();
        }
    }

    private static Pair load(Path file, String password) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            KeyStore keyStore = KeyStore.getInstance("PKCS12");
            keyStore.load(in, password.toCharArray());
            PrivateKey key = (PrivateKey) keyStore.getKey(ALIAS, password.toCharArray());
            return new Pair(key, (X509Certificate) keyStore.getCertificate(ALIAS));
        } catch (GeneralSecurityException e) {
            throw new IOException("no self-signed certificate: " + e.getMessage(), e);
        }
    }
}
