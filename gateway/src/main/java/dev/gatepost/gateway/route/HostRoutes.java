package dev.gatepost.gateway.route;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The routes of one host name, or of one wildcard's suffix: those of any port, and those of each port that is written.
final class HostRoutes {
    private final String name;
    private final byte[] bytes;
    private final PathTrie anyPort;
    private final int[] ports;
    private final PathTrie[] byPort;
    private final int maxPriority;

    private HostRoutes(String name, byte[] bytes, PathTrie anyPort, int[] ports, PathTrie[] byPort) {
        this.name = name;
        this.bytes = bytes;
        this.anyPort = anyPort;
        this.ports = ports;
        this.byPort = byPort;
        int max = anyPort.maxPriority();
        for (PathTrie trie : byPort) {
            max = Math.max(max, trie.maxPriority());
        }
        this.maxPriority = max;
    }

    static HostRoutes of(String name) {
        return new HostRoutes(name, name.getBytes(StandardCharsets.US_ASCII), PathTrie.EMPTY, new int[0], new PathTrie[0]);
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
        return anyPort.isEmpty() && ports.length == 0;
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

    @Nullable Route match(int port, boolean secure, byte[] path, int from, int to) {
        Route best = null;
        for (int i = 0; i < ports.length; i++) {
            if (ports[i] == port) {
                best = byPort[i].match(path, from, to, secure);
            }
        }
        if (best != null && best.priority() >= anyPort.maxPriority()) {
            return best;
        }
        Route other = anyPort.match(path, from, to, secure);
        return best == null || (other != null && other.priority() > best.priority()) ? other : best;
    }

    void candidates(int port, boolean secure, byte[] path, int from, int to, Consumer<Route> each) {
        anyPort.candidates(path, from, to, secure, each);
        trie(port).candidates(path, from, to, secure, each);
    }

    @Nullable Entry get(RouteKey key) {
        int port = key.host().port();
        return (port == 0 ? anyPort : trie(port)).get(key);
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
        int port = entry.key().host().port();
        return port == 0 ? new HostRoutes(name, bytes, anyPort.with(entry), ports, byPort) : withPort(port, trie(port).with(entry));
    }

    HostRoutes without(RouteKey key) {
        int port = key.host().port();
        return port == 0 ? new HostRoutes(name, bytes, anyPort.without(key), ports, byPort) : withPort(port, trie(port).without(key));
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
        return new HostRoutes(name, bytes, anyPort, newPorts, newTries);
    }

    void forEach(Consumer<Entry> each) {
        for (PathTrie trie : byPort) {
            trie.forEach(each);
        }
        anyPort.forEach(each);
    }
}
