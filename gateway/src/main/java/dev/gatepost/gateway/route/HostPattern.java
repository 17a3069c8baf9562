package dev.gatepost.gateway.route;

/// The hosts that a route serves: exact, `*.` and a suffix, or any. Lower case; a port counts only where it is written.
///
/// @param name the exact name, or the suffix after `*.`; empty for any host
/// @param port 0 for any port
public record HostPattern(Kind kind, String name, int port) {
    public static final HostPattern ANY = new HostPattern(Kind.ANY, "", 0);

    public enum Kind { EXACT, WILDCARD, ANY }

    @Override
    public String toString() {
        String host = switch (kind) {
            case EXACT -> name;
            case WILDCARD -> "*." + name;
            case ANY -> "";
        };
        return port == 0 ? host : host + ":" + port;
    }
}
