package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/// glibc's stub resolver, by `getent`, with a `resolv.conf` of its own that names this gateway: it knows no port but 53.
class StubResolverTest {
    /// One of its own for each process, as the port is the same for all.
    private static final String ADDRESS = "127." + (1 + ProcessHandle.current().pid() % 250) + "." + ProcessHandle.current().pid() / 250 % 250 + ".77";

    @TempDir
    Path home;

    @Test
    void glibcFindsServicesByTheirNamesAndByItsSearchList() throws Exception {
        assumeTrue(mayListen() && mayMount(), "no port 53, or no mount namespace, for this user");
        Files.writeString(home.resolve("services.yaml"), """
                services:
                  - { name: web, instances: [ { id: w1, address: 10.0.0.1, port: 80 }, { id: w2, address: 10.0.0.2, port: 81 } ] }
                  - { name: six, instances: [ { id: s1, address: "fd00::1", port: 80 } ] }
                  - { name: many, instances: [ %s ] }
                """.formatted(IntStream.range(0, 100).mapToObj(i -> "{ id: m" + i + ", address: 10.0.1." + i + ", port: 80 }").collect(Collectors.joining(", "))));
        Files.writeString(home.resolve("resolv.conf"), "nameserver " + ADDRESS + "\nsearch node.consul service.consul\noptions timeout:5 attempts:1\n");
        Files.writeString(home.resolve("nsswitch.conf"), "hosts: dns\n");
        try (RunningGateway gateway = RunningGateway.start(home, "catalog: { file: services.yaml }", "dns: { address: \"" + ADDRESS + ":53\" }")) {
            assertEquals(53, gateway.dnsPort());
            Await.until("services are known", Duration.ofSeconds(20), () -> !unchecked("web.service.consul").isEmpty());
            assertEquals(Set.of("10.0.0.1", "10.0.0.2"), getent("ahosts", "web.service.consul"));
            assertEquals(Set.of("10.0.0.1", "10.0.0.2"), getent("ahosts", "web"), "the second of the search list");
            assertEquals(Set.of("fd00::1"), getent("ahosts", "six.service.consul"));
            assertEquals(100, getent("ahostsv4", "many.service.consul").size(), "more than fits by UDP");
            assertEquals(Set.of(), getent("ahosts", "nope.service.consul"));
        }
    }

    /// The addresses that it prints.
    private Set<String> getent(String database, String name) throws Exception {
        String bind = "mount --bind '%1$s/resolv.conf' /etc/resolv.conf && mount --bind '%1$s/nsswitch.conf' /etc/nsswitch.conf && exec getent %2$s %3$s"
                .formatted(home, database, name);
        return Command.run(List.of("unshare", "--mount", "--map-root-user", "sh", "-c", bind)).output().lines()
                .map(line -> line.split(" ", 2)[0])
                .collect(Collectors.toSet());
    }

    private Set<String> unchecked(String name) {
        try {
            return getent("ahosts", name);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
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
