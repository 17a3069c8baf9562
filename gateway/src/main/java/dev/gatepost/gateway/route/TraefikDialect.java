package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.route.Expression.Malformed;
import dev.gatepost.gateway.route.TraefikRule.Target;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// Traefik's tags: `traefik.http.routers|services|middlewares.NAME.*`, read instance by instance. A router that asks for
/// something this version lacks is rejected, by that thing's name, and no other router is affected.
///
/// Differences on purpose: a service gets the default rule only if it says `traefik.enable=true`; routers without a
/// priority go by specificity, not by the length of their rule, and a given priority counts as its distance from that
/// length; entry points are known by their usual names, `web` and `http`, `websecure` and `https`.
final class TraefikDialect {
    private static final String ROOT = "traefik.";
    private static final String HTTP = "traefik.http.";
    private static final Set<String> PLAIN_ENTRY_POINTS = Set.of("web", "http");
    private static final Set<String> TLS_ENTRY_POINTS = Set.of("websecure", "https");

    private Optional<Label> enable = Optional.empty();
    private final SortedMap<String, SortedMap<String, Label>> routers = new TreeMap<>();
    private final SortedMap<String, SortedMap<String, Label>> services = new TreeMap<>();
    private final SortedMap<String, SortedMap<String, Label>> middlewares = new TreeMap<>();
    private final List<Declared> declared = new ArrayList<>();
    private final List<Refused> refused = new ArrayList<>();

    private TraefikDialect() {}

    private record Label(String tag, String value) {}

    record Declared(String text, Expression expression) {}

    record Refused(String text, String reason) {}

    record Reading(List<Declared> declared, List<Refused> refused) {}

    static Reading read(String service, List<String> tags) {
        TraefikDialect dialect = new TraefikDialect();
        tags.forEach(dialect::sort);
        dialect.routes(service);
        return new Reading(List.copyOf(dialect.declared), List.copyOf(dialect.refused));
    }

    /// Keys are case-insensitive, values are not.
    private void sort(String tag) {
        int equals = tag.indexOf('=');
        if (equals < 0 || !tag.toLowerCase(Locale.ROOT).startsWith(ROOT)) {
            return;
        }
        String key = tag.substring(0, equals).strip().toLowerCase(Locale.ROOT);
        Label label = new Label(tag, tag.substring(equals + 1).strip());
        switch (key) {
            case "traefik.enable" -> enable = Optional.of(label);
            case "traefik.consulcatalog.connect", "traefik.consulcatalog.canary" -> {
                if (!label.value().equals("false")) {
                    refuse(label, key + " is not supported by this version");
                }
            }
            default -> sortHttp(key, label);
        }
    }

    private void sortHttp(String key, Label label) {
        String[] parts = key.startsWith(HTTP) ? key.substring(HTTP.length()).split("\\.", 3) : new String[0];
        Optional<SortedMap<String, SortedMap<String, Label>>> section = switch (parts.length < 3 ? "" : parts[0]) {
            case "routers" -> Optional.of(routers);
            case "services" -> Optional.of(services);
            case "middlewares" -> Optional.of(middlewares);
            default -> Optional.empty();
        };
        section.ifPresentOrElse(
                names -> names.computeIfAbsent(parts[1], _ -> new TreeMap<>()).put(parts[2], label),
                () -> refuse(label, key + " is not supported by this version (expected: traefik.http.routers, services or middlewares)"));
    }

    private void refuse(Label label, String reason) {
        refused.add(new Refused(label.tag(), reason));
    }

    private void routes(String service) {
        String enabled = enable.map(Label::value).orElse("");
        if (enabled.equals("false")) {
            refused.clear();
            return;
        }
        if (!enabled.isEmpty() && !enabled.equals("true")) {
            enable.ifPresent(label -> refuse(label, "traefik.enable=%s (expected: true or false)".formatted(enabled)));
            return;
        }
        routers.forEach((name, router) -> route(name, router, service));
        // As in Traefik, labels for TCP or UDP alone don't make an HTTP router.
        if (routers.isEmpty() && refused.isEmpty()) {
            enable.ifPresent(label -> {
                Label rule = new Label(label.tag(), defaultRule(service));
                route(DefaultHost.label(service), new TreeMap<>(Map.of("rule", rule)), service);
            });
        }
    }

    private static String defaultRule(String service) {
        return "Host(`" + DefaultHost.label(service) + "`)";
    }

    private void route(String name, SortedMap<String, Label> router, String service) {
        Label rule = router.getOrDefault("rule", new Label(router.firstEntry().getValue().tag(), defaultRule(service)));
        try {
            List<Declared> all = new ArrayList<>();
            for (Target target : TraefikRule.parse(rule.value())) {
                new RouterReader(name, router, rule.value()).read(target).forEach(expression -> all.add(new Declared(rule.tag(), expression)));
            }
            declared.addAll(all);
        } catch (Malformed e) {
            refuse(rule, "router %s: %s".formatted(name, e.getMessage()));
        }
    }

    /// Reads one router for one of the targets of its rule.
    private final class RouterReader {
        private final String name;
        private final SortedMap<String, Label> router;
        private final String rule;
        private final OptionReader options = new OptionReader();
        private Condition.Scheme scheme = Condition.Scheme.ANY;
        private Optional<Label> redirectScheme = Optional.empty();
        private int redirectPort;
        private boolean permanent;
        private int port;
        private boolean prepended;
        /// Middleware options read so far.
        private final Set<String> seen = new HashSet<>();

        RouterReader(String name, SortedMap<String, Label> router, String rule) {
            this.name = name;
            this.router = router;
            this.rule = rule;
        }

        List<Expression> read(Target target) {
            HostPattern host = target.host().orElse(HostPattern.ANY);
            PathPattern path = target.path().orElse(PathPattern.ROOT);
            router.forEach(this::routerLabel);
            service();
            list(router.getOrDefault("middlewares", new Label("", "")).value()).forEach(middleware -> middleware(local(middleware), path));
            if (redirectScheme.isEmpty()) {
                return List.of(options.expression(host, path, Condition.of(scheme)).withPort(port));
            }
            // A request that has the scheme already goes on to the service.
            boolean toTls = redirectScheme.get().value().equals("https");
            Condition.Scheme from = toTls ? Condition.Scheme.HTTP : Condition.Scheme.HTTPS;
            Condition.Scheme onward = toTls ? Condition.Scheme.HTTPS : Condition.Scheme.HTTP;
            List<Expression> expressions = new ArrayList<>();
            if (scheme != from) {
                expressions.add(options.expression(host, path, Condition.of(onward)).withPort(port));
            }
            if (scheme != onward) {
                String at = redirectPort == 0 ? "" : ":" + redirectPort;
                String url = redirectScheme.get().value() + "://$host" + at + "$path";
                options.redirect(url, permanent ? "301" : "302", url);
                expressions.add(options.expression(host, path, Condition.of(from)));
            }
            return expressions;
        }

        private void routerLabel(String key, Label label) {
            switch (key) {
                case "rule", "service", "middlewares" -> {}
                case "priority" -> priority(label.value());
                case "entrypoints" -> scheme = entryPoints(label.value());
                case "rulesyntax" -> require(label.value().equals("v3"), label, "v3");
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
                    throw new Malformed("entrypoints=%s: %s (expected: web, http, websecure or https)".formatted(value, entryPoint));
                }
            }
            return schemes.size() == 1 ? schemes.iterator().next() : Condition.Scheme.ANY;
        }

        private void service() {
            Label link = router.get("service");
            if (link == null && services.size() > 1) {
                throw new Malformed("no service is named and %d are declared (expected: %s.service=NAME)".formatted(services.size(), name));
            }
            String linked = link == null ? services.isEmpty() ? "" : services.firstKey() : local(link.value()).toLowerCase(Locale.ROOT);
            SortedMap<String, Label> labels = services.getOrDefault(linked, new TreeMap<>());
            if (labels.isEmpty() && !linked.isEmpty()) {
                throw new Malformed("service %s (expected: a service that this instance declares)".formatted(linked));
            }
            labels.forEach(this::serviceLabel);
        }

        private void serviceLabel(String key, Label label) {
            switch (key) {
                case "loadbalancer.server.port" -> {
                    require(label.value().matches("[1-9]\\d{0,4}") && Integer.parseInt(label.value()) <= 65535, label, "1 to 65535");
                    port = Integer.parseInt(label.value());
                }
                case "loadbalancer.server.scheme" -> require(label.value().equals("http"), label, "http");
                case "loadbalancer.server.weight" -> options.relativeWeight(label.value());
                case "loadbalancer.strategy" -> require(label.value().equals("wrr"), label, "wrr");
                case "loadbalancer.passhostheader" -> {
                    require(label.value().equals("true") || label.value().equals("false"), label, "true or false");
                    if (label.value().equals("false")) {
                        options.host("dst");
                    }
                }
                default -> require(false, label, "a service option that this version supports");
            }
        }

        private void middleware(String middleware, PathPattern path) {
            SortedMap<String, Label> labels = middlewares.get(middleware.toLowerCase(Locale.ROOT));
            if (labels == null) {
                throw new Malformed("middleware %s (expected: one that this instance declares)".formatted(middleware));
            }
            labels.forEach((key, label) -> middlewareLabel(key, label, path));
        }

        private void middlewareLabel(String key, Label label, PathPattern path) {
            require(seen.add(key), label, "one middleware of a kind");
            switch (key) {
                case "stripprefix.prefixes" -> {
                    require(!prepended, label, "stripprefix before addprefix");
                    options.strip(prefix(label, path));
                }
                case "stripprefix.forceslash" -> {}
                case "addprefix.prefix" -> {
                    prepended = true;
                    options.prepend(label.value());
                }
                case "redirectscheme.scheme" -> {
                    require(label.value().equals("https") || label.value().equals("http"), label, "http or https");
                    redirectScheme = Optional.of(label);
                }
                case "redirectscheme.port" -> {
                    require(label.value().matches("[1-9]\\d{0,4}"), label, "1 to 65535");
                    redirectPort = Integer.parseInt(label.value());
                }
                case "redirectscheme.permanent" -> permanent = label.value().equals("true");
                case "ipallowlist.sourcerange", "ipwhitelist.sourcerange" -> {
                    List<Cidr> blocks = new ArrayList<>();
                    require(!list(label.value()).isEmpty(), label, "at least one address or block");
                    OptionReader.addresses(key, label.value(), list(label.value()).toArray(String[]::new), blocks);
                    options.allow(blocks);
                }
                default -> require(false, label, "a middleware that this version supports: stripprefix, addprefix, redirectscheme, ipallowlist");
            }
        }

        /// Of several prefixes, the one that the route's own path begins with.
        private String prefix(Label label, PathPattern path) {
            List<String> prefixes = list(label.value());
            if (prefixes.size() == 1) {
                return prefixes.getFirst();
            }
            return prefixes.stream()
                    .filter(path.path()::startsWith)
                    .findFirst()
                    .orElseThrow(() -> new Malformed("%s (expected: a prefix of %s among them)".formatted(label.tag(), path)));
        }
    }

    private static void require(boolean condition, Label label, String expected) {
        if (!condition) {
            throw new Malformed("%s (expected: %s)".formatted(label.tag(), expected));
        }
    }

    /// A name of this provider, which is the one that can be meant.
    private static String local(String name) {
        int at = name.indexOf('@');
        if (at >= 0 && !name.substring(at).equals("@consulcatalog")) {
            throw new Malformed("%s (expected: a name without provider, or with @consulcatalog)".formatted(name));
        }
        return at < 0 ? name : name.substring(0, at);
    }

    /// With commas between, or with `|`, which survives Registrator.
    private static List<String> list(String value) {
        List<String> items = new ArrayList<>();
        for (String item : value.split("[,|]", -1)) {
            if (!item.isBlank()) {
                items.add(item.strip());
            }
        }
        return items;
    }
}
