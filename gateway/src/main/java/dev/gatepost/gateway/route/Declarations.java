package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.catalog.Snapshot;
import dev.gatepost.gateway.route.TraefikLabels.Label;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/// What the services of one snapshot declare, in name order. Immutable; [#next] reads the services that changed, and looks at
/// no other unless a middleware changed, which any service may use.
final class Declarations {
    static final Declarations NONE = new Declarations(Snapshot.EMPTY, List.of(), Map.of());

    private final Snapshot snapshot;
    private final List<ServiceRoutes> services;
    /// By name: the first service by name decides what a middleware is.
    private final Map<String, SortedMap<String, Label>> middlewares;

    private Declarations(Snapshot snapshot, List<ServiceRoutes> services, Map<String, SortedMap<String, Label>> middlewares) {
        this.snapshot = snapshot;
        this.services = services;
        this.middlewares = middlewares;
    }

    List<ServiceRoutes> services() {
        return services;
    }

    /// @param reusable whether the settings are those that these were read by
    /// @param replaced told what a service declared and what it declares now: [ServiceRoutes#none] where it isn't there
    Declarations next(Snapshot after, RouteSettings settings, boolean reusable, BiConsumer<ServiceRoutes, ServiceRoutes> replaced) {
        if (!reusable) {
            return whole(after, settings, false, replaced);
        }
        Map<String, Optional<Service>> changed = new TreeMap<>();
        after.servicesChangedFrom(snapshot, (was, is) -> changed.put(was.or(() -> is).map(Service::name).orElseThrow(), is));
        return changed.entrySet().stream().allMatch(each -> hasMiddlewares(each.getKey(), each.getValue(), settings))
                ? some(after, changed, settings, replaced)
                : whole(after, settings, true, replaced);
    }

    /// Whether the service declares the same middlewares now as before.
    private boolean hasMiddlewares(String name, Optional<Service> now, RouteSettings settings) {
        int at = position(services, name);
        Map<String, SortedMap<String, Label>> before = at < 0 ? Map.of() : services.get(at).middlewares();
        return before.equals(now.map(service -> ServiceRoutes.middlewares(service, settings)).orElse(Map.of()));
    }

    private Declarations some(
            Snapshot after, Map<String, Optional<Service>> changed, RouteSettings settings, BiConsumer<ServiceRoutes, ServiceRoutes> replaced) {
        List<ServiceRoutes> next = new ArrayList<>(services);
        changed.forEach((name, service) -> {
            int at = position(next, name);
            ServiceRoutes before = at < 0 ? ServiceRoutes.none(name) : next.get(at);
            ServiceRoutes now = service.map(each -> ServiceRoutes.read(each, settings, middlewares)).orElseGet(() -> ServiceRoutes.none(name));
            if (at < 0) {
                service.ifPresent(_ -> next.add(-at - 1, now));
            } else if (service.isPresent()) {
                next.set(at, now);
            } else {
                next.remove(at);
            }
            replaced.accept(before, now);
        });
        return new Declarations(after, List.copyOf(next), middlewares);
    }

    private Declarations whole(Snapshot after, RouteSettings settings, boolean reusable, BiConsumer<ServiceRoutes, ServiceRoutes> replaced) {
        Map<String, ServiceRoutes> before = new LinkedHashMap<>();
        services.forEach(each -> before.put(each.name(), each));
        Map<String, SortedMap<String, Label>> shared = new TreeMap<>();
        for (Service service : after.inOrder()) {
            ServiceRoutes known = before.getOrDefault(service.name(), ServiceRoutes.none(service.name()));
            Map<String, SortedMap<String, Label>> own = reusable && known.isOf(service) ? known.middlewares() : ServiceRoutes.middlewares(service, settings);
            own.forEach(shared::putIfAbsent);
        }
        List<ServiceRoutes> next = new ArrayList<>();
        for (Service service : after.inOrder()) {
            ServiceRoutes known = before.getOrDefault(service.name(), ServiceRoutes.none(service.name()));
            before.remove(service.name());
            if (reusable && known.isOf(service) && known.holds(shared)) {
                next.add(known);
                continue;
            }
            ServiceRoutes read = ServiceRoutes.read(service, settings, shared);
            next.add(read);
            replaced.accept(known, read);
        }
        before.values().forEach(gone -> replaced.accept(gone, ServiceRoutes.none(gone.name())));
        return new Declarations(after, List.copyOf(next), shared);
    }

    /// As [Collections#binarySearch] says it.
    private static int position(List<ServiceRoutes> services, String name) {
        return Collections.binarySearch(services, ServiceRoutes.none(name), Comparator.comparing(ServiceRoutes::name));
    }
}
