package dev.gatepost.gateway.route;

import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// What a request must be, beside its host and path, for a route to serve it. Part of the route's identity: routes may
/// share host and path when their conditions differ.
///
/// @param scheme   how the request came
/// @param methods  any of them; empty for all. A request that only lacks the method goes to no shorter path: unless another
///                 route of this host and path takes it, it is answered 405
/// @param criteria all of them; a request that lacks one goes on to the next route in order
public record Condition(Scheme scheme, Set<String> methods, List<Criterion> criteria) implements Comparable<Condition> {
    public static final Condition NONE = of(Scheme.ANY);

    private static final Comparator<Condition> ORDER = Comparator.comparingInt((Condition c) -> -c.width())
            .thenComparing(Condition::scheme)
            .thenComparing(Condition::asked);

    /// The narrower first, as in look-up order.
    public enum Scheme { HTTP, HTTPS, ANY }

    public Condition {
        methods = Set.copyOf(methods);
        criteria = criteria.stream().distinct().sorted(Comparator.comparing(Criterion::toString)).toList();
    }

    static Condition of(Scheme scheme) {
        return new Condition(scheme, Set.of(), List.of());
    }

    Condition withScheme(Scheme other) {
        return new Condition(other, methods, criteria);
    }

    /// All but the method.
    boolean admits(RequestFacts request) {
        boolean schemeFits = switch (scheme) {
            case ANY -> true;
            case HTTP -> !request.secure();
            case HTTPS -> request.secure();
        };
        if (!schemeFits) {
            return false;
        }
        for (int i = 0; i < criteria.size(); i++) {
            if (!criteria.get(i).admits(request)) {
                return false;
            }
        }
        return true;
    }

    boolean takesMethod(RequestFacts request) {
        return methods.isEmpty() || methods.contains(request.method());
    }

    /// How many things are asked for: the more, the narrower.
    private int width() {
        return criteria.size() + (methods.isEmpty() ? 0 : 1) + (scheme == Scheme.ANY ? 0 : 1);
    }

    @Override
    public int compareTo(Condition other) {
        return ORDER.compare(this, other);
    }

    /// `http://`, `https://` or nothing: it stands before the host in a route's id.
    String prefix() {
        return switch (scheme) {
            case ANY -> "";
            case HTTP -> "http://";
            case HTTPS -> "https://";
        };
    }

    /// As options, each with a blank before it: they stand behind the path in a route's id.
    String asked() {
        StringBuilder text = new StringBuilder();
        if (!methods.isEmpty()) {
            text.append(" methods=").append(String.join("|", new TreeSet<>(methods)));
        }
        criteria.forEach(criterion -> text.append(' ').append(criterion));
        return text.toString();
    }

    /// `https:// header=x-canary`.
    @Override
    public String toString() {
        return (prefix() + asked()).strip();
    }
}
