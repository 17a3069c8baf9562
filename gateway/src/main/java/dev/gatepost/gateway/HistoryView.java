package dev.gatepost.gateway;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// What `/api/v1/history` shows: the revisions that are remembered, newest first, and what changed with each.
///
/// @param from the oldest revision that can be compared with
/// @param to   the newest
record HistoryView(long from, long to, List<RevisionView> revisions) {
    /// A list longer than this is cut; the diff has it whole.
    private static final int MOST_KEYS = 20;

    /// @param index Consul's index when it was derived; 0 where there is no Consul
    /// @param diff  where to see what each thing was and is; empty where history begins
    record RevisionView(
            long revision, Instant publishedAt, long index, KeysView services, KeysView instances, KeysView routes, KeysView names, String diff) {}

    /// What was added, removed and changed, by key.
    ///
    /// @param more how many of them are not in the lists
    record KeysView(List<String> added, List<String> removed, List<String> changed, int more) {
        private static final KeysView NONE = new KeysView(List.of(), List.of(), List.of(), 0);

        static <T> KeysView of(List<Changed<T>> all) {
            List<String> added = keys(all, Changed.Kind.ADDED);
            List<String> removed = keys(all, Changed.Kind.REMOVED);
            List<String> changed = keys(all, Changed.Kind.CHANGED);
            return new KeysView(added, removed, changed, all.size() - added.size() - removed.size() - changed.size());
        }

        private static <T> List<String> keys(List<Changed<T>> all, Changed.Kind kind) {
            return all.stream().filter(each -> each.kind() == kind).map(Changed::key).sorted().limit(MOST_KEYS).toList();
        }
    }

    static HistoryView of(History history) {
        List<RevisionView> views = new ArrayList<>();
        List<History.Step> steps = history.steps();
        for (History.Step step : steps) {
            views.add(step.changeset()
                    .map(changes -> new RevisionView(
                            step.revision(),
                            step.publishedAt(),
                            step.index(),
                            KeysView.of(changes.services()),
                            KeysView.of(changes.instances()),
                            KeysView.of(changes.routes()),
                            KeysView.of(changes.names()),
                            "/api/v1/history?from=%d&to=%d".formatted(step.revision() - 1, step.revision())))
                    .orElseGet(() -> new RevisionView(
                            step.revision(), step.publishedAt(), step.index(), KeysView.NONE, KeysView.NONE, KeysView.NONE, KeysView.NONE, "")));
        }
        Collections.reverse(views);
        return steps.isEmpty() ? new HistoryView(0, 0, List.of()) : new HistoryView(steps.getFirst().revision(), steps.getLast().revision(), views);
    }
}
