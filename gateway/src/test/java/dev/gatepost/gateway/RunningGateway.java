package dev.gatepost.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatepost.gateway.config.ConfigReader;
import dev.gatepost.gateway.config.ConfigReading;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A whole gateway in this process on free ports, and the real clients that talk to it: curl, dig, the admin API.
final class RunningGateway implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path home;
    private final Gateway gateway;
    private final HttpClient admin = HttpClient.newHttpClient();

    private RunningGateway(Path home, Gateway gateway) {
        this.home = home;
        this.gateway = gateway;
    }

    /// @param home     an empty folder of the test's own; the access log is `home/access.log`
    /// @param settings YAML lines beside the listeners, which are all there; a `dns:` line takes the place of that one's, and it is not warmed up unless they say so
    static RunningGateway start(Path home, String... settings) throws Exception {
        TestCertificate.write(home, "edge", "*.test", "*.service.consul", "localhost");
        List<String> lines = new ArrayList<>(List.of(
                "http: { address: 127.0.0.1:0 }",
                "https: { address: 127.0.0.1:0, certificates: [ { certificate: edge.pem, key: edge.key } ] }",
                "admin: { address: 127.0.0.1:0 }",
                "access-log: { output: \"file:" + home.resolve("access.log") + "\" }",
                "threads: 2"));
        if (Arrays.stream(settings).noneMatch(line -> line.startsWith("warm-up:"))) {
            lines.add("warm-up: 0");
        }
        if (Arrays.stream(settings).noneMatch(line -> line.startsWith("dns:"))) {
            lines.add("dns: { address: 127.0.0.1:0 }");
        }
        lines.addAll(Arrays.asList(settings));
        Path file = Files.write(home.resolve("gatepost.yaml"), lines);
        return switch (ConfigReader.read(Optional.of(file), Map.of())) {
            case ConfigReading.Valid valid -> new RunningGateway(home, Gateway.start(valid.config()));
            case ConfigReading.Invalid invalid -> throw new AssertionError(invalid.problems().toString());
        };
    }

    Gateway gateway() {
        return gateway;
    }

    int httpPort() {
        return gateway.httpAddress().orElseThrow().getPort();
    }

    int httpsPort() {
        return gateway.httpsAddress().orElseThrow().getPort();
    }

    int dnsPort() {
        return gateway.dnsAddress().orElseThrow().getPort();
    }

    /// curl over HTTPS to `https://HOST/PATH` at this gateway, whatever the host's real address.
    ///
    /// @return what curl printed, with the status code and HTTP version as a last line `200 2`
    String curl(String hostAndPath, String... options) throws IOException, InterruptedException {
        String host = hostAndPath.substring(0, hostAndPath.indexOf('/'));
        List<String> words = new ArrayList<>(List.of(
                "curl", "-sk", "--max-time", "50", "--resolve", host + ":" + httpsPort() + ":127.0.0.1", "-w", "\n%{http_code} %{http_version}"));
        words.addAll(Arrays.asList(options));
        words.add("https://" + host + ":" + httpsPort() + hostAndPath.substring(host.length()));
        return Command.run(words).output();
    }

    int status(String hostAndPath) {
        try {
            return Integer.parseInt(curl(hostAndPath, "-o", "/dev/null").strip().substring(0, 3));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// dig's whole output.
    String dig(String name, String type, String... options) {
        List<String> words = new ArrayList<>(List.of("dig", "@127.0.0.1", "-p", String.valueOf(dnsPort()), "+tries=1", "+time=5", name, type));
        words.addAll(Arrays.asList(options));
        return Command.runUnchecked(words.toArray(String[]::new)).output();
    }

    JsonNode admin(String path) {
        try {
            return JSON.readTree(text(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What the admin API answers, as it is.
    String text(String path) {
        URI uri = URI.create("http://127.0.0.1:" + gateway.adminAddress().orElseThrow().getPort() + path);
        try {
            return admin.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString()).body();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// The body of the answer to a request that changes something.
    String change(String method, String path) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + gateway.adminAddress().orElseThrow().getPort() + path);
        HttpRequest request = HttpRequest.newBuilder(uri).method(method, HttpRequest.BodyPublishers.noBody()).build();
        return admin.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    JsonNode explain(String url) {
        return admin("/api/v1/explain?url=" + URLEncoder.encode(url, StandardCharsets.UTF_8));
    }

    JsonNode explainName(String name, String type) {
        return admin("/api/v1/dns/explain?name=" + name + "&type=" + type);
    }

    /// The access log so far, parsed.
    List<JsonNode> log() {
        try (Stream<String> lines = Files.lines(home.resolve("access.log"))) {
            List<JsonNode> records = new ArrayList<>();
            for (String line : lines.toList()) {
                records.add(JSON.readTree(line));
            }
            return records;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        admin.close();
        gateway.close();
    }
}
