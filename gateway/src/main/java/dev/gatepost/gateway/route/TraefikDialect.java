package dev.gatepost.gateway.route;

import dev.gatepost.gateway.route.Expression.Malformed;
import dev.gatepost.gateway.route.TraefikLabels.Label;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

import static dev.gatepost.gateway.route.TraefikLabels.list;
import static dev.gatepost.gateway.route.TraefikLabels.local;
import static dev.gatepost.gateway.route.TraefikLabels.require;

/// Traefik's tags: `traefik.http.routers|services|middlewares.NAME.*`, read instance by instance; middlewares may be
/// declared by any service. A router that asks for something this version lacks is rejected, by that thing's name, and no
/// other router is affected.
///
/// Differences on purpose: a service gets the default rule only if it says `traefik.enable=true`; routers without a
/// priority go by specificity, not by the length of their rule, and a given priority counts as its distance from that
/// length; entry points are known by their usual names, `web` and `http`, `websecure` and `https`.
final class TraefikDialect {
    private static final Set<String> PLAIN_ENTRY_POINTS = Set.of("web", "http");
    private static final Set<String> TLS_ENTRY_POINTS = Set.of("websecure", "https");

    private final TraefikLabels labels;
    private final Map<String, SortedMap<String, Label>> shared;
    /// What was looked for among the middlewares of others.
    private final Map<String, Optional<SortedMap<String, Label>>> borrowed = new HashMap<>();
    private final List<Declared> declared = new ArrayList<>();
    private final List<Refused> refused = new ArrayList<>();

    private TraefikDialect(TraefikLabels labels, Map<String, SortedMap<String, Label>> shared) {
        this.labels = labels;
        this.shared = shared;
    }

    record Declared(String text, Expression expression) {}

    record Refused(String text, String reason) {}

    /// @param borrowed middlewares of others that it depends on, and what they were; empty for one that nobody declares
    record Reading(List<Declared> declared, List<Refused> refused, Map<String, Optional<SortedMap<String, Label>>> borrowed) {}

    /// @param shared middlewares that any service declares, by name
    static Reading read(String service, List<String> tags, Map<String, SortedMap<String, Label>> shared) {
        TraefikDialect dialect = new TraefikDialect(TraefikLabels.of(tags), shared);
        dialect.routes(service);
        return new Reading(List.copyOf(dialect.declared), List.copyOf(dialect.refused), Map.copyOf(dialect.borrowed));
    }

    private void refuse(Label label, String reason) {
        refused.add(new Refused(label.tag(), reason));
    }

    private void routes(String service) {
        String enabled = labels.enable().map(Label::value).orElse("");
        if (enabled.equals("false")) {
            return;
        }
        labels.unknown().forEach(this::unknown);
        if (!enabled.isEmpty() && !enabled.equals("true")) {
            labels.enable().ifPresent(label -> refuse(label, "traefik.enable=%s (expected: true or false)".formatted(enabled)));
            return;
        }
        labels.routers().forEach((name, router) -> route(name, router, service));
        // As in Traefik, labels for TCP or UDP alone don't make an HTTP router.
        if (labels.routers().isEmpty() && refused.isEmpty()) {
            labels.enable().ifPresent(label -> {
                Label rule = new Label(label.tag(), defaultRule(service));
                route(DefaultHost.label(service), new TreeMap<>(Map.of("rule", rule)), service);
            });
        }
    }

    private void unknown(String key, Label label) {
        boolean absent = (key.equals("traefik.consulcatalog.connect") || key.equals("traefik.consulcatalog.canary")) && label.value().equals("false");
        if (!absent) {
            refuse(label, key + " is not supported by this version (expected: traefik.enable, traefik.http.routers, services or middlewares)");
        }
    }

    private static String defaultRule(String service) {
        return "Host(`" + DefaultHost.label(service) + "`)";
    }

    private void route(String name, SortedMap<String, Label> router, String service) {
        Label rule = router.getOrDefault("rule", new Label(router.firstEntry().getValue().tag(), defaultRule(service)));
        try {
            List<Declared> all = new ArrayList<>();
            for (TraefikTarget target : TraefikTarget.of(rule.value())) {
                new RouterReader(name, router, rule.value()).read(target).forEach(expression -> all.add(new Declared(rule.tag(), expression)));
            }
            declared.addAll(all);
        } catch (Malformed e) {
            refuse(rule, "router %s: %s".formatted(name, e.getMessage()));
        }
    }

    private Optional<SortedMap<String, Label>> middleware(String name) {
        SortedMap<String, Label> own = labels.middlewares().get(name);
        return own != null ? Optional.of(own) : borrowed.computeIfAbsent(name, _ -> Optional.ofNullable(shared.get(name)));
    }

    /// Reads one router for one of the targets of its rule.
    private final class RouterReader {
        private final String name;
        private final SortedMap<String, Label> router;
        private final String rule;
        private final OptionReader options = new OptionReader();
        private Condition.Scheme scheme = Condition.Scheme.ANY;
        private int port;

        RouterReader(String name, SortedMap<String, Label> router, String rule) {
            this.name = name;
            this.router = router;
            this.rule = rule;
        }

        List<Expression> read(TraefikTarget target) {
            HostPattern host = target.host().orElse(HostPattern.ANY);
            PathPattern path = target.path().orElse(PathPattern.ROOT);
            options.criteria(target.criteria());
            router.forEach(this::routerLabel);
            service();
            TraefikMiddlewares middlewares = new TraefikMiddlewares(options, TraefikDialect.this::middleware);
            middlewares.read(router.getOrDefault("middlewares", new Label("", "")).value());
            if (middlewares.schemeRedirect().isEmpty()) {
                return List.of(options.expression(host, path, Condition.of(scheme)).withPort(port));
            }
            TraefikMiddlewares.SchemeRedirect redirect = middlewares.schemeRedirect().get();
            Condition.Scheme from = redirect.toTls() ? Condition.Scheme.HTTP : Condition.Scheme.HTTPS;
            Condition.Scheme onward = redirect.toTls() ? Condition.Scheme.HTTPS : Condition.Scheme.HTTP;
            List<Expression> expressions = new ArrayList<>();
            if (scheme != from) {
                expressions.add(options.expression(host, path, Condition.of(onward)).withPort(port));
            }
            if (scheme != onward) {
                // What changes the path comes after the redirect, which is the end.
                options.redirect(redirect.location(), redirect.permanent() ? "301" : "302", redirect.location());
                expressions.add(options.withoutPath().expression(host, path, Condition.of(from)));
            }
            return expressions;
        }

        private void routerLabel(String key, Label label) {
            switch (key) {
                case "rule", "service", "middlewares" -> {}
                case "priority" -> priority(label.value());
                case "entrypoints" -> scheme = entryPoints(label.value());
                case "rulesyntax" -> require(label.value().equals("v3") || label.value().equals("v2"), label, "v2 or v3");
                case "tls" -> {
                    if (!label.value().equals("false") && !router.containsKey("entrypoints")) {
                        scheme = Condition.Scheme.HTTPS;
                    }
                }
                default -> {
                    // Certificates are the gateway's own matter.
                    boolean certificates = key.equals("tls.certresolver") || key.startsWith("tls.domains");
                    if (certificates && !router.containsKey("entrypoints")) {
                        scheme = Condition.Scheme.HTTPS;
                    }
                    require(certificates || key.startsWith("observability."), label, "a router option that this version supports");
                }
            }
        }

        /// Traefik's default is the length of the rule: what counts is how far it was moved from there.
        private void priority(String value) {
            options.priority(value);
            int given = Integer.parseInt(value);
            options.priority(String.valueOf(given == 0 ? 0 : given - rule.length()));
        }

        private Condition.Scheme entryPoints(String value) {
            Set<Condition.Scheme> schemes = new HashSet<>();
            for (String entryPoint : list(value)) {
                if (PLAIN_ENTRY_POINTS.contains(entryPoint)) {
                    schemes.add(Condition.Scheme.HTTP);
                } else if (TLS_ENTRY_POINTS.contains(entryPoint)) {
                    schemes.add(Condition.Scheme.HTTPS);
                } else {
                    throw new Malformed("entrypoints=%s: %s (expected: web, http, websecure or https, the entry points that this version knows)".formatted(value, entryPoint));
                }
            }
            return schemes.size() == 1 ? schemes.iterator().next() : Condition.Scheme.ANY;
        }

        private void service() {
            SortedMap<String, SortedMap<String, Label>> services = labels.services();
            Label link = router.get("service");
            if (link == null && services.size() > 1) {
                throw new Malformed("no service is named and %d are declared (expected: %s.service=NAME)".formatted(services.size(), name));
            }
            String linked = link == null ? services.isEmpty() ? "" : services.firstKey() : local(link.value());
            SortedMap<String, Label> own = services.getOrDefault(linked, new TreeMap<>());
            if (own.isEmpty() && !linked.isEmpty()) {
                throw new Malformed("service %s (expected: a service that this instance declares, in this version)".formatted(linked));
            }
            own.forEach(this::serviceLabel);
        }

        private void serviceLabel(String key, Label label) {
            switch (key) {
                case "loadbalancer.server.port" -> {
                    require(label.value().matches("[1-9]\\d{0,4}") && Integer.parseInt(label.value()) <= 65535, label, "1 to 65535");
                    port = Integer.parseInt(label.value());
                }
                case "loadbalancer.server.scheme" -> {
                    require(List.of("http", "https", "h2c").contains(label.value()), label, "http, https or h2c");
                    options.scheme(label.value());
                }
                case "loadbalancer.server.weight" -> options.relativeWeight(label.value());
                case "loadbalancer.strategy" -> require(label.value().equals("wrr"), label, "wrr, the one strategy that this version supports");
                case "loadbalancer.passhostheader" -> {
                    require(label.value().equals("true") || label.value().equals("false"), label, "true or false");
                    if (label.value().equals("false")) {
                        options.host("dst");
                    }
                }
                default -> require(false, label, "a service option that this version supports");
            }
        }
    }
}
