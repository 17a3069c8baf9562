package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// DNS over TLS (RFC 7858) on a listener of its own, with the gate's certificates, asked by kdig and openssl.
@Timeout(60)
final class DnsOverTlsTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    static Path home;

    private static RunningGateway gateway;

    @BeforeAll
    static void start() throws Exception {
        Files.writeString(home.resolve("services.yaml"), """
                services:
                  - name: web
                    instances: [ { id: web-1, address: 10.0.0.1, port: 80 }, { id: web-2, address: 10.0.0.2, port: 80 } ]
                """);
        gateway = RunningGateway.start(
                home, "dns: { address: 127.0.0.1:0, tls-address: 127.0.0.1:0, proxy-protocol: true }", "trusted-proxies: [ 127.0.0.2 ]", "catalog: { file: services.yaml }");
        Await.until("the catalog is published", SOON, () -> gateway.text("/ready").contains("ready"));
    }

    @AfterAll
    static void stop() {
        gateway.close();
    }

    @Test
    void answersKdig() {
        String answer = kdig("web.service.consul", "+tls");
        assertTrue(answer.contains("10.0.0.1") && answer.contains("10.0.0.2"), answer);
        Await.until("it is logged", SOON, () -> log().contains("dot"));
    }

    @Test
    void showsTheCertificateOfTheNameThatIsAskedFor() {
        String verified = kdig("web.service.consul", "+tls-ca=" + home.resolve("edge.pem"), "+tls-hostname=localhost");
        assertTrue(verified.contains("10.0.0.1"), verified);
        String other = kdig("web.service.consul", "+tls-ca=" + home.resolve("edge.pem"), "+tls-hostname=dns.example.com");
        assertFalse(other.contains("10.0.0.1"), other);
    }

    @Test
    void padsWhatIsAskedWithPadding() {
        // RFC 8467 section 4.1.
        String padded = kdig("web.service.consul", "+tls", "+padding=128");
        assertTrue(padded.contains("Received 468 B"), padded);
        String plain = kdig("web.service.consul", "+tls", "+nopadding");
        assertFalse(plain.contains("Received 468 B"), plain);
    }

    @Test
    void callsItselfDot() {
        String dot = openssl("-alpn", "dot");
        assertTrue(dot.contains("ALPN protocol: dot"), dot);
        String none = openssl();
        assertTrue(none.contains("No ALPN negotiated"), none);
    }

    @Test
    void isNoHttpsListenerNorTheOtherWayRound() {
        Command curl = Command.runUnchecked("curl", "-sk", "--max-time", "20", "https://127.0.0.1:" + port() + "/");
        assertTrue(curl.exit() != 0 && !curl.output().contains("HTTP"), curl.output());
        Command dot = Command.runUnchecked("kdig", "@127.0.0.1", "-p", String.valueOf(gateway.httpsPort()), "+tls", "+time=5", "+retry=0", "web.service.consul");
        assertFalse(dot.output().contains("10.0.0.1"), dot.output());
    }

    /// The proxy's header comes before the handshake, in the clear.
    @Test
    void takesTheClientFromTheHeaderOfATrustedProxy() throws Exception {
        byte[] header = HexFormat.of().parseHex("0d0a0d0a000d0a515549540a2111000c" + "0a010203" + "7f000001" + "1267" + "0355");
        try (Socket plain = new Socket()) {
            plain.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.2"), 0));
            plain.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port()));
            plain.setSoTimeout(20_000);
            plain.getOutputStream().write(header);
            try (Socket tls = trusting(home.resolve("edge.pem")).getSocketFactory().createSocket(plain, "localhost", port(), false)) {
                byte[] query = Message.newQuery(Record.newRecord(Name.fromString("web.service.consul."), Type.A, DClass.IN)).toWire();
                tls.getOutputStream().write(ByteBuffer.allocate(2 + query.length).putShort((short) query.length).put(query).array());
                var in = new DataInputStream(tls.getInputStream());
                byte[] answer = new byte[in.readUnsignedShort()];
                in.readFully(answer);
                assertEquals(2, new Message(answer).getSection(Section.ANSWER).size());
            }
        }
        Await.until("the client is logged", SOON, () -> log().lines().anyMatch(line -> line.contains("\"10.1.2.3\"") && line.contains("4711") && line.contains("dot")));
    }

    @Test
    void hasNoHandshakeWithATrustedProxyThatSendsNoHeader() throws Exception {
        try (Socket plain = new Socket()) {
            plain.bind(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.2"), 0));
            plain.connect(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port()));
            plain.setSoTimeout(20_000);
            try (var tls = (SSLSocket) trusting(home.resolve("edge.pem")).getSocketFactory().createSocket(plain, "localhost", port(), false)) {
                assertThrows(IOException.class, tls::startHandshake);
            }
        }
    }

    private static SSLContext trusting(Path certificate) throws Exception {
        KeyStore known = KeyStore.getInstance("PKCS12");
        known.load(null, null);
        try (var pem = Files.newInputStream(certificate)) {
            known.setCertificateEntry("edge", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(known);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    private static int port() {
        return gateway.gateway().dnsTlsAddress().orElseThrow().getPort();
    }

    private static String kdig(String name, String... options) {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/kdig")) || System.getenv("CI") != null, "kdig is not installed");
        List<String> words = new ArrayList<>(List.of("kdig", "@127.0.0.1", "-p", String.valueOf(port()), "+retry=0", "+time=10"));
        words.addAll(Arrays.asList(options));
        words.addAll(List.of(name, "A"));
        return Command.runUnchecked(words.toArray(String[]::new)).output();
    }

    private static String openssl(String... options) {
        List<String> words = new ArrayList<>(List.of("openssl", "s_client", "-connect", "127.0.0.1:" + port(), "-servername", "dns.test"));
        words.addAll(Arrays.asList(options));
        return Command.runUnchecked(words.toArray(String[]::new)).output();
    }

    private static String log() {
        try {
            return Files.readString(home.resolve("access.log"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
