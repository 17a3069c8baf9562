package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/// What fabio and Traefik would make of a catalog, beside what Gatepost makes of it, declaration by declaration. Their
/// behaviour is that of their defaults: fabio with `checksRequired=one` and the prefix matcher, Traefik with
/// `exposedByDefault` and `strictChecks` of passing and warning.
public final class PeerComparison {
    private final Snapshot snapshot;
    private final RouteSettings settings;
    private final RouteTable table;
    private final TraefikPeer traefik;
    /// A catalog without any check, from a file say, tells nothing about health.
    private final boolean checked;
    /// fabio's commands, whether or not the settings have them too.
    private final List<FabioCommands.Line> lines;
    /// Instances that a declaration has after these commands.
    private final Map<Declared, Set<String>> left = new TreeMap<>();
    private final Map<Declared, Made> made = new TreeMap<>();

    private record Declared(String service, String text) implements Comparable<Declared> {
        @Override
        public int compareTo(Declared other) {
            int byService = service.compareTo(other.service);
            return byService != 0 ? byService : text.compareTo(other.text);
        }
    }

    /// What Gatepost makes of a declaration.
    private static final class Made {
        private final Set<String> routes = new TreeSet<>();
        private final Set<String> reasons = new LinkedHashSet<>();
        private final Set<String> serving = new TreeSet<>();
        private final Set<String> instances = new TreeSet<>();
        private String dialect = "";
    }

    private PeerComparison(Snapshot snapshot, RouteSettings settings, List<FabioCommands.Line> lines) {
        this.lines = lines;
        this.snapshot = snapshot;
        this.settings = settings;
        this.table = RouteTable.from(snapshot, settings, RouteTable.EMPTY);
        this.traefik = new TraefikPeer(snapshot, table);
        this.checked = snapshot.services().values().stream().flatMap(service -> service.instances().stream()).anyMatch(instance -> !instance.checks().isEmpty());
    }

    static List<Finding> of(Snapshot snapshot, RouteSettings settings) {
        return of(snapshot, settings, List.of());
    }

    /// By service, then by text; fabio's commands after them, in their order.
    ///
    /// @param lines fabio's commands; Gatepost obeys those that the settings have as well
    public static List<Finding> of(Snapshot snapshot, RouteSettings settings, List<FabioCommands.Line> lines) {
        return new PeerComparison(snapshot, settings, lines).findings();
    }

    private List<Finding> findings() {
        RouteTable ruled = RouteTable.from(snapshot, settings.withCommands(FabioCommands.of(lines)), table);
        ruled.forEachEntry(entry -> entry.ruled().forEach(claim -> left
                .computeIfAbsent(new Declared(claim.service(), claim.declaration().text()), _ -> new TreeSet<>())
                .add(claim.instance().key())));
        table.forEachEntry(entry -> entry.ruled().stream().filter(claim -> !claim.isWritten()).forEach(claim -> {
            Made declared = made(claim.service(), claim.declaration().text());
            declared.dialect = claim.declaration().dialect();
            declared.routes.add(entry.route().id());
            declared.instances.add(claim.instance().key());
            if (claim.serving()) {
                declared.serving.add(claim.instance().key());
            }
        }));
        for (Rejected rejected : table.rejected().stream().filter(each -> !each.instance().isEmpty()).toList()) {
            Made declared = made(rejected.service(), rejected.text());
            declared.reasons.add(rejected.reason());
            declared.instances.add(rejected.instance());
        }
        List<Finding> findings = new ArrayList<>();
        made.forEach((declared, each) -> findings.add(finding(declared, each)));
        findings.addAll(traefik.exposedByDefault(settings));
        lines.forEach(line -> findings.add(finding(line)));
        return findings;
    }

    private Finding finding(FabioCommands.Line line) {
        FabioCommands read = FabioCommands.of(List.of(line));
        String service = read.commands().stream().findFirst().map(FabioCommands.Command::service).orElse("");
        Peer.Seen fabio = FabioPeer.see(line, read.rejected());
        List<String> why = new ArrayList<>();
        boolean obeyed = !settings.commands().equals(FabioCommands.NONE);
        if (!obeyed) {
            why.add("Gatepost reads %s with fragments.fabio-path".formatted(line.place().replaceFirst(" line \\d+$", "")));
        }
        read.rejected().forEach(rejected -> why.add("Gatepost rejects it: " + rejected.reason()));
        why.addAll(fabio.why());
        boolean rejected = !read.rejected().isEmpty();
        return new Finding(service, 0, line.text(), fabio.does(), Finding.NOT_READ, rejected ? "rejected" : obeyed ? "obeys it" : "not read", rejected, why);
    }

    private Made made(String service, String text) {
        return made.computeIfAbsent(new Declared(service, text), _ -> new Made());
    }

    private Finding finding(Declared declared, Made each) {
        List<Instance> carriers = carriers(declared, each);
        List<String> why = new ArrayList<>();
        each.reasons.forEach(reason -> why.add("Gatepost rejects it: " + reason));
        Peer.Seen fabio = Peer.Seen.NOT_READ;
        Peer.Seen traefikSees = Peer.Seen.NOT_READ;
        Map<String, String> variables = carriers.stream().findFirst().map(instance -> Map.of("DC", instance.node().datacenter())).orElse(Map.of());
        Optional<FabioDialect.Tag> tag = FabioDialect.Tag.read(declared.text(), FabioDialect.PREFIX, variables);
        if (tag.isPresent() && !each.dialect.equals("gatepost")) {
            fabio = FabioPeer.see(tag.get());
            if (each.reasons.isEmpty() && !left.containsKey(declared)) {
                fabio = new Peer.Seen("no route", false, List.of("a route del command takes it out of fabio"));
            }
        } else if (declared.text().toLowerCase(Locale.ROOT).startsWith("traefik.")) {
            traefikSees = traefik.see(declared.text(), each.reasons);
        }
        why.addAll(fabio.why());
        why.addAll(traefikSees.why());
        if (each.reasons.isEmpty()) {
            why.addAll(conflicts(declared, each));
        }
        return new Finding(
                declared.service(),
                carriers.size(),
                declared.text(),
                cell(fabio, carriers, FabioPeer::serves, each, "fabio", why),
                cell(traefikSees, carriers, TraefikPeer::serves, each, "Traefik", why),
                own(each),
                !each.reasons.isEmpty(),
                why.stream().distinct().toList());
    }

    private List<Instance> carriers(Declared declared, Made each) {
        Service service = snapshot.services().get(declared.service());
        return service == null ? List.of() : service.instances().stream().filter(instance -> each.instances.contains(instance.key())).toList();
    }

    private static String own(Made each) {
        if (each.routes.isEmpty()) {
            return "rejected";
        }
        String routes = String.join(", ", each.routes);
        return each.serving.isEmpty() ? routes + " (503)" : each.serving.size() < each.instances.size() ? "%s (%d of %d)".formatted(routes, each.serving.size(), each.instances.size()) : routes;
    }

    /// What a peer does, and with how many of the instances.
    private String cell(Peer.Seen seen, List<Instance> carriers, Predicate<Instance> serves, Made each, String peer, List<String> why) {
        if (!seen.routes() || !checked) {
            return seen.does();
        }
        List<Instance> theirs = carriers.stream().filter(serves).toList();
        if (each.reasons.isEmpty()) {
            carriers.stream()
                    .filter(instance -> theirs.contains(instance) != each.serving.contains(instance.key()))
                    .forEach(instance -> why.add(difference(instance, theirs.contains(instance), peer)));
        }
        if (theirs.isEmpty()) {
            if (each.serving.isEmpty() && each.reasons.isEmpty()) {
                why.add("no instance is healthy: %s has no such route then and tries wider ones, Gatepost answers 503".formatted(peer));
            }
            return "no route";
        }
        return theirs.size() < carriers.size() ? "%s (%d of %d)".formatted(seen.does(), theirs.size(), carriers.size()) : seen.does();
    }

    private String difference(Instance instance, boolean theirs, String peer) {
        if (!theirs) {
            return instance.checks().isEmpty()
                    ? "%s has no check: %s leaves it out, Gatepost counts it as passing, as Consul does".formatted(instance.key(), peer)
                    : "%s is %s: %s leaves it out, Gatepost serves it (routes.health)".formatted(instance.key(), word(instance), peer);
        }
        return "%s is %s by its worst check: %s serves it, Gatepost doesn't (routes.health: %s)".formatted(instance.key(), word(instance), peer, settings.health().name().toLowerCase(Locale.ROOT));
    }

    private static String word(Instance instance) {
        return instance.health().name().toLowerCase(Locale.ROOT);
    }

    /// In both peers' terms: fabio keeps options by instance, Traefik drops what instances don't agree on.
    private List<String> conflicts(Declared declared, Made each) {
        return table.conflicts().stream()
                .filter(conflict -> each.routes.contains(conflict.route()) && conflict.loser().equals(declared.service()) && conflict.lost().text().equals(declared.text()))
                .map(conflict -> "Gatepost does what %s of service %s, instance %s, says for the whole route".formatted(conflict.won().text(), conflict.winner(), conflict.won().instance()))
                .toList();
    }
}
