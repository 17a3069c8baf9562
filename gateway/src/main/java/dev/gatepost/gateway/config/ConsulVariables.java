package dev.gatepost.gateway.config;

import dev.gatepost.gateway.config.Value.Text;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The variables that Consul's own tools understand, as the lowest layer: a setting of ours wins over each.
final class ConsulVariables {
    private static final String ADDRESS = "http://HOST:PORT or https://HOST:PORT";
    private static final String DEFAULT_AUTHORITY = "127.0.0.1:8500";

    private final Map<String, String> environment;
    private final List<Problem> problems;

    ConsulVariables(Map<String, String> environment, List<Problem> problems) {
        this.environment = environment;
        this.problems = problems;
    }

    Optional<Value> value(Setting<?> setting) {
        return variable(setting).flatMap(this::variable);
    }

    private static Optional<String> variable(Setting<?> setting) {
        return Optional.ofNullable(switch (setting.key()) {
            case "consul.address" -> "CONSUL_HTTP_ADDR";
            case "consul.token" -> "CONSUL_HTTP_TOKEN";
            case "consul.token-file" -> "CONSUL_HTTP_TOKEN_FILE";
            case "consul.ca-certificate" -> "CONSUL_CACERT";
            case "consul.client-certificate" -> "CONSUL_CLIENT_CERT";
            case "consul.client-key" -> "CONSUL_CLIENT_KEY";
            default -> null;
        });
    }

    private Optional<Value> variable(String name) {
        return Optional.ofNullable(environment.get(name))
                .filter(text -> !text.isBlank())
                .map(text -> new Text(text.strip(), Place.ofVariable(name)));
    }

    /// CONSUL_HTTP_SSL_VERIFY, spelled as Go spells truth.
    Optional<Boolean> verify() {
        return truth("CONSUL_HTTP_SSL_VERIFY");
    }

    /// The agent's base address with scheme and port; an address without a scheme gets one by CONSUL_HTTP_SSL.
    String baseAddress(Optional<Value> written) {
        boolean ssl = truth("CONSUL_HTTP_SSL").orElse(false);
        String scheme = ssl ? "https://" : "http://";
        if (!(written.orElse(null) instanceof Text text)) {
            return scheme + DEFAULT_AUTHORITY;
        }
        Optional<String> address = parse(text.text().contains("://") ? text.text() : scheme + text.text());
        if (address.isEmpty()) {
            String more = text.text().startsWith("unix:") ? ADDRESS + "; Unix sockets are not supported" : ADDRESS;
            problems.add(Problem.of(text.place(), Settings.CONSUL_ADDRESS.key(), text.text().replaceAll("//[^/]*@", "//(not shown)@"), more));
        }
        return address.orElse(scheme + DEFAULT_AUTHORITY);
    }

    private static Optional<String> parse(String address) {
        try {
            URI uri = new URI(address);
            String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
            boolean plain = scheme.equals("http");
            boolean bare = uri.getRawUserInfo() == null && uri.getRawQuery() == null && uri.getRawFragment() == null
                    && (uri.getRawPath().isEmpty() || uri.getRawPath().equals("/"));
            if ((!plain && !scheme.equals("https")) || uri.getHost() == null || !bare || uri.getPort() > 65535 || uri.getPort() == 0) {
                return Optional.empty();
            }
            int port = uri.getPort() > 0 ? uri.getPort() : plain ? 80 : 443;
            return Optional.of(scheme + "://" + uri.getHost() + ":" + port);
        } catch (URISyntaxException _) {
            return Optional.empty();
        }
    }

    private Optional<Boolean> truth(String name) {
        return variable(name).flatMap(value -> switch (value.shown()) {
            case "1", "t", "T", "true", "TRUE", "True" -> Optional.of(true);
            case "0", "f", "F", "false", "FALSE", "False" -> Optional.of(false);
            default -> {
                problems.add(new Problem(value.place(), "%s (expected: true or false)".formatted(Problem.shown(value.shown()))));
                yield Optional.empty();
            }
        });
    }
}
