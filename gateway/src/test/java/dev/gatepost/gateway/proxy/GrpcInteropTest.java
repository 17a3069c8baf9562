package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.config.GatewayConfig.Upstreams;
import dev.gatepost.gateway.route.EndpointProtocol;
import dev.gatepost.gateway.route.EndpointProtocol.Scheme;
import dev.gatepost.gateway.tls.CertificateLoad;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.PemPair;
import dev.gatepost.gateway.tls.UpstreamTls;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptors;
import io.grpc.TlsChannelCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.testing.integration.AbstractInteropTest;
import io.grpc.testing.integration.TestServiceImpl;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

/// grpc-java's own interoperability cases, by its client and its server, with the gate between them: without TLS, and with TLS on
/// both sides. The names are those of gRPC's description of the cases.
///
/// Left out: cases that look into the server from the client's process, and `cacheable_unary`, the `soak` and credential cases, which
/// need something that is not here.
@Timeout(60)
final class GrpcInteropTest {
    private interface Case {
        void run(AbstractInteropTest client) throws Exception;
    }

    private static final Map<String, Case> CASES = new TreeMap<>(Map.ofEntries(
            entry("cancel_after_begin", AbstractInteropTest::cancelAfterBegin),
            entry("cancel_after_first_response", AbstractInteropTest::cancelAfterFirstResponse),
            entry("client_compressed_streaming", client -> client.clientCompressedStreaming(false)),
            entry("client_compressed_unary", client -> client.clientCompressedUnary(false)),
            entry("client_streaming", AbstractInteropTest::clientStreaming),
            entry("custom_metadata", AbstractInteropTest::customMetadata),
            entry("empty_stream", AbstractInteropTest::emptyStream),
            entry("empty_unary", AbstractInteropTest::emptyUnary),
            entry("full_duplex_call", AbstractInteropTest::fullDuplexCallShouldSucceed),
            entry("half_duplex_call", AbstractInteropTest::halfDuplexCallShouldSucceed),
            entry("large_unary", AbstractInteropTest::largeUnary),
            entry("ping_pong", AbstractInteropTest::pingPong),
            entry("server_compressed_streaming", AbstractInteropTest::serverCompressedStreaming),
            entry("server_compressed_unary", AbstractInteropTest::serverCompressedUnary),
            entry("server_streaming", AbstractInteropTest::serverStreaming),
            entry("special_status_message", AbstractInteropTest::specialStatusMessage),
            entry("status_code_and_message", AbstractInteropTest::statusCodeAndMessage),
            entry("timeout_on_sleeping_server", AbstractInteropTest::timeoutOnSleepingServer),
            entry("unimplemented_method", AbstractInteropTest::unimplementedMethod),
            entry("unimplemented_service", AbstractInteropTest::unimplementedService),
            entry("very_large_request", AbstractInteropTest::veryLargeRequest),
            entry("very_large_response", AbstractInteropTest::veryLargeResponse)));

    @TempDir
    private static Path folder;

    private static ScheduledExecutorService timer;
    private static Certificates certificates;
    private static UpstreamTls upstreamTls;
    private static ChannelCredentials trusting;
    private static Server cleartextServer;
    private static Server tlsServer;
    private static RunningGate cleartext;
    private static RunningGate tls;

    @BeforeAll
    static void start() throws IOException {
        timer = Executors.newScheduledThreadPool(2);
        Path certificate = PemPair.make("-keyalg EC -groupname secp256r1 -dname CN=localhost -ext san=dns:localhost,ip:127.0.0.1").writeTo(folder, "localhost");
        Path key = folder.resolve("localhost.key");
        certificates = assertInstanceOf(
                CertificateLoad.Usable.class,
                Certificates.load(List.of(new GatewayConfig.Certificate(certificate, Optional.of(key))), InstantSource.system())).certificates();
        upstreamTls = UpstreamTls.of(new Upstreams(Optional.of(certificate), Optional.empty(), Optional.empty()));
        File pem = certificate.toFile();
        trusting = TlsChannelCredentials.newBuilder().trustManager(pem).build();
        cleartextServer = serve(InsecureServerCredentials.create());
        tlsServer = serve(TlsServerCredentials.create(pem, key.toFile()));
        cleartext = RunningGate.start().routeTo(RunningGate.H2C, cleartextServer.getPort());
        tls = RunningGate.startTls(new GateSettings(Timeouts.DEFAULT, Limits.DEFAULT, List.of(), upstreamTls, -1), certificates)
                .routeTo(new EndpointProtocol(Scheme.H2, "localhost", true), tlsServer.getPort());
    }

    private static Server serve(ServerCredentials credentials) throws IOException {
        return Grpc.newServerBuilderForPort(0, credentials)
                .addService(ServerInterceptors.intercept(new TestServiceImpl(timer), TestServiceImpl.interceptors()))
                .maxInboundMessageSize(AbstractInteropTest.MAX_MESSAGE_SIZE)
                .build()
                .start();
    }

    @AfterAll
    static void stop() {
        cleartext.close();
        tls.close();
        cleartextServer.shutdownNow();
        tlsServer.shutdownNow();
        upstreamTls.close();
        certificates.close();
        timer.shutdownNow();
    }

    static Stream<String> cases() {
        return CASES.keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void holdsWithoutTls(String name) throws Exception {
        run(name, cleartext.port(), InsecureChannelCredentials.create());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void holdsOverTlsOnBothSides(String name) throws Exception {
        run(name, tls.tlsPort(), trusting);
    }

    private static void run(String name, int port, ChannelCredentials credentials) throws Exception {
        Caller caller = new Caller(port, credentials);
        caller.setUp();
        try {
            Objects.requireNonNull(CASES.get(name)).run(caller);
        } finally {
            caller.tearDown();
        }
    }

    /// Whoever calls through the gate.
    private static final class Caller extends AbstractInteropTest {
        private final int port;
        private final ChannelCredentials credentials;

        Caller(int port, ChannelCredentials credentials) {
            this.port = port;
            this.credentials = credentials;
        }

        @Override
        protected ManagedChannelBuilder<?> createChannelBuilder() {
            return Grpc.newChannelBuilderForAddress("localhost", port, credentials).maxInboundMessageSize(MAX_MESSAGE_SIZE);
        }

        /// The server's metrics are none of this test's.
        @Override
        protected boolean metricsExpected() {
            return false;
        }
    }
}
