package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.config.GatewayConfig.Upstreams;
import dev.gatepost.gateway.route.EndpointProtocol;
import dev.gatepost.gateway.route.EndpointProtocol.Scheme;
import dev.gatepost.gateway.tls.PemPair;
import dev.gatepost.gateway.tls.UpstreamTls;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/// TLS to endpoints, played by the JDK's TLS and by nginx.
class UpstreamTlsTest {
    private static final String GET = "GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n";
    private static final Path NGINX = Path.of("/usr/sbin/nginx");

    @TempDir
    private static Path folder;

    private static PemPair pair;
    private static Path authority;

    @BeforeAll
    static void makeCertificate() throws IOException {
        pair = PemPair.make("-keyalg EC -groupname secp256r1 -dname CN=web.internal -ext san=dns:web.internal,ip:127.0.0.1");
        authority = pair.writeTo(folder, "web");
    }

    private static SSLContext server() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("web", pair.key(), new char[0], new Certificate[] {pair.certificate()});
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    /// Answers each request with the name that it was asked for by SNI.
    private static RawOrigin saysName() throws GeneralSecurityException, IOException {
        return RawOrigin.tls(server(), List.of("http/1.1"), false, (connection, _) -> {
            while (true) {
                connection.readHead();
                String name = "" + ((ExtendedSSLSession) ((SSLSocket) connection.socket()).getSession()).getRequestedServerNames();
                connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + name.length() + "\r\n\r\n" + name);
            }
        });
    }

    private static GateSettings with(UpstreamTls tls) {
        return new GateSettings(Timeouts.DEFAULT, Limits.DEFAULT, List.of(), tls, -1);
    }

    private static UpstreamTls trusting() throws IOException {
        return UpstreamTls.of(new Upstreams(Optional.of(authority), Optional.empty(), Optional.empty()));
    }

    private static EndpointProtocol https(String name) {
        return new EndpointProtocol(Scheme.HTTPS, name, true);
    }

    @Test
    void asksForTheNameThatItVerifiesAndKeepsTheConnection() throws Exception {
        try (UpstreamTls tls = trusting();
                RawOrigin origin = saysName();
                RunningGate gate = RunningGate.start(with(tls)).routeTo(https("web.internal"), origin.port());
                RawClient client = gate.connect()) {
            client.send(GET);
            assertTrue(client.readBody().contains("web.internal"));
            client.send(GET);
            assertTrue(client.readBody().contains("web.internal"));
            assertEquals(1, origin.connections.get());
            RunningGate.Logged opened = gate.logged();
            assertEquals(1, opened.attempts());
            assertHandshakeIsPartOfTheConnect(opened.phases());
            RunningGate.Logged kept = gate.logged();
            assertTrue(kept.reused());
            assertEquals(-1, kept.phases().connect());
            assertEquals(-1, kept.phases().upstreamTls());
        }
    }

    private static void assertHandshakeIsPartOfTheConnect(RunningGate.Phases phases) {
        assertTrue(phases.upstreamTls() > 0 && phases.upstreamTls() < phases.connect(), phases.toString());
    }

    @Test
    void verifiesTheAddressWhereNoNameIsSaid() throws Exception {
        try (UpstreamTls tls = trusting();
                RawOrigin origin = saysName();
                RunningGate gate = RunningGate.start(with(tls)).routeTo(https(""), origin.port());
                RawClient client = gate.connect()) {
            client.send(GET);
            assertEquals("[]", client.readBody());
        }
    }

    @Test
    void refusesACertificateOfAnotherName() throws Exception {
        try (UpstreamTls tls = trusting();
                RawOrigin origin = saysName();
                RunningGate gate = RunningGate.start(with(tls)).routeTo(https("other.internal"), origin.port());
                RawClient client = gate.connect()) {
            client.send(GET);
            assertTrue(client.readHead().startsWith("HTTP/1.1 502 "));
            RunningGate.Logged logged = gate.logged();
            assertEquals(Cause.UPSTREAM_TLS, logged.cause());
            assertTrue(logged.detail().contains("other.internal"), logged.detail());
        }
    }

    @Test
    void refusesACertificateOfAnAuthorityThatItDoesNotKnow() throws Exception {
        try (UpstreamTls tls = UpstreamTls.of(Upstreams.DEFAULT);
                RawOrigin origin = saysName();
                RunningGate gate = RunningGate.start(with(tls)).routeTo(https("web.internal"), origin.port());
                RawClient client = gate.connect()) {
            client.send(GET);
            assertTrue(client.readHead().startsWith("HTTP/1.1 502 "));
            assertEquals(Cause.UPSTREAM_TLS, gate.logged().cause());
        }
    }

    @Test
    void believesAnybodyWhereTheRouteSaysSo() throws Exception {
        try (UpstreamTls tls = UpstreamTls.of(Upstreams.DEFAULT);
                RawOrigin origin = saysName();
                RunningGate gate = RunningGate.start(with(tls)).routeTo(new EndpointProtocol(Scheme.HTTPS, "other.internal", false), origin.port());
                RawClient client = gate.connect()) {
            client.send(GET);
            assertTrue(client.readBody().contains("other.internal"));
        }
    }

    @Test
    void saysThatAnEndpointSpeaksNoTls() throws Exception {
        try (UpstreamTls tls = trusting();
                RawOrigin origin = RawOrigin.scripted((connection, _) -> {
                    connection.read();
                    connection.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
                    connection.readToEnd();
                });
                RunningGate gate = RunningGate.start(with(tls)).routeTo(https("web.internal"), origin.port());
                RawClient client = gate.connect()) {
            client.send(GET);
            assertTrue(client.readHead().startsWith("HTTP/1.1 502 "));
            assertEquals(Cause.UPSTREAM_TLS, gate.logged().cause());
        }
    }

    @Test
    void speaksHttp2WhereAlpnChoosesIt() throws Exception {
        try (UpstreamTls tls = trusting();
                RawOrigin origin = RawOrigin.tls(server(), List.of("h2", "http/1.1"), false, (connection, _) -> {
                    RawHttp2 server = RawHttp2.serve(connection.socket(), "");
                    while (true) {
                        RawHttp2.Frame head = server.await(RawHttp2.HEADERS);
                        String scheme = server.decode(head.payload()).getOrDefault(":scheme", "");
                        server.headers(head.stream(), false, ":status=200", "content-length=5");
                        server.data(head.stream(), true, scheme);
                    }
                });
                RunningGate gate = RunningGate.start(with(tls)).routeTo(https("web.internal"), origin.port());
                RawClient first = gate.connect();
                RawClient second = gate.connect()) {
            first.send(GET);
            second.send(GET);
            assertEquals("https", first.readBody());
            assertEquals("https", second.readBody());
            assertEquals(1, origin.connections.get());
            assertHandshakeIsPartOfTheConnect(gate.logged().phases());
        }
    }

    @Test
    void saysThatAnEndpointDoesNotChooseHttp2() throws Exception {
        try (UpstreamTls tls = trusting();
                RawOrigin origin = saysName();
                RunningGate gate = RunningGate.start(with(tls)).routeTo(new EndpointProtocol(Scheme.H2, "web.internal", true), origin.port());
                RawClient client = gate.connect()) {
            client.send(GET);
            assertTrue(client.readHead().startsWith("HTTP/1.1 502 "));
            assertEquals(Cause.UPSTREAM_TLS, gate.logged().cause());
        }
    }

    @Test
    void showsItsCertificateToAnEndpointThatAsks() throws Exception {
        Upstreams config = new Upstreams(Optional.of(authority), Optional.of(authority), Optional.of(folder.resolve("web.key")));
        try (UpstreamTls tls = UpstreamTls.of(config);
                RawOrigin origin = saysWhoAsks();
                RunningGate gate = RunningGate.start(with(tls)).routeTo(https("web.internal"), origin.port());
                RawClient client = gate.connect()) {
            client.send(GET);
            assertEquals("CN=web.internal", client.readBody());
        }
    }

    /// Answers each request with the name that the certificate of whoever asks has, and closes.
    private static RawOrigin saysWhoAsks() throws GeneralSecurityException, IOException {
        return RawOrigin.tls(server(), List.of("http/1.1"), true, (connection, _) -> {
            connection.readHead();
            String name = ((SSLSocket) connection.socket()).getSession().getPeerPrincipal().getName();
            connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + name.length() + "\r\n\r\n" + name);
        });
    }

    private static int status(RawClient client) {
        String head = client.send(GET).readHead();
        client.readBody(head);
        return Integer.parseInt(head.substring(9, 12));
    }

    @Test
    void followsItsFilesAndKeepsWhatTheyHeldBeforeTheyWereBad() throws Exception {
        Path own = Files.createTempDirectory(folder, "own");
        PemPair stranger = PemPair.make("-keyalg EC -groupname secp256r1 -dname CN=stranger");
        Path trusted = stranger.writeTo(own, "trusted");
        Path shown = pair.writeTo(own, "shown");
        try (UpstreamTls tls = UpstreamTls.of(new Upstreams(Optional.of(trusted), Optional.of(shown), Optional.of(own.resolve("shown.key"))));
                RawOrigin origin = saysWhoAsks();
                RunningGate gate = RunningGate.start(with(tls)).routeTo(https("web.internal"), origin.port());
                RawClient client = gate.connect()) {
            assertEquals(502, status(client));
            assertEquals(Cause.UPSTREAM_TLS, gate.logged().cause());

            Files.writeString(trusted, pair.certificatePem());
            tls.reload();
            client.send(GET);
            assertEquals("CN=web.internal", client.readBody());

            Files.writeString(trusted, "no certificate");
            tls.reload();
            client.send(GET);
            assertEquals("CN=web.internal", client.readBody());

            tls.watch();
            Files.writeString(trusted, stranger.certificatePem());
            Await.until("the file's authority counts", Duration.ofSeconds(20), () -> status(client) == 502);
        }
    }

    /// Each connection of HTTP/1 ends after its response, so that each request makes a handshake.
    @Test
    void resumesItsSessionsAndSpeaksBothProtocolsWithNginx() throws Exception {
        assumeTrue(Files.isExecutable(NGINX) || System.getenv("CI") != null, "nginx is not installed");
        try (ServerSocket one = new ServerSocket(0);
                ServerSocket two = new ServerSocket(0)) {
            Files.writeString(folder.resolve("nginx.conf"), """
                    daemon off; master_process off; pid %1$s/nginx.pid; error_log stderr;
                    events {}
                    http {
                      access_log off; ssl_certificate %1$s/web.pem; ssl_certificate_key %1$s/web.key; ssl_session_cache shared:s:1m;
                      client_body_temp_path %1$s/b; proxy_temp_path %1$s/p; fastcgi_temp_path %1$s/f; uwsgi_temp_path %1$s/u; scgi_temp_path %1$s/s;
                      server { listen 127.0.0.1:%2$d ssl; keepalive_timeout 0; return 200 "$server_protocol $ssl_server_name $ssl_session_reused"; }
                      server { listen 127.0.0.1:%3$d ssl http2; return 200 "$server_protocol $ssl_server_name $ssl_session_reused"; }
                    }
                    """.formatted(folder, one.getLocalPort(), two.getLocalPort()));
        }
        String config = Files.readString(folder.resolve("nginx.conf"));
        List<Integer> ports = Pattern.compile("127\\.0\\.0\\.1:(\\d+)").matcher(config).results().map(found -> Integer.parseInt(found.group(1))).toList();
        Process nginx = new ProcessBuilder(NGINX.toString(), "-p", folder.toString(), "-c", folder.resolve("nginx.conf").toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(folder.resolve("nginx.log").toFile())
                .start();
        try (UpstreamTls tls = trusting();
                RunningGate gate = RunningGate.start(with(tls)).routeTo(https("web.internal"), ports.get(0))) {
            Await.until("nginx listens", Duration.ofSeconds(20), () -> isOpen(ports.get(0)));
            try (RawClient client = gate.connect()) {
                client.send(GET);
                assertEquals("HTTP/1.1 web.internal .", client.readBody());
                client.send(GET);
                assertEquals("HTTP/1.1 web.internal r", client.readBody());
                gate.routeTo(https("web.internal"), ports.get(1));
                client.send(GET);
                assertTrue(client.readBody().startsWith("HTTP/2.0 web.internal "));
            }
        } finally {
            nginx.destroy();
            nginx.waitFor();
        }
    }

    private static boolean isOpen(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException _) {
            return false;
        }
    }
}
