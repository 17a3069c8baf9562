package dev.gatepost.gateway;

import dev.gatepost.gateway.route.Condition;
import dev.gatepost.gateway.route.HostPattern;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteTable;
import dev.gatepost.gateway.tls.ServerCertificate;
import dev.gatepost.gateway.zone.ServedHosts;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// The hosts of a route table and the names of certificates, taken out of them so that names are looked up in no time.
/// Immutable; the same object serves as long as no route came or went and the certificates are the same.
final class GateHosts implements ServedHosts {
    static final GateHosts NONE = new GateHosts(RouteTable.EMPTY, List.of());

    private final List<ServerCertificate> certificates;
    private final Set<String> services;
    private final Hosts any = new Hosts();
    private final Hosts secure = new Hosts();
    private final Set<String> certified = new HashSet<>();

    /// Host patterns by how they are looked up.
    private static final class Hosts {
        private final Set<String> exact = new HashSet<>();
        private final Set<String> suffixes = new HashSet<>();
        private final List<HostPattern> patterns = new ArrayList<>();
        private boolean all;

        void add(HostPattern pattern) {
            switch (pattern.kind()) {
                case EXACT -> exact.add(pattern.name());
                case WILDCARD -> suffixes.add(pattern.name());
                case PATTERN -> patterns.add(pattern);
                case ANY -> all = true;
            }
        }

        boolean serve(String host) {
            return all || exact.contains(host) || isBelow(host) || patterns.stream().anyMatch(pattern -> pattern.serves(host));
        }

        private boolean isBelow(String host) {
            for (int dot = host.indexOf('.', 1); dot > 0 && !suffixes.isEmpty(); dot = host.indexOf('.', dot + 1)) {
                if (suffixes.contains(host.substring(dot + 1))) {
                    return true;
                }
            }
            return false;
        }
    }

    private GateHosts(RouteTable routes, List<ServerCertificate> certificates) {
        this.certificates = certificates;
        this.services = routes.services();
        routes.forEach(route -> {
            any.add(route.host());
            if (route.condition().scheme() != Condition.Scheme.HTTP) {
                secure.add(route.host());
            }
        });
        certificates.forEach(certificate -> certified.addAll(certificate.names()));
    }

    /// @param routes made from those that this was made of
    GateHosts next(RouteTable routes, List<ServerCertificate> now) {
        return now.equals(certificates) && routes.changes().stream().noneMatch(GateHosts::concernsNames) ? this : new GateHosts(routes, now);
    }

    /// Whether a route came or went, or leads to other services than before.
    private static boolean concernsNames(RouteTable.Change change) {
        return !change.before().map(GateHosts::upstream).equals(change.after().map(GateHosts::upstream));
    }

    private static String upstream(Route route) {
        return route.upstream().name();
    }

    @Override
    public boolean leadTo(String service) {
        return services.contains(service);
    }

    @Override
    public boolean serve(String host) {
        return any.serve(host);
    }

    @Override
    public boolean serveSecurely(String host) {
        int dot = host.indexOf('.');
        boolean named = certified.contains(host) || (dot > 0 && certified.contains("*" + host.substring(dot)));
        return named && secure.serve(host.toLowerCase(Locale.ROOT));
    }
}
