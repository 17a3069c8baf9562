package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import java.io.IOException;
import java.io.InputStream;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/// The stub resolvers of C libraries, with a `resolv.conf` of their own that names this gateway: they know no port but 53.
class StubResolverTest {
    /// One of its own for each process, as the port is the same for all.
    private static final String ADDRESS = "127." + (1 + ProcessHandle.current().pid() % 250) + "." + ProcessHandle.current().pid() / 250 % 250 + ".77";
    /// Of more than fit by UDP: musl takes 48, and before 1.2.4, which comes by TCP, what is in the answer that is cut.
    private static final int FEW = 25;

    @TempDir
    static Path home;

    private static Optional<RunningGateway> gateway = Optional.empty();

    @BeforeAll
    static void start() throws Exception {
        assumeTrue(mayListen() && mayMount(), "no port 53, or no mount namespace, for this user");
        Files.writeString(home.resolve("services.yaml"), """
                services:
                  - { name: web, instances: [ { id: w1, address: 10.0.0.1, port: 80 }, { id: w2, address: 10.0.0.2, port: 81 } ] }
                  - { name: six, instances: [ { id: s1, address: "fd00::1", port: 80 } ] }
                  - { name: many, instances: [ %s ] }
                """.formatted(IntStream.range(0, 100).mapToObj(i -> "{ id: m" + i + ", address: 10.0.1." + i + ", port: 80 }").collect(Collectors.joining(", "))));
        Files.writeString(home.resolve("resolv.conf"), "nameserver " + ADDRESS + "\nsearch node.consul service.consul\noptions timeout:5 attempts:1\n");
        Files.writeString(home.resolve("nsswitch.conf"), "hosts: dns\n");
        gateway = Optional.of(RunningGateway.start(home, "catalog: { file: services.yaml }", "dns: { address: \"" + ADDRESS + ":53\" }"));
        assertEquals(53, gateway.get().dnsPort());
        Await.until("services are known", Duration.ofSeconds(20), () -> gateway.get().explainName("web.service.consul", "A").path("outcome").asText().equals("answer"));
    }

    @AfterAll
    static void stop() {
        gateway.ifPresent(RunningGateway::close);
    }

    @Test
    void glibcFindsServicesByTheirNamesAndByItsSearchList() throws Exception {
        findsServices(name -> addresses("getent ahosts " + name));
        assertEquals(100, addresses("getent ahostsv4 many.service.consul").size(), "more than fits by UDP");
    }

    @Test
    void muslFindsServicesByTheirNamesAndByItsSearchList() throws Exception {
        assumeTrue(Command.run(List.of("sh", "-c", "command -v musl-gcc")).exit() == 0 || System.getenv("CI") != null, "musl-gcc is not installed");
        Path source = home.resolve("lookup.c");
        try (InputStream code = StubResolverTest.class.getResourceAsStream("/stub/lookup.c")) {
            Files.copy(code, source);
        }
        Command compiled = Command.run(List.of("musl-gcc", "-static", "-o", home.resolve("lookup").toString(), source.toString()));
        assertEquals(0, compiled.exit(), compiled::output);
        findsServices(name -> addresses(home + "/lookup " + name));
        assertTrue(addresses(home + "/lookup many.service.consul 4").size() >= FEW, "as many as it takes");
    }

    private static void findsServices(Function<String, Set<String>> addresses) {
        assertEquals(Set.of("10.0.0.1", "10.0.0.2"), addresses.apply("web.service.consul"));
        assertEquals(Set.of("10.0.0.1", "10.0.0.2"), addresses.apply("web"), "the second of the search list");
        assertEquals(Set.of("fd00::1"), addresses.apply("six.service.consul"));
        assertEquals(Set.of("fd00::1"), addresses.apply("six"));
        assertEquals(Set.of(), addresses.apply("nope.service.consul"));
        assertEquals(Set.of(), addresses.apply("nope"));
    }

    /// Those that a command prints, where this gateway is the system's resolver.
    private static Set<String> addresses(String command) {
        String bind = "mount --bind '%1$s/resolv.conf' /etc/resolv.conf && mount --bind '%1$s/nsswitch.conf' /etc/nsswitch.conf && exec %2$s".formatted(home, command);
        return Command.runUnchecked("unshare", "--mount", "--map-root-user", "sh", "-c", bind).output().lines()
                .map(line -> line.split(" ", 2)[0])
                .collect(Collectors.toSet());
    }

    private static boolean mayListen() {
        try (DatagramSocket socket = new DatagramSocket(53, InetAddress.ofLiteral(ADDRESS))) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }

    private static boolean mayMount() {
        try {
            return Command.run(List.of("unshare", "--mount", "--map-root-user", "sh", "-c", "test -f /etc/resolv.conf && test -f /etc/nsswitch.conf && command -v getent"))
                    .exit() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
