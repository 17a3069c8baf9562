package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.Await;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// One gateway after another on the same ports, under requests and queries that never pause.
class HandOverTest {
    private static final int HAND_OVERS = 5;
    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final AtomicLong connections = new AtomicLong();
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong queries = new AtomicLong();
    private volatile boolean loading = true;

    private interface Work {
        void once() throws IOException;
    }

    @Test
    void noConnectionRequestOrQueryFailsWhileOneProcessTakesOverFromAnother() throws Exception {
        int http = freePort();
        int dns = freePort();
        int admin = freePort();
        try (Origin origin = Origin.start("web-1")) {
            GatewayProcess serving = start(0, http, dns, admin, origin.port());
            Queue<Thread> load = new ConcurrentLinkedQueue<>();
            try {
                serving.port("admin");
                load.add(repeating(() -> oneConnection(http)));
                load.add(repeating(() -> oneConnection(http)));
                load.add(repeating(() -> keptConnection(http)));
                load.add(repeating(() -> ask(dns)));
                awaitMore(serving);
                for (int i = 1; i <= HAND_OVERS; i++) {
                    GatewayProcess next = start(i, http, dns, admin, origin.port());
                    GatewayProcess old = serving;
                    serving = next;
                    assertEquals(http, next.port("http"));
                    assertTrue(old.isAlive(), "both listen");
                    old.terminate();
                    assertEquals(admin, next.port("admin"));
                    assertEquals(0, old.awaitExit(), old::log);
                    awaitMore(next);
                }
            } finally {
                loading = false;
                for (Thread each : load) {
                    each.join();
                }
                serving.close();
            }
            assertEquals(List.of(), List.copyOf(failures), () -> "of " + connections + " connections, " + requests + " requests on kept ones, " + queries + " queries");
        }
    }

    private GatewayProcess start(int number, int http, int dns, int admin, int origin) throws IOException {
        Path home = Files.createDirectory(folder.resolve(String.valueOf(number)));
        Files.writeString(home.resolve("services.yaml"), """
                services:
                  - name: web
                    tags: [ "gatepost.route=/" ]
                    instances: [ { id: web-1, address: 127.0.0.1, port: %d } ]
                """.formatted(origin));
        Files.writeString(home.resolve("gatepost.yaml"), """
                http: { address: "127.0.0.1:%d" }
                dns: { address: "127.0.0.1:%d" }
                admin: { address: "127.0.0.1:%d" }
                catalog: { file: services.yaml }
                drain: { timeout: 20s, hand-over: true }
                access-log: { output: none }
                threads: 2
                """.formatted(http, dns, admin));
        return GatewayProcess.start(home, ProcessBuilder.Redirect.DISCARD, List.of("-XX:TieredStopAtLevel=1"), "run", "--config", "gatepost.yaml");
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /// Until enough has gone through whoever serves now.
    private void awaitMore(GatewayProcess serving) {
        long connectionsBefore = connections.get();
        long requestsBefore = requests.get();
        long queriesBefore = queries.get();
        Await.until("more connections, requests and queries: " + failures, LONG, () -> !failures.isEmpty() || !serving.isAlive()
                || (connections.get() > connectionsBefore + 100 && requests.get() > requestsBefore + 100 && queries.get() > queriesBefore + 100));
    }

    private Thread repeating(Work work) {
        return Thread.ofPlatform().start(() -> {
            while (loading && failures.size() < 10) {
                try {
                    work.once();
                } catch (IOException | UncheckedIOException | AssertionError e) {
                    failures.add(e.toString());
                }
            }
        });
    }

    private void oneConnection(int port) throws IOException {
        try (Socket socket = connect(port)) {
            exchange(socket, reader(socket), "Connection: close\r\n");
            connections.incrementAndGet();
        }
    }

    /// As long as the gateway lets it.
    private void keptConnection(int port) throws IOException {
        try (Socket socket = connect(port)) {
            BufferedReader in = reader(socket);
            boolean stays = true;
            for (long before = System.nanoTime(); loading && stays; ) {
                long now = System.nanoTime();
                try {
                    stays = exchange(socket, in, "");
                    requests.incrementAndGet();
                } catch (IOException e) {
                    // A connection that was idle for a second may be closed at any time.
                    if (System.nanoTime() - before < 1_000_000_000L) {
                        throw e;
                    }
                    return;
                }
                before = now;
            }
        }
    }

    private static Socket connect(int port) throws IOException {
        Socket socket = new Socket();
        socket.setSoTimeout((int) LONG.toMillis());
        socket.setTcpNoDelay(true);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return socket;
    }

    private static BufferedReader reader(Socket socket) throws IOException {
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
    }

    /// Whether another may follow on the same connection.
    private static boolean exchange(Socket socket, BufferedReader in, String field) throws IOException {
        socket.getOutputStream().write(("GET /name HTTP/1.1\r\nHost: web\r\n" + field + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        String status = in.readLine();
        if (status == null || !status.startsWith("HTTP/1.1 200 ")) {
            throw new IOException("status line: " + status);
        }
        boolean stays = true;
        int length = 0;
        for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
            stays &= !line.equalsIgnoreCase("connection: close");
            if (line.regionMatches(true, 0, "content-length: ", 0, 16)) {
                length = Integer.parseInt(line.substring(16));
            }
        }
        for (int i = 0; i < length; i++) {
            if (in.read() < 0) {
                throw new IOException("body cut off after " + i + " of " + length);
            }
        }
        return stays;
    }

    private void ask(int port) {
        int id = (int) (queries.get() & 0xffff);
        byte[] query = ByteBuffer.allocate(12 + 20 + 4).putShort((short) id).putShort((short) 0x100).putShort((short) 1).putShort((short) 0).putInt(0)
                .put("\u0003web\u0007service\u0006consul\u0000".getBytes(StandardCharsets.ISO_8859_1)).putShort((short) 1).putShort((short) 1).array();
        try (DnsClient client = new DnsClient(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
            byte[] answer = client.ask(query, false, false).orElseThrow(() -> new UncheckedIOException(new IOException("no answer by UDP")));
            if ((answer[3] & 15) != 0) {
                throw new UncheckedIOException(new IOException("rcode " + (answer[3] & 15)));
            }
            queries.incrementAndGet();
        }
    }
}
