package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import dev.gatepost.gateway.config.ConfigReader;
import dev.gatepost.gateway.config.ConfigReading;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.CertificateLoad;
import dev.gatepost.gateway.tls.Certificates;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class WarmUpTest {
    @TempDir
    Path home;

    @Test
    void asksOverTlsByBothVersionsOfHttp() throws Exception {
        TestCertificate.write(home, "edge", "edge.test");
        GatewayConfig config = config("https: { address: 127.0.0.1:0, certificates: [ { certificate: edge.pem, key: edge.key } ] }", "warm-up: 540");
        try (Certificates certificates = ((CertificateLoad.Usable) Certificates.load(
                config.https().orElseThrow().certificates(), Optional.empty(), InstantSource.system())).certificates()) {
            assertEquals(540, new WarmUp(config, Optional.of(certificates)).run());
        }
    }

    @Test
    void asksInTheClearWhereThereIsNoTls() throws Exception {
        assertEquals(60, new WarmUp(config("http: { address: 127.0.0.1:0 }", "warm-up: 60"), Optional.empty()).run());
    }

    @Test
    void asksNothingWhereNothingIsWantedOrNoHttpIsServed() throws Exception {
        assertEquals(0, new WarmUp(config("http: { address: 127.0.0.1:0 }", "warm-up: 0"), Optional.empty()).run());
        assertEquals(0, new WarmUp(config("dns: { address: 127.0.0.1:0 }"), Optional.empty()).run());
    }

    @Test
    void asksWhateverTheLimitsForClientsAre() throws Exception {
        assertEquals(90, new WarmUp(config("http: { address: 127.0.0.1:0 }", "limits: { address-connections: 1 }", "warm-up: 90"), Optional.empty()).run());
    }

    @Test
    void leavesNothingInLogAndMetrics() throws Exception {
        Files.writeString(home.resolve("services.yaml"), "services: []\n");
        try (RunningGateway gateway = RunningGateway.start(home, "catalog: { file: services.yaml }", "warm-up: 60")) {
            Await.until("it is ready", Duration.ofSeconds(30), () -> gateway.gateway().notReady().isEmpty());
            gateway.curl("edge.test/one");
            Await.until("the request is logged", Duration.ofSeconds(10), () -> !gateway.log().isEmpty());
            assertEquals(1, gateway.log().size());
            assertEquals(1, gateway.gateway().gate().metrics().requests().stream().mapToLong(Long::longValue).sum(), "requests");
            assertEquals(1, gateway.gateway().gate().metrics().accepted(), "connections");
        }
    }

    @Test
    void isNotReadyBeforeItsEnd() throws Exception {
        Files.writeString(home.resolve("services.yaml"), "services: []\n");
        try (RunningGateway gateway = RunningGateway.start(home, "catalog: { file: services.yaml }", "warm-up: 100000")) {
            Await.until("the catalog is there", Duration.ofSeconds(30), () -> gateway.gateway().state().revision() > 0);
            assertEquals(Optional.of("warming up"), gateway.gateway().notReady());
            Await.until("it is ready", Duration.ofSeconds(30), () -> gateway.gateway().notReady().isEmpty());
        }
    }

    @Test
    void endsWithTheGateway() throws Exception {
        Files.writeString(home.resolve("services.yaml"), "services: []\n");
        RunningGateway gateway = RunningGateway.start(home, "catalog: { file: services.yaml }", "warm-up: 100000");
        gateway.close();
        Await.until("no event loop is left", Duration.ofSeconds(10),
                () -> Thread.getAllStackTraces().keySet().stream().noneMatch(thread -> thread.getName().startsWith("loop-")));
    }

    private GatewayConfig config(String... lines) throws Exception {
        Path file = Files.write(home.resolve("gatepost.yaml"), Stream.concat(Stream.of("consul:"), Stream.of(lines)).toList());
        ConfigReading reading = ConfigReader.read(Optional.of(file), Map.of());
        assertTrue(reading instanceof ConfigReading.Valid, reading::toString);
        return ((ConfigReading.Valid) reading).config();
    }
}
