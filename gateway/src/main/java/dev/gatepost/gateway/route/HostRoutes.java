package dev.gatepost.gateway.route;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The routes of one host name, or of one wildcard's suffix: those of any port, and those of each port that is written.
/// Patterns that end in a wildcard's suffix are kept with it, as route sets of their own that come first.
final class HostRoutes {
    private static final HostRoutes[] NO_PATTERNS = {};

    private final String name;
    private final byte[] bytes;
    private final PathTrie anyPort;
    private final int[] ports;
    private final PathTrie[] byPort;
    /// In look-up order.
    private final HostRoutes[] patterns;
    /// Of these routes themselves, if they are a pattern's.
    private final Optional<HostPattern> pattern;
    private final int maxPriority;

    private HostRoutes(
            String name, byte[] bytes, PathTrie anyPort, int[] ports, PathTrie[] byPort, HostRoutes[] patterns, Optional<HostPattern> pattern) {
        this.name = name;
        this.bytes = bytes;
        this.anyPort = anyPort;
        this.ports = ports;
        this.byPort = byPort;
        this.patterns = patterns;
        this.pattern = pattern;
        int max = anyPort.maxPriority();
        for (HostRoutes each : patterns) {
            max = Math.max(max, each.maxPriority);
        }
        for (PathTrie trie : byPort) {
            max = Math.max(max, trie.maxPriority());
        }
        this.maxPriority = max;
    }

    static HostRoutes of(String name) {
        return new HostRoutes(
                name, name.getBytes(StandardCharsets.US_ASCII), PathTrie.EMPTY, new int[0], new PathTrie[0], NO_PATTERNS, Optional.empty());
    }

    private static HostRoutes of(HostPattern pattern) {
        HostPattern anyPort = new HostPattern(pattern.kind(), pattern.name(), 0, pattern.regex());
        return new HostRoutes(
                pattern.name(), new byte[0], PathTrie.EMPTY, new int[0], new PathTrie[0], NO_PATTERNS, Optional.of(anyPort));
    }

    /// As of the name's `String.hashCode()`.
    int hash() {
        return name.hashCode();
    }

    String name() {
        return name;
    }

    int maxPriority() {
        return maxPriority;
    }

    boolean isEmpty() {
        return anyPort.isEmpty() && ports.length == 0 && patterns.length == 0;
    }

    boolean isNamed(byte[] host, int from, int to) {
        if (to - from != bytes.length) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if (lower(host[from + i]) != bytes[i]) {
                return false;
            }
        }
        return true;
    }

    static byte lower(byte b) {
        return b >= 'A' && b <= 'Z' ? (byte) (b | 0x20) : b;
    }

    @Nullable Route match(int port, byte[] path, int from, int to, RequestFacts request) {
        Route best = null;
        for (HostRoutes each : patterns) {
            if (each.servesHost(request)) {
                best = RouteIndex.first(best, each.match(port, path, from, to, request));
            }
        }
        if (best != null && best.priority() >= ownPriority()) {
            return best;
        }
        for (int i = 0; i < ports.length; i++) {
            if (ports[i] == port) {
                best = RouteIndex.first(best, byPort[i].match(path, from, to, port, request));
            }
        }
        if (best != null && best.priority() >= anyPort.maxPriority()) {
            return best;
        }
        return RouteIndex.first(best, anyPort.match(path, from, to, port, request));
    }

    private boolean servesHost(RequestFacts request) {
        return pattern.isPresent() && pattern.get().serves(request.host());
    }

    /// The highest of any route in here that is not a pattern's.
    private int ownPriority() {
        int max = anyPort.maxPriority();
        for (PathTrie trie : byPort) {
            max = Math.max(max, trie.maxPriority());
        }
        return max;
    }

    void candidates(int port, byte[] path, int from, int to, RequestFacts request, Consumer<Route> each) {
        for (HostRoutes routes : patterns) {
            if (routes.servesHost(request)) {
                routes.candidates(port, path, from, to, request, each);
            }
        }
        anyPort.candidates(path, from, to, port, request, each);
        trie(port).candidates(path, from, to, port, request, each);
    }

    @Nullable Entry get(RouteKey key) {
        if (isOfOwnPattern(key)) {
            return patterns(key).map(routes -> routes.get(key)).orElse(null);
        }
        int port = key.host().port();
        return (port == 0 ? anyPort : trie(port)).get(key);
    }

    /// Routes of the key's host and path, whatever their conditions.
    void forEachBeside(RouteKey key, Consumer<Entry> each) {
        if (isOfOwnPattern(key)) {
            patterns(key).ifPresent(routes -> routes.forEachBeside(key, each));
            return;
        }
        int port = key.host().port();
        (port == 0 ? anyPort : trie(port)).forEachBeside(key, each);
    }

    private boolean isOfOwnPattern(RouteKey key) {
        return key.host().kind() == HostPattern.Kind.PATTERN && pattern.isEmpty();
    }

    private Optional<HostRoutes> patterns(RouteKey key) {
        return Arrays.stream(patterns).filter(routes -> routes.name.equals(key.host().name())).findFirst();
    }

    private PathTrie trie(int port) {
        for (int i = 0; i < ports.length; i++) {
            if (ports[i] == port) {
                return byPort[i];
            }
        }
        return PathTrie.EMPTY;
    }

    HostRoutes with(Entry entry) {
        RouteKey key = entry.key();
        if (isOfOwnPattern(key)) {
            return withPattern(patterns(key).orElseGet(() -> of(key.host())).with(entry));
        }
        int port = key.host().port();
        return port == 0 ? withTries(anyPort.with(entry), ports, byPort) : withPort(port, trie(port).with(entry));
    }

    HostRoutes without(RouteKey key) {
        if (isOfOwnPattern(key)) {
            return patterns(key).map(routes -> withPattern(routes.without(key))).orElse(this);
        }
        int port = key.host().port();
        return port == 0 ? withTries(anyPort.without(key), ports, byPort) : withPort(port, trie(port).without(key));
    }

    private HostRoutes withTries(PathTrie newAnyPort, int[] newPorts, PathTrie[] newByPort) {
        return new HostRoutes(name, bytes, newAnyPort, newPorts, newByPort, patterns, pattern);
    }

    /// An empty one is left out.
    private HostRoutes withPattern(HostRoutes changed) {
        HostRoutes[] newPatterns = Stream.concat(Arrays.stream(patterns).filter(routes -> !routes.name.equals(changed.name)), Stream.of(changed))
                .filter(routes -> !routes.isEmpty())
                .sorted(Comparator.comparing(routes -> routes.pattern.orElse(HostPattern.ANY), HostPattern.ORDER))
                .toArray(HostRoutes[]::new);
        return new HostRoutes(name, bytes, anyPort, ports, byPort, newPatterns, pattern);
    }

    private HostRoutes withPort(int port, PathTrie trie) {
        int index = 0;
        while (index < ports.length && ports[index] != port) {
            index++;
        }
        int[] newPorts = Arrays.copyOf(ports, Math.max(ports.length, index + 1));
        PathTrie[] newTries = Arrays.copyOf(byPort, newPorts.length);
        newPorts[index] = port;
        newTries[index] = trie;
        if (trie.isEmpty()) {
            int last = newPorts.length - 1;
            newPorts[index] = newPorts[last];
            newTries[index] = newTries[last];
            newPorts = Arrays.copyOf(newPorts, last);
            newTries = Arrays.copyOf(newTries, last);
        }
        return withTries(anyPort, newPorts, newTries);
    }

    void forEach(Consumer<Entry> each) {
        for (HostRoutes routes : patterns) {
            routes.forEach(each);
        }
        for (PathTrie trie : byPort) {
            trie.forEach(each);
        }
        anyPort.forEach(each);
    }
}
