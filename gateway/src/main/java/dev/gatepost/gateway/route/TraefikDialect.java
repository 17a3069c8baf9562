package dev.gatepost.gateway.route;

import dev.gatepost.gateway.route.Expression.Malformed;
import dev.gatepost.gateway.route.TraefikLabels.Label;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

import static dev.gatepost.gateway.route.TraefikLabels.flag;
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
        try {
            if (!labels.enable().map(TraefikLabels::flag).orElse(true)) {
                return;
            }
        } catch (Malformed e) {
            labels.enable().ifPresent(label -> refuse(label, String.valueOf(e.getMessage())));
            return;
        }
        labels.unknown().forEach(this::unknown);
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
        boolean absent = (key.equals("traefik.consulcatalog.connect") || key.equals("traefik.consulcatalog.canary")) && label.value().equalsIgnoreCase("false");
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
                new RouterReader(name, router, rule.value(), DefaultHost.label(service)).read(target).forEach(expression -> all.add(new Declared(rule.tag(), expression)));
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
        private final String ownService;
        private final OptionReader options = new OptionReader();
        private Condition.Scheme entryPoints = Condition.Scheme.ANY;
        private boolean tls;
        private int port;
        private Optional<String> healthCheck = Optional.empty();
        private String healthCheckEvery = "30s";
        private boolean stickyNamed;

        /// @param ownService the name of the service that Traefik makes for an instance that declares none
        RouterReader(String name, SortedMap<String, Label> router, String rule, String ownService) {
            this.name = name;
            this.router = router;
            this.rule = rule;
            this.ownService = ownService;
        }

        List<Expression> read(TraefikTarget target) {
            HostPattern host = target.host().orElse(HostPattern.ANY);
            PathPattern path = target.path().orElse(PathPattern.ROOT);
            options.criteria(target.criteria());
            router.forEach(this::routerLabel);
            Condition.Scheme scheme = scheme();
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
                case "entrypoints" -> entryPoints = entryPoints(label.value());
                case "rulesyntax" -> require(label.value().equals("v3") || label.value().equals("v2"), label, "v2 or v3");
                case "tls" -> tls |= flag(label);
                case "observability.accesslogs", "observability.metrics", "observability.tracing" ->
                    require(flag(label), label, "true, since this version makes no exceptions");
                default -> {
                    // Certificates are the gateway's own matter.
                    require(key.equals("tls.certresolver") || key.startsWith("tls.domains"), label, "a router option that this version supports");
                    tls = true;
                }
            }
        }

        /// A router with TLS takes no other request, whatever its entry points.
        private Condition.Scheme scheme() {
            if (tls && entryPoints == Condition.Scheme.HTTP) {
                throw new Malformed("tls on entry points without TLS (expected: websecure or https among the entry points, in this version)");
            }
            return tls ? Condition.Scheme.HTTPS : entryPoints;
        }

        /// Traefik's default is the length of the rule: what counts is how far it was moved from there.
        private void priority(String value) {
            if (!value.matches("-?\\d{1,9}")) {
                throw new Malformed("priority=%s (expected: a whole number of at most 9 digits)".formatted(value));
            }
            int given = Integer.parseInt(value);
            options.priority(String.valueOf(given == 0 ? 0 : given - rule.length()));
        }

        private Condition.Scheme entryPoints(String value) {
            Set<Condition.Scheme> schemes = new HashSet<>();
            for (String written : list(value)) {
                String entryPoint = written.toLowerCase(Locale.ROOT);
                if (PLAIN_ENTRY_POINTS.contains(entryPoint)) {
                    schemes.add(Condition.Scheme.HTTP);
                } else if (TLS_ENTRY_POINTS.contains(entryPoint)) {
                    schemes.add(Condition.Scheme.HTTPS);
                } else {
                    throw new Malformed("entrypoints=%s: %s (expected: web, http, websecure or https, the entry points that this version knows)".formatted(value, written));
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
            if (own.isEmpty() && !linked.isEmpty() && !(services.isEmpty() && linked.equals(ownService))) {
                throw new Malformed("service %s (expected: a service that this instance declares, in this version)".formatted(linked));
            }
            own.forEach((key, label) -> serviceLabel(linked, key, label));
            if (healthCheck.isPresent()) {
                options.healthCheck(healthCheck.get() + "|" + healthCheckEvery);
            } else if (own.containsKey("loadbalancer.healthcheck.interval")) {
                require(false, own.getOrDefault("loadbalancer.healthcheck.interval", new Label("", "")), "healthcheck.path beside it");
            }
        }

        private void serviceLabel(String service, String key, Label label) {
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
                case "loadbalancer.strategy" -> options.balance(strategy(label));
                case "loadbalancer.passhostheader" -> {
                    if (!flag(label)) {
                        options.host("dst");
                    }
                }
                case "loadbalancer.healthcheck.path" -> {
                    require(label.value().matches("/[!-~&&[^|]]*"), label, "a path such as /health");
                    healthCheck = Optional.of(label.value());
                }
                case "loadbalancer.healthcheck.interval" -> {
                    require(label.value().matches("\\d{1,9}(ms|s|m|h)?"), label, "a duration such as 5s, or a number of seconds");
                    healthCheckEvery = Character.isDigit(label.value().charAt(label.value().length() - 1)) ? label.value() + "s" : label.value();
                }
                default -> {
                    require(key.startsWith("loadbalancer.sticky"), label, "a service option that this version supports");
                    sticky(service, key.substring("loadbalancer.sticky".length()), label);
                }
            }
        }

        private static String strategy(Label label) {
            return switch (label.value()) {
                case "wrr" -> "round-robin";
                case "p2c" -> "least-request";
                case "hrw" -> "address";
                default -> throw new Malformed("%s (expected: wrr, p2c or hrw, the strategies that this version supports)".formatted(label.tag()));
            };
        }

        /// The gate's cookie is `Path=/; HttpOnly; SameSite=Lax`, and `Secure` over TLS.
        private void sticky(String service, String key, Label label) {
            boolean switches = key.isEmpty() || key.equals(".cookie");
            // Any attribute asks for the cookie.
            if (!stickyNamed && (!switches || flag(label))) {
                options.sticky("_" + service);
            }
            switch (key) {
                case "", ".cookie" -> {}
                case ".cookie.name" -> {
                    options.sticky(label.value());
                    stickyNamed = true;
                }
                case ".cookie.httponly", ".cookie.secure" -> require(flag(label), label, "true, as this version has it");
                case ".cookie.samesite" -> require(label.value().equalsIgnoreCase("lax"), label, "lax, as this version has it");
                case ".cookie.path" -> require(label.value().equals("/"), label, "/, as this version has it");
                default -> require(false, label, "a cookie option that this version supports");
            }
        }
    }
}
