package dev.gatepost.gateway;

import dev.gatepost.dns.Zone;
import dev.gatepost.gateway.catalog.Health;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.fragment.Fragments;
import dev.gatepost.gateway.proxy.Serving;
import dev.gatepost.gateway.route.RouteSettings;
import dev.gatepost.gateway.route.RouteTable;
import dev.gatepost.gateway.tls.ServerCertificate;
import dev.gatepost.gateway.zone.GateView;
import dev.gatepost.gateway.zone.ServiceZone;
import dev.gatepost.gateway.zone.Withheld;
import dev.gatepost.gateway.zone.ZoneSettings;
import java.time.Instant;
import java.util.List;

/// All that is served, derived from one snapshot and the fragments beside it: one immutable value behind one reference, so
/// that the gate, the post and the admin API never see two different catalogs.
///
/// @param publishedAt when it took the place of the one before; the start for revision 0
/// @param serving     what the gate reads: the routes and the revision they belong to
/// @param names       the zone in the making, and the names in it explained
/// @param zone        what the post reads
/// @param hosts       what the gate serves, for the names that lead to it
record GatewayState(Instant publishedAt, Snapshot catalog, Fragments fragments, Serving serving, GateHosts hosts, ServiceZone names, Zone zone) {

    /// What the derivation depends on beside the catalog.
    record Settings(RouteSettings routes, ZoneSettings zone) {}

    /// Before the first snapshot: revision 0, which answers neither 404 nor NXDOMAIN, since nothing is known yet.
    static GatewayState unknown(Settings settings, Instant now) {
        ServiceZone names = ServiceZone.of(Snapshot.EMPTY, settings.zone(), Fragments.NONE.zones(), 0);
        return new GatewayState(now, Snapshot.EMPTY, Fragments.NONE, new Serving(RouteTable.EMPTY, 0), GateHosts.NONE, names, names.zone().incomplete());
    }

    /// The next state. What is the same object in the snapshots and fragments of both is not derived again.
    GatewayState next(Snapshot snapshot, Fragments written, Settings settings, Instant now) {
        return next(snapshot, written, List.of(), Withheld.NOTHING, settings, now);
    }

    /// The same where there is a gate.
    ///
    /// @param certificates that it shows
    /// @param withheld     from DNS, since it doesn't work
    GatewayState next(
            Snapshot snapshot, Fragments written, List<ServerCertificate> certificates, Withheld withheld, Settings settings, Instant now) {
        long revision = revision() + 1;
        RouteTable routes = RouteTable.from(snapshot, written.routes(), settings.routes().withCommands(written.commands()), serving.routes());
        GateHosts served = hosts.next(routes, certificates);
        // Names without a datacenter are of our own alone.
        ServiceZone next = names.next(snapshot.local(), written.zones(), new GateView(served, withheld), revision);
        return new GatewayState(now, snapshot, written, new Serving(routes, revision), served, next, next.zone());
    }

    /// Services that are served with all instances since none is healthy.
    List<String> panicking() {
        return catalog.services().values().stream()
                .filter(service -> service.instances().stream().anyMatch(instance -> instance.health() == Health.PANICKING))
                .map(Service::name)
                .toList();
    }

    /// How many routes lead to another datacenter, since no nearer one has a healthy instance.
    long routesServedBy(String datacenter) {
        return routes().routes().stream().filter(route -> route.upstream().elsewhere().equalsIgnoreCase(datacenter)).count();
    }

    long revision() {
        return serving.revision();
    }

    RouteTable routes() {
        return serving.routes();
    }
}
