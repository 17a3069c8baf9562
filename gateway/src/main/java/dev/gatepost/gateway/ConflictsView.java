package dev.gatepost.gateway;

import dev.gatepost.gateway.route.Conflict;
import dev.gatepost.gateway.route.Ghost;
import dev.gatepost.gateway.route.RouteTable;
import java.util.List;

/// What `/api/v1/conflicts` shows: registrations that are served, and don't agree.
///
/// @param routes    whose declarations differ: who decides, and who was overruled
/// @param addresses registered by more than one instance: one of them may be a leftover
record ConflictsView(List<Conflict> routes, List<Ghost> addresses) {
    static ConflictsView of(RouteTable table) {
        return new ConflictsView(table.conflicts(), table.ghosts());
    }
}
