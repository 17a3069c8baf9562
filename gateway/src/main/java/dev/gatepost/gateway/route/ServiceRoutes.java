package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.config.GatewayConfig.Routes.Dialect;
import dev.gatepost.gateway.route.Route.Declaration;
import dev.gatepost.gateway.route.TraefikLabels.Label;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Supplier;

/// What one service declares: its claims to routes, and what it declared in vain. Depends on the service, the settings and
/// the middlewares that it borrows from others, so it holds as long as these stay.
///
/// @param claims      in the order of instances, then tags, Meta, default host
/// @param middlewares of Traefik's that it declares, by name: any service may use them
/// @param borrowed    those of others that it uses, as they were
record ServiceRoutes(
        Service service,
        List<Claim> claims,
        List<Rejected> rejected,
        Map<String, SortedMap<String, Label>> middlewares,
        Map<String, Optional<SortedMap<String, Label>>> borrowed) {
    /// @param shared middlewares that any service declares
    static ServiceRoutes read(Service service, RouteSettings settings, Map<String, SortedMap<String, Label>> shared) {
        Reader reader = new Reader(service, settings, shared);
        service.instances().forEach(reader::read);
        return new ServiceRoutes(service, List.copyOf(reader.claims), List.copyOf(reader.rejected), middlewares(service, settings), Map.copyOf(reader.borrowed));
    }

    /// Of a service that nothing is known of yet.
    static ServiceRoutes none(String name) {
        return new ServiceRoutes(new Service(name, List.of()), List.of(), List.of(), Map.of(), Map.of());
    }

    static Map<String, SortedMap<String, Label>> middlewares(Service service, RouteSettings settings) {
        Map<String, SortedMap<String, Label>> middlewares = new TreeMap<>();
        if (settings.dialects().contains(Dialect.TRAEFIK)) {
            service.instances().forEach(instance -> TraefikLabels.of(instance.tags()).middlewares().forEach(middlewares::putIfAbsent));
        }
        return middlewares;
    }

    /// Whether what it borrowed is still the same: nothing, for most of ten thousand services at each flap.
    boolean holds(Map<String, SortedMap<String, Label>> shared) {
        return borrowed.isEmpty() || borrowed.entrySet().stream().allMatch(use -> Optional.ofNullable(shared.get(use.getKey())).equals(use.getValue()));
    }

    /// Whether it was read from this very object, which is how a snapshot says that nothing changed.
    @SuppressWarnings("ReferenceEquality")
    boolean isOf(Service other) {
        return service == other;
    }

    String name() {
        return service.name();
    }

    private static final class Reader {
        private static final String DNS_ANSWER_TAG = "gatepost.dns-answer=";
        private static final String DNS_ANSWER_META = "gatepost-dns-answer";

        private final Service service;
        private final RouteSettings settings;
        private final List<Claim> claims = new ArrayList<>();
        private final List<Rejected> rejected = new ArrayList<>();
        /// The instances of a service mostly say the same.
        private final Map<String, Parsed> parsed = new HashMap<>();
        private final Map<List<String>, TraefikDialect.Reading> traefik = new HashMap<>();
        private final Map<String, SortedMap<String, Label>> shared;
        private final Map<String, Optional<SortedMap<String, Label>>> borrowed = new HashMap<>();

        private sealed interface Parsed {
            record Good(Expression expression) implements Parsed {}

            record Bad(String reason) implements Parsed {}
        }

        Reader(Service service, RouteSettings settings, Map<String, SortedMap<String, Label>> shared) {
            this.shared = shared;
            this.service = service;
            this.settings = settings;
        }

        void read(Instance instance) {
            if (settings.dialects().contains(Dialect.GATEPOST)) {
                readGatepost(instance);
            }
            if (settings.dialects().contains(Dialect.FABIO)) {
                readFabio(instance);
            }
            if (settings.dialects().contains(Dialect.TRAEFIK)) {
                readTraefik(instance);
            }
            for (String host : DefaultHost.hosts(settings, instance)) {
                Declaration declaration = new Declaration(DefaultHost.KIND, "gatepost", settings.defaultHost(), instance.key());
                claim(instance, declaration, parse("default " + host, () -> GatepostDialect.parse(host + "/")));
            }
        }

        private void readGatepost(Instance instance) {
            for (String tag : instance.tags()) {
                if (tag.startsWith(GatepostDialect.TAG)) {
                    String text = tag.substring(GatepostDialect.TAG.length());
                    claim(instance, new Declaration("tag", "gatepost", tag, instance.key()), parse("own " + text, () -> GatepostDialect.parse(text)));
                } else if (tag.startsWith(DNS_ANSWER_TAG)) {
                    checkDnsAnswer(instance, "tag", tag, tag.substring(DNS_ANSWER_TAG.length()));
                } else if (tag.startsWith("gatepost.")) {
                    reject(instance, "tag", tag, "unknown tag (expected: gatepost.route=HOST/PATH or gatepost.dns-answer=gateway)");
                }
            }
            instance.meta().keySet().stream().filter(key -> key.startsWith("gatepost-")).sorted().forEach(key -> {
                String text = instance.meta().getOrDefault(key, "");
                String written = key + "=" + text;
                if (key.equals(GatepostDialect.META) || key.startsWith(GatepostDialect.META + "-")) {
                    claim(instance, new Declaration("meta", "gatepost", written, instance.key()), parse("own " + text, () -> GatepostDialect.parse(text)));
                } else if (key.equals(DNS_ANSWER_META)) {
                    checkDnsAnswer(instance, "meta", written, text);
                } else {
                    reject(instance, "meta", written, "unknown Meta key (expected: gatepost-route, gatepost-route-NAME or gatepost-dns-answer)");
                }
            });
        }

        /// Names are none of the routes' business: this says only what DNS would not understand.
        private void checkDnsAnswer(Instance instance, String kind, String written, String answer) {
            if (!answer.equals("gateway") && !answer.equals("instances")) {
                reject(instance, kind, written, "\"" + answer + "\" (expected: gateway or instances)");
            }
        }

        private void readFabio(Instance instance) {
            Map<String, String> variables = Map.of("DC", instance.node().datacenter());
            for (String tag : instance.tags()) {
                FabioDialect.Tag.read(tag, FabioDialect.PREFIX, variables).ifPresent(taken -> {
                    Parsed reading = parse("fabio " + taken.source() + " " + taken.options(), () -> FabioDialect.parse(taken));
                    claim(instance, new Declaration("tag", "fabio", tag, instance.key()), reading);
                });
            }
        }

        private void readTraefik(Instance instance) {
            TraefikDialect.Reading reading = traefik.computeIfAbsent(instance.tags(), tags -> TraefikDialect.read(service.name(), tags, shared));
            borrowed.putAll(reading.borrowed());
            for (TraefikDialect.Declared declared : reading.declared()) {
                Declaration declaration = new Declaration("tag", "traefik", declared.text(), instance.key());
                claim(instance, declaration, new Parsed.Good(declared.expression()));
            }
            reading.refused().forEach(refused -> reject(instance, "tag", refused.text(), refused.reason()));
        }

        private Parsed parse(String key, Supplier<Expression> parser) {
            return parsed.computeIfAbsent(key, _ -> {
                try {
                    return new Parsed.Good(parser.get());
                } catch (Expression.Malformed e) {
                    return new Parsed.Bad(String.valueOf(e.getMessage()));
                }
            });
        }

        private void claim(Instance instance, Declaration declaration, Parsed reading) {
            switch (reading) {
                case Parsed.Bad(String reason) -> reject(instance, declaration.kind(), declaration.text(), reason);
                case Parsed.Good(Expression expression) -> {
                    if (instance.tags().contains("udp")) {
                        reject(instance, declaration.kind(), declaration.text(), "the instance is tagged udp, as Registrator tags ports that speak UDP (expected: an instance that speaks HTTP)");
                        return;
                    }
                    int port = expression.port() == 0 ? instance.port() : expression.port();
                    if (port == 0 && expression.options().redirect().isEmpty()) {
                        reject(instance, declaration.kind(), declaration.text(), "the instance has port 0 (expected: a port to forward to)");
                        return;
                    }
                    claims.add(new Claim(
                            expression.key(),
                            expression.priority(),
                            expression.options(),
                            expression.weight(),
                            declaration,
                            service.name(),
                            service.name(),
                            instance,
                            port,
                            expression.protocol(),
                            settings.health().admits(instance.health())));
                }
            }
        }

        private void reject(Instance instance, String kind, String text, String reason) {
            rejected.add(new Rejected(kind, service.name(), instance.key(), text, reason));
        }
    }
}
