package dev.gatepost.admin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class AdminTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private final HttpClient client = HttpClient.newHttpClient();
    private final AtomicReference<Readiness> readiness = new AtomicReference<>(Readiness.READY);
    private final AtomicInteger drains = new AtomicInteger();
    private Admin admin;

    enum Outcome { FOUND, NO_ROUTE }

    record Service(String name, Optional<String> owner, Duration ttl, Instant since, Outcome outcome, InetSocketAddress at) {}

    @BeforeEach
    void start() throws IOException {
        Service web = new Service(
                "web", Optional.empty(), Duration.ofMillis(1500), Instant.EPOCH, Outcome.NO_ROUTE, InetSocketAddress.createUnresolved("h", 9));
        admin = Admin.builder(ANY_PORT)
                .get("/api/v1/services", _ -> List.of(web))
                .get("/api/v1/services/{name}", request -> Optional.of(web).filter(service -> service.name().equals(request.name())))
                .get("/api/v1/routes/{id}", request -> Map.of("id", request.name()))
                .get("/api/v1/explain", request -> Map.of(
                        "url", request.required("url", "a URL"),
                        "method", request.optional("method").orElse("GET"),
                        "header", request.all("header")))
                .get("/api/v1/broken", _ -> {
                    throw new IllegalStateException("broken on purpose");
                })
                .post("/api/v1/drain", _ -> Map.of("drains", drains.incrementAndGet()))
                .ready(readiness::get)
                .start();
    }

    @AfterEach
    void stop() {
        admin.close();
    }

    @Test
    void rendersRecordsAsJson() throws Exception {
        HttpResponse<String> response = get("/api/v1/services/web");
        assertEquals(200, response.statusCode());
        assertEquals("application/json", response.headers().firstValue("Content-Type").orElseThrow());
        assertEquals(
                JSON.readTree(
                        """
                        {"name": "web", "owner": null, "ttl": "1500ms", "since": "1970-01-01T00:00:00Z", "outcome": "no-route", "at": "h:9"}"""),
                JSON.readTree(response.body()));
        assertEquals("web", json("/api/v1/services").at("/0/name").asText());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "/api/v1/services/absent  | 404 | not found: absent",
        "/api/v1/nothing          | 404 | no such resource: /api/v1/nothing",
        "/api/v1/services/        | 404 | no such resource: /api/v1/services/",
        "/api/v1/explain          | 400 | url: missing (expected: a URL)",
        "/api/v1/explain?url=     | 400 | url: missing (expected: a URL)",
        "/api/v1/explain?url=a&url=b  | 400 | url: a, b (expected: one value)",
        "/api/v1/explain?url=a&methd=b | 400 | methd: unknown (expected: header, method, url)",
        "/api/v1/services?x=1     | 400 | x: unknown (expected: no parameter)",
        "/api/v1/broken           | 500 | internal error, see the log",
        "/api/v1/drain            | 405 | GET /api/v1/drain (expected: POST)",
    })
    void saysWhatIsWrong(String path, int status, String error) throws Exception {
        HttpResponse<String> response = get(path);
        assertEquals(status, response.statusCode());
        assertEquals(error, JSON.readTree(response.body()).at("/error").asText());
    }

    @Test
    void decodesParametersAndKeepsSlashesInNames() throws Exception {
        JsonNode explained = json("/api/v1/explain?url=https%3A%2F%2Fa%2Fb%3Fc&header=a%3A1&header=b+c");
        assertEquals("https://a/b?c", explained.at("/url").asText());
        assertEquals("b c", explained.at("/header/1").asText());
        assertEquals("shop.example.com/a b+c", json("/api/v1/routes/shop.example.com/a%20b+c").at("/id").asText());
    }

    @Test
    void answersHeadWithoutABody() throws Exception {
        HttpRequest head = HttpRequest.newBuilder(uri("/api/v1/services")).method("HEAD", HttpRequest.BodyPublishers.noBody()).build();
        HttpResponse<String> response = client.send(head, HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode());
        assertEquals("", response.body());
        assertEquals(get("/api/v1/services").body().length(), response.headers().firstValueAsLong("Content-Length").orElseThrow());
    }

    @Test
    void allowsTheMethodsThereAre() throws Exception {
        HttpRequest delete = HttpRequest.newBuilder(uri("/api/v1/services")).DELETE().build();
        HttpResponse<String> response = client.send(delete, HttpResponse.BodyHandlers.ofString());
        assertEquals(405, response.statusCode());
        assertEquals("GET, HEAD", response.headers().firstValue("Allow").orElseThrow());
    }

    @Test
    void isLiveAlwaysAndReadyWhenItMay() throws Exception {
        assertEquals(200, get("/live").statusCode());
        assertEquals(200, get("/ready").statusCode());
        readiness.set(Readiness.not("draining"));
        HttpResponse<String> draining = get("/ready");
        assertEquals(503, draining.statusCode());
        assertEquals("draining", JSON.readTree(draining.body()).at("/reason").asText());
        assertEquals(200, get("/live").statusCode());
    }

    @Test
    void changesThingsForToolsAndNotForWebPages() throws Exception {
        assertEquals(200, post("/api/v1/drain").statusCode());
        assertEquals(1, drains.get());
        assertEquals(403, post("/api/v1/drain", "Origin", "http://evil.example").statusCode());
        assertEquals(403, post("/api/v1/drain", "Origin", "http://127.0.0.1:" + admin.address().getPort()).statusCode());
        assertEquals(400, post("/api/v1/drain?now=1").statusCode());
        assertEquals(1, drains.get());
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:9090,/api/v1/services,200", "localhost,/api/v1/services,200", "[::1]:9090,/api/v1/services,200",
        "gatepost:9090,/api/v1/services,200", "a.localhost,/,200", "evil.example:9090,/api/v1/services,403", "evil.example,/,403",
        "1.2.3.4.evil.example,/api/v1/services,403", "evil.example,/ready,200", "evil.example,/metrics,200",
    })
    void isNotFooledByANameThatResolvesToLoopback(String host, String path, int status) throws IOException {
        assertTrue(raw("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n").startsWith("HTTP/1.1 " + status));
    }

    @Test
    void servesThePageWithAPolicyThatAllowsItsOwnScriptAlone() throws Exception {
        HttpResponse<String> page = get("/");
        assertEquals("text/html; charset=utf-8", page.headers().firstValue("Content-Type").orElseThrow());
        String policy = page.headers().firstValue("Content-Security-Policy").orElseThrow();
        assertTrue(policy.startsWith("default-src 'none'; script-src 'sha256-"), policy);
        assertFalse(policy.contains("unsafe"), policy);
        assertTrue(page.body().contains("<title>Gatepost</title>"));
        assertFalse(page.body().contains("http://"), "the page refers to something outside");
        assertFalse(page.body().contains("innerHTML"), "the page renders text as markup");
    }

    @Test
    void saysInOneLineThatItsAddressIsTaken() {
        IOException e = assertThrows(IOException.class, () -> Admin.builder(admin.address()).start());
        String place = admin.address().getHostString() + ":" + admin.address().getPort();
        assertEquals("admin.address: " + place + " cannot be listened on: Address already in use", e.getMessage());
    }

    @Test
    void refusesTwoResourcesOnOnePath() {
        Admin.Builder builder = Admin.builder(ANY_PORT).get("/a", _ -> "");
        assertThrows(IllegalArgumentException.class, () -> builder.get("/a", _ -> ""));
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private JsonNode json(String path) throws IOException, InterruptedException {
        return JSON.readTree(get(path).body());
    }

    private HttpResponse<String> post(String path, String... fields) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path)).POST(HttpRequest.BodyPublishers.ofString("{}"));
        for (int i = 0; i < fields.length; i += 2) {
            request.header(fields[i], fields[i + 1]);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private String raw(String request) throws IOException {
        try (Socket socket = new Socket(admin.address().getAddress(), admin.address().getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            InputStream in = socket.getInputStream();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + admin.address().getPort() + path);
    }
}
