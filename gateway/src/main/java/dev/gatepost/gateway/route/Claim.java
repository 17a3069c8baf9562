package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Instance;
import java.util.Comparator;

/// What one declaration of one instance asks for: this route, with these options, to this instance.
///
/// @param priority of the route
/// @param weight   this instance's share of the route's traffic
/// @param owner    who declares it: a service, or where an operator wrote it
/// @param port     where the instance is reached
/// @param protocol what the instance speaks there
/// @param serving  whether the instance gets traffic, by its health
record Claim(
        RouteKey key,
        int priority,
        RouteOptions options,
        Weight weight,
        Route.Declaration declaration,
        String owner,
        String service,
        Instance instance,
        int port,
        EndpointProtocol protocol,
        boolean serving) {
    Claim withWeight(Weight other) {
        return new Claim(key, priority, options, other, declaration, owner, service, instance, port, protocol, serving);
    }

    /// What operators wrote goes before what services declare, files before the KV store, then by name.
    static final Comparator<Claim> ORDER =
            Comparator.comparing((Claim claim) -> !claim.isWritten()).thenComparing(Claim::owner);

    /// How far its instance is.
    int distance() {
        return instance.distance();
    }

    /// Whether there is no instance behind it.
    @SuppressWarnings("ReferenceEquality")
    boolean isOfNobody() {
        return instance == RouteFragment.NOBODY;
    }

    /// Whether an operator wrote it.
    boolean isWritten() {
        return declaration.instance().isEmpty();
    }
}
