package dev.gatepost.gateway.fragment;

import dev.gatepost.gateway.route.FabioCommands;
import dev.gatepost.gateway.route.Rejected;
import dev.gatepost.gateway.route.RouteFragment;
import dev.gatepost.gateway.zone.StaticZone;
import java.util.List;

/// All fragments in force at one moment. What was not written anew is the same object as before.
///
/// @param zones    the same list as before where none of them changed
/// @param certificates by source, each as it was last written
/// @param commands     fabio's, in the order in which they apply
/// @param rejected what was written and is not in force
public record Fragments(
        List<RouteFragment> routes, List<StaticZone> zones, List<PemFragment> certificates, FabioCommands commands, List<RejectedFragment> rejected) {
    public static final Fragments NONE = new Fragments(List.of(), List.of(), List.of(), FabioCommands.NONE, List.of());

    public Fragments {
        routes = List.copyOf(routes);
        zones = List.copyOf(zones);
        certificates = List.copyOf(certificates);
        rejected = List.copyOf(rejected);
    }

    /// Routes that are declared in vain: those of fragments that could not be read.
    public List<Rejected> unread() {
        return rejected.stream()
                .flatMap(each -> each.routes().stream().map(route -> new Rejected(each.medium(), "", "", each.source() + ": " + route, each.reason())))
                .toList();
    }
}
