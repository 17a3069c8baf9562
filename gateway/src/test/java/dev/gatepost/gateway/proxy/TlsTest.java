package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.ConnectionLabel;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.CertificateLoad;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.PemPair;
import io.netty.channel.Channel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/// TLS connections as real clients make them: the JDK's, curl, openssl, h2load.
final class TlsTest {
    private static final String HELLO = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    private static final String REQUEST = "GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n";
    /// The kernel delays only once client and server have taken turns quickly, which the first, cold ones don't.
    private static final int HANDSHAKES = 10;
    private static PemPair first;
    private static PemPair shop;

    private final BlockingQueue<Channel> channels = new LinkedBlockingQueue<>();

    @TempDir
    private Path directory;

    private Certificates certificates;
    private RunningGate gate;
    private RawOrigin origin;

    @BeforeAll
    static void makeCertificates() throws IOException {
        first = PemPair.make("-keyalg RSA -keysize 2048 -dname CN=first.test -ext san=dns:first.test");
        shop = PemPair.make("-keyalg EC -groupname secp256r1 -dname CN=shop.test -ext san=dns:shop.test,dns:*.shop.test");
    }

    @BeforeEach
    void start() throws IOException {
        first.writeTo(directory, "a-first");
        shop.writeTo(directory, "b-shop");
        CertificateLoad load = Certificates.load(List.of(new GatewayConfig.Certificate(directory, Optional.empty())), InstantSource.system());
        certificates = assertInstanceOf(CertificateLoad.Usable.class, load).certificates();
        TlsStart start = new TlsStart(certificates);
        gate = RunningGate.start(GateSettings.DEFAULT, (channel, loop) -> {
            channels.add(channel);
            start.begin(channel, loop);
        });
        origin = RawOrigin.answering(HELLO);
        gate.routeTo(origin.port());
    }

    @AfterEach
    void stop() {
        gate.close();
        origin.close();
        certificates.close();
    }

    @Test
    void presentsTheCertificateForTheNameInTheClientHello() throws Exception {
        assertEquals("CN=shop.test", presentedTo("shop.test"));
        assertEquals("CN=shop.test", presentedTo("www.shop.test"));
        assertEquals("CN=first.test", presentedTo("first.test"));
        assertEquals("CN=first.test", presentedTo("unknown.test"));
        assertEquals("CN=first.test", presentedTo(""));
    }

    /// Else a client with Nagle's algorithm, which waits for that before it sends its request, waits for the kernel's delay.
    @Test
    void acknowledgesTheEndOfEachHandshakeAtOnce() throws Exception {
        assumeTrue(Epoll.isAvailable(), "Linux");
        for (int i = 0; i < HANDSHAKES; i++) {
            Process client = new ProcessBuilder("openssl", "s_client", "-quiet", "-connect", "127.0.0.1:" + gate.tlsPort())
                    .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            try {
                Channel channel = channels.take();
                Await.until("the handshake is over", Duration.ofSeconds(10), () -> channel.pipeline().get(Http1Connection.class) != null);
                assertTrue(channel.config().getOption(EpollChannelOption.TCP_QUICKACK));
            } finally {
                client.destroy();
                client.waitFor();
            }
        }
    }

    @Test
    void speaksTls12And13AndNothingOlder() throws Exception {
        try (SSLSocket socket = socket("shop.test", "TLSv1.3")) {
            assertEquals("TLSv1.3", socket.getSession().getProtocol());
        }
        try (SSLSocket socket = socket("shop.test", "TLSv1.2")) {
            assertEquals("TLSv1.2", socket.getSession().getProtocol());
            assertTrue(socket.getSession().getCipherSuite().startsWith("TLS_ECDHE_ECDSA_"), socket.getSession().getCipherSuite());
        }
        String old = run("", "openssl", "s_client", "-connect", "127.0.0.1:" + gate.tlsPort(), "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0");
        assertTrue(old.contains("Cipher is (NONE)"), old);
    }

    @Test
    void resumesSessionsByTicket() throws Exception {
        Path session = directory.resolve("session");
        String port = "127.0.0.1:" + gate.tlsPort();
        for (String version : List.of("-tls1_3", "-tls1_2")) {
            String begun = run(REQUEST, "openssl", "s_client", "-connect", port, "-servername", "shop.test", version, "-ign_eof", "-sess_out", session.toString());
            assertTrue(begun.contains("New, TLS"), begun);
            String resumed = run(REQUEST, "openssl", "s_client", "-connect", port, "-servername", "shop.test", version, "-ign_eof", "-sess_in", session.toString());
            assertTrue(resumed.contains("Reused, TLS"), resumed);
        }
    }

    @Test
    void resumesASessionThatBeganWithTheCertificateBefore() throws Exception {
        Path session = begun(gate.tlsPort());
        PemPair.make("-keyalg EC -groupname secp256r1 -dname CN=renewed.test -ext san=dns:shop.test").writeTo(directory, "b-shop");
        certificates.reload();
        assertEquals("CN=renewed.test", presentedTo("shop.test"));
        assertTrue(resumes(session, gate.tlsPort()));
    }

    @Test
    void resumesASessionThatBeganAtAnotherGatewayWithTheSameTicketKeys() throws Exception {
        Path keys = Files.writeString(directory.resolve("tickets"), ticketKey(1) + "\n");
        try (Certificates oneCertificates = loaded(keys);
                Certificates otherCertificates = loaded(keys);
                RunningGate one = RunningGate.startTls(GateSettings.DEFAULT, oneCertificates).routeTo(origin.port());
                RunningGate other = RunningGate.startTls(GateSettings.DEFAULT, otherCertificates).routeTo(origin.port())) {
            Path session = begun(one.tlsPort());
            assertTrue(resumes(session, other.tlsPort()));
            assertFalse(resumes(session, gate.tlsPort()), "that one has keys of its own");

            Files.writeString(keys, "# the new one\n" + ticketKey(2) + "\n\n" + ticketKey(1) + "\n");
            otherCertificates.reload();
            assertTrue(resumes(session, other.tlsPort()), "the second key opens");
            Files.writeString(keys, "not a key\n");
            otherCertificates.reload();
            assertTrue(resumes(session, other.tlsPort()), "a file that can't be used changes nothing");
            Files.writeString(keys, ticketKey(2) + "\n");
            otherCertificates.reload();
            assertFalse(resumes(session, other.tlsPort()), "its key is gone");
        }
    }

    private static String ticketKey(int number) {
        byte[] key = new byte[48];
        Arrays.fill(key, (byte) number);
        return Base64.getEncoder().encodeToString(key);
    }

    private Certificates loaded(Path ticketKeys) {
        CertificateLoad load = Certificates.load(
                List.of(new GatewayConfig.Certificate(directory, Optional.empty())), Optional.of(ticketKeys), InstantSource.system());
        return assertInstanceOf(CertificateLoad.Usable.class, load).certificates();
    }

    /// What openssl keeps of a TLS 1.3 session.
    private Path begun(int port) throws Exception {
        Path session = directory.resolve("session");
        String said = run(REQUEST, "openssl", "s_client", "-connect", "127.0.0.1:" + port, "-servername", "shop.test", "-tls1_3", "-ign_eof", "-sess_out", session.toString());
        assertTrue(said.contains("New, TLS"), said);
        return session;
    }

    private static boolean resumes(Path session, int port) throws Exception {
        String said = run(REQUEST, "openssl", "s_client", "-connect", "127.0.0.1:" + port, "-servername", "shop.test", "-tls1_3", "-ign_eof", "-sess_in", session.toString());
        assertTrue(said.contains("New, TLS") || said.contains("Reused, TLS"), said);
        return said.contains("Reused, TLS");
    }

    @Test
    void knowsWhatTheHandshakeSettled() throws Exception {
        SSLContext client = RawHttp2.trusting();
        for (boolean resumed : new boolean[] {false, true}) {
            try (SSLSocket socket = socket(client, "shop.test", "TLSv1.3", "http/1.1")) {
                get(socket);
                TlsFacts facts = onChannel(channel -> TlsStart.factsOf(channel.pipeline().get(SslHandler.class), "", 0));
                assertEquals(new TlsFacts("1.3", facts.cipher(), "", "http/1.1", resumed), facts);
                assertTrue(facts.cipher().startsWith("TLS_AES_"), facts.cipher());
            }
            assertEquals("shop.test", gate.connectionLabel().serverName());
        }
        try (RawHttp2 h2 = RawHttp2.connect(gate.tlsPort())) {
            assertEquals("hello", h2.get(1, "/").response(1).body());
            assertEquals("h2", onChannel(channel -> TlsStart.factsOf(channel.pipeline().get(SslHandler.class), "", 0)).nextProtocol());
            ConnectionLabel label = gate.connectionLabel();
            assertEquals("", label.serverName());
            assertEquals("https", label.scheme());
        }
    }

    @Test
    void leavesOnlyTlsAndTheProtocolInThePipeline() throws Exception {
        try (RawHttp2 client = RawHttp2.connect(gate.tlsPort())) {
            assertEquals("hello", client.get(1, "/").response(1).body());
            assertEquals(List.of(SslHandler.class, LingeringClose.class, Http2Connection.class), handlers());
        }
        try (SSLSocket socket = socket("shop.test", "TLSv1.3")) {
            get(socket);
            assertEquals(List.of(SslHandler.class, Http1Connection.class), handlers());
        }
    }

    @Test
    void servesCurlByBothProtocols() throws Exception {
        String port = Integer.toString(gate.tlsPort());
        for (String version : List.of("--http2", "--http1.1")) {
            String out = run("", "curl", "-sk", version, "--resolve", "shop.test:" + port + ":127.0.0.1", "-w", " %{http_version} %{http_code}",
                    "https://shop.test:" + port + "/");
            assertEquals(version.equals("--http2") ? "hello 2 200" : "hello 1.1 200", out);
        }
    }

    @Test
    void servesTheJdksClientWithALargeBodyEachWay() throws Exception {
        byte[] body = "0123456789abcdef".repeat(1 << 16).getBytes(ISO_8859_1);
        try (RawOrigin echo = RawOrigin.scripted((connection, _) -> {
                String head = connection.readHead();
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + body.length + "\r\n\r\n");
                assertTrue(head.startsWith("POST /"), head);
                for (int left = body.length; left > 0; left -= 1 << 14) {
                    connection.send(connection.read(1 << 14));
                }
            });
            HttpClient client = HttpClient.newBuilder().sslContext(RawHttp2.trusting()).build()) {
            gate.routeTo(echo.port());
            HttpRequest request = HttpRequest.newBuilder(URI.create("https://localhost:" + gate.tlsPort() + "/"))
                    .POST(HttpRequest.BodyPublishers.ofByteArray(body)).build();
            HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
            assertEquals(HttpClient.Version.HTTP_2, response.version());
            assertEquals(new String(body, ISO_8859_1), new String(response.body(), ISO_8859_1));
        }
    }

    @Test
    void servesH2loadWithoutAFailure() throws Exception {
        String out = run("", "h2load", "-n", "2000", "-c", "4", "-m", "10", "https://127.0.0.1:" + gate.tlsPort() + "/");
        assertTrue(out.contains("2000 succeeded, 0 failed, 0 errored, 0 timeout"), out);
        assertTrue(out.contains("status codes: 2000 2xx"), out);
    }

    @Test
    void keepsConnectionsOverARenewal() throws Exception {
        try (RawHttp2 client = RawHttp2.connect(gate.tlsPort())) {
            assertEquals("hello", client.get(1, "/").response(1).body());
            PemPair renewed = PemPair.make("-keyalg EC -groupname secp256r1 -dname CN=renewed.test -ext san=dns:shop.test");
            renewed.writeTo(directory, "b-shop");
            certificates.reload();
            assertEquals("CN=renewed.test", presentedTo("shop.test"));
            assertEquals("hello", client.get(3, "/").response(3).body());
        }
    }

    @Test
    void closesOnAClientThatSpeaksNoTls() {
        try (RawClient client = RawClient.connect(gate.tlsPort())) {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            assertTrue(client.readToEnd().length() < 20, "at most an alert");
        }
        try (RawClient client = RawClient.connect(gate.tlsPort())) {
            // A handshake record whose ClientHello claims 64 KiB.
            client.send(new byte[] {0x16, 3, 1, 0x40, 0, 1, 1, 0, 0, 3, 3}).send(new byte[0x4000 - 6]);
            assertTrue(client.readToEnd().length() < 20, "at most an alert");
        }
    }

    @Test
    void refusesAClientWithoutACommonVersion() {
        assertNothingInCommon();
    }

    private void assertNothingInCommon() {
        assertThrows(SSLException.class, () -> {
            try (SSLSocket socket = (SSLSocket) RawHttp2.trusting().getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), gate.tlsPort())) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setCipherSuites(new String[] {"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"});
                parameters.setProtocols(new String[] {"TLSv1.2"});
                socket.setSSLParameters(parameters);
                socket.startHandshake();
            }
        });
    }

    @Test
    void logsAHandshakeThatFailsAndNoConnectionThatSaidNothing() throws Exception {
        RawClient.connect(gate.tlsPort()).close();
        try (RawClient client = RawClient.connect(gate.tlsPort())) {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            client.readToEnd();
        }
        RunningGate.Logged noTls = gate.logged();
        assertEquals(Cause.CLIENT_TLS, noTls.cause());
        assertEquals(0, noTls.status());
        assertEquals("handshake: not an SSL/TLS record", noTls.detail());
        assertTrue(noTls.phases().tls() >= 0 && noTls.phases().tls() == noTls.phases().duration(), noTls.toString());
        assertEquals("https", gate.connectionLabel().scheme());
        assertNothingInCommon();
        String detail = gate.logged().detail();
        assertTrue(detail.endsWith(":NO_SHARED_CIPHER"), detail);
    }

    @Test
    void logsAClientThatDoesNotTrustTheCertificate() throws Exception {
        assertThrows(SSLException.class, () -> {
            try (SSLSocket socket = (SSLSocket) SSLContext.getDefault().getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), gate.tlsPort())) {
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setServerNames(List.of(new SNIHostName("shop.test")));
                socket.setSSLParameters(parameters);
                socket.startHandshake();
            }
        });
        RunningGate.Logged logged = gate.logged();
        assertEquals(Cause.CLIENT_TLS, logged.cause());
        assertTrue(logged.detail().endsWith("ALERT_CERTIFICATE_UNKNOWN"), logged.detail());
        assertEquals("shop.test", gate.connectionLabel().serverName());
    }

    private static void get(SSLSocket socket) throws IOException {
        socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n".getBytes(ISO_8859_1));
        assertEquals("HTTP/1.1 200", new String(socket.getInputStream().readNBytes(12), ISO_8859_1));
    }

    private List<Class<?>> handlers() throws Exception {
        return onChannel(channel -> channel.pipeline().toMap().values().stream().<Class<?>>map(Object::getClass).toList());
    }

    /// Asks the gate's side of the next connection, on its event loop.
    private <T> T onChannel(Function<Channel, T> question) throws Exception {
        Channel channel = channels.poll(10, TimeUnit.SECONDS);
        assertNotNull(channel, "no connection in time");
        return channel.eventLoop().submit(() -> question.apply(channel)).get(10, TimeUnit.SECONDS);
    }

    private String presentedTo(String serverName) throws Exception {
        try (SSLSocket socket = socket(serverName, "TLSv1.3")) {
            return socket.getSession().getPeerPrincipal().getName();
        }
    }

    private SSLSocket socket(String serverName, String version) throws IOException {
        return socket(RawHttp2.trusting(), serverName, version);
    }

    private SSLSocket socket(SSLContext client, String serverName, String version, String... protocols) throws IOException {
        SSLSocket socket = (SSLSocket) client.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), gate.tlsPort());
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setProtocols(new String[] {version});
        parameters.setApplicationProtocols(protocols);
        if (!serverName.isEmpty()) {
            parameters.setServerNames(List.of(new SNIHostName(serverName)));
        }
        socket.setSSLParameters(parameters);
        socket.setSoTimeout(10_000);
        socket.startHandshake();
        return socket;
    }

    private static String run(String input, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            process.getOutputStream().write(input.getBytes(UTF_8));
            process.getOutputStream().close();
        } catch (IOException _) {
            // It has ended already and says why.
        }
        try (InputStream output = process.getInputStream()) {
            String said = new String(output.readAllBytes(), UTF_8);
            assertTrue(process.waitFor(30, TimeUnit.SECONDS), said);
            return said;
        } finally {
            process.destroy();
        }
    }
}
