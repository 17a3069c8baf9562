package dev.gatepost.admin;

import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Keeps web pages from elsewhere out. A browser on the same machine can be made to talk to a loopback port in two ways:
/// by a plain cross-site POST, and by a name of the attacker's that resolves to 127.0.0.1 (DNS rebinding). So nothing is
/// changed on behalf of a browser at all, which always sends `Origin` with a POST; and on a loopback address only names
/// that nobody outside can own are answered to. Liveness, readiness and metrics say nothing that would need it.
final class Doorkeeper {
    private static final List<String> OPEN = List.of("/live", "/ready", "/metrics");

    private final boolean loopback;

    Doorkeeper(InetAddress bound) {
        this.loopback = bound.isLoopbackAddress();
    }

    /// @return why the request is refused
    Optional<String> refusal(String method, String path, String host, String origin) {
        boolean changes = !method.equals("GET") && !method.equals("HEAD");
        if (changes && !origin.isEmpty()) {
            return Optional.of("Origin: " + origin + " (expected: none; changes are made by tools, not by web pages)");
        }
        if (loopback && !OPEN.contains(path) && !local(host)) {
            return Optional.of("Host: " + host + " (expected: localhost, an IP address or a name without a dot)");
        }
        return Optional.empty();
    }

    private static boolean local(String host) {
        String name = withoutPort(host).toLowerCase(Locale.ROOT);
        boolean literal = name.startsWith("[") || name.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
        return literal || !name.contains(".") || name.endsWith(".localhost");
    }

    private static String withoutPort(String host) {
        int colon = host.lastIndexOf(':');
        return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
    }
}
