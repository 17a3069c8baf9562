package dev.gatepost.gateway;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// A real Unbound on a free loopback port.
final class UnboundServer implements AutoCloseable {
    private final Process process;
    private final int port;

    private UnboundServer(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    /// @param home   an empty folder
    /// @param server lines of its `server:` clause
    /// @param other  further clauses
    static UnboundServer start(Path home, String server, String other) throws Exception {
        return start(home, freePort(), server, other);
    }

    static UnboundServer start(Path home, int port, String server, String other) throws Exception {
        Path config = Files.writeString(home.resolve("unbound.conf"), """
                server:
                  interface: 127.0.0.1@%d
                  num-threads: 1
                  do-daemonize: no
                  use-syslog: no
                  logfile: ""
                  username: ""
                  chroot: ""
                  pidfile: ""
                  directory: "%s"
                  module-config: "iterator"
                  access-control: 127.0.0.0/8 allow
                  do-not-query-localhost: no
                %s
                remote-control:
                  control-enable: no
                %s
                """.formatted(port, home, server.indent(2), other));
        Process process = new ProcessBuilder("unbound", "-c", config.toString())
                .redirectErrorStream(true)
                .redirectOutput(home.resolve("unbound.log").toFile())
                .start();
        UnboundServer started = new UnboundServer(process, port);
        try {
            await(port, process, home);
        } catch (IOException | RuntimeException | Error e) {
            started.close();
            throw e;
        }
        return started;
    }

    static int freePort() throws IOException {
        for (int attempt = 0; ; attempt++) {
            try (ServerSocket tcp = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                    DatagramSocket _ = new DatagramSocket(tcp.getLocalPort(), InetAddress.getLoopbackAddress())) {
                return tcp.getLocalPort();
            } catch (IOException e) {
                if (attempt == 16) {
                    throw e;
                }
            }
        }
    }

    private static void await(int port, Process process, Path home) throws Exception {
        for (int i = 0; i < 100; i++) {
            if (Command.run("dig", "@127.0.0.1", "-p", String.valueOf(port), "+tries=1", "+time=1", "localhost", "A").output().contains("status: NOERROR")) {
                return;
            }
            if (!process.isAlive()) {
                break;
            }
        }
        throw new AssertionError("unbound does not answer: " + Files.readString(home.resolve("unbound.log")));
    }

    int port() {
        return port;
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
