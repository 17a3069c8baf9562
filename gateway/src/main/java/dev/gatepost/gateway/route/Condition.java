package dev.gatepost.gateway.route;

/// What a request must be, beside its host and path, for a route to serve it. Part of the route's identity: two routes
/// may share host and path when their conditions differ.
///
/// @param scheme how the request came
public record Condition(Scheme scheme) implements Comparable<Condition> {
    public static final Condition NONE = new Condition(Scheme.ANY);

    /// The narrower first, as in look-up order.
    public enum Scheme { HTTP, HTTPS, ANY }

    boolean admits(boolean secure) {
        return switch (scheme) {
            case ANY -> true;
            case HTTP -> !secure;
            case HTTPS -> secure;
        };
    }

    @Override
    public int compareTo(Condition other) {
        return scheme.compareTo(other.scheme);
    }

    /// `http://`, `https://` or nothing: it stands before the host in a route's id.
    @Override
    public String toString() {
        return switch (scheme) {
            case ANY -> "";
            case HTTP -> "http://";
            case HTTPS -> "https://";
        };
    }
}
