package dev.gatepost.gateway.fragment;

import dev.gatepost.gateway.config.Problem;
import dev.gatepost.gateway.route.RouteFragment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads fragments, each alone. One that turns bad is rejected and stays in force as it was last good; one that is gone is
/// gone. Confined to one thread at a time.
final class FragmentReader {
    private static final Logger LOG = LoggerFactory.getLogger(FragmentReader.class);

    private Map<String, Held> held = Map.of();

    /// What a good fragment means.
    private sealed interface Meaning {
        record Routes(RouteFragment routes) implements Meaning {}
    }

    /// @param text     as it was last written, good or bad
    /// @param good     what it last meant when it was good
    /// @param problems why it isn't now
    private record Held(String text, Optional<Meaning> good, List<String> problems) {}

    /// @param found of each source, in order of precedence
    Fragments read(List<FragmentSource.Found> found) {
        Map<String, Held> next = new HashMap<>();
        List<RouteFragment> routes = new ArrayList<>();
        List<RejectedFragment> rejected = new ArrayList<>();
        for (FragmentSource.Found source : found) {
            rejected.addAll(source.rejected());
            for (Fragment fragment : source.fragments()) {
                Held now = held(fragment, Optional.ofNullable(held.get(fragment.id())));
                next.put(fragment.id(), now);
                now.problems().forEach(problem -> rejected.add(new RejectedFragment(fragment.medium(), fragment.place().source(), problem)));
                now.good().ifPresent(meaning -> {
                    switch (meaning) {
                        case Meaning.Routes(RouteFragment good) -> routes.add(good);
                    }
                });
            }
        }
        held = next;
        return new Fragments(routes, rejected);
    }

    private static Held held(Fragment fragment, Optional<Held> before) {
        if (before.isPresent() && fragment.unreadable().isEmpty() && before.get().text().equals(fragment.text())) {
            return before.get();
        }
        List<Problem> problems = new ArrayList<>();
        Optional<Meaning> meaning = Optional.empty();
        if (fragment.unreadable().isPresent()) {
            problems.add(new Problem(fragment.place(), "can't be read: " + fragment.unreadable().get()));
        } else {
            meaning = meaning(fragment, problems);
        }
        if (meaning.isPresent()) {
            return new Held(fragment.text(), meaning, List.of());
        }
        Optional<Meaning> kept = before.flatMap(Held::good);
        List<String> reasons = problems.stream().map(problem -> problem + (kept.isPresent() ? "; the version before stays in force" : "")).toList();
        if (before.filter(last -> last.problems().equals(reasons)).isEmpty()) {
            reasons.forEach(reason -> LOG.warn("fragment rejected: {}", reason));
        }
        // An unreadable one is looked at again.
        return new Held(fragment.unreadable().isPresent() ? "" : fragment.text(), kept, reasons);
    }

    private static Optional<Meaning> meaning(Fragment fragment, List<Problem> problems) {
        return switch (fragment.kind()) {
            case ROUTE -> RouteFragment.read(fragment.medium(), fragment.text(), fragment.place(), problems).map(Meaning.Routes::new);
            case ZONE, CERTIFICATE -> {
                problems.add(new Problem(fragment.place(), "not supported by this version (expected: a fragment of routes)"));
                yield Optional.empty();
            }
        };
    }
}
