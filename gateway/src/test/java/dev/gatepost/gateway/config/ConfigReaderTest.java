package dev.gatepost.gateway.config;

import dev.gatepost.gateway.config.GatewayConfig.AccessLog;
import dev.gatepost.gateway.config.GatewayConfig.Certificate;
import dev.gatepost.gateway.config.GatewayConfig.Consul;
import dev.gatepost.gateway.config.GatewayConfig.Dns;
import dev.gatepost.gateway.config.GatewayConfig.Drain;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Routes.Dialect;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What a configuration that is right comes to.
final class ConfigReaderTest {
    @TempDir Path folder;

    @BeforeEach
    void resolveFolder() throws IOException {
        folder = folder.toRealPath();
    }

    @Test
    void readsTheWholeExampleOfTheContract() throws IOException {
        for (String name : List.of("edge.pem", "edge.key", "services.yaml", "token")) {
            Files.createFile(folder.resolve(name));
        }
        GatewayConfig config = read("""
                http:   { address: 127.0.0.1:8080 }
                https:
                  address: 127.0.0.1:8443
                  certificates: [ { certificate: edge.pem, key: edge.key } ]
                dns:
                  address: 127.0.0.1:8053
                  domain: Consul.
                  profile: strict
                  ttl: 2s
                  forward: [ { zone: ".", to: [127.0.0.1:5300, 10.0.0.2, "[fd00::1]:53"] } ]
                admin:  { address: 127.0.0.1:9090 }
                consul: { address: "http://127.0.0.1:8500", token: "abc", token-file: "token", key-prefix: /gatepost/ }
                catalog:
                  file: services.yaml
                  last-good: state/catalog.json
                routes:
                  dialects: [gatepost, fabio]
                  default-host: ""
                  health: warning
                trusted-proxies: [ 127.0.0.0/8 ]
                access-log: { output: "file:log/access.json", format: ecs }
                threads: 1
                """, Map.of());
        assertEquals(address("127.0.0.1", 8080), config.http().orElseThrow().address());
        assertEquals(
                List.of(new Certificate(folder.resolve("edge.pem"), Optional.of(folder.resolve("edge.key")))),
                config.https().orElseThrow().certificates());
        assertEquals(
                new Dns(address("127.0.0.1", 8053), "consul", Dns.Profile.STRICT, Duration.ofSeconds(2), Duration.ofSeconds(1), new Dns.Forwarding(
                        List.of(new Dns.Forward(
                                ".",
                                List.of(
                                        new Dns.NameServer(address("127.0.0.1", 5300), false, ""),
                                        new Dns.NameServer(address("10.0.0.2", 53), false, ""),
                                        new Dns.NameServer(address("fd00::1", 53), false, "")),
                                Optional.empty(),
                                false)),
                        new Dns.Cache(64 << 20, Duration.ofDays(1), Duration.ofHours(1), Duration.ofDays(1)),
                        List.of(),
                        List.of()), Dns.Names.DEFAULT, Dns.Ways.DEFAULT, Dns.Access.DEFAULT),
                config.dns().orElseThrow());
        assertEquals(address("127.0.0.1", 9090), config.admin().orElseThrow().address());
        assertEquals(
                new Consul("http://127.0.0.1:8500", "abc", Optional.of(folder.resolve("token")), "gatepost", "", Optional.empty(), Optional.empty(), Optional.empty(), true, Duration.ofSeconds(5)),
                config.consul().orElseThrow());
        assertEquals(Optional.of(folder.resolve("services.yaml")), config.catalog().file());
        assertEquals(Optional.of(folder.resolve("state/catalog.json")), config.catalog().lastGood());
        assertEquals(new GatewayConfig.Routes(Set.of(Dialect.GATEPOST, Dialect.FABIO), "", List.of(), true, "", "zone"), config.routes());
        assertEquals(List.of(Cidr.parse("127.0.0.0/8")), config.trustedProxies());
        assertEquals("file:" + folder + "/log/access.json", config.accessLog().output());
        assertEquals(1, config.threads());
    }

    @Test
    void readsWhatHoldsForSomeNames() {
        GatewayConfig config = read("""
                dns:
                  address: ":0"
                  profile: consul-1.8
                  alternative-domain: fleet.test
                  node-ttl: 10s
                  service-ttls: [ { service: "db*", ttl: 5s }, { service: web, ttl: 0s } ]
                consul:
                """, Map.of());
        Dns dns = config.dns().orElseThrow();
        assertEquals(
                new Dns.Names(Optional.of("fleet.test"), Optional.of(Duration.ofSeconds(10)), Map.of("db*", Duration.ofSeconds(5), "web", Duration.ZERO), Dns.Gateways.NONE, List.of()),
                dns.names());
        assertEquals(List.of(Duration.ZERO, Duration.ZERO), List.of(dns.ttl(), dns.negativeTtl()), "Consul's own, where nothing is said");
    }

    @Test
    void readsWhoMayAskForNames() {
        GatewayConfig config = read("""
                dns:
                  address: ":0"
                  allow: [ 10.0.0.0/8, "!10.66.0.0/16" ]
                  allow-forwarding: [ ]
                  denied: ignore
                  rate-limit: 200
                  rate-limit-exempt: [ "fd00::/8" ]
                consul:
                """, Map.of());
        var allow = List.of(new Dns.Listed(Cidr.parse("10.0.0.0/8"), true), new Dns.Listed(Cidr.parse("10.66.0.0/16"), false));
        assertEquals(new Dns.Access(Optional.of(allow), Optional.of(List.of()), true, new Dns.RateLimit(200, List.of(new Dns.Listed(Cidr.parse("fd00::/8"), true)))), config.dns().orElseThrow().access());
    }

    @Test
    void readsWhichNamesAnswerTheGatewaysAddresses() {
        String listeners = "http: { address: \":0\" }\nconsul:\n";
        assertEquals(
                new Dns.Gateways(Map.of("*", true), List.of(), List.of("edge"), 0, 443),
                read(listeners + "dns: { address: \":0\", answer: gateway, gateway: edge, gateway-https-port: 443 }", Map.of()).dns().orElseThrow().names().gateways());
        assertEquals(
                new Dns.Gateways(Map.of("shop-*", true, "*", false), List.of(InetAddress.ofLiteral("192.0.2.10"), InetAddress.ofLiteral("fd00::1")), List.of(), 0, 0),
                read(listeners + "dns: { address: \":0\", answer: [ instances, { service: \"shop-*\", answer: gateway } ], gateway: [192.0.2.10, \"fd00::1\"] }", Map.of())
                        .dns().orElseThrow().names().gateways());
    }

    @Test
    void fillsInDefaultsAndOpensNoListenerThatNobodyNamed() {
        GatewayConfig config = read("http: { address: ':0' }\nconsul:\n", Map.of());
        assertTrue(config.https().isEmpty() && config.dns().isEmpty() && config.admin().isEmpty());
        assertEquals(new InetSocketAddress(0), config.http().orElseThrow().address());
        assertEquals("http://127.0.0.1:8500", config.consul().orElseThrow().address());
        assertEquals("gatepost", config.consul().orElseThrow().keyPrefix());
        assertEquals(
                new AccessLog("stdout", AccessLog.Format.ECS, 4 << 20, 1, List.of(
                        "access_token", "id_token", "refresh_token", "client_secret", "password", "api_key", "sig", "signature", "X-Amz-Signature", "X-Goog-Signature")),
                config.accessLog());
        assertEquals(List.of(), read("http: { address: ':0' }\naccess-log: { redact: [] }\nconsul:\n", Map.of()).accessLog().redact());
        assertEquals(Timeouts.DEFAULT, config.timeouts());
        assertEquals(Limits.DEFAULT, config.limits());
        assertEquals(Drain.DEFAULT, config.drain());
        assertEquals(Runtime.getRuntime().availableProcessors(), config.threads());
        assertEquals(List.of(), config.trustedProxies());
        assertFalse(config.routes().admitWarning());
    }

    @Test
    void needsNoFileAtAll() {
        Map<String, String> environment = Map.of(
                "GATEPOST_HTTP_ADDRESS", "127.0.0.1:80",
                "GATEPOST_DNS_ADDRESS", "[::]:53",
                "GATEPOST_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8",
                "GATEPOST_DNS_FORWARD", "[{ zone: corp.example, to: 10.0.0.2 }]",
                "CONSUL_HTTP_ADDR", "10.0.0.1:8500");
        GatewayConfig config = valid(ConfigReader.read(Optional.empty(), environment));
        assertEquals(address("127.0.0.1", 80), config.http().orElseThrow().address());
        assertEquals(address("::", 53), config.dns().orElseThrow().address());
        assertEquals(List.of(Cidr.parse("10.0.0.0/8"), Cidr.parse("fd00::/8")), config.trustedProxies());
        assertEquals(
                List.of(new Dns.Forward("corp.example", List.of(new Dns.NameServer(address("10.0.0.2", 53), false, "")), Optional.empty(), false)),
                config.dns().orElseThrow().forwarding().zones());
        assertEquals("http://10.0.0.1:8500", config.consul().orElseThrow().address());
    }

    @Test
    void readsNameServersThatAreAskedOverTls() {
        GatewayConfig config = read("""
                dns:
                  address: ':0'
                  forward:
                    - { zone: ., to: ["tls://9.9.9.9#DNS.quad9.net", "tls://[2620:fe::9]:8853"], mix-case: true }
                consul:
                """, Map.of());
        assertEquals(
                List.of(new Dns.Forward(
                        ".",
                        List.of(
                                new Dns.NameServer(address("9.9.9.9", 853), true, "dns.quad9.net"),
                                new Dns.NameServer(address("2620:fe::9", 8853), true, "")),
                        Optional.empty(),
                        true)),
                config.dns().orElseThrow().forwarding().zones());
    }

    @Test
    void prefersOurVariableToTheFileAndTheFileToConsulsVariable() {
        String text = "http: { address: ':0' }\nconsul: { address: 'http://file:1', token: of-the-file }\n";
        Map<String, String> environment = new HashMap<>(Map.of("CONSUL_HTTP_ADDR", "variable:2", "CONSUL_HTTP_TOKEN", "of-consul"));
        assertEquals("http://file:1", consul(text, environment).address());
        assertEquals("of-the-file", consul(text, environment).token());
        assertEquals("of-consul", consul("http: { address: ':0' }\nconsul:\n", environment).token());
        environment.put("GATEPOST_CONSUL_ADDRESS", "https://ours:3");
        environment.put("GATEPOST_CONSUL_TOKEN", "of-ours");
        assertEquals("https://ours:3", consul(text, environment).address());
        assertEquals("of-ours", consul(text, environment).token());
    }

    @Test
    void aTokenOfOursIsNotOverruledByConsulsTokenFile() throws IOException {
        Path token = Files.writeString(folder.resolve("token"), "x");
        Map<String, String> environment = Map.of("CONSUL_HTTP_TOKEN_FILE", token.toString());
        assertEquals(Optional.empty(), consul("http: { address: ':0' }\nconsul: { token: mine }\n", environment).tokenFile());
        assertEquals(Optional.of(token), consul("http: { address: ':0' }\nconsul:\n", environment).tokenFile());
    }

    @ParameterizedTest(name = "{0} ssl={1}")
    @CsvSource({
        "127.0.0.1:8500,,http://127.0.0.1:8500",
        "127.0.0.1:8501,true,https://127.0.0.1:8501",
        "http://consul:8500,1,http://consul:8500",
        "https://consul.example.com,,https://consul.example.com:443",
        "https://consul.example.com/,false,https://consul.example.com:443",
        "http://[::1]:8500,,http://[::1]:8500",
    })
    void understandsConsulsAddressInEveryFormItsToolsTake(String given, String ssl, String base) {
        Map<String, String> environment = new HashMap<>(Map.of("CONSUL_HTTP_ADDR", given));
        if (ssl != null) {
            environment.put("CONSUL_HTTP_SSL", ssl);
        }
        assertEquals(base, consul("http: { address: ':0' }", environment).address());
    }

    @Test
    void readsConsulsCertificatesFromItsVariables() throws IOException {
        Path pem = Files.createFile(folder.resolve("a.pem"));
        Consul consul = consul("http: { address: ':0' }\nconsul: { address: 'https://c:8501' }\n", Map.of(
                "CONSUL_CACERT", pem.toString(), "CONSUL_CLIENT_CERT", pem.toString(), "CONSUL_CLIENT_KEY", pem.toString(), "CONSUL_HTTP_SSL_VERIFY", "false"));
        assertEquals(Optional.of(pem), consul.caCertificate());
        assertEquals(Optional.of(pem), consul.clientCertificate());
        assertEquals(Optional.of(pem), consul.clientKey());
        assertFalse(consul.verify());
    }

    @Test
    void anEmptyConsulAddressDeclinesTheVariable() throws IOException {
        Files.createFile(folder.resolve("services.yaml"));
        GatewayConfig config = read("http: { address: ':0' }\nconsul: { address: '' }\ncatalog: { file: services.yaml }\n", Map.of("CONSUL_HTTP_ADDR", "x:1"));
        assertEquals(Optional.empty(), config.consul());
    }

    @Test
    void ignoresWhatKubernetesTellsEveryContainerBesideAServiceOfOurName() {
        read("http: { address: ':0' }\nconsul:\n", Map.of(
                "GATEPOST_PORT", "tcp://10.0.0.1:80",
                "GATEPOST_SERVICE_HOST", "10.0.0.1",
                "GATEPOST_SERVICE_PORT_HTTPS", "443",
                "GATEPOST_PORT_80_TCP_ADDR", "10.0.0.1",
                "GATEPOST_ADMIN_PORT", "tcp://10.0.0.1:9090",
                "GATEPOST_ADMIN_SERVICE_PORT", "9090",
                "GATEPOST_JAVA_OPTS", "-Xmx1g",
                "GATEPOST_THREADS", ""));
    }

    @ParameterizedTest
    @CsvSource({"250ms,250", "2s,2000", "5m,300000", "1h,3600000", "1d,86400000", "1m30s,90000"})
    void readsDurations(String text, long millis) {
        GatewayConfig config = read("http: { address: ':0' }\nconsul:\ntimeouts: { idle: %s }".formatted(text), Map.of());
        assertEquals(millis, config.timeouts().idle().toMillis());
    }

    @ParameterizedTest
    @CsvSource({"0,0", "512B,512", "64KiB,65536", "10MiB,10485760", "1GiB,1073741824", "1000,1000"})
    void readsSizes(String text, long bytes) {
        GatewayConfig config = read("http: { address: ':0' }\nconsul:\nlimits: { body: %s }".formatted(text), Map.of());
        assertEquals(bytes, config.limits().body());
    }

    @Test
    void acceptsDottedKeysAndAliases() {
        GatewayConfig config = read("http.address: ':0'\nconsul:\ntimeouts: { idle: &long 5m, stream: *long }", Map.of());
        assertEquals(Duration.ofMinutes(5), config.timeouts().stream());
    }

    @Test
    void neverPrintsTheToken() {
        GatewayConfig config = read("http: { address: ':0' }\nconsul: { token: s3cret }", Map.of());
        assertFalse(config.toString().contains("s3cret"));
    }

    @Test
    void documentsEverySettingOnceWithItsDefault() {
        String reference = ConfigReference.markdown();
        for (Setting<?> setting : Settings.all()) {
            assertEquals(1, reference.lines().filter(line -> line.startsWith("| `" + setting.key() + "` |")).count(), setting.key());
        }
        assertTrue(reference.contains("| `dns.ttl` | `2s` |"), reference);
    }

    private Consul consul(String text, Map<String, String> environment) {
        return read(text, environment).consul().orElseThrow();
    }

    private GatewayConfig read(String text, Map<String, String> environment) {
        return valid(ConfigReader.read(text, folder.resolve("gatepost.yaml"), environment));
    }

    private static GatewayConfig valid(ConfigReading reading) {
        return assertInstanceOf(ConfigReading.Valid.class, reading, reading.toString()).config();
    }

    private static InetSocketAddress address(String ip, int port) {
        return new InetSocketAddress(InetAddress.ofLiteral(ip), port);
    }
}
