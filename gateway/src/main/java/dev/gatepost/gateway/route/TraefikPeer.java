package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.route.Peer.Seen;
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
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Traefik's Consul Catalog provider, with its defaults: routers, services and middlewares of all instances are one name
/// space, and what two of them declare differently is dropped.
final class TraefikPeer {
    /// The routes of one rule: which comes first is decided by its length unless a priority is given.
    private record Ranked(String text, long rank, List<Route> routes) {}

    /// How many services are named.
    private static final int NAMED = 5;

    private final Snapshot snapshot;
    private final Set<String> droppedRouters = new HashSet<>();
    private final Set<String> droppedMiddlewares = new HashSet<>();
    private final Set<String> droppedServices = new HashSet<>();
    private final Map<String, Ranked> ranked = new TreeMap<>();

    TraefikPeer(Snapshot snapshot, RouteTable table) {
        this.snapshot = snapshot;
        Map<String, Map<String, String>> routers = new HashMap<>();
        Map<String, Map<String, String>> middlewares = new HashMap<>();
        Map<String, Map<String, String>> services = new HashMap<>();
        Map<String, Long> ranks = new HashMap<>();
        for (Service service : snapshot.services().values()) {
            for (Instance instance : service.instances()) {
                TraefikLabels labels = TraefikLabels.of(instance.tags());
                labels.routers().forEach((name, router) -> {
                    note(name, values(router), routers, droppedRouters);
                    Optional.ofNullable(router.get("rule")).ifPresent(rule -> ranks.put(rule.tag(), rank(router, rule)));
                });
                labels.middlewares().forEach((name, middleware) -> note(name, values(middleware), middlewares, droppedMiddlewares));
                labels.services().forEach((name, each) -> note(name, values(each, key -> !key.startsWith("loadbalancer.server.")), services, droppedServices));
            }
        }
        table.routes().forEach(route -> route.declarations().stream()
                .filter(declaration -> declaration.dialect().equals("traefik") && ranks.containsKey(declaration.text()))
                .map(Route.Declaration::text)
                .distinct()
                .forEach(text -> ranked.computeIfAbsent(text, _ -> new Ranked(text, ranks.getOrDefault(text, 0L), new ArrayList<>())).routes().add(route)));
    }

    private static void note(String name, Map<String, String> values, Map<String, Map<String, String>> known, Set<String> dropped) {
        Map<String, String> first = known.putIfAbsent(name, values);
        if (first != null && !first.equals(values)) {
            dropped.add(name);
        }
    }

    private static Map<String, String> values(SortedMap<String, Label> labels) {
        return values(labels, _ -> true);
    }

    /// Servers may differ: they are what is put together.
    private static Map<String, String> values(SortedMap<String, Label> labels, Predicate<String> counts) {
        Map<String, String> values = new TreeMap<>();
        labels.forEach((key, label) -> {
            if (counts.test(key)) {
                values.put(key, label.value());
            }
        });
        return values;
    }

    private static long rank(SortedMap<String, Label> router, Label rule) {
        String priority = router.getOrDefault("priority", new Label("", "0")).value();
        return priority.matches("[1-9]\\d{0,8}") ? Long.parseLong(priority) : rule.value().length();
    }

    /// `strictChecks` has passing and warning.
    static boolean serves(Instance instance) {
        return instance.health().compareTo(Health.WARNING) <= 0;
    }

    /// @param reasons why Gatepost rejects it; empty where it doesn't
    Seen see(String text, Set<String> reasons) {
        String key = text.substring(0, Math.max(0, text.indexOf('='))).strip().toLowerCase(Locale.ROOT);
        String value = text.substring(text.indexOf('=') + 1);
        String[] parts = key.split("\\.", -1);
        boolean router = key.startsWith("traefik.http.routers.") && parts.length > 4;
        if (router && droppedRouters.contains(parts[3])) {
            return new Seen("drops the router", false, List.of("instances declare router %s differently: Traefik drops it for all of them, Gatepost has it as each says".formatted(parts[3])));
        }
        Optional<String> middleware = router ? droppedMiddleware(parts[3]) : Optional.empty();
        if (middleware.isPresent()) {
            return new Seen("drops the router", false, List.of("instances declare middleware %s differently: Traefik drops it, and the router with it; in Gatepost an instance's own counts, else that of the first service by name".formatted(middleware.get())));
        }
        Optional<String> linked = router ? droppedService(parts[3]) : Optional.empty();
        if (linked.isPresent()) {
            return new Seen("drops the router", false, List.of("instances declare service %s differently: Traefik drops it, and the router with it; Gatepost has it as each says".formatted(linked.get())));
        }
        if (!reasons.isEmpty()) {
            boolean lacking = reasons.stream().anyMatch(reason -> reason.contains("this version"));
            return lacking ? new Seen(router ? value : "reads it", router, List.of()) : new Seen("rejects it", false, List.of());
        }
        List<String> why = new ArrayList<>(order(text));
        if (router) {
            resolver(parts[3]).ifPresent(label -> why.add("Traefik obtains the certificate by %s; Gatepost serves its own, https.certificates or a fragment".formatted(label.tag())));
        }
        return new Seen(router ? value : "reads it", router, why);
    }

    /// The labels of those instances that declare the router.
    private Stream<TraefikLabels> declaring(String router) {
        return snapshot.services().values().stream()
                .flatMap(service -> service.instances().stream())
                .map(instance -> TraefikLabels.of(instance.tags()))
                .filter(labels -> labels.routers().containsKey(router));
    }

    private static SortedMap<String, Label> router(TraefikLabels labels, String router) {
        return labels.routers().getOrDefault(router, new TreeMap<>());
    }

    private Optional<Label> resolver(String router) {
        return declaring(router).flatMap(labels -> Optional.ofNullable(router(labels, router).get("tls.certresolver")).stream()).findFirst();
    }

    /// By its name, or the only one that the instance declares.
    private Optional<String> droppedService(String router) {
        return declaring(router)
                .flatMap(labels -> {
                    Label link = router(labels, router).get("service");
                    return link == null ? labels.services().keySet().stream() : Stream.of(link.value().replaceFirst("@.*", "").toLowerCase(Locale.ROOT));
                })
                .filter(droppedServices::contains)
                .findFirst();
    }

    private Optional<String> droppedMiddleware(String router) {
        return declaring(router)
                .flatMap(labels -> TraefikLabels.list(router(labels, router).getOrDefault("middlewares", new Label("", "")).value()).stream())
                .map(name -> name.replaceFirst("@.*", "").toLowerCase(Locale.ROOT))
                .filter(droppedMiddlewares::contains)
                .findFirst();
    }

    /// Where a longer rule comes before a more specific one.
    private List<String> order(String text) {
        Ranked own = ranked.get(text);
        if (own == null) {
            return List.of();
        }
        List<String> why = new ArrayList<>();
        for (Ranked other : ranked.values()) {
            if (other.rank() >= own.rank()) {
                continue;
            }
            for (Route mine : own.routes()) {
                other.routes().stream()
                        .filter(theirs -> RouteTable.LOOK_UP_ORDER.compare(theirs, mine) < 0 && overlap(mine, theirs))
                        .findFirst()
                        .ifPresent(theirs -> why.add("Traefik tries %s (priority %d) before %s (%d), Gatepost after it: %s"
                                .formatted(mine.id(), own.rank(), theirs.id(), other.rank(), theirs.priority() == mine.priority() ? "that is more specific" : "by its priority")));
            }
        }
        return why;
    }

    /// Whether some request could take either.
    private static boolean overlap(Route a, Route b) {
        HostPattern one = a.host();
        HostPattern other = b.host();
        boolean hosts = one.equals(other)
                || one.kind() == HostPattern.Kind.ANY
                || other.kind() == HostPattern.Kind.ANY
                || (one.kind() == HostPattern.Kind.EXACT && other.serves(one.name()))
                || (other.kind() == HostPattern.Kind.EXACT && one.serves(other.name()));
        String path = a.path().path();
        String otherPath = b.path().path();
        boolean paths = (path.startsWith(otherPath) && b.path().kind() != PathPattern.Kind.EXACT)
                || (otherPath.startsWith(path) && a.path().kind() != PathPattern.Kind.EXACT)
                || path.equals(otherPath);
        Condition.Scheme scheme = a.condition().scheme();
        boolean schemes = scheme == b.condition().scheme() || scheme == Condition.Scheme.ANY || b.condition().scheme() == Condition.Scheme.ANY;
        return hosts && paths && schemes;
    }

    /// Services that have labels of Traefik's and no router: it makes one by its default rule, unasked.
    List<Finding> exposedByDefault(RouteSettings settings) {
        List<Finding> findings = new ArrayList<>();
        for (Service service : snapshot.services().values()) {
            List<Instance> exposed = service.instances().stream().filter(instance -> isExposed(TraefikLabels.of(instance.tags()))).toList();
            if (!exposed.isEmpty()) {
                String host = DefaultHost.label(service.name());
                findings.add(new Finding(
                        service.name(), exposed.size(), "(labels without a router)", Finding.NOT_READ, "Host(`" + host + "`)", "no route", false,
                        List.of("Traefik exposes every service by its default rule; Gatepost those that say traefik.enable=true, or all by routes.default-host"
                                + (settings.defaultHost().isEmpty() ? "" : ", which is " + settings.defaultHost()))));
            }
        }
        unlabelled(settings).ifPresent(findings::add);
        return findings;
    }

    /// One for all, and none where nobody uses Traefik.
    private Optional<Finding> unlabelled(RouteSettings settings) {
        List<Service> bare = snapshot.inOrder().stream().filter(service -> service.instances().stream().noneMatch(TraefikPeer::isLabelled)).toList();
        boolean used = bare.size() < snapshot.services().size();
        if (!used || bare.isEmpty() || !settings.defaultHost().isEmpty()) {
            return Optional.empty();
        }
        String names = String.join(", ", bare.stream().map(Service::name).limit(NAMED).toList()) + (bare.size() > NAMED ? " and %d more".formatted(bare.size() - NAMED) : "");
        return Optional.of(new Finding(
                "", bare.stream().mapToInt(service -> service.instances().size()).sum(), "(no labels)", Finding.NOT_READ, "Host(`SERVICE`)", "no route", false,
                List.of("Traefik exposes every service by its default rule unless exposedByDefault is false: %s; Gatepost does by routes.default-host".formatted(names))));
    }

    private static boolean isLabelled(Instance instance) {
        return instance.tags().stream().anyMatch(tag -> tag.toLowerCase(Locale.ROOT).startsWith("traefik.") && tag.indexOf('=') > 0);
    }

    private static boolean isExposed(TraefikLabels labels) {
        boolean any = !labels.services().isEmpty() || !labels.middlewares().isEmpty();
        return any && labels.routers().isEmpty() && labels.unknown().isEmpty() && labels.enable().isEmpty();
    }
}
