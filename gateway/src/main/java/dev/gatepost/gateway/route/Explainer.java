package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.route.Explanation.Considered;
import dev.gatepost.gateway.route.Explanation.Target;
import dev.gatepost.gateway.route.Explanation.Withheld;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Explains one request from the index that serves it.
final class Explainer {
    /// How many routes that don't fit are named: those that come nearest.
    private static final int NEAR_MISSES = 10;

    private static final Pattern SCHEME = Pattern.compile("^https?://");

    private final RouteIndex index;
    private final List<Rejected> rejected;
    private final Question question;

    Explainer(RouteIndex index, List<Rejected> rejected, Question question) {
        this.index = index;
        this.rejected = rejected;
        this.question = question;
    }

    Explanation explain() {
        byte[] host = question.hostBytes();
        byte[] path = question.pathBytes();
        Route winner = index.match(host, 0, host.length, question.port(), path, 0, path.length, question);
        List<Considered> considered = new ArrayList<>();
        Set<Route> fitting = new LinkedHashSet<>();
        index.candidates(host, question.port(), path, question, fitting::add);
        if (winner != null) {
            fitting.stream()
                    .filter(route -> !route.id().equals(winner.id()))
                    .sorted(RouteTable.LOOK_UP_ORDER)
                    .forEach(route -> considered.add(new Considered(route.id(), whyAfter(winner, route))));
        }
        nearMisses(fitting).forEach(considered::add);
        List<Rejected> naming = rejected.stream().filter(this::names).toList();
        naming.forEach(each -> considered.add(new Considered(each.text(), rejected(each))));
        if (winner == null) {
            otherHosts().forEach(considered::add);
            return naming.isEmpty()
                    ? unrouted(Explanation.NO_ROUTE, "no route serves this host and path: 404", considered)
                    : unrouted(Explanation.REJECTED, "404: what would serve this host and path was rejected: " + naming.getFirst().reason(), considered);
        }
        return routed(winner, considered);
    }

    private static String rejected(Rejected declaration) {
        return declaration.instance().isEmpty()
                ? "rejected: " + declaration.reason()
                : "rejected, service %s, instance %s: %s".formatted(declaration.service(), declaration.instance(), declaration.reason());
    }

    private static Explanation unrouted(String outcome, String why, List<Considered> considered) {
        return new Explanation(outcome, why, "", "", List.of(), List.of(), considered);
    }

    private Explanation routed(Route route, List<Considered> considered) {
        List<Target> endpoints = route.upstream().endpoints().stream()
                .map(e -> new Target(e.service(), e.instance(), e.datacenter(), address(e.host(), e.port()), e.weight()))
                .toList();
        String outcome = route.match() instanceof Match.Found ? Explanation.FOUND : Explanation.EMPTY;
        return new Explanation(outcome, why(route), route.id(), route.upstream().name(), endpoints, withheld(route), considered);
    }

    private static String address(String host, int port) {
        return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }

    private String why(Route route) {
        Upstream upstream = route.upstream();
        RouteOptions options = route.options();
        if (refusesClient(options)) {
            return "client address %s is answered 403 (expected: one that allow= and deny= admit)".formatted(question.client().map(InetAddress::getHostAddress).orElse(""));
        }
        if (!route.condition().takesMethod(question)) {
            return "method %s is answered 405 (expected: %s)".formatted(question.method(), String.join(", ", allowedMethods(route)));
        }
        if (options.redirect().isPresent()) {
            RouteOptions.Redirect redirect = options.redirect().get();
            return "answered %d to %s".formatted(redirect.status(), redirect.location());
        }
        for (RouteOptions.MatchRedirect redirect : options.redirects()) {
            Optional<String> location = redirect.locate(question.url());
            if (location.isPresent()) {
                return "answered %d to %s".formatted(redirect.status(question.method()), location.get());
            }
        }
        return upstream.endpoints().isEmpty()
                ? "503: the route is known, but none of its %d instances gets traffic".formatted(upstream.known())
                : "%d of %d instances get traffic%s%s".formatted(upstream.endpoints().size(), upstream.known(), elsewhere(upstream), spread(options));
    }

    private static String elsewhere(Upstream upstream) {
        return upstream.elsewhere().isEmpty() ? "" : ", those of datacenter %s since none nearer is healthy".formatted(upstream.elsewhere());
    }

    private static String spread(RouteOptions options) {
        String words = options.forwarding().words();
        return words.isEmpty() ? "" : ", " + words;
    }

    private boolean refusesClient(RouteOptions options) {
        return question.client()
                .map(address -> options.deny().stream().anyMatch(block -> block.contains(address))
                        || (!options.allow().isEmpty() && options.allow().stream().noneMatch(block -> block.contains(address))))
                .orElse(false);
    }

    private Set<String> allowedMethods(Route route) {
        Set<String> methods = new TreeSet<>();
        index.forEachBeside(route.key(), beside -> methods.addAll(beside.key().condition().methods()));
        return methods;
    }

    private List<Withheld> withheld(Route route) {
        Entry entry = index.get(route.key());
        if (entry == null) {
            return List.of();
        }
        Set<String> told = route.upstream().endpoints().stream().map(Endpoint::instance).collect(Collectors.toCollection(HashSet::new));
        List<Withheld> withheld = new ArrayList<>();
        int distance = RouteAssembly.servingDistance(entry.ruled());
        for (Claim claim : entry.ruled()) {
            if (told.add(claim.instance().key())) {
                withheld.add(new Withheld(claim.service(), claim.instance().key(), whyWithheld(claim, distance)));
            }
        }
        return withheld;
    }

    /// @param distance of the datacenter that serves
    private static String whyWithheld(Claim claim, int distance) {
        if (claim.serving() && claim.distance() > distance) {
            return "it stands by in datacenter %s".formatted(claim.instance().node().datacenter());
        }
        if (claim.serving() && claim.distance() < distance) {
            return "it is not healthy, and another datacenter has one that is";
        }
        if (claim.serving()) {
            return claim.options().redirect().isPresent() ? "it declares a redirect" : "its weight leaves it no share";
        }
        Health worst = claim.instance().health();
        return claim.instance().checks().stream()
                .filter(check -> check.status() == worst)
                .map(Explainer::described)
                .collect(Collectors.joining(", "));
    }

    private static String described(Check check) {
        String name = check.name().isEmpty() || check.name().equals(check.id()) ? "" : " (" + check.name() + ")";
        return "check %s%s is %s".formatted(check.id(), name, check.status().name().toLowerCase(Locale.ROOT));
    }

    /// What put the other behind the winner: the first difference in look-up order.
    private String whyAfter(Route winner, Route other) {
        if (!other.condition().takesMethod(question) && winner.condition().takesMethod(question)) {
            return "method is %s, not %s".formatted(question.method(), String.join(" or ", new TreeSet<>(other.condition().methods())));
        }
        if (other.priority() != winner.priority()) {
            return "priority %d is below %d of %s".formatted(other.priority(), winner.priority(), winner.id());
        }
        if (!other.host().equals(winner.host())) {
            String own = other.host().equals(HostPattern.ANY) ? "any host" : "host " + other.host();
            return "%s is less specific than %s".formatted(own, winner.host());
        }
        if (other.path().path().length() != winner.path().path().length()) {
            return "shorter path than " + winner.id();
        }
        if (other.path().kind() != winner.path().kind()) {
            return "its path gives way to %s, which is stricter".formatted(winner.path());
        }
        return other.condition().asked().length() == 0 && other.condition().scheme() == Condition.Scheme.ANY
                ? "no condition, and so after " + winner.id()
                : "its condition comes after that of " + winner.id();
    }

    /// Routes of the fitting hosts that don't serve the request, the ones with the most of its path first.
    private List<Considered> nearMisses(Set<Route> fitting) {
        List<Route> misses = new ArrayList<>();
        index.forEachHost(question.hostBytes(), routes -> routes.forEach(entry -> {
            if (!fitting.contains(entry.route())) {
                misses.add(entry.route());
            }
        }));
        return misses.stream()
                .sorted(Comparator.comparingInt((Route r) -> -common(r.path().path(), question.path())).thenComparing(RouteTable.LOOK_UP_ORDER))
                .limit(NEAR_MISSES)
                .map(route -> new Considered(route.id(), whyNot(route)))
                .toList();
    }

    private String whyNot(Route route) {
        if (route.host().port() != 0 && route.host().port() != question.port()) {
            return "port differs: %d is not %d".formatted(question.port(), route.host().port());
        }
        if (!question.fits(route.path())) {
            return switch (route.path().kind()) {
                case EXACT -> "path differs: %s is not %s".formatted(question.path(), route.path().path());
                case GLOB -> "path differs: %s does not match %s".formatted(question.path(), route.path());
                case SEGMENTS -> "path differs: %s is not at or below %s".formatted(question.path(), route.path());
                case STRING -> "path differs: %s does not begin with %s".formatted(question.path(), route.path().path());
            };
        }
        if (!question.fits(route.host())) {
            return "host differs: %s is not %s".formatted(question.host(), route.host());
        }
        if (route.condition().admits(question)) {
            return "redirects to the very URL that is asked for";
        }
        return route.condition().criteria().stream()
                .filter(criterion -> !criterion.admits(question))
                .findFirst()
                .map(criterion -> criterion.difference(question))
                .orElse(route.condition().scheme() == Condition.Scheme.HTTPS ? "only over TLS" : "only without TLS");
    }

    /// Routes that would serve the path under another host, the ones with the most of the host's end first.
    private List<Considered> otherHosts() {
        List<Route> others = new ArrayList<>();
        index.forEach(entry -> {
            HostPattern host = entry.key().host();
            boolean alike = host.name().indexOf('.') < 0 || common(reversed(host.name()), reversed(question.host())) > 0;
            if (!question.fits(host) && question.fits(entry.key().path()) && alike && !sameName(host)) {
                others.add(entry.route());
            }
        });
        return others.stream()
                .sorted(Comparator.comparingInt((Route r) -> -common(reversed(r.host().name()), reversed(question.host())))
                        .thenComparing(RouteTable.LOOK_UP_ORDER))
                .limit(NEAR_MISSES)
                .map(route -> new Considered(route.id(), "host differs: %s is not %s".formatted(question.host(), route.host())))
                .toList();
    }

    /// Then it is a near miss by its port.
    private boolean sameName(HostPattern host) {
        return host.serves(question.host());
    }

    private static String reversed(String text) {
        return new StringBuilder(text).reverse().toString();
    }

    private static int common(String a, String b) {
        int length = Math.min(a.length(), b.length());
        int i = 0;
        while (i < length && a.charAt(i) == b.charAt(i)) {
            i++;
        }
        return i;
    }

    /// Whether a rejected declaration names the host and path of the request, as far as it can be read.
    private boolean names(Rejected declaration) {
        String text = declaration.text();
        int quoted = text.indexOf('`');
        if (quoted >= 0) {
            return text.toLowerCase(Locale.ROOT).contains("`" + question.host() + "`");
        }
        String target = SCHEME.matcher(firstWord(expression(declaration))).replaceFirst("");
        int slash = target.indexOf('/');
        @Nullable HostPattern host = null;
        try {
            host = HostPattern.parse(slash < 0 ? target : target.substring(0, slash));
            PathPattern path = slash < 0 ? PathPattern.ROOT : PathPattern.parse(target.substring(slash));
            return !target.isEmpty() && question.fits(host) && question.fits(path);
        } catch (IllegalArgumentException _) {
            // A host that fits, with a path that can't be read, is as near as it gets.
            return host != null && host.kind() != HostPattern.Kind.ANY && question.fits(host);
        }
    }

    /// What follows key, prefix or place.
    private static String expression(Rejected declaration) {
        String text = declaration.text().strip();
        if (declaration.instance().isEmpty()) {
            int place = text.indexOf(": ");
            return text.startsWith("route ") ? FabioCommands.named(text).orElse("") : text.substring(place < 0 ? 0 : place + 2);
        }
        if (declaration.kind().equals("meta") || text.startsWith("gatepost.")) {
            return text.substring(text.indexOf('=') + 1);
        }
        return text.startsWith(FabioDialect.PREFIX) ? text.substring(FabioDialect.PREFIX.length()) : text;
    }

    private static String firstWord(String text) {
        String trimmed = text.strip();
        int blank = trimmed.indexOf(' ');
        return blank < 0 ? trimmed : trimmed.substring(0, blank);
    }
}
