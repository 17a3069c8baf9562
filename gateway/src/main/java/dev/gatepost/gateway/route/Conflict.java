package dev.gatepost.gateway.route;

/// Two declarations of one route that don't agree on its options. The route works, as the winner has it, and the loser's
/// instance serves it on the winner's terms.
///
/// @param route its id
public record Conflict(String route, String winner, Route.Declaration won, String loser, Route.Declaration lost) {
    @Override
    public String toString() {
        return "route %s: %s decides (service %s, instance %s), not %s (service %s, instance %s)"
                .formatted(route, won.text(), winner, won.instance(), lost.text(), loser, lost.instance());
    }
}
