package dev.gatepost.gateway.route;

import dev.gatepost.gateway.route.Expression.Malformed;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// A router's rule, such as ``Host(`a.example.com`) && (Path(`/x`) || PathPrefix(`/y`))``, as the hosts and paths that it
/// admits. `Host` may have a leading `*.`; `PathPrefix` is a plain string prefix, as in Traefik. Other matchers and `!` are
/// malformed here, by name.
final class TraefikRule {
    /// A rule that multiplies out to more than this is no rule that a person wrote.
    private static final int MAX_TARGETS = 64;

    private final String rule;
    private int at;

    private TraefikRule(String rule) {
        this.rule = rule;
    }

    /// One way to satisfy the rule; what is absent is not asked for.
    record Target(Optional<HostPattern> host, Optional<PathPattern> path) {
        /// Empty when no request can be both.
        Optional<Target> and(Target other) {
            if (host.isPresent() && other.host.isPresent() && !host.equals(other.host)) {
                return Optional.empty();
            }
            Optional<HostPattern> bothHosts = host.or(() -> other.host);
            if (path.isEmpty() || other.path.isEmpty()) {
                return Optional.of(new Target(bothHosts, path.or(() -> other.path)));
            }
            PathPattern longer = path.get().path().length() >= other.path.get().path().length() ? path.get() : other.path.get();
            PathPattern shorter = longer.equals(path.get()) ? other.path.get() : path.get();
            boolean both = shorter.kind() == PathPattern.Kind.EXACT ? shorter.equals(longer) : longer.path().startsWith(shorter.path());
            if (shorter.path().equals(longer.path()) && shorter.kind() == PathPattern.Kind.EXACT) {
                return Optional.of(new Target(bothHosts, Optional.of(shorter)));
            }
            return both ? Optional.of(new Target(bothHosts, Optional.of(longer))) : Optional.empty();
        }
    }

    static List<Target> parse(String rule) {
        TraefikRule parser = new TraefikRule(rule);
        List<Target> targets = parser.either();
        if (parser.at < rule.length()) {
            throw parser.expected("&&, || or the end");
        }
        if (targets.isEmpty()) {
            throw new Malformed("rule %s admits no request (expected: hosts and paths that go together)".formatted(rule));
        }
        return targets;
    }

    private List<Target> either() {
        List<Target> targets = new ArrayList<>(both());
        while (accept("||")) {
            targets.addAll(both());
            bounded(targets);
        }
        return targets;
    }

    private List<Target> both() {
        List<Target> targets = single();
        while (accept("&&")) {
            List<Target> others = single();
            List<Target> joined = new ArrayList<>();
            targets.forEach(target -> others.forEach(other -> target.and(other).ifPresent(joined::add)));
            targets = bounded(joined);
        }
        return targets;
    }

    private List<Target> bounded(List<Target> targets) {
        if (targets.size() > MAX_TARGETS) {
            throw new Malformed("rule %s (expected: at most %d combinations of host and path)".formatted(rule, MAX_TARGETS));
        }
        return targets;
    }

    private List<Target> single() {
        if (accept("(")) {
            List<Target> inner = either();
            if (!accept(")")) {
                throw expected(")");
            }
            return inner;
        }
        if (accept("!")) {
            throw new Malformed("rule %s: ! is not supported by this version".formatted(rule));
        }
        String matcher = word();
        List<String> arguments = arguments();
        return arguments.stream().map(argument -> target(matcher, argument)).toList();
    }

    private Target target(String matcher, String argument) {
        return switch (matcher.toLowerCase(Locale.ROOT)) {
            case "host" -> host(argument);
            case "path" -> path(PathPattern.Kind.EXACT, argument);
            case "pathprefix" -> path(PathPattern.Kind.STRING, argument);
            default -> throw new Malformed("rule %s: matcher %s is not supported by this version (expected: Host, Path, PathPrefix)".formatted(rule, matcher));
        };
    }

    private static Target host(String argument) {
        HostPattern host = HostPattern.parse(argument);
        if (host.kind() == HostPattern.Kind.ANY || host.port() != 0) {
            throw new Malformed("Host(`%s`) (expected: a host name without port)".formatted(argument));
        }
        return new Target(Optional.of(host), Optional.empty());
    }

    private static Target path(PathPattern.Kind kind, String argument) {
        if (argument.indexOf('{') >= 0) {
            throw new Malformed("path `%s`: patterns in braces are not supported (expected: a plain path)".formatted(argument));
        }
        return new Target(Optional.empty(), Optional.of(PathPattern.of(kind, argument)));
    }

    /// In backticks or double quotes, with commas between.
    private List<String> arguments() {
        if (!accept("(")) {
            throw expected("(");
        }
        List<String> arguments = new ArrayList<>();
        do {
            blanks();
            char quote = at < rule.length() ? rule.charAt(at) : ' ';
            int end = quote == '`' || quote == '"' ? rule.indexOf(quote, at + 1) : -1;
            if (end < 0) {
                throw expected("an argument in backticks or double quotes");
            }
            arguments.add(rule.substring(at + 1, end));
            at = end + 1;
        } while (accept(","));
        if (!accept(")")) {
            throw expected(")");
        }
        return arguments;
    }

    private String word() {
        blanks();
        int from = at;
        while (at < rule.length() && Character.isLetter(rule.charAt(at))) {
            at++;
        }
        if (from == at) {
            throw expected("a matcher such as Host(`example.com`)");
        }
        return rule.substring(from, at);
    }

    private boolean accept(String token) {
        blanks();
        if (!rule.startsWith(token, at)) {
            return false;
        }
        at += token.length();
        return true;
    }

    private void blanks() {
        while (at < rule.length() && Character.isWhitespace(rule.charAt(at))) {
            at++;
        }
    }

    private Malformed expected(String what) {
        return new Malformed("rule %s, at character %d (expected: %s)".formatted(rule, at + 1, what));
    }
}
