package dev.gatepost.gateway;

import dev.gatepost.dns.DomainName;
import dev.gatepost.gateway.config.GatewayConfig.Dns.HttpsPath;
import dev.gatepost.gateway.route.Explanation;
import dev.gatepost.gateway.route.Explanation.Considered;
import dev.gatepost.gateway.route.Explanation.Target;
import dev.gatepost.gateway.route.PathNormalizer;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiFunction;
import org.xbill.DNS.Message;

/// What becomes of a request that is a DNS query (RFC 8484): the post answers it, before any route is looked for.
///
/// @param outcome    `found`
/// @param why        the outcome in one sentence
/// @param route      as the access log calls it
/// @param considered the route that would have served it
/// @param dns        the question in its `dns=`, explained; empty where there is none that can be read
record PostExplanation(String outcome, String why, String route, String upstream, List<Target> endpoints, List<Considered> considered, Optional<Object> dns) {
    private static final String PARAMETER = "dns=";

    /// Empty for a request that is none.
    ///
    /// @param otherwise what would become of it without the post
    /// @param names     explains a question by name and type
    static Optional<PostExplanation> of(HttpsPath served, String url, String method, Explanation otherwise, BiFunction<DomainName, Integer, Object> names) {
        URI uri;
        try {
            uri = URI.create(url.strip());
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
        boolean here = "https".equalsIgnoreCase(uri.getScheme())
                && uri.getRawPath() != null
                && served.path().equals(normal(uri.getRawPath()))
                && (served.host().isEmpty() || served.host().equals(String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT)));
        if (!here) {
            return Optional.empty();
        }
        Optional<Message> query = Arrays.stream(Optional.ofNullable(uri.getRawQuery()).orElse("").split("&", -1))
                .filter(each -> each.startsWith(PARAMETER))
                .findFirst()
                .flatMap(each -> query(each.substring(PARAMETER.length())));
        return Optional.of(new PostExplanation(
                Explanation.FOUND,
                why(served, method, query.isPresent()),
                DnsOverHttps.ID,
                "",
                List.of(),
                otherwise.route().isEmpty() ? List.of() : List.of(new Considered(otherwise.route(), "the post answers DNS over HTTPS at this path before any route is looked for")),
                query.map(Message::getQuestion).map(asked -> names.apply(DomainName.of(asked.getName().toString()), asked.getType()))));
    }

    private static String why(HttpsPath served, String method, boolean asked) {
        String where = "DNS over HTTPS at %s%s (dns.over-https): ".formatted(served.host(), served.path());
        return where + switch (method.toUpperCase(Locale.ROOT)) {
            case "GET" -> asked ? "the post answers the query" : "400 (expected: ?dns= with a query in base64url)";
            case "POST" -> "the post answers the query in the body";
            default -> "405 (expected: GET or POST)";
        };
    }

    private static String normal(String path) {
        byte[] raw = path.getBytes(StandardCharsets.UTF_8);
        int length = PathNormalizer.normalize(raw, 0, raw.length, raw);
        return length < 0 ? "" : new String(raw, 0, length, StandardCharsets.UTF_8);
    }

    private static Optional<Message> query(String text) {
        try {
            return Optional.of(new Message(Base64.getUrlDecoder().decode(text))).filter(message -> message.getQuestion() != null);
        } catch (IllegalArgumentException | IOException _) {
            return Optional.empty();
        }
    }
}
