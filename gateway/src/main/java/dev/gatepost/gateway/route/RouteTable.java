package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Snapshot;
import java.util.List;

/// All routes of one state, compiled for look-up, with everything that was rejected on the way. Immutable.
public final class RouteTable {
    public static final RouteTable EMPTY = new RouteTable();

    private RouteTable() {}

    /// The table of a snapshot. Routes of services that are the same object as in the snapshot `previous` was made from
    /// are reused by reference.
    public static RouteTable from(Snapshot snapshot, RouteSettings settings, RouteTable previous) {
        return EMPTY;
    }

    /// The route of a request. Allocates nothing.
    ///
    /// @param host  holds the Host in any case, without port, from `hostFrom` to `hostTo`; may be empty
    /// @param port  the port the client named or implied
    /// @param path  holds the normalised path (see [PathNormalizer]) from `pathFrom` to `pathTo`
    public Match match(byte[] host, int hostFrom, int hostTo, int port, byte[] path, int pathFrom, int pathTo) {
        return new Match.NoRoute();
    }

    /// In look-up order.
    public List<Route> routes() {
        return List.of();
    }

    public List<Rejected> rejected() {
        return List.of();
    }
}
