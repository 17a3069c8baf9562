package dev.gatepost.gateway;

import dev.gatepost.admin.BadParameter;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rdata;
import dev.gatepost.gateway.catalog.Check;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.Route;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// What `/api/v1/history?from=&to=` shows: in what the later of two revisions differs from the earlier, or the other way round.
record DiffView(
        long from, long to, List<ChangedView> services, List<ChangedView> instances, List<ChangedView> routes, List<ChangedView> names) {

    /// @param change `added`, `removed` or `changed`
    /// @param was    what it was, as far as it differs; empty where it was added
    /// @param is     what it is, as far as it differs; empty where it was removed
    record ChangedView(String key, String change, Map<String, Object> was, Map<String, Object> is) {
        static <T> ChangedView of(Changed<T> changed, Function<T, Map<String, Object>> facts) {
            Map<String, Object> was = changed.before().map(facts).map(LinkedHashMap::new).orElseGet(LinkedHashMap::new);
            Map<String, Object> is = changed.after().map(facts).map(LinkedHashMap::new).orElseGet(LinkedHashMap::new);
            if (changed.kind() == Changed.Kind.CHANGED) {
                was.entrySet().removeIf(fact -> Objects.equals(is.get(fact.getKey()), fact.getValue()) && is.remove(fact.getKey()) != null);
            }
            return new ChangedView(changed.key(), changed.kind().name().toLowerCase(Locale.ROOT), was, is);
        }
    }

    /// @param from a revision; empty for the one before `to`
    /// @param to   a revision; empty for the newest
    static DiffView of(History history, Optional<String> from, Optional<String> to) {
        List<History.Step> steps = history.steps();
        if (steps.isEmpty()) {
            throw new BadParameter("from", from.orElse(""), "a revision, and none is published yet");
        }
        long oldest = steps.getFirst().revision();
        long newest = steps.getLast().revision();
        long end = to.map(text -> revision("to", text, oldest, newest)).orElse(newest);
        long start = from.map(text -> revision("from", text, oldest, newest)).orElse(Math.max(oldest, end - 1));
        List<Changeset> between = new ArrayList<>();
        for (History.Step step : steps) {
            if (step.revision() > Math.min(start, end) && step.revision() <= Math.max(start, end)) {
                step.changeset().ifPresent(between::add);
            }
        }
        Changeset sum = Changeset.sum(between);
        Changeset changes = start > end ? sum.reversed() : sum;
        return new DiffView(
                start,
                end,
                views(changes.services(), DiffView::service),
                views(changes.instances(), DiffView::instance),
                views(changes.routes(), DiffView::route),
                views(changes.names(), DiffView::name));
    }

    private static long revision(String parameter, String text, long oldest, long newest) {
        if (text.matches("\\d{1,18}")) {
            long revision = Long.parseLong(text);
            if (revision >= oldest && revision <= newest) {
                return revision;
            }
        }
        throw new BadParameter(parameter, text, "a revision from %d to %d, which are remembered".formatted(oldest, newest));
    }

    private static <T> List<ChangedView> views(List<Changed<T>> all, Function<T, Map<String, Object>> facts) {
        return all.stream().sorted(Comparator.comparing(Changed::key)).map(each -> ChangedView.of(each, facts)).toList();
    }

    private static Map<String, Object> service(Service service) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("instances", service.instances().size());
        facts.put("passing", service.instances().stream().filter(instance -> instance.health() == Health.PASSING).count());
        return facts;
    }

    private static Map<String, Object> instance(Instance instance) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("service", instance.service());
        facts.put("datacenter", instance.node().datacenter());
        facts.put("address", instance.address());
        facts.put("port", instance.port());
        facts.put("health", word(instance.health()));
        facts.put("weight", instance.weight());
        facts.put("tags", instance.tags());
        facts.put("meta", instance.meta());
        Map<String, String> checks = new LinkedHashMap<>();
        for (Check check : instance.checks()) {
            checks.put(check.id(), word(check.status()));
        }
        facts.put("checks", checks);
        return facts;
    }

    private static Map<String, Object> route(Route route) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("priority", route.priority());
        facts.put("options", route.options());
        facts.put("upstream", route.upstream().name());
        facts.put("known", route.upstream().known());
        facts.put("endpoints", route.upstream().endpoints().stream().map(DiffView::endpoint).toList());
        facts.put("declared", route.declarations().stream().map(Route.Declaration::text).distinct().toList());
        return facts;
    }

    private static String endpoint(Endpoint endpoint) {
        String host = endpoint.host().indexOf(':') >= 0 ? "[" + endpoint.host() + "]" : endpoint.host();
        return "%s at %s:%d weight %d".formatted(endpoint.instance(), host, endpoint.port(), endpoint.weight());
    }

    private static Map<String, Object> name(List<RRset> sets) {
        Map<String, Object> facts = new LinkedHashMap<>();
        for (RRset set : sets) {
            facts.put(RRType.name(set.type()), set.records().stream().map(Rdata::text).collect(Collectors.joining(", ")) + " ttl " + set.ttl().toSeconds() + "s");
        }
        return facts;
    }

    private static String word(Health health) {
        return health.name().toLowerCase(Locale.ROOT);
    }
}
