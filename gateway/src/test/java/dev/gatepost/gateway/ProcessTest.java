package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatepost.gateway.catalog.Await;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// What only a process shows: a small heap, a stopped log reader, signals, exit codes.
class ProcessTest {
    private static final long GIBIBYTE = 1L << 30;
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path home;

    @BeforeEach
    void writeCertificate() throws Exception {
        TestCertificate.write(home, "edge", "shop.test");
    }

    private GatewayProcess start(ProcessBuilder.Redirect output, List<String> jvmOptions, int originPort) throws IOException {
        Files.writeString(home.resolve("services.yaml"), """
                services:
                  - name: web
                    tags: [ "gatepost.route=/" ]
                    instances: [ { id: web-1, address: 127.0.0.1, port: %d } ]
                  - name: nobody
                    tags: [ "gatepost.route=/nobody" ]
                    instances: [ { id: nobody-1, address: 127.0.0.1, port: 1 } ]
                """.formatted(originPort));
        Files.writeString(home.resolve("gatepost.yaml"), """
                http: { address: "127.0.0.1:0" }
                https: { address: "127.0.0.1:0", certificates: [ { certificate: edge.pem, key: edge.key } ] }
                admin: { address: "127.0.0.1:0" }
                catalog: { file: services.yaml }
                drain: { timeout: 20s }
                threads: 1
                """);
        return GatewayProcess.start(home, output, jvmOptions, "run", "--config", "gatepost.yaml");
    }

    @Test
    void streamsAGibibyteEachWayThroughASmallHeap() throws Exception {
        Path upload = home.resolve("upload");
        try (RandomAccessFile sparse = new RandomAccessFile(upload.toFile(), "rw")) {
            sparse.setLength(GIBIBYTE);
        }
        try (Origin origin = Origin.start("web-1");
                GatewayProcess gateway = start(ProcessBuilder.Redirect.DISCARD,
                        List.of("-Xmx64m", "-XX:MaxDirectMemorySize=64m", "-XX:+ExitOnOutOfMemoryError"), origin.port())) {
            String https = "https://127.0.0.1:" + gateway.port("https");
            for (String version : List.of("--http1.1", "--http2")) {
                assertEquals(GIBIBYTE + "\n200", Command.run("curl", "-sk", version, "-w", "\n%{http_code}", "-T", upload.toString(), https + "/sink").output());
                assertEquals(GIBIBYTE + " 200", Command.run(
                        "curl", "-sk", version, "-o", "/dev/null", "-w", "%{size_download} %{http_code}", https + "/source/" + GIBIBYTE).output());
            }
            assertTrue(gateway.isAlive(), gateway::log);
        }
    }

    @Test
    void servesWithoutNativeLibrariesAndWarns() throws Exception {
        try (Origin origin = Origin.start("web-1");
                GatewayProcess gateway = start(ProcessBuilder.Redirect.DISCARD,
                        List.of("-Dio.netty.transport.noNative=true", "-Dio.netty.handler.ssl.noOpenSsl=true"), origin.port())) {
            String https = "https://127.0.0.1:" + gateway.port("https");
            for (String version : List.of("--http1.1", "--http2")) {
                assertEquals("200 " + version.replace("--http", "").replace(".0", ""),
                        Command.run("curl", "-sk", version, "-o", "/dev/null", "-w", "%{http_code} %{http_version}", https + "/name").output());
            }
            assertTrue(gateway.log().contains("event loops on NIO (epoll did not load"), gateway::log);
            assertTrue(gateway.log().contains("TLS by JDK (BoringSSL did not load"), gateway::log);
            assertTrue(gateway.log().contains("WARN") && gateway.log().contains("a native library did not load"), gateway::log);
        }
    }

    @Test
    void echoesWebSocketMessagesOverTls() throws Exception {
        try (WebSocketOrigin origin = WebSocketOrigin.start();
                GatewayProcess gateway = start(ProcessBuilder.Redirect.DISCARD, List.of(), origin.port());
                HttpClient client = HttpClient.newHttpClient()) {
            BlockingQueue<String> received = new LinkedBlockingQueue<>();
            WebSocket.Listener listener = new WebSocket.Listener() {
                @Override
                public CompletionStage<?> onText(WebSocket socket, CharSequence text, boolean last) {
                    received.add(text.toString());
                    socket.request(1);
                    return CompletableFuture.completedStage(null);
                }
            };
            WebSocket socket = client.newWebSocketBuilder()
                    .buildAsync(URI.create("ws://127.0.0.1:" + gateway.port("http") + "/chat"), listener)
                    .get(20, TimeUnit.SECONDS);
            for (String message : List.of("one", "two", "three")) {
                socket.sendText(message, true).get(20, TimeUnit.SECONDS);
                assertEquals(message, received.poll(20, TimeUnit.SECONDS));
            }
            socket.abort();
        }
    }

    @Test
    void refusesWhatNeedsAConnectionWhileNoFileDescriptorIsLeft() throws Exception {
        Path log = home.resolve("lines.json");
        try (Origin origin = Origin.start("web-1");
                GatewayProcess gateway = start(ProcessBuilder.Redirect.to(log.toFile()), List.of(), origin.port());
                Socket kept = new Socket(InetAddress.getLoopbackAddress(), gateway.port("http"))) {
            try (Socket other = new Socket(InetAddress.getLoopbackAddress(), gateway.port("http"))) {
                // From here on no class is loaded: those of the tests lie in folders, and each takes a file descriptor.
                assertEquals("200", ask(other, "/name"));
                assertEquals("502", ask(other, "/nobody"));
                kept.getOutputStream().write("GET /source/8000000 HTTP/1.1\r\nHost: shop.test\r\n\r\n".getBytes(US_ASCII)); // holds the one connection to the endpoint
                Await.until("the endpoint is asked", Duration.ofSeconds(20), () -> origin.requests() == 2);
                limitFiles(gateway, "0:");
                assertEquals("503", ask(other, "/name"));
                try (Socket waiting = new Socket(InetAddress.getLoopbackAddress(), gateway.port("http"))) {
                    limitFiles(gateway, "4096:");
                    assertEquals("200", ask(waiting, "/name"));
                    assertEquals("200", ask(other, "/name"));
                }
            }
            List<String> failures = Command.run("curl", "-s", "http://127.0.0.1:" + gateway.port("admin") + "/metrics").output().lines()
                    .filter(line -> line.startsWith("gatepost_endpoint_failures_total{"))
                    .map(line -> line.substring(line.indexOf("instance=")))
                    .sorted()
                    .toList();
            assertEquals(List.of("instance=\"file-127-0-0-1/nobody-1\",service=\"nobody\"} 1.0", "instance=\"file-127-0-0-1/web-1\",service=\"web\"} 0.0"), failures);
            Await.until("the log tells of all five", Duration.ofSeconds(20), () -> causes(log).size() == 5);
            assertEquals(List.of("ok", "upstream_connect_refused", "overload", "ok", "ok"), causes(log));
        }
    }

    /// The status of a request on a connection that stays open.
    private static String ask(Socket connection, String path) throws IOException {
        connection.setSoTimeout(20_000);
        connection.getOutputStream().write(("GET " + path + " HTTP/1.1\r\nHost: shop.test\r\n\r\n").getBytes(US_ASCII));
        byte[] answer = new byte[4096];
        int length = 0;
        while (!new String(answer, 0, length, US_ASCII).contains("\r\n\r\n")) {
            int read = connection.getInputStream().read(answer, length, answer.length - length);
            assertTrue(read > 0, "closed after " + length + " bytes");
            length += read;
        }
        return new String(answer, 0, length, US_ASCII).split(" ", 3)[1];
    }

    private static void limitFiles(GatewayProcess gateway, String limit) throws Exception {
        assertEquals(0, Command.run("prlimit", "--pid", String.valueOf(gateway.pid()), "--nofile=" + limit).exit());
    }

    private static List<String> causes(Path log) {
        try (MappingIterator<JsonNode> lines = JSON.readerFor(JsonNode.class).readValues(log.toFile())) {
            return lines.readAll().stream().map(line -> line.path("gatepost").path("cause").asText()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aStoppedLogReaderSlowsNoRequestAndIsCounted() throws Exception {
        Path lines = home.resolve("lines.json");
        Process reader = new ProcessBuilder("sh", "-c", "exec cat > lines.json").directory(home.toFile()).start();
        // The reader's standard input is the gateway's standard output: a pipe by way of /proc.
        try (Origin origin = Origin.start("web-1");
                GatewayProcess gateway = start(ProcessBuilder.Redirect.to(Path.of("/proc/" + reader.pid() + "/fd/0").toFile()), List.of(), origin.port());
                HttpClient client = HttpClient.newHttpClient()) {
            int port = gateway.port("http");
            HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/name?" + "x".repeat(1500))).build();
            signal("STOP", reader.pid());
            URI metrics = URI.create("http://127.0.0.1:" + gateway.port("admin") + "/metrics");
            int sent = 0;
            boolean dropped = false;
            while (!dropped && sent < 20_000) {
                for (int i = 0; i < 500; i++) {
                    assertEquals(200, client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode());
                }
                sent += 500;
                dropped = droppedLines(client.send(HttpRequest.newBuilder(metrics).build(), HttpResponse.BodyHandlers.ofString()).body()) > 0;
            }
            assertTrue(dropped, "requests went on until lines were dropped: " + sent);
            signal("CONT", reader.pid());
            gateway.terminate();
            assertEquals(0, gateway.awaitExit());
            reader.getOutputStream().close();
            assertTrue(reader.waitFor(20, TimeUnit.SECONDS));
            List<String> written = Files.readAllLines(lines);
            assertTrue(written.size() > 100 && written.size() < sent, () -> "lines: " + written.size());
            for (String line : written) {
                JsonNode record = JSON.readTree(line);
                assertEquals(200, record.path("http").path("response").path("status_code").asInt(), line);
            }
        } finally {
            signal("CONT", reader.pid());
            reader.destroyForcibly();
        }
    }

    @Test
    void drainsOnSigtermAndExitsWithZero() throws Exception {
        try (ServerSocket slow = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                GatewayProcess gateway = start(ProcessBuilder.Redirect.DISCARD, List.of(), slow.getLocalPort());
                HttpClient client = HttpClient.newHttpClient()) {
            slow.setSoTimeout(20_000);
            int port = gateway.port("http");
            CompletableFuture<HttpResponse<String>> inFlight = client.sendAsync(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/slow")).version(HttpClient.Version.HTTP_1_1).build(),
                    HttpResponse.BodyHandlers.ofString());
            try (var accepted = slow.accept()) {
                assertTrue(accepted.getInputStream().read() >= 0);
                gateway.terminate();
                Await.until("new connections are refused", Duration.ofSeconds(20), () -> refused(port));
                assertTrue(gateway.isAlive(), "it waits for the exchange in flight");
                accepted.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
                accepted.getOutputStream().flush();
                HttpResponse<String> response = inFlight.get(20, TimeUnit.SECONDS);
                assertEquals("done", response.body());
            }
            assertEquals(0, gateway.awaitExit(), gateway::log);
        }
    }

    @Test
    void aDrainLosesNoByteOfADownload() throws Exception {
        long size = 40_000_000;
        for (String version : List.of("--http1.1", "--http2")) {
            try (Origin origin = Origin.start("web-1");
                    GatewayProcess gateway = start(ProcessBuilder.Redirect.DISCARD, List.of(), origin.port())) {
                String url = "https://127.0.0.1:" + gateway.port("https") + "/source/" + size;
                CompletableFuture<Command> download = CompletableFuture.supplyAsync(() -> Command.runUnchecked(
                        "curl", "-sk", version, "--limit-rate", "20M", "-o", "/dev/null", "-w", "%{size_download} %{http_code}", url));
                Await.until("the download is under way", Duration.ofSeconds(20), () -> origin.requests() > 0);
                gateway.terminate();
                assertEquals(size + " 200", download.get(50, TimeUnit.SECONDS).output(), version);
                assertEquals(0, gateway.awaitExit(), gateway::log);
            }
        }
    }

    @Test
    void saysInOneLineWhatIsWrongAndExitsWithOne() throws Exception {
        assertFailsWith("port in use", "127.0.0.1:%d");
    }

    private void assertFailsWith(String what, String address) throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Files.writeString(home.resolve("services.yaml"), "services: []\n");
            Files.writeString(home.resolve("gatepost.yaml"),
                    "http: { address: \"" + address.formatted(taken.getLocalPort()) + "\" }\ncatalog: { file: services.yaml }\n");
            try (GatewayProcess gateway = GatewayProcess.start(home, ProcessBuilder.Redirect.DISCARD, List.of(), "run", "--config", "gatepost.yaml")) {
                assertEquals(1, gateway.awaitExit(), gateway::log);
                assertTrue(gateway.log().contains(String.valueOf(taken.getLocalPort())), () -> what + ": " + gateway.log());
                assertFalse(gateway.log().contains("\tat "), gateway::log);
            }
        }
    }

    private static boolean refused(int port) {
        try (var socket = new java.net.Socket(InetAddress.getLoopbackAddress(), port)) {
            return !socket.isConnected();
        } catch (IOException e) {
            return true;
        }
    }

    private static double droppedLines(String metrics) {
        return metrics.lines()
                .filter(line -> line.startsWith("gatepost_access_log_dropped_total"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    private static void signal(String name, long pid) throws Exception {
        Command.run("kill", "-" + name, String.valueOf(pid));
    }
}
