package dev.gatepost.gateway.route;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A request as far as routes are concerned, as a person words it: `https://shop.example.com/api`, or without scheme
/// (HTTP then), or a path alone for a request without Host.
///
/// @param named the host, an IPv6 address in brackets, without port
/// @param path normalised
/// @param query   without `?`; empty for none
/// @param headers by name in lower case
record Question(
        boolean secure,
        String named,
        int port,
        String path,
        String query,
        String method,
        Map<String, List<String>> headers,
        Optional<InetAddress> client)
        implements RequestFacts {
    private static final Pattern URL = Pattern.compile("(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(?:[^/?#@]*@)?(\\[[^\\]/?#]*\\]|[^/?#:]*)(?::(\\d{1,5}))?(/[^?#]*)?(?:\\?([^#]*))?(?:#.*)?");

    /// @throws IllegalArgumentException with the value and what was expected
    ///
    /// @param headers each `NAME: VALUE`
    static Question of(String url, String method, List<String> headers, Optional<String> client) {
        Matcher parts = URL.matcher(url.strip());
        if (!parts.matches()) {
            throw new IllegalArgumentException("url \"%s\" (expected: a URL such as https://shop.example.com/api)".formatted(url));
        }
        String scheme = parts.group(1) == null ? "http" : parts.group(1).toLowerCase(Locale.ROOT);
        boolean secure = scheme.equals("https") || scheme.equals("wss");
        if (!secure && !scheme.equals("http") && !scheme.equals("ws")) {
            throw new IllegalArgumentException("url \"%s\": scheme \"%s\" (expected: http or https)".formatted(url, scheme));
        }
        int implied = secure ? 443 : 80;
        int port = parts.group(3) == null ? implied : Integer.parseInt(parts.group(3));
        byte[] raw = (parts.group(4) == null ? "/" : parts.group(4)).getBytes(StandardCharsets.UTF_8);
        int length = PathNormalizer.normalize(raw, 0, raw.length, raw);
        if (length < 0) {
            throw new IllegalArgumentException(
                    "url \"%s\": its path is refused with 400 (expected: valid percent-encodings, no %%00, no climb above the root)".formatted(url));
        }
        String path = new String(raw, 0, length, StandardCharsets.UTF_8);
        String query = parts.group(5) == null ? "" : parts.group(5);
        return new Question(
                secure, parts.group(2), port, path, query, method.toUpperCase(Locale.ROOT), byName(headers), client.map(Question::address));
    }

    private static Map<String, List<String>> byName(List<String> headers) {
        Map<String, List<String>> byName = new HashMap<>();
        for (String header : headers) {
            int colon = header.indexOf(':');
            if (colon < 1) {
                throw new IllegalArgumentException("header \"%s\" (expected: NAME: VALUE such as X-Canary: 1)".formatted(header));
            }
            String name = header.substring(0, colon).strip().toLowerCase(Locale.ROOT);
            byName.computeIfAbsent(name, _ -> new ArrayList<>()).add(header.substring(colon + 1).strip());
        }
        return byName;
    }

    private static InetAddress address(String text) {
        try {
            return InetAddress.ofLiteral(text);
        } catch (IllegalArgumentException _) {
            throw new IllegalArgumentException("client \"%s\" (expected: an IP address such as 192.0.2.1)".formatted(text));
        }
    }

    @Override
    public boolean anyField(String name, Predicate<String> test) {
        return headers.getOrDefault(name, List.of()).stream().anyMatch(test);
    }

    /// As the gate sees it, without a port that the scheme implies.
    String url() {
        String at = port == (secure ? 443 : 80) ? "" : ":" + port;
        return (secure ? "https://" : "http://") + named + at + path + (query.isEmpty() ? "" : "?" + query);
    }

    byte[] hostBytes() {
        return named.getBytes(StandardCharsets.UTF_8);
    }

    byte[] pathBytes() {
        return path.getBytes(StandardCharsets.UTF_8);
    }

    /// Without a trailing dot, in lower case.
    @Override
    public String host() {
        String name = named.endsWith(".") ? named.substring(0, named.length() - 1) : named;
        return name.toLowerCase(Locale.ROOT);
    }

    boolean fits(HostPattern pattern) {
        return pattern.serves(host()) && (pattern.port() == 0 || pattern.port() == port);
    }

    boolean fits(PathPattern pattern) {
        return pattern.serves(this);
    }
}
