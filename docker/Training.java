import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/// The training run of the AOT cache: `java Training.java /opt/gatepost` starts the installed gateway in front of a sample service and
/// a small Consul, drives every listener, and stops it by SIGTERM; the JVM then writes what it loaded and learned into the cache.
/// The image's build fails here when the gateway does not start, does not answer or does not stop.
final class Training {
    private static final int ROUNDS = 1_500;
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
    private static final String WEB_ID = "web-1";

    public static void main(String[] args) throws Exception {
        System.setProperty("jdk.internal.httpclient.disableHostnameVerification", "true");
        System.setProperty("jdk.httpclient.allowRestrictedHeaders", "host");
        Path home = Path.of(args[0]);
        Path folder = Files.createTempDirectory("training");
        HttpServer web = serve(Training::web);
        HttpServer consul = serve(exchange -> consul(exchange, web.getAddress().getPort()));
        int http = freePort();
        int https = freePort();
        int dns = freePort();
        int admin = freePort();
        writeCertificate(folder);
        Files.writeString(folder.resolve("gatepost.yaml"), """
                http: { address: "127.0.0.1:%d" }
                https: { address: "127.0.0.1:%d", certificates: [ { certificate: edge.pem, key: edge.key } ] }
                dns: { address: "127.0.0.1:%d" }
                admin: { address: "127.0.0.1:%d" }
                consul: { address: "http://127.0.0.1:%d" }
                access-log: { output: "file:%s" }
                """.formatted(http, https, dns, admin, consul.getAddress().getPort(), folder.resolve("access.json")));

        Path cache = home.resolve("lib/gatepost.aot");
        ProcessBuilder command = new ProcessBuilder(
                home.resolve("bin/gatepost").toString(), "run", "--config", folder.resolve("gatepost.yaml").toString());
        command.environment().put("GATEPOST_JAVA_AOT", "train");
        Process gateway = command.inheritIO().start();
        try (HttpClient client = client(HttpClient.Version.HTTP_2); HttpClient oldClient = client(HttpClient.Version.HTTP_1_1)) {
            awaitReady(gateway, oldClient, "http://127.0.0.1:" + admin + "/ready");
            for (int i = 0; i < ROUNDS; i++) {
                expect(200, get(oldClient, "http://127.0.0.1:" + http + "/?" + i));
                expect(200, get(oldClient, "https://127.0.0.1:" + https + "/page?" + i));
                expect(200, get(client, "https://127.0.0.1:" + https + "/page?" + i));
                expect(200, post(i % 2 == 0 ? client : oldClient, "https://127.0.0.1:" + https + "/form"));
                expect(0, ask(dns, "web.service.consul", 1));
                expect(0, ask(dns, "web.service.consul", 33));
                expect(3, ask(dns, "absent.service.consul", 1));
                if (i % 100 == 0) {
                    expect(0, askByTcp(dns, "web.service.consul", 1));
                    for (String path : List.of("/live", "/ready", "/metrics", "/api/v1/state", "/api/v1/services", "/api/v1/routes")) {
                        expect(200, get(oldClient, "http://127.0.0.1:" + admin + path));
                    }
                }
            }
        } finally {
            gateway.destroy();
            if (!gateway.waitFor(120, TimeUnit.SECONDS)) {
                gateway.destroyForcibly();
            }
            web.stop(0);
            consul.stop(0);
        }
        expect(0, gateway.exitValue());
        if (!Files.exists(cache)) {
            throw new IllegalStateException("the JVM left no " + cache);
        }
        System.out.println("training: " + ROUNDS + " rounds, AOT cache of " + Files.size(cache) / (1 << 20) + " MiB");
        System.exit(0);
    }

    private static HttpServer serve(com.sun.net.httpserver.HttpHandler handler) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 64);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", handler);
        server.start();
        return server;
    }

    private static void web(com.sun.net.httpserver.HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            byte[] body = "a sample service\n".repeat(10).getBytes(StandardCharsets.US_ASCII);
            exchange.getResponseHeaders().set("Content-Type", "text/plain");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    /// As much of Consul as it takes: one service, whose blocking queries wait for a change that never comes.
    private static void consul(com.sun.net.httpserver.HttpExchange exchange, int webPort) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            String query = String.valueOf(exchange.getRequestURI().getRawQuery());
            if (query.contains("index=7")) {
                try {
                    Thread.sleep(Duration.ofSeconds(10));
                } catch (InterruptedException e) {
                    return;
                }
            }
            String check = """
                    {"Node":"n1","CheckID":"service:web-1","Name":"web","Status":"passing","Notes":"","Output":"","ServiceID":"web-1",\
                    "ServiceName":"web","ServiceTags":[],"Type":"http","Definition":{},"CreateIndex":5,"ModifyIndex":5}""";
            String node = """
                    {"ID":"5f1c8a52-7d0c-4b7e-9d53-0d4d9d0a0001","Node":"n1","Address":"127.0.0.1","Datacenter":"dc1","TaggedAddresses":{},\
                    "Meta":{},"CreateIndex":4,"ModifyIndex":4}""";
            String body = switch (path) {
                case "/v1/catalog/services" -> "{\"web\":[\"gatepost.route=/\"]}";
                case "/v1/catalog/nodes" -> "[" + node + "]";
                case "/v1/catalog/node/n1" -> """
                        {"Node":%s,"Services":{"%s":{"ID":"%s","Service":"web","Tags":["gatepost.route=/"],"Address":"127.0.0.1","Meta":{},\
                        "Port":%d,"Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,"CreateIndex":5,"ModifyIndex":5}}}\
                        """.formatted(node, WEB_ID, WEB_ID, webPort);
                case "/v1/health/state/critical", "/v1/health/state/warning" -> "[]";
                case "/v1/health/service/web" -> """
                        [{"Node":%s,"Service":{"ID":"%s","Service":"web","Tags":["gatepost.route=/"],"Address":"127.0.0.1","Meta":{},"Port":%d,\
                        "Weights":{"Passing":1,"Warning":1},"EnableTagOverride":false,"CreateIndex":5,"ModifyIndex":5},"Checks":[%s]}]\
                        """.formatted(node, WEB_ID, webPort, check);
                case "/v1/agent/self" -> "{\"Config\":{\"Datacenter\":\"dc1\",\"NodeName\":\"n1\",\"Version\":\"1.8.7\"}}";
                case "/v1/status/leader" -> "\"127.0.0.1:8300\"";
                default -> path.startsWith("/v1/health/service/") ? "[]" : "";
            };
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.getResponseHeaders().set("X-Consul-Index", "7");
            exchange.getResponseHeaders().set("X-Consul-KnownLeader", "true");
            exchange.getResponseHeaders().set("X-Consul-LastContact", "0");
            exchange.sendResponseHeaders(body.isEmpty() ? 404 : 200, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private static void awaitReady(Process gateway, HttpClient client, String url) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (true) {
            if (!gateway.isAlive()) {
                throw new IllegalStateException("the gateway ended with exit code " + gateway.exitValue());
            }
            try {
                if (get(client, url) == 200) {
                    return;
                }
            } catch (IOException _) {
                // Not listening yet.
            }
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(url + " was not 200 within 60 s");
            }
            Thread.sleep(20);
        }
    }

    private static int get(HttpClient client, String url) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).timeout(Duration.ofSeconds(10)).build();
        return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    private static int post(HttpClient client, String url) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url))
                .timeout(Duration.ofSeconds(10))
                .POST(HttpRequest.BodyPublishers.ofString("name=value&".repeat(50)))
                .build();
        return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    private static HttpClient client(HttpClient.Version version) throws Exception {
        SSLContext trusting = SSLContext.getInstance("TLS");
        trusting.init(null, new TrustManager[] {new TrustEveryone()}, null);
        return HttpClient.newBuilder().version(version).sslContext(trusting).build();
    }

    /// The rcode of an answer over UDP.
    private static int ask(int port, String name, int type) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.setSoTimeout(5_000);
            byte[] question = question(name, type);
            socket.send(new DatagramPacket(question, question.length, LOOPBACK, port));
            byte[] answer = new byte[4096];
            socket.receive(new DatagramPacket(answer, answer.length));
            return answer[3] & 0xF;
        }
    }

    private static int askByTcp(int port, String name, int type) throws IOException {
        try (Socket socket = new Socket(LOOPBACK, port)) {
            socket.setSoTimeout(5_000);
            byte[] question = question(name, type);
            byte[] framed = new byte[question.length + 2];
            framed[1] = (byte) question.length;
            System.arraycopy(question, 0, framed, 2, question.length);
            socket.getOutputStream().write(framed);
            DataInputStream in = new DataInputStream(socket.getInputStream());
            return in.readNBytes(in.readUnsignedShort())[3] & 0xF;
        }
    }

    private static byte[] question(String name, int type) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[] {0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0});
        for (String label : name.split("\\.")) {
            bytes.write(label.length());
            bytes.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
        }
        bytes.writeBytes(new byte[] {0, 0, (byte) type, 0, 1});
        return bytes.toByteArray();
    }

    /// A P-256 certificate and its key as PEM, by way of the JDK's keytool.
    private static void writeCertificate(Path folder) throws Exception {
        Path store = folder.resolve("edge.p12");
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair"));
        command.addAll(List.of("-keystore", store.toString(), "-storepass", "training", "-alias", "edge", "-keyalg", "EC", "-groupname", "secp256r1"));
        command.addAll(List.of("-dname", "CN=localhost", "-validity", "2"));
        expect(0, new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor());
        KeyStore keys = KeyStore.getInstance(store.toFile(), "training".toCharArray());
        writePem(folder.resolve("edge.pem"), "CERTIFICATE", keys.getCertificate("edge").getEncoded());
        writePem(folder.resolve("edge.key"), "PRIVATE KEY", keys.getKey("edge", "training".toCharArray()).getEncoded());
    }

    private static void writePem(Path file, String what, byte[] der) throws IOException {
        String base64 = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII)).encodeToString(der);
        Files.writeString(file, "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n");
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, LOOPBACK)) {
            return socket.getLocalPort();
        }
    }

    private static void expect(int expected, int actual) {
        if (expected != actual) {
            throw new IllegalStateException("got " + actual + " (expected: " + expected + ")");
        }
    }

    private static final class TrustEveryone implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
