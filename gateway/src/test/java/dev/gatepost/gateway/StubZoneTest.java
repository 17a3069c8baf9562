package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/// Real resolvers that are sent here for our names: all of them, or one kind alone, with and without QNAME minimisation.
class StubZoneTest {
    private static final String SERVICES = """
            services:
              - { name: web, tags: [ "v1" ], instances: [ { id: w1, address: 10.0.0.1, port: 80 }, { id: w2, address: 10.0.0.2, port: 81 } ] }
            """;

    @TempDir
    Path home;

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            consul.         | stub    | strict
            consul.         | stub    | no
            consul.         | forward | strict
            service.consul. | stub    | strict
            service.consul. | stub    | no
            """)
    void unboundFindsWhatIsHere(String zone, String kind, String minimising) throws Exception {
        Files.writeString(home.resolve("services.yaml"), SERVICES);
        try (RunningGateway gateway = RunningGateway.start(home, "catalog: { file: services.yaml }");
                UnboundServer unbound = UnboundServer.start(
                        Files.createDirectory(home.resolve("unbound")),
                        """
                        domain-insecure: "consul."
                        qname-minimisation: %s
                        qname-minimisation-strict: %s
                        harden-below-nxdomain: yes
                        local-zone: "10.in-addr.arpa." nodefault
                        """.formatted(minimising.equals("no") ? "no" : "yes", minimising.equals("no") ? "no" : "yes"),
                        "%s-zone:\n  name: \"%s\"\n  %s-addr: 127.0.0.1@%d\n".formatted(kind, zone, kind, gateway.dnsPort()))) {
            resolves(unbound.port());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            consul.         | static-stub
            service.consul. | static-stub
            service.consul. | forward
            """)
    void bindFindsWhatIsHere(String zone, String kind) throws Exception {
        Optional<String> named = program("named", "/usr/sbin/named");
        assumeTrue(named.isPresent() || System.getenv("CI") != null, "no named here");
        Files.writeString(home.resolve("services.yaml"), SERVICES);
        int port = UnboundServer.freePort();
        try (RunningGateway gateway = RunningGateway.start(home, "catalog: { file: services.yaml }")) {
            Path folder = Files.createDirectory(home.resolve("named"));
            String where = kind.equals("forward")
                    ? "forward only; forwarders { 127.0.0.1 port %d; };".formatted(gateway.dnsPort())
                    : "server-addresses { 127.0.0.1; };";
            // A static stub is asked at port 53 unless the server's own clause says otherwise.
            Path config = Files.writeString(folder.resolve("named.conf"), """
                    options {
                      directory "%s"; pid-file none; session-keyfile none; dump-file "dump"; listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };
                      port %d; dnssec-validation no; qname-minimization strict; recursion yes; allow-query { any; };
                    };
                    controls { };
                    zone "%s" { type %s; %s };
                    """.formatted(folder, port, kind.equals("forward") ? port : gateway.dnsPort(), zone, kind, where));
            Process process = new ProcessBuilder(named.orElseThrow(), "-g", "-c", config.toString())
                    .redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile()).start();
            try {
                Await.until("named answers", Duration.ofSeconds(20), () -> dig(port, "web.service.consul", "A").contains("status:") || !process.isAlive());
                resolves(port);
            } finally {
                process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            consul         | forward-zones         | yes
            consul         | forward-zones         | no
            service.consul | forward-zones         | yes
            service.consul | forward-zones-recurse | yes
            """)
    void powerDnsRecursorFindsWhatIsHere(String zone, String kind, String minimising) throws Exception {
        Optional<String> recursor = program("pdns_recursor", "/usr/sbin/pdns_recursor");
        assumeTrue(recursor.isPresent() || System.getenv("CI") != null, "no pdns_recursor here");
        Files.writeString(home.resolve("services.yaml"), SERVICES);
        int port = UnboundServer.freePort();
        // It asks with RD what it forwards to a resolver, and gets no more than the zone has.
        try (RunningGateway gateway = RunningGateway.start(home, "catalog: { file: services.yaml }")) {
            Path folder = Files.createDirectory(home.resolve("recursor"));
            Files.writeString(folder.resolve("recursor.conf"), """
                    daemon=no
                    disable-syslog=yes
                    dnssec=off
                    dont-query=
                    %s=%s=127.0.0.1:%d
                    hint-file=no
                    local-address=127.0.0.1
                    local-port=%d
                    qname-minimization=%s
                    security-poll-suffix=
                    socket-dir=%s
                    threads=1
                    write-pid=no
                    """.formatted(kind, zone, gateway.dnsPort(), port, minimising, folder));
            Process process = new ProcessBuilder(recursor.orElseThrow(), "--config-dir=" + folder)
                    .redirectErrorStream(true).redirectOutput(folder.resolve("log").toFile()).start();
            try {
                Await.until("pdns_recursor answers", Duration.ofSeconds(20), () -> dig(port, "web.service.consul", "A").contains("status:") || !process.isAlive());
                assertTrue(process.isAlive(), () -> read(folder.resolve("log")));
                resolves(port);
            } finally {
                process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            }
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (java.io.IOException e) {
            return e.toString();
        }
    }

    private static void resolves(int port) {
        for (int round = 0; round < 2; round++) { // the second from what the first left in the cache
            String web = dig(port, "web.service.consul", "A");
            assertTrue(web.contains("10.0.0.1") && web.contains("10.0.0.2"), web);
            assertTrue(dig(port, "v1.web.service.consul", "SRV").contains("1 1 80 "), () -> dig(port, "v1.web.service.consul", "SRV"));
            assertEquals("NOERROR", status(port, "service.consul", "A"));
            assertEquals("NXDOMAIN", status(port, "nope.service.consul", "A"));
            assertEquals("NOERROR", status(port, "web.service.consul", "AAAA"));
            assertEquals("NXDOMAIN", status(port, "a.b.nope.service.consul", "A"));
        }
    }

    private static String status(int port, String name, String type) {
        String output = dig(port, name, type);
        int at = output.indexOf("status: ");
        return at < 0 ? output : output.substring(at + 8, output.indexOf(',', at));
    }

    private static String dig(int port, String name, String type) {
        return Command.runUnchecked("dig", "@127.0.0.1", "-p", String.valueOf(port), "+tries=1", "+time=5", name, type).output();
    }

    private static Optional<String> program(String name, String usual) {
        return List.of(Optional.ofNullable(System.getenv(name.toUpperCase(java.util.Locale.ROOT) + "_BIN")).orElse(usual), usual).stream()
                .filter(each -> Files.isExecutable(Path.of(each)))
                .findFirst();
    }
}
