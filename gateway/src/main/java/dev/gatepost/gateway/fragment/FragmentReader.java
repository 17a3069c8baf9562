package dev.gatepost.gateway.fragment;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.ZoneFile;
import dev.gatepost.gateway.config.Place;
import dev.gatepost.gateway.config.Problem;
import dev.gatepost.gateway.route.FabioCommands;
import dev.gatepost.gateway.route.RouteFragment;
import dev.gatepost.gateway.zone.StaticZone;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads fragments, each alone. One that turns bad is rejected and stays in force as it was last good; one that is gone is
/// gone. Confined to one thread at a time.
final class FragmentReader {
    private static final Logger LOG = LoggerFactory.getLogger(FragmentReader.class);

    /// Of records whose file says nothing of it.
    private static final Duration TTL = Duration.ofMinutes(1);

    /// Has no business in any other fragment, and must not be quoted.
    private static final String PRIVATE_KEY = "PRIVATE KEY-----";

    private Map<String, Held> held = Map.of();
    private List<StaticZone> zonesInForce = Fragments.NONE.zones();

    /// What a good fragment means.
    private sealed interface Meaning {
        record Routes(RouteFragment routes) implements Meaning {}

        record Zone(StaticZone zone) implements Meaning {}

        /// Whether it is a certificate is for those to say who serve it, and keep the last good one.
        record Certificate(PemFragment text) implements Meaning {}

        /// @param whole whether every line could be read
        record Commands(FabioCommands commands, boolean whole) implements Meaning {}
    }

    /// @param text     as it was last written, good or bad
    /// @param good     what it last meant when it was good
    /// @param rejected why it isn't now
    private record Held(String text, Optional<Meaning> good, List<RejectedFragment> rejected) {}

    /// @param found of each source, in order of precedence
    Fragments read(List<FragmentSource.Found> found) {
        Map<String, Held> next = new HashMap<>();
        List<RouteFragment> routes = new ArrayList<>();
        Map<DomainName, StaticZone> zones = new LinkedHashMap<>();
        Map<DomainName, Fragment> owners = new HashMap<>();
        List<PemFragment> certificates = new ArrayList<>();
        FabioCommands commands = FabioCommands.NONE;
        List<RejectedFragment> rejected = new ArrayList<>();
        for (FragmentSource.Found source : found) {
            FabioCommands ofSource = FabioCommands.NONE;
            rejected.addAll(source.rejected());
            for (Fragment fragment : source.fragments()) {
                Held now = held(fragment, Optional.ofNullable(held.get(fragment.id())));
                next.put(fragment.id(), now);
                rejected.addAll(now.rejected());
                if (now.good().orElse(null) instanceof Meaning.Commands(FabioCommands more, _)) {
                    ofSource = ofSource.then(more);
                }
                now.good().ifPresent(meaning -> {
                    switch (meaning) {
                        case Meaning.Commands _ -> {} // taken in their order, above
                        case Meaning.Certificate(PemFragment text) -> certificates.add(text);
                        case Meaning.Routes(RouteFragment good) -> routes.add(good);
                        case Meaning.Zone(StaticZone good) -> {
                            Fragment owner = owners.putIfAbsent(good.origin(), fragment);
                            if (owner == null) {
                                zones.put(good.origin(), good);
                            } else {
                                rejected.add(new RejectedFragment(
                                        fragment.medium(),
                                        fragment.place().source(),
                                        "%s: zone %s is also in %s, which is in force (expected: each zone once)".formatted(fragment.place(), good.origin(), owner.id())));
                            }
                        }
                    }
                });
            }
            // Of two commands the last has the last word, and the first source goes before the others.
            commands = ofSource.then(commands);
        }
        held = next;
        if (!sameObjects(List.copyOf(zones.values()), zonesInForce)) {
            zonesInForce = List.copyOf(zones.values());
        }
        return new Fragments(routes, zonesInForce, certificates, commands, rejected);
    }

    @SuppressWarnings("ReferenceEquality") // what was not written anew is the same object
    private static boolean sameObjects(List<StaticZone> a, List<StaticZone> b) {
        return a.size() == b.size() && IntStream.range(0, a.size()).allMatch(i -> a.get(i) == b.get(i));
    }

    private static Held held(Fragment fragment, Optional<Held> before) {
        if (before.isPresent() && fragment.unreadable().isEmpty() && before.get().text().equals(fragment.text())) {
            return before.get();
        }
        List<RejectedFragment> rejected = new ArrayList<>();
        Optional<Meaning> meaning = Optional.empty();
        if (fragment.unreadable().isPresent()) {
            rejected.add(refused(fragment, fragment.place() + ": can't be read: " + fragment.unreadable().get(), List.of()));
        } else {
            meaning = meaning(fragment, rejected);
        }
        if (meaning.isPresent() && rejected.isEmpty()) {
            return new Held(fragment.text(), meaning, List.of());
        }
        Optional<Meaning> last = before.flatMap(Held::good).filter(FragmentReader::isWhole);
        // What is good of a bad one is better than nothing, but not than the last good one.
        Optional<Meaning> partial = meaning;
        Optional<Meaning> kept = last.or(() -> partial);
        String stays = last.isPresent() ? "; the version before stays in force" : "";
        List<RejectedFragment> told = rejected.stream().map(each -> refused(fragment, each.reason() + stays, each.routes())).toList();
        if (before.filter(earlier -> earlier.rejected().equals(told)).isEmpty()) {
            told.forEach(each -> LOG.warn("fragment rejected: {}", each.reason()));
        }
        // An unreadable one is looked at again.
        return new Held(fragment.unreadable().isPresent() ? "" : fragment.text(), kept, told);
    }

    private static RejectedFragment refused(Fragment fragment, String reason, List<String> routes) {
        return new RejectedFragment(fragment.medium(), fragment.place().source(), reason, routes);
    }

    private static boolean isWhole(Meaning meaning) {
        return !(meaning instanceof Meaning.Commands(_, boolean whole)) || whole;
    }

    private static Optional<Meaning> meaning(Fragment fragment, List<RejectedFragment> rejected) {
        if (fragment.kind() != Fragment.Kind.CERTIFICATE && fragment.text().contains(PRIVATE_KEY)) {
            rejected.add(refused(fragment, fragment.place() + ": holds a private key (expected: that under certificates/NAME, or in NAME.pem)", List.of()));
            return Optional.empty();
        }
        return switch (fragment.kind()) {
            case CERTIFICATE -> Optional.of(new Meaning.Certificate(new PemFragment(fragment.place().source(), fragment.text())));
            case COMMANDS -> commands(fragment, rejected);
            case ROUTE -> routes(fragment, rejected);
            case ZONE -> zone(fragment, rejected);
        };
    }

    private static Optional<Meaning> routes(Fragment fragment, List<RejectedFragment> rejected) {
        List<Problem> problems = new ArrayList<>();
        Optional<RouteFragment> read = RouteFragment.read(fragment.medium(), fragment.text(), fragment.place(), problems);
        if (!problems.isEmpty()) {
            List<String> named = RouteFragment.named(fragment.text(), fragment.place());
            problems.forEach(problem -> rejected.add(refused(fragment, problem.toString(), named)));
        }
        return read.map(Meaning.Routes::new);
    }

    private static Optional<Meaning> commands(Fragment fragment, List<RejectedFragment> rejected) {
        FabioCommands read = FabioCommands.parse(fragment.medium(), fragment.place().source(), fragment.text());
        read.rejected().forEach(line -> rejected.add(
                refused(fragment, line.reason() + ": " + line.text(), FabioCommands.named(line.text()).stream().toList())));
        return Optional.of(new Meaning.Commands(new FabioCommands(read.commands(), List.of()), read.rejected().isEmpty()));
    }

    /// The name says which zone it is.
    private static Optional<Meaning> zone(Fragment fragment, List<RejectedFragment> rejected) {
        try {
            ZoneFile file = ZoneFile.read(fragment.text(), DomainName.of(fragment.name()), TTL);
            return Optional.of(new Meaning.Zone(new StaticZone(file.origin(), file.soa(), file.records())));
        } catch (ZoneFile.Malformed e) {
            Place place = e.line() == 0 ? fragment.place() : fragment.place().at(e.line(), 1);
            rejected.add(refused(fragment, place + ": " + e.reason(), List.of()));
        } catch (IllegalArgumentException e) {
            rejected.add(refused(fragment, fragment.place() + ": name " + e.getMessage(), List.of()));
        }
        return Optional.empty();
    }
}
