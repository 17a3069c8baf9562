package dev.gatepost.gateway.route;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A request as far as routes are concerned, as a person words it: `https://shop.example.com/api`, or without scheme
/// (HTTP then), or a path alone for a request without Host.
///
/// @param host with an IPv6 address in brackets, without port
/// @param path normalised
record Question(boolean secure, String host, int port, String path, String method) {
    private static final Pattern URL = Pattern.compile("(?:([A-Za-z][A-Za-z0-9+.-]*)://)?(?:[^/?#@]*@)?(\\[[^\\]/?#]*\\]|[^/?#:]*)(?::(\\d{1,5}))?(/[^?#]*)?(?:[?#].*)?");

    /// @throws IllegalArgumentException with the value and what was expected
    static Question of(String url, String method) {
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
        return new Question(secure, parts.group(2), port, path, method.toUpperCase(Locale.ROOT));
    }

    byte[] hostBytes() {
        return host.getBytes(StandardCharsets.UTF_8);
    }

    byte[] pathBytes() {
        return path.getBytes(StandardCharsets.UTF_8);
    }

    /// Without a trailing dot, in lower case.
    String hostName() {
        String name = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
        return name.toLowerCase(Locale.ROOT);
    }

    boolean fits(HostPattern pattern) {
        boolean name = switch (pattern.kind()) {
            case ANY -> true;
            case EXACT -> hostName().equals(pattern.name());
            case WILDCARD -> hostName().length() > pattern.name().length() + 1 && hostName().endsWith("." + pattern.name());
        };
        return name && (pattern.port() == 0 || pattern.port() == port);
    }

    boolean fits(PathPattern pattern) {
        byte[] bytes = pathBytes();
        return path.startsWith(pattern.path()) && pattern.admits(bytes, pattern.path().length(), bytes.length);
    }
}
