package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Weights;
import dev.gatepost.gateway.config.Place;
import dev.gatepost.gateway.config.Problem;
import dev.gatepost.gateway.config.Syntax;
import dev.gatepost.gateway.config.Value;
import dev.gatepost.gateway.config.YamlDocument;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Routes that an operator wrote, in Consul's KV store or a file, beside those that services declare. Compares by identity:
/// what was not written anew is the same object.
///
/// ```yaml
/// route: shop.example.com/api strip=/api   # as in a tag; or a list of such
/// service: web                             # its upstream: a service of the catalog by its name,
/// tag: blue                                # of that only the instances with this tag,
/// addresses: [ 10.0.0.7:8080 ]             # or fixed addresses instead
/// ```
/// Without an upstream, and without a redirect, it sets options of a route that others declare.
public final class RouteFragment {
    /// Stands for the instances of a service that the catalog doesn't have.
    static final Instance NOBODY = new Instance(
            "none", "", new Node("nowhere", "", "", "", Map.of(), Map.of()), "", 0, List.of(), Map.of(), Map.of(), Weights.DEFAULT,
            List.of(new Check("catalog", "no such service, or none of its instances has a port and the tag", Health.CRITICAL)));

    /// Of a text that is not YAML.
    private static final Pattern ROUTE_LINE = Pattern.compile("\\s*(?:\\{?\\s*[\"']?route[\"']?\\s*:|-)\\s*[\"']?([^\"'#,{}\\[\\]]+?)\\s*(?:[\"'#,}\\]].*)?");

    private static final Syntax<String> NAME = Syntax.text();
    private static final Syntax<List<InetSocketAddress>> ADDRESSES = Syntax.list(Syntax.endpoint());

    private final String kind;
    private final Place place;
    private final List<Expression> expressions;
    private final Upstreams upstreams;

    /// Where its routes lead.
    private sealed interface Upstreams {
        /// @param tag empty for all instances
        record Named(String service, String tag) implements Upstreams {}

        record Fixed(List<Instance> instances) implements Upstreams {}

        /// To an answer of their own, or wherever others that declare them lead.
        record None() implements Upstreams {}
    }

    private RouteFragment(String kind, Place place, List<Expression> expressions, Upstreams upstreams) {
        this.kind = kind;
        this.place = place;
        this.expressions = List.copyOf(expressions);
        this.upstreams = upstreams;
    }

    /// @param kind     `kv` or `file`
    /// @param place    the key or the file
    /// @param problems takes what is wrong with it; then the result is empty
    public static Optional<RouteFragment> read(String kind, String text, Place place, List<Problem> problems) {
        Value document = YamlDocument.parse(text, place, problems);
        if (!problems.isEmpty()) {
            return Optional.empty();
        }
        Syntax<RouteFragment> syntax = Syntax.mapping(
                "a mapping such as { route: shop.example.com/api, service: web }",
                List.of("route", "service", "tag", "addresses"),
                (_, fields, found) -> fragment(kind, place, fields, found));
        Optional<RouteFragment> read = syntax.read("fragment", document, problems);
        return problems.isEmpty() ? read : Optional.empty();
    }

    /// The expressions of a text that can't be used, as far as they can be made out: whoever misses a route looks for it by
    /// its host and path.
    public static List<String> named(String text, Place place) {
        List<Problem> problems = new ArrayList<>();
        Value document = YamlDocument.parse(text, place, problems);
        if (!problems.isEmpty()) {
            return text.lines().map(ROUTE_LINE::matcher).filter(Matcher::matches).map(line -> line.group(1)).toList();
        }
        List<Value.Field> fields = document instanceof Value.Fields mapping ? mapping.fields() : List.of();
        return fields.stream()
                .filter(field -> field.name().equals("route"))
                .flatMap(field -> field.value() instanceof Value.Items list ? list.items().stream() : Stream.of(field.value()))
                .mapMulti((Value each, Consumer<String> found) -> {
                    if (each instanceof Value.Text written) {
                        found.accept(written.text());
                    }
                })
                .toList();
    }

    private static Optional<RouteFragment> fragment(String kind, Place place, Map<String, Value> fields, List<Problem> problems) {
        Value route = fields.get("route");
        if (route == null) {
            problems.add(new Problem(place, "route: missing (expected: HOST/PATH [option=value ...] such as shop.example.com/api)"));
            return Optional.empty();
        }
        List<Expression> expressions = new ArrayList<>();
        List<Value> texts = route instanceof Value.Items list ? list.items() : List.of(route);
        if (texts.isEmpty()) {
            problems.add(new Problem(route.place(), "route: none (expected: at least one HOST/PATH [option=value ...])"));
        }
        for (Value each : texts) {
            expression(each, problems).ifPresent(expressions::add);
        }
        Optional<Upstreams> upstreams = upstreams(kind, place, fields, problems);
        boolean nowhere = upstreams.isPresent() && upstreams.get() instanceof Upstreams.None;
        if (nowhere && expressions.stream().anyMatch(expression -> !expression.protocol().equals(EndpointProtocol.HTTP))) {
            problems.add(new Problem(route.place(), "route: scheme without an upstream (expected: beside service or addresses; instances say themselves what they speak)"));
        }
        if (nowhere && expressions.stream().anyMatch(expression -> !expression.weight().equals(Weight.DEFAULT))) {
            problems.add(new Problem(route.place(), "route: weight without an upstream (expected: beside service or addresses; instances say themselves what they weigh)"));
        }
        return expressions.isEmpty() || upstreams.isEmpty() ? Optional.empty() : Optional.of(new RouteFragment(kind, place, expressions, upstreams.get()));
    }

    private static Optional<Expression> expression(Value value, List<Problem> problems) {
        if (!(value instanceof Value.Text text)) {
            problems.add(Problem.of(value.place(), "route", value.shown(), "HOST/PATH [option=value ...]"));
            return Optional.empty();
        }
        try {
            return Optional.of(GatepostDialect.parse(text.text()));
        } catch (Expression.Malformed e) {
            problems.add(new Problem(text.place(), "route: " + e.getMessage()));
            return Optional.empty();
        }
    }

    private static Optional<Upstreams> upstreams(String kind, Place place, Map<String, Value> fields, List<Problem> problems) {
        Optional<String> service = read(NAME, "service", fields, problems);
        Optional<String> tag = read(NAME, "tag", fields, problems);
        Optional<List<InetSocketAddress>> addresses = read(ADDRESSES, "addresses", fields, problems);
        if (addresses.filter(List::isEmpty).isPresent()) {
            problems.add(new Problem(place, "addresses: none (expected: at least one HOST:PORT)"));
        }
        Value stray = fields.get(service.isPresent() ? "addresses" : "tag");
        if (stray != null && service.isPresent()) {
            problems.add(new Problem(stray.place(), "addresses: there beside service (expected: one of the two)"));
        } else if (stray != null && !fields.containsKey("service")) {
            problems.add(new Problem(stray.place(), "tag: there without service (expected: the service whose instances have it)"));
        }
        if (service.isPresent()) {
            return Optional.of(new Upstreams.Named(service.get(), tag.orElse("")));
        }
        return Optional.of(addresses.<Upstreams>map(all -> new Upstreams.Fixed(all.stream().map(each -> instance(kind, place, each)).toList()))
                .orElseGet(Upstreams.None::new));
    }

    private static <T> Optional<T> read(Syntax<T> syntax, String name, Map<String, Value> fields, List<Problem> problems) {
        @Nullable Value value = fields.get(name);
        return value == null ? Optional.empty() : syntax.read(name, value, problems);
    }

    /// Its key is unique: no node of a catalog is called by a key or a file.
    private static Instance instance(String kind, Place place, InetSocketAddress address) {
        Node node = new Node(kind + " " + place.source(), "", address.getHostString(), "", Map.of(), Map.of());
        String id = address.getHostString() + ":" + address.getPort();
        return new Instance(id, place.source(), node, address.getHostString(), address.getPort(), List.of(), Map.of(), Map.of(), Weights.DEFAULT, List.of());
    }

    /// Where it is written, `kv` or `file` before it.
    String owner() {
        return kind + " " + place.source();
    }

    /// The service of the catalog that its routes lead to; empty when they don't.
    Optional<String> service() {
        return upstreams instanceof Upstreams.Named named ? Optional.of(named.service()) : Optional.empty();
    }

    /// @param service the one it names, if the catalog has it
    List<Claim> claims(Optional<Service> service, HealthRule rule) {
        List<Claim> claims = new ArrayList<>();
        for (Expression expression : expressions) {
            switch (upstreams) {
                case Upstreams.Named named -> {
                    List<Instance> instances = service.map(Service::instances).orElse(List.of()).stream()
                            .filter(instance -> named.tag().isEmpty() || instance.tags().contains(named.tag()))
                            .filter(instance -> instance.port() != 0)
                            .toList();
                    instances.forEach(instance -> claims.add(claim(expression, named.service(), instance, rule.admits(instance.health()))));
                    if (instances.isEmpty()) {
                        claims.add(claim(expression, named.service(), NOBODY, false));
                    }
                }
                case Upstreams.Fixed fixed -> fixed.instances().forEach(instance -> claims.add(claim(expression, owner(), instance, true)));
                case Upstreams.None _ -> {
                    if (expression.options().redirect().isPresent()) {
                        claims.add(claim(expression, owner(), NOBODY, true));
                    }
                }
            }
        }
        return claims;
    }

    private Claim claim(Expression expression, String service, Instance instance, boolean serving) {
        return new Claim(
                expression.key(), expression.priority(), expression.options(), expression.weight(), declaration(expression), owner(), service, instance, instance.port(), expression.protocol(), serving);
    }

    /// What it sets on routes of others.
    List<Sets> settings() {
        return upstreams instanceof Upstreams.None
                ? expressions.stream()
                        .filter(expression -> expression.options().redirect().isEmpty())
                        .map(expression -> new Sets(expression.key(), expression.priority(), expression.options(), declaration(expression)))
                        .toList()
                : List.of();
    }

    private Route.Declaration declaration(Expression expression) {
        return new Route.Declaration(kind, "gatepost", place.source() + ": " + expression.key().id(), "");
    }

    /// Options for a route that others declare.
    ///
    /// @param priority 0 where it sets none
    record Sets(RouteKey key, int priority, RouteOptions options, Route.Declaration declaration) {}

    /// What it claims, given a service. Holds as long as both are the same objects.
    record Claims(RouteFragment fragment, Optional<Service> service, List<Claim> claims) {
        static Claims of(RouteFragment fragment, Optional<Service> service, RouteSettings settings) {
            return new Claims(fragment, service, List.copyOf(fragment.claims(service, settings.health())));
        }

        @SuppressWarnings("ReferenceEquality")
        boolean isOf(RouteFragment other, Optional<Service> present) {
            return fragment == other && service.orElse(null) == present.orElse(null);
        }
    }
}
