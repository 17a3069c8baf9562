package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.route.Expression.Malformed;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// One way to satisfy a router's rule: a host, a path and further criteria that all hold; what is absent is not asked for.
/// A rule is the sum of such targets, each of which becomes a route, so that hosts and paths are still looked up and not
/// tried one by one.
///
/// Matchers are those of Traefik v3, and those of v2 where their names or arguments differ: `HostHeader`, `Headers`,
/// `HeadersRegexp`, several arguments, `Query` with `name=value`, and paths and hosts with `{name:expression}`.
record TraefikTarget(Optional<HostPattern> host, Optional<PathPattern> path, List<Criterion> criteria) {
    /// A rule that multiplies out to more than this is no rule that a person wrote.
    private static final int MOST = 64;

    private static final String MATCHERS =
            "Host, HostRegexp, Path, PathPrefix, PathRegexp, Method, Header, HeaderRegexp, Query, QueryRegexp, ClientIP";
    private static final Pattern TEMPLATE = Pattern.compile("\\{([A-Za-z_][A-Za-z0-9_]*)(?::((?:[^{}]|\\{[^{}]*\\})*))?\\}");
    /// A literal beginning, up to the first character that may mean something in an expression.
    private static final Pattern LITERAL = Pattern.compile("\\^(/(?:[A-Za-z0-9/_~-]|\\\\\\.)*)");

    TraefikTarget {
        criteria = List.copyOf(criteria);
    }

    private static TraefikTarget of(Criterion criterion) {
        return new TraefikTarget(Optional.empty(), Optional.empty(), List.of(criterion));
    }

    static List<TraefikTarget> of(String rule) {
        List<TraefikTarget> targets = new Reader(rule).targets(TraefikRule.parse(rule), true);
        if (targets.isEmpty()) {
            throw new Malformed("rule %s admits no request (expected: hosts and paths that go together)".formatted(rule));
        }
        return targets;
    }

    /// Empty when no request can be both.
    private Optional<TraefikTarget> and(TraefikTarget other) {
        List<Criterion> all = new ArrayList<>(criteria);
        all.addAll(other.criteria);
        Optional<HostPattern> bothHosts = host.or(() -> other.host);
        if (host.isPresent() && other.host.isPresent() && !host.equals(other.host)) {
            boolean mine = host.get().kind() == HostPattern.Kind.EXACT;
            HostPattern kept = mine ? host.get() : other.host.get();
            HostPattern asked = mine ? other.host.get() : host.get();
            if (kept.kind() != HostPattern.Kind.EXACT) {
                all.add(new Criterion.HostIs(asked));
            } else if (!asked.serves(kept.name())) {
                return Optional.empty();
            }
            bothHosts = Optional.of(kept);
        }
        Optional<PathPattern> bothPaths = path.or(() -> other.path);
        if (path.isPresent() && other.path.isPresent()) {
            bothPaths = narrower(path.get(), other.path.get());
            if (bothPaths.isEmpty()) {
                return Optional.empty();
            }
        }
        return Optional.of(new TraefikTarget(bothHosts, bothPaths, all));
    }

    /// What one matcher asks for. A path beside a criterion is only where its expression begins.
    private Stream<Criterion> asked() {
        return criteria.isEmpty()
                ? Stream.concat(host.<Criterion>map(Criterion.HostIs::new).stream(), path.<Criterion>map(Criterion.PathIs::new).stream())
                : criteria.stream();
    }

    /// Of exact paths and plain prefixes.
    private static Optional<PathPattern> narrower(PathPattern a, PathPattern b) {
        boolean first = a.path().length() > b.path().length() || (a.path().length() == b.path().length() && a.kind() == PathPattern.Kind.EXACT);
        PathPattern longer = first ? a : b;
        PathPattern shorter = first ? b : a;
        boolean both = shorter.kind() == PathPattern.Kind.EXACT ? shorter.equals(longer) : longer.path().startsWith(shorter.path());
        return both ? Optional.of(longer) : Optional.empty();
    }

    private record Reader(String rule) {
        /// @param holds whether the rule must hold, or must not
        List<TraefikTarget> targets(TraefikRule part, boolean holds) {
            return switch (part) {
                case TraefikRule.Not(TraefikRule inner) -> targets(inner, !holds);
                case TraefikRule.All(TraefikRule left, TraefikRule right) -> holds ? all(targets(left, true), targets(right, true)) : any(targets(left, false), targets(right, false));
                case TraefikRule.Any(TraefikRule left, TraefikRule right) -> holds ? any(targets(left, true), targets(right, true)) : all(targets(left, false), targets(right, false));
                case TraefikRule.Matcher matcher -> holds ? matching(matcher) : notMatching(matcher);
            };
        }

        private List<TraefikTarget> any(List<TraefikTarget> left, List<TraefikTarget> right) {
            List<TraefikTarget> sum = new ArrayList<>(left);
            sum.addAll(right);
            return bounded(sum);
        }

        private List<TraefikTarget> all(List<TraefikTarget> left, List<TraefikTarget> right) {
            List<TraefikTarget> product = new ArrayList<>();
            left.forEach(one -> right.forEach(other -> one.and(other).ifPresent(product::add)));
            return bounded(product);
        }

        private List<TraefikTarget> bounded(List<TraefikTarget> targets) {
            if (targets.size() > MOST) {
                throw new Malformed("rule %s (expected: at most %d combinations of what it asks for)".formatted(rule, MOST));
            }
            return targets;
        }

        /// Of every alternative, something is lacking.
        private List<TraefikTarget> notMatching(TraefikRule.Matcher matcher) {
            List<TraefikTarget> lacking = List.of(new TraefikTarget(Optional.empty(), Optional.empty(), List.of()));
            for (TraefikTarget alternative : matching(matcher)) {
                lacking = all(lacking, alternative.asked().map(criterion -> of(new Criterion.Not(criterion))).toList());
            }
            return lacking;
        }

        private List<TraefikTarget> matching(TraefikRule.Matcher matcher) {
            List<String> arguments = matcher.arguments();
            return switch (matcher.name()) {
                case "host", "hostheader" -> arguments.stream().map(Reader::host).toList();
                case "hostregexp" -> arguments.stream().map(Reader::hostMatch).toList();
                case "path" -> arguments.stream().map(path -> path(PathPattern.Kind.EXACT, path)).toList();
                case "pathprefix" -> arguments.stream().map(path -> path(PathPattern.Kind.STRING, path)).toList();
                case "pathregexp" -> arguments.stream().map(Reader::pathMatch).toList();
                case "method" -> List.of(of(methods(arguments)));
                case "header", "headers" -> List.of(of(new Criterion.Field(name(matcher), new ValueTest.OneOf(Set.of(value(matcher))))));
                case "headerregexp", "headersregexp" -> List.of(of(new Criterion.Field(name(matcher), new ValueTest.Matching(Regex.of(value(matcher))))));
                case "query" -> List.of(query(matcher));
                case "queryregexp" -> List.of(of(arguments.size() == 1
                        ? new Criterion.Query(arguments.getFirst(), new ValueTest.OneOf(Set.of("")))
                        : new Criterion.Query(arguments.getFirst(), new ValueTest.Matching(Regex.of(value(matcher))))));
                case "clientip" -> List.of(of(clients(arguments)));
                default -> throw new Malformed("rule %s: matcher %s is not supported by this version (expected: %s)".formatted(rule, matcher.name(), MATCHERS));
            };
        }

        private static TraefikTarget host(String argument) {
            HostPattern host = HostPattern.parse(argument);
            boolean literal = host.kind() == HostPattern.Kind.EXACT || host.kind() == HostPattern.Kind.WILDCARD;
            if (!literal || host.port() != 0) {
                throw new Malformed("Host(`%s`) (expected: a host name without port)".formatted(argument));
            }
            return new TraefikTarget(Optional.of(host), Optional.empty(), List.of());
        }

        private static TraefikTarget hostMatch(String argument) {
            String expression = TEMPLATE.matcher(argument).find() ? "^" + expanded(argument, "[^.]+") + "$" : argument;
            return new TraefikTarget(Optional.of(HostPattern.matching(expression, 0)), Optional.empty(), List.of());
        }

        private static TraefikTarget path(PathPattern.Kind kind, String argument) {
            if (!argument.startsWith("/")) {
                throw new Malformed("path `%s` (expected: a path that begins with /)".formatted(argument));
            }
            if (TEMPLATE.matcher(argument).find()) {
                return pathMatch("^" + expanded(argument, "[^/]+") + (kind == PathPattern.Kind.EXACT ? "$" : ""));
            }
            return new TraefikTarget(Optional.empty(), Optional.of(PathPattern.of(kind, argument)), List.of());
        }

        private static TraefikTarget pathMatch(String expression) {
            Criterion criterion = new Criterion.PathMatch(Regex.of(expression));
            return new TraefikTarget(Optional.empty(), beginning(expression), List.of(criterion));
        }

        /// What every path that matches begins with, if that can be told.
        private static Optional<PathPattern> beginning(String expression) {
            Matcher literal = LITERAL.matcher(expression);
            if (!literal.lookingAt() || hasAlternatives(expression)) {
                return Optional.empty();
            }
            boolean quantified = literal.end() < expression.length() && "*?+{".indexOf(expression.charAt(literal.end())) >= 0;
            String path = literal.group(1).replace("\\", "");
            String certain = quantified ? path.substring(0, path.length() - 1) : path;
            // A segment of dots would not survive normalisation.
            return certain.isEmpty() || certain.contains("/.") ? Optional.empty() : Optional.of(PathPattern.of(PathPattern.Kind.STRING, certain));
        }

        /// Outside of any parentheses.
        private static boolean hasAlternatives(String expression) {
            int depth = 0;
            for (int i = 0; i < expression.length(); i++) {
                char c = expression.charAt(i);
                if (c == '\\') {
                    i++;
                } else if (c == '|' && depth == 0) {
                    return true;
                } else {
                    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
                }
            }
            return false;
        }

        /// `{name:expression}` and `{name}` of v2, the rest taken literally.
        private static String expanded(String template, String one) {
            StringBuilder expression = new StringBuilder();
            Matcher found = TEMPLATE.matcher(template);
            int at = 0;
            while (found.find()) {
                expression.append(literal(template.substring(at, found.start())));
                expression.append("(?:").append(found.group(2) == null ? one : found.group(2)).append(')');
                at = found.end();
            }
            return expression.append(literal(template.substring(at))).toString();
        }

        private static String literal(String text) {
            return text.replaceAll("([\\\\.+*?()|\\[\\]{}^$])", "\\\\$1");
        }

        private static Criterion methods(List<String> arguments) {
            Set<String> methods = new HashSet<>();
            arguments.forEach(method -> methods.add(method.toUpperCase(Locale.ROOT)));
            return new Criterion.Method(methods);
        }

        private static Criterion clients(List<String> arguments) {
            List<Cidr> blocks = new ArrayList<>();
            OptionReader.addresses("ClientIP", String.join(",", arguments), arguments.toArray(String[]::new), blocks);
            return new Criterion.ClientAddress(blocks);
        }

        /// v2 has `name=value`, several of which must all hold.
        private TraefikTarget query(TraefikRule.Matcher matcher) {
            List<String> arguments = matcher.arguments();
            if (arguments.stream().noneMatch(argument -> argument.indexOf('=') > 0)) {
                String wanted = arguments.size() == 1 ? "" : value(matcher);
                return of(new Criterion.Query(arguments.getFirst(), new ValueTest.OneOf(Set.of(wanted))));
            }
            List<Criterion> all = new ArrayList<>();
            for (String argument : arguments) {
                int equals = argument.indexOf('=');
                String name = equals < 0 ? argument : argument.substring(0, equals);
                all.add(new Criterion.Query(name, new ValueTest.OneOf(Set.of(equals < 0 ? "" : argument.substring(equals + 1)))));
            }
            return new TraefikTarget(Optional.empty(), Optional.empty(), all);
        }

        private static String name(TraefikRule.Matcher matcher) {
            return matcher.arguments().getFirst().toLowerCase(Locale.ROOT);
        }

        private String value(TraefikRule.Matcher matcher) {
            if (matcher.arguments().size() != 2) {
                throw new Malformed("rule %s: %s has %d arguments (expected: a name and a value)".formatted(rule, matcher.name(), matcher.arguments().size()));
            }
            return matcher.arguments().getLast();
        }
    }
}
