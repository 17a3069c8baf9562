package dev.gatepost.gateway.tls;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.gatepost.gateway.config.GatewayConfig;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class CertificatesTest {
    private static PemPair shop;
    private static PemPair wildcard;
    private static PemPair common;
    private static PemPair expired;

    private Instant now = Instant.now();

    @TempDir
    private Path directory;

    @BeforeAll
    static void makeCertificates() throws IOException {
        shop = PemPair.make("-keyalg EC -groupname secp256r1 -ext san=dns:shop.example.com,dns:Other.Example.com,ip:127.0.0.1 -dname CN=not.this.one");
        wildcard = PemPair.make("-keyalg RSA -keysize 2048 -ext san=dns:*.example.com");
        common = PemPair.make("-keyalg EC -groupname secp384r1 -dname CN=Common.example,O=Gatepost");
        expired = PemPair.make("-keyalg EC -groupname secp256r1 -ext san=dns:shop.example.com -startdate -10d -validity 3");
    }

    @Test
    void choosesTheExactNameThenTheWildcardThenTheFirst() throws IOException {
        common.writeTo(directory, "a-first");
        shop.writeTo(directory, "b-shop");
        wildcard.writeTo(directory, "c-wildcard");

        try (Certificates certificates = usable(configured(directory))) {
            assertEquals("b-shop.pem", chosen(certificates, "shop.example.com"));
            assertEquals("b-shop.pem", chosen(certificates, "other.example.com"));
            assertEquals("c-wildcard.pem", chosen(certificates, "www.example.com"));
            assertEquals("a-first.pem", chosen(certificates, "common.example"));
            assertEquals("a-first.pem", chosen(certificates, "a.b.example.com"), "a wildcard stands for one label");
            assertEquals("a-first.pem", chosen(certificates, "example.com"));
            assertEquals("a-first.pem", chosen(certificates, "not.this.one"), "the common name yields to alternative names");
            assertEquals("a-first.pem", chosen(certificates, "localhost"));
            assertEquals("a-first.pem", certificates.choose(null).file().getFileName().toString());
        }
    }

    @Test
    void readsTheOlderEncodingsOfKeys() throws IOException {
        shop.writeTo(directory, "ec");
        wildcard.writeTo(directory, "rsa");
        Files.writeString(directory.resolve("ec.key"), shop.olderKeyPem());
        Files.writeString(directory.resolve("rsa.key"), wildcard.olderKeyPem());

        try (Certificates certificates = usable(configured(directory))) {
            assertEquals(2, certificates.all().size());
            assertEquals(List.of(), certificates.rejected());
        }
    }

    @Test
    void takesKeysAsOpenSslWritesThemWithTheirOwnCertificateAlone() throws Exception {
        for (String kind : List.of("ec -pkeyopt ec_paramgen_curve:P-256", "ec -pkeyopt ec_paramgen_curve:P-384", "rsa:2048")) {
            Path own = Files.createTempDirectory(directory, "own");
            Path swapped = Files.createTempDirectory(directory, "swapped");
            makeByOpenSsl(kind, own, "a");
            makeByOpenSsl(kind, own, "b");
            Files.copy(own.resolve("a.pem"), swapped.resolve("x.pem"));
            Files.copy(own.resolve("b.key"), swapped.resolve("x.key"));

            try (Certificates certificates = usable(configured(own))) {
                assertEquals(2, certificates.all().size(), kind);
            }
            var unusable = assertInstanceOf(CertificateLoad.Unusable.class, Certificates.load(List.of(configured(swapped)), () -> now));
            assertTrue(unusable.problems().getFirst().message().contains("is not the certificate's"), kind);
        }
    }

    /// Its encoding names the certificate's public key, and holds another private one.
    @Test
    void refusesAKeyWhoseHalvesDoNotBelongTogether() throws Exception {
        makeByOpenSsl("ec -pkeyopt ec_paramgen_curve:P-256", directory, "a");
        makeByOpenSsl("ec -pkeyopt ec_paramgen_curve:P-256", directory, "b");
        byte[] mine = der(directory.resolve("a.key"));
        byte[] forged = der(directory.resolve("b.key"));
        System.arraycopy(mine, mine.length - 64, forged, forged.length - 64, 64);
        Files.writeString(directory.resolve("a.key"), "-----BEGIN PRIVATE KEY-----\n" + Base64.getEncoder().encodeToString(forged) + "\n-----END PRIVATE KEY-----\n");

        try (Certificates certificates = usable(configured(directory))) {
            assertEquals("b.pem", chosen(certificates, "a.example.com"));
            assertContains(certificates.rejected().getFirst(), "a.key is not the certificate's");
        }
    }

    private static byte[] der(Path pem) throws IOException {
        return Base64.getMimeDecoder().decode(Files.readString(pem).replaceAll("-----[^-]*-----", ""));
    }

    private static void makeByOpenSsl(String kind, Path folder, String name) throws Exception {
        List<String> command = new ArrayList<>(List.of("openssl", "req", "-x509", "-nodes", "-subj", "/CN=" + name + ".example.com", "-newkey"));
        command.addAll(List.of(kind.split(" ")));
        command.addAll(List.of("-keyout", folder.resolve(name + ".key").toString(), "-out", folder.resolve(name + ".pem").toString()));
        assertEquals(0, new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor());
    }

    @Test
    void readsCertificateAndKeyFromOneFile() throws IOException {
        Path file = Files.writeString(directory.resolve("both.pem"), "subject=whoever\n" + shop.keyPem() + shop.certificatePem());

        try (Certificates certificates = usable(configured(file))) {
            assertEquals(List.of("shop.example.com", "other.example.com"), certificates.all().getFirst().names());
            assertEquals(shop.certificate().getNotAfter().toInstant(), certificates.all().getFirst().notAfter());
        }
    }

    @Test
    void rejectsWhatIsBadAloneAndSaysWhy() throws IOException {
        shop.writeTo(directory, "good");
        Files.writeString(directory.resolve("text.pem"), "hello");
        wildcard.writeTo(directory, "mismatch");
        Files.writeString(directory.resolve("mismatch.key"), PemPair.make("-keyalg RSA -keysize 2048").keyPem());
        wildcard.writeTo(directory, "othertype");
        Files.writeString(directory.resolve("othertype.key"), shop.keyPem());
        Files.writeString(directory.resolve("keyless.crt"), shop.certificatePem());
        Files.writeString(directory.resolve("broken.crt"), shop.certificatePem().replaceFirst("M[A-Za-z0-9+/]{30}", "AAAA"));
        shop.writeTo(directory, "encrypted");
        Files.writeString(directory.resolve("encrypted.key"), shop.keyPem().replace("PRIVATE", "ENCRYPTED PRIVATE"));

        try (Certificates certificates = usable(configured(directory))) {
            assertEquals(List.of("good.pem"), certificates.all().stream().map(each -> each.file().getFileName().toString()).toList());
            List<RejectedCertificate> rejected = certificates.rejected();
            assertEquals(
                    List.of("broken.crt", "encrypted.pem", "keyless.crt", "mismatch.pem", "othertype.pem", "text.pem"),
                    rejected.stream().map(each -> each.file().getFileName().toString()).toList());
            assertContains(rejected.get(0), "certificate 1 in it is not readable");
            assertContains(rejected.get(1), "encrypted.key is encrypted (expected: one without a passphrase");
            assertContains(rejected.get(2), "0 private keys in " + directory.resolve("keyless.crt") + " (expected: 1");
            assertContains(rejected.get(3), "mismatch.key is not the certificate's");
            assertContains(rejected.get(4), "othertype.key is not a readable RSA key, which the certificate's is");
            assertContains(rejected.get(5), "no certificate in it (expected: a PEM chain, leaf first)");
        }
    }

    @Test
    void refusesToStartWithoutAFileThatTheConfigurationNames() throws IOException {
        Path present = shop.writeTo(directory, "present");
        Path absent = directory.resolve("absent.pem");

        CertificateLoad load = Certificates.load(List.of(configured(present, "present.key"), configured(absent, "absent.key")), () -> now);

        CertificateLoad.Unusable unusable = assertInstanceOf(CertificateLoad.Unusable.class, load);
        assertEquals(
                List.of(absent + ": " + absent + " does not exist (expected: a readable PEM file)"),
                unusable.problems().stream().map(RejectedCertificate::message).toList());
    }

    @Test
    void refusesToStartWithNothingToServe() {
        CertificateLoad.Unusable emptyDirectory =
                assertInstanceOf(CertificateLoad.Unusable.class, Certificates.load(List.of(configured(directory)), () -> now));
        assertContains(emptyDirectory.problems().getFirst(), "no NAME.pem or NAME.crt in the directory");

        CertificateLoad.Unusable none = assertInstanceOf(CertificateLoad.Unusable.class, Certificates.load(List.of(), () -> now));
        assertContains(none.problems().getFirst(), "https.certificates: empty (expected: a certificate and key, or a directory");
    }

    @Test
    void prefersAValidCertificateToAnExpiredOneForTheSameName() throws IOException {
        expired.writeTo(directory, "a-expired");
        shop.writeTo(directory, "b-valid");

        try (Certificates certificates = usable(configured(directory))) {
            assertEquals("b-valid.pem", chosen(certificates, "shop.example.com"));
            assertEquals(2, certificates.all().size());
        }
    }

    @Test
    void servesARenewedCertificateAndKeepsTheContextOfTheOthers() throws IOException {
        shop.writeTo(directory, "shop");
        wildcard.writeTo(directory, "wildcard");
        try (Certificates certificates = usable(configured(directory))) {
            ServerCertificate before = certificates.choose("shop.example.com");
            ServerCertificate untouched = certificates.choose("www.example.com");

            PemPair.ec("shop.example.com").writeTo(directory, "shop");
            certificates.reload();

            assertNotSame(before.context(), certificates.choose("shop.example.com").context());
            assertSame(untouched, certificates.choose("www.example.com"));
            assertEquals(1, ReferenceCountUtil.refCnt(before.context()), "a handshake may just have chosen it");
            now = now.plusSeconds(60);
            certificates.reload();
            assertEquals(0, ReferenceCountUtil.refCnt(before.context()));
        }
    }

    @Test
    void keepsServingTheLastGoodCertificateWhenItsFileTurnsBad() throws IOException {
        Path file = shop.writeTo(directory, "shop");
        try (Certificates certificates = usable(configured(file, "shop.key"))) {
            ServerCertificate before = certificates.choose(null);

            Files.writeString(directory.resolve("shop.key"), "half a ke");
            certificates.reload();
            assertSame(before, certificates.choose(null));
            assertContains(certificates.rejected().getFirst(), "0 private keys in");

            Files.delete(file);
            certificates.reload();
            assertSame(before, certificates.choose(null));
            assertContains(certificates.rejected().getFirst(), "does not exist");

            shop.writeTo(directory, "shop");
            certificates.reload();
            assertSame(before, certificates.choose(null));
            assertEquals(List.of(), certificates.rejected());
        }
    }

    @Test
    void dropsACertificateThatLeftItsDirectory() throws IOException {
        shop.writeTo(directory, "shop");
        Path removed = wildcard.writeTo(directory, "wildcard");
        try (Certificates certificates = usable(configured(directory))) {
            Files.delete(removed);
            Files.delete(directory.resolve("wildcard.key"));
            certificates.reload();

            assertEquals("shop.pem", chosen(certificates, "www.example.com"));
            assertEquals(1, certificates.all().size());
        }
    }

    @Test
    void noticesAReplacedFileByItself() throws Exception {
        shop.writeTo(directory, "shop");
        try (Certificates certificates = usable(configured(directory))) {
            certificates.watch();
            ServerCertificate before = certificates.choose(null);

            PemPair.ec("shop.example.com").writeTo(directory, "shop");

            await(() -> !certificates.choose(null).equals(before));
        }
    }

    @Test
    void noticesTheLinkThatKubernetesReplaces() throws Exception {
        Path first = Files.createDirectory(directory.resolve("..2026_1"));
        shop.writeTo(first, "tls");
        Files.createSymbolicLink(directory.resolve("..data"), first.getFileName());
        Files.createSymbolicLink(directory.resolve("tls.crt"), Path.of("..data/tls.pem"));
        Files.createSymbolicLink(directory.resolve("tls.key"), Path.of("..data/tls.key"));
        try (Certificates certificates = usable(configured(directory))) {
            certificates.watch();
            ServerCertificate before = certificates.choose(null);

            Path second = Files.createDirectory(directory.resolve("..2026_2"));
            wildcard.writeTo(second, "tls");
            Files.createSymbolicLink(directory.resolve("..data_tmp"), second.getFileName());
            Files.move(directory.resolve("..data_tmp"), directory.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);

            await(() -> !certificates.choose(null).equals(before));
            assertEquals(List.of("*.example.com"), certificates.choose(null).names());
        }
    }

    @Test
    void makesASelfSignedCertificateForTheGivenNames() throws IOException {
        ServerCertificate made = SelfSigned.certificate(List.of("localhost", "*.demo.localhost"));

        try (Certificates certificates = Certificates.of(made)) {
            assertEquals(List.of("localhost", "*.demo.localhost"), made.names());
            assertTrue(made.validAt(Instant.now()));
            assertSame(made, certificates.choose("web.demo.localhost"));
        }
    }

    @Test
    void warnsBeforeACertificateEnds() throws IOException {
        shop.writeTo(directory, "shop");
        Instant end = shop.certificate().getNotAfter().toInstant();
        Duration life = Duration.between(shop.certificate().getNotBefore().toInstant(), end);
        Logger logger = (Logger) LoggerFactory.getLogger(Certificates.class);
        ListAppender<ILoggingEvent> said = new ListAppender<>();
        said.start();
        logger.addAppender(said);
        try {
            Duration notice = life.dividedBy(4).compareTo(Duration.ofDays(14)) < 0 ? life.dividedBy(4) : Duration.ofDays(14);
            now = end.minus(notice).minusSeconds(60);
            usable(configured(directory)).close();
            assertEquals(List.of(), said.list);
            now = end.minus(notice).plusSeconds(60);
            usable(configured(directory)).close();
            String warning = said.list.getFirst().getFormattedMessage();
            assertEquals(Level.WARN, said.list.getFirst().getLevel());
            assertTrue(warning.contains("shop.pem") && warning.contains("ends in " + (notice.toHours() - 1) + " hours"), warning);
        } finally {
            logger.detachAppender(said);
        }
    }

    @Test
    void refusesToStartWithTicketKeysThatCannotBeUsed() throws IOException {
        shop.writeTo(directory, "shop");
        Path absent = directory.resolve("tickets");

        CertificateLoad load = Certificates.load(List.of(configured(directory)), Optional.of(absent), () -> now);

        CertificateLoad.Unusable unusable = assertInstanceOf(CertificateLoad.Unusable.class, load);
        assertEquals(absent + ": does not exist (expected: a readable file)", unusable.problems().getFirst().message());
    }

    @Test
    void usesBoringSsl() {
        assertEquals(TlsProvider.BORINGSSL, TlsProvider.current(), TlsProvider.JDK.describe());
        assertEquals("BoringSSL", TlsProvider.current().describe());
    }

    private Certificates usable(GatewayConfig.Certificate... configured) {
        InstantSource clock = () -> now;
        return assertInstanceOf(CertificateLoad.Usable.class, Certificates.load(List.of(configured), clock)).certificates();
    }

    private static String chosen(Certificates certificates, String serverName) {
        return certificates.choose(serverName).file().getFileName().toString();
    }

    private static GatewayConfig.Certificate configured(Path path) {
        return new GatewayConfig.Certificate(path, Optional.empty());
    }

    private static GatewayConfig.Certificate configured(Path path, String key) {
        return new GatewayConfig.Certificate(path, Optional.of(path.resolveSibling(key)));
    }

    private static void assertContains(RejectedCertificate rejected, String expected) {
        assertTrue(rejected.message().contains(expected), rejected.message());
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "not within 20 s");
            Thread.sleep(10);
        }
    }
}
