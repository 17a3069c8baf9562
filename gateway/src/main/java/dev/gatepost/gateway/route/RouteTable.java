package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.HealthRule;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// All routes of one state, compiled for look-up, with everything that was rejected on the way. Immutable.
public final class RouteTable {
    public static final RouteTable EMPTY =
            new RouteTable(RouteIndex.EMPTY, new RouteSettings(Set.of(), HealthRule.PASSING, ""), Declarations.NONE, List.of(), List.of(), List.of());

    static final Comparator<Route> LOOK_UP_ORDER =
            Comparator.comparingInt((Route route) -> -route.priority()).thenComparing(Route::key, RouteKey.ORDER);

    private static final Match NO_ROUTE = new Match.NoRoute();

    private final RouteIndex index;
    private final RouteSettings settings;
    private final Declarations declared;
    private final List<RouteFragment.Claims> written;
    private final List<Change> changes;
    private final List<Conflict> newConflicts;

    /// What became of one route from a table to the one that was made from it.
    ///
    /// @param before empty for a new route
    /// @param after  empty for one that is gone
    public record Change(Optional<Route> before, Optional<Route> after) {
        public String id() {
            return before.or(() -> after).map(Route::id).orElseThrow();
        }
    }

    private RouteTable(
            RouteIndex index,
            RouteSettings settings,
            Declarations declared,
            List<RouteFragment.Claims> written,
            List<Change> changes,
            List<Conflict> newConflicts) {
        this.index = index;
        this.settings = settings;
        this.declared = declared;
        this.written = written;
        this.changes = changes;
        this.newConflicts = newConflicts;
    }

    /// The table of a snapshot. What a service declares is read anew only when its object is another than in the snapshot
    /// `previous` was made from, or something that it borrows has changed; routes that come out no different are the same
    /// objects as in `previous`.
    public static RouteTable from(Snapshot snapshot, RouteSettings settings, RouteTable previous) {
        return from(snapshot, List.of(), settings, previous);
    }

    /// The same, with what operators wrote beside the catalog.
    ///
    /// @param fragments those that were there for `previous` are the same objects
    public static RouteTable from(Snapshot snapshot, List<RouteFragment> fragments, RouteSettings settings, RouteTable previous) {
        boolean reusable = settings.equals(previous.settings);
        Set<String> affected = new HashSet<>();
        Map<RouteKey, List<Claim>> touched = new LinkedHashMap<>();
        Declarations declared = previous.declared.next(snapshot, settings, reusable, (before, now) -> {
            affected.add(before.name());
            before.claims().forEach(claim -> touched.computeIfAbsent(claim.key(), _ -> new ArrayList<>()));
            now.claims().forEach(claim -> touched.computeIfAbsent(claim.key(), _ -> new ArrayList<>()).add(claim));
        });
        List<RouteFragment.Claims> written = written(snapshot, fragments, settings, reusable, previous.written, affected, touched);
        List<Change> changes = new ArrayList<>();
        List<Conflict> newConflicts = new ArrayList<>();
        if (!settings.commands().equals(previous.settings.commands())) {
            Stream.concat(settings.commands().added().stream(), previous.settings.commands().added().stream())
                    .forEach(key -> touched.computeIfAbsent(key, _ -> new ArrayList<>()));
        }
        RouteIndex index = assemble(previous.index, touched, affected, settings, settings(written), changes, newConflicts);
        return new RouteTable(index, settings, declared, List.copyOf(written), List.copyOf(changes), List.copyOf(newConflicts));
    }

    /// What the fragments claim, read anew only where the fragment or the service that it names is another object.
    private static List<RouteFragment.Claims> written(
            Snapshot snapshot,
            List<RouteFragment> fragments,
            RouteSettings settings,
            boolean reusable,
            List<RouteFragment.Claims> previous,
            Set<String> affected,
            Map<RouteKey, List<Claim>> touched) {
        Map<String, RouteFragment.Claims> old = new LinkedHashMap<>();
        previous.forEach(each -> old.put(each.fragment().owner(), each));
        List<RouteFragment.Claims> written = new ArrayList<>();
        for (RouteFragment fragment : fragments) {
            Optional<Service> service = fragment.service().map(name -> snapshot.services().get(name));
            RouteFragment.Claims known = old.remove(fragment.owner());
            if (known != null && reusable && known.isOf(fragment, service)) {
                written.add(known);
                continue;
            }
            if (known != null) {
                touch(known, affected, touched);
            }
            RouteFragment.Claims claims = RouteFragment.Claims.of(fragment, service, settings);
            touch(claims, affected, touched);
            claims.claims().forEach(claim -> touched.computeIfAbsent(claim.key(), _ -> new ArrayList<>()).add(claim));
            written.add(claims);
        }
        old.values().forEach(gone -> touch(gone, affected, touched));
        return written;
    }

    private static void touch(RouteFragment.Claims claims, Set<String> affected, Map<RouteKey, List<Claim>> touched) {
        affected.add(claims.fragment().owner());
        claims.claims().forEach(claim -> touched.computeIfAbsent(claim.key(), _ -> new ArrayList<>()));
        claims.fragment().settings().forEach(sets -> touched.computeIfAbsent(sets.key(), _ -> new ArrayList<>()));
    }

    /// By key, in the order of their owners.
    private static Map<RouteKey, List<RouteFragment.Sets>> settings(List<RouteFragment.Claims> written) {
        Map<RouteKey, List<RouteFragment.Sets>> settings = new HashMap<>();
        written.stream()
                .map(RouteFragment.Claims::fragment)
                .sorted(Comparator.comparing(RouteFragment::owner))
                .forEach(fragment -> fragment.settings().forEach(sets -> settings.computeIfAbsent(sets.key(), _ -> new ArrayList<>()).add(sets)));
        return settings;
    }

    /// The index with every touched route put together anew, or taken out when nobody claims it any more.
    ///
    /// @param touched  new claims of the affected owners, in their order, by the routes that may be other than before
    /// @param changes  takes the routes that came out other than before
    private static RouteIndex assemble(
            RouteIndex index,
            Map<RouteKey, List<Claim>> touched,
            Set<String> affected,
            RouteSettings settings,
            Map<RouteKey, List<RouteFragment.Sets>> sets,
            List<Change> changes,
            List<Conflict> newConflicts) {
        List<Entry> changed = new ArrayList<>();
        List<RouteKey> gone = new ArrayList<>();
        touched.forEach((key, claims) -> {
            Optional<Entry> known = Optional.ofNullable(index.get(key));
            known.ifPresent(entry -> entry.claims().stream().filter(claim -> !affected.contains(claim.owner())).forEach(claims::add));
            // Stable: each owner's claims stay in their order.
            claims.sort(Claim.ORDER);
            List<Claim> ruled = settings.commands().apply(key, claims);
            if (ruled.isEmpty()) {
                known.ifPresent(entry -> changes.add(new Change(Optional.of(entry.route()), Optional.empty())));
                gone.add(key);
                return;
            }
            Entry entry = RouteAssembly.assemble(key, ruled, sets.getOrDefault(key, List.of()), settings.locality(), known).declaredAs(claims);
            changed.add(entry);
            List<Conflict> old = known.map(Entry::conflicts).orElse(List.of());
            entry.conflicts().stream().filter(conflict -> !old.contains(conflict)).forEach(newConflicts::add);
            Optional<Route> before = known.map(Entry::route);
            if (before.filter(route -> route == entry.route()).isEmpty()) {
                changes.add(new Change(before, Optional.of(entry.route())));
            }
        });
        return index.with(changed, gone);
    }

    /// A table of routes that no service declares, for tests and benchmarks of look-up. Of two routes with one key the
    /// last counts.
    public static RouteTable of(Collection<Route> routes) {
        List<Entry> entries = routes.stream().map(route -> new Entry(route.key(), route, List.of(), List.of(), List.of())).toList();
        return new RouteTable(RouteIndex.EMPTY.with(entries, List.of()), EMPTY.settings, Declarations.NONE, List.of(), List.of(), List.of());
    }

    /// The route of a request: the first in [look-up order][#routes()] that serves it. Allocates nothing unless a condition
    /// looks at more than host, path, port and scheme; its cost depends on the length of host and path, not on the number of
    /// routes. A route without a healthy instance is a match too ([Match.Empty]) and hides what comes after it. So is one that
    /// doesn't take the method, where no other of its host and path does (see [#allowedMethods(Route)]).
    ///
    /// @param host   holds the Host in any case, without port, from `hostFrom` to `hostTo`; may be empty; a trailing dot
    ///               is ignored; an IPv6 address is in its brackets
    /// @param port   the port the client named or implied
    /// @param path   holds the normalised path (see [PathNormalizer]) from `pathFrom` to `pathTo`
    public Match match(byte[] host, int hostFrom, int hostTo, int port, byte[] path, int pathFrom, int pathTo, RequestFacts request) {
        Route route = index.match(host, hostFrom, hostTo, port, path, pathFrom, pathTo, request);
        return route == null ? NO_ROUTE : route.match();
    }

    /// For the Allow of a 405: the methods that routes of this one's host and path take, sorted.
    public List<String> allowedMethods(Route route) {
        Set<String> methods = new TreeSet<>(route.condition().methods());
        index.forEachBeside(route.key(), beside -> methods.addAll(beside.key().condition().methods()));
        return List.copyOf(methods);
    }

    /// In look-up order: the higher priority; then the more specific host (exact; wildcard or pattern with the longer suffix,
    /// the pattern first; any; with a written port before without); then the longer path, that of a glob up to its first
    /// wildcard; then exact path, glob, whole segments, plain prefix; then the narrower condition; then the id.
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>(index.size());
        index.forEach(entry -> routes.add(entry.route()));
        routes.sort(LOOK_UP_ORDER);
        return routes;
    }

    /// Every route, in no order.
    public void forEach(Consumer<Route> each) {
        index.forEach(entry -> each.accept(entry.route()));
    }

    /// In which routes it differs from the table it was made from.
    public List<Change> changes() {
        return changes;
    }

    /// What [#match] says of a request, in words, with everything that was passed over.
    ///
    /// @param url such as `https://shop.example.com/api`; without a scheme it is plain HTTP
    /// @throws IllegalArgumentException for what no request could be, with the value and what was expected
    public Explanation explain(String url, String method) {
        return explain(url, method, List.of(), Optional.empty());
    }

    /// @param headers each `NAME: VALUE`
    /// @param client  the client's address
    public Explanation explain(String url, String method, List<String> headers, Optional<String> client) {
        return explain(url, method, headers, client, List.of());
    }

    /// @param unread what was written beside the catalog and could not be read
    public Explanation explain(String url, String method, List<String> headers, Optional<String> client, List<Rejected> unread) {
        List<Rejected> all = Stream.concat(rejected().stream(), unread.stream()).toList();
        return new Explainer(index, all, Question.of(url, method, headers, client)).explain();
    }

    void forEachEntry(Consumer<Entry> each) {
        index.forEach(each);
    }

    /// In lower case, services that a route is declared for, by themselves or by an operator.
    public Set<String> services() {
        Set<String> named = new HashSet<>();
        declared.services().stream().filter(each -> !each.claims().isEmpty()).forEach(each -> named.add(each.name().toLowerCase(Locale.ROOT)));
        written.forEach(each -> each.claims().forEach(claim -> named.add(claim.service().toLowerCase(Locale.ROOT))));
        return named;
    }

    /// How many routes there are.
    public int size() {
        return index.size();
    }

    /// By service; then what gave way to another service.
    public List<Rejected> rejected() {
        List<Rejected> rejected = new ArrayList<>();
        declared.services().forEach(service -> rejected.addAll(service.rejected()));
        index.forEach(entry -> rejected.addAll(entry.rejected()));
        if (!settings.defaultHost().isEmpty()) {
            index.forEach(entry -> taken(entry, rejected));
        }
        rejected.addAll(settings.commands().rejected());
        rejected.addAll(settings.commands().idle(index));
        for (RouteFragment.Claims each : written) {
            for (RouteFragment.Sets sets : each.fragment().settings()) {
                if (index.get(sets.key()) == null) {
                    rejected.add(new Rejected(
                            sets.declaration().kind(), "", "", sets.declaration().text(),
                            "nobody declares this route (expected: service or addresses, or somebody who does%s)".formatted(alike(sets.key()))));
                }
            }
        }
        return rejected;
    }

    /// Who has a default host, and doesn't get all of its requests, since somebody else claims those with or without TLS.
    private void taken(Entry entry, List<Rejected> rejected) {
        Set<String> told = new HashSet<>();
        entry.rejected().forEach(each -> told.add(each.service()));
        for (Claim own : entry.claims()) {
            if (RouteAssembly.isDefault(own) && told.add(own.service())) {
                index.forEachBeside(entry.key(), beside -> {
                    Condition condition = beside.key().condition();
                    if (condition.scheme() != Condition.Scheme.ANY && condition.asked().isEmpty()) {
                        beside.claims().stream()
                                .filter(other -> !other.service().equals(own.service()))
                                .findFirst()
                                .ifPresent(other -> rejected.add(RouteAssembly.taken(own, beside.key(), other)));
                    }
                });
            }
        }
    }

    /// Routes of the same host and path, of which another kind of path or another condition may have been meant.
    private String alike(RouteKey key) {
        List<String> ids = new ArrayList<>();
        index.forEach(entry -> {
            if (entry.key().host().equals(key.host()) && entry.key().path().path().equals(key.path().path())) {
                ids.add(entry.key().id());
            }
        });
        return ids.isEmpty() ? "" : "; there is " + String.join(", ", ids.stream().sorted().limit(3).toList());
    }

    /// Addresses under which more than one instance is registered, whatever their services, by address. Each datacenter
    /// by itself: private addresses may be the same in two.
    public List<Ghost> ghosts() {
        Map<String, List<String>> byAddress = new TreeMap<>();
        for (ServiceRoutes each : declared.services()) {
            for (Instance instance : each.service().instances()) {
                if (instance.port() != 0 && instance.distance() == 0) {
                    String host = instance.address();
                    String address = (host.indexOf(':') >= 0 ? "[" + host + "]:" : host + ":") + instance.port();
                    byAddress.computeIfAbsent(address, _ -> new ArrayList<>()).add(each.name() + " " + instance.key());
                }
            }
        }
        List<Ghost> ghosts = new ArrayList<>();
        byAddress.forEach((address, instances) -> {
            if (instances.size() > 1) {
                ghosts.add(new Ghost(address, instances.stream().sorted().toList()));
            }
        });
        return ghosts;
    }

    /// Conflicts that `previous` had not.
    public List<Conflict> newConflicts() {
        return newConflicts;
    }

    /// Where declarations of one route don't agree, by route.
    public List<Conflict> conflicts() {
        List<Conflict> conflicts = new ArrayList<>();
        index.forEach(entry -> conflicts.addAll(entry.conflicts()));
        conflicts.sort(Comparator.comparing(Conflict::route).thenComparing(Conflict::loser).thenComparing(c -> c.lost().text()));
        return conflicts;
    }
}
