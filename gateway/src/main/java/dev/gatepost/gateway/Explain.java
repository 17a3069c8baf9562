package dev.gatepost.gateway;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatepost.gateway.config.ConfigReader;
import dev.gatepost.gateway.config.ConfigReading;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `gatepost explain`: asks a running gateway's admin API and prints its answer as an outline. One request by the oldest
/// client of the JDK, which needs no module beyond java.base.
final class Explain {
    private static final String DEFAULT_ADMIN = "127.0.0.1:9090";
    private static final int PATIENCE_MILLIS = 5000;

    /// @param subject a URL or a DNS name
    /// @param type    the DNS record type, for a name
    /// @param method  the request method, for a URL
    /// @param headers of the request, each `NAME: VALUE`
    /// @param client  the client's address
    record Question(String subject, String type, String method, List<String> headers, Optional<String> client) {
        /// The admin API's path and query. A slash or a port makes it a URL: neither occurs in a DNS name.
        String target() {
            if (!subject.contains("/") && !subject.contains(":")) {
                return "/api/v1/dns/explain?name=" + encode(subject) + "&type=" + encode(type);
            }
            String url = subject.contains("://") ? subject : "https://" + subject;
            StringBuilder target = new StringBuilder("/api/v1/explain?url=" + encode(url) + "&method=" + encode(method));
            headers.forEach(header -> target.append("&header=").append(encode(header)));
            client.ifPresent(address -> target.append("&client=").append(encode(address)));
            return target.toString();
        }

        private static String encode(String text) {
            return URLEncoder.encode(text, StandardCharsets.UTF_8);
        }
    }

    private Explain() {}

    static int run(Question question, Optional<String> admin, Optional<Path> config, Map<String, String> environment) {
        Optional<String> address = admin.isEmpty() && config.isPresent() ? adminOf(config.get(), environment) : Optional.of(admin.orElse(DEFAULT_ADMIN));
        if (address.isEmpty()) {
            return Main.PROBLEM;
        }
        URI uri;
        try {
            uri = URI.create(address.get().replaceFirst("^(?!https?://)", "http://") + question.target());
        } catch (IllegalArgumentException _) {
            System.err.println("gatepost: --admin: " + address.get() + " (expected: HOST:PORT)");
            return Main.PROBLEM;
        }
        try {
            HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection(Proxy.NO_PROXY);
            connection.setConnectTimeout(PATIENCE_MILLIS);
            connection.setReadTimeout(PATIENCE_MILLIS);
            return print(connection, uri);
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("gatepost: no gateway answers at %s: %s (expected: its admin address, by --admin or --config)".formatted(uri.getAuthority(), e.getMessage()));
            return Main.PROBLEM;
        }
    }

    private static int print(HttpURLConnection connection, URI uri) throws IOException {
        int status = connection.getResponseCode();
        try (InputStream body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            String text = body == null ? "" : new String(body.readAllBytes(), StandardCharsets.UTF_8);
            if (status != 200) {
                System.err.println("gatepost: %s answered %d: %s".formatted(uri, status, text.strip()));
                return Main.PROBLEM;
            }
            System.out.print(outline(new ObjectMapper().readTree(text)));
            return Main.DONE;
        } catch (JsonProcessingException _) {
            System.err.println("gatepost: %s answered something else than JSON (expected: a gateway's admin API)".formatted(uri));
            return Main.PROBLEM;
        }
    }

    private static Optional<String> adminOf(Path file, Map<String, String> environment) {
        return switch (ConfigReader.read(Optional.of(file), environment)) {
            case ConfigReading.Valid valid -> {
                Optional<String> address = valid.config().admin().map(admin -> reachable(admin.address()));
                if (address.isEmpty()) {
                    System.err.println(file + ": no admin.address (expected: one, or --admin HOST:PORT)");
                }
                yield address;
            }
            case ConfigReading.Invalid invalid -> {
                invalid.problems().forEach(System.err::println);
                yield Optional.empty();
            }
        };
    }

    /// A wildcard address is where one listens, not where one connects.
    private static String reachable(InetSocketAddress address) {
        InetAddress host = address.getAddress().isAnyLocalAddress() ? InetAddress.getLoopbackAddress() : address.getAddress();
        String literal = host.getHostAddress();
        return (literal.contains(":") ? "[" + literal + "]" : literal) + ":" + address.getPort();
    }

    /// JSON as indented `name: value` lines, in its own order.
    static String outline(JsonNode answer) {
        StringBuilder lines = new StringBuilder();
        outline(answer, "", lines);
        return lines.toString();
    }

    private static void outline(JsonNode node, String indent, StringBuilder lines) {
        if (node.isObject()) {
            node.properties().forEach(field -> entry(indent + field.getKey() + ":", field.getValue(), indent, lines));
        } else if (node.isArray()) {
            node.forEach(item -> {
                if (item.isContainerNode() && !item.isEmpty()) {
                    StringBuilder block = new StringBuilder();
                    outline(item, indent + "  ", block);
                    lines.append(block.replace(indent.length(), indent.length() + 2, "- "));
                } else {
                    entry(indent + "-", item, indent, lines);
                }
            });
        } else {
            lines.append(indent).append(node.asText()).append('\n');
        }
    }

    private static void entry(String label, JsonNode value, String indent, StringBuilder lines) {
        if (value.isContainerNode() && !value.isEmpty()) {
            lines.append(label).append('\n');
            outline(value, indent + "  ", lines);
        } else if (value.isContainerNode() || (!value.isNull() && !value.asText().isEmpty())) {
            lines.append(label).append(' ').append(value.isContainerNode() ? "none" : value.asText()).append('\n');
        }
    }
}
