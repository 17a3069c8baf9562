package dev.gatepost.gateway;

import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Zone;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Service;
import dev.gatepost.gateway.route.Route;
import dev.gatepost.gateway.route.RouteTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiPredicate;

/// What differs between two states. Consecutive states share by reference what did not change, so that it costs as much
/// as there are differences; changesets of consecutive steps add up to the one of the whole way.
record Changeset(List<Changed<Service>> services, List<Changed<Route>> routes, List<Changed<List<RRset>>> names) {

    /// @param after made from `before`
    static Changeset between(GatewayState before, GatewayState after) {
        List<Changed<Service>> services = new ArrayList<>();
        after.catalog().servicesChangedFrom(before.catalog(), (was, is) ->
                services.add(new Changed<>(was.or(() -> is).map(Service::name).orElseThrow(), was, is)));
        List<Changed<Route>> routes = new ArrayList<>();
        for (RouteTable.Change route : after.routes().changes()) {
            routes.add(new Changed<>(route.id(), route.before(), route.after()));
        }
        List<Changed<List<RRset>>> names = new ArrayList<>();
        for (Zone.Change name : after.zone().changesFrom(before.zone())) {
            names.add(new Changed<>(name.name().toString(), name.before(), name.after()));
        }
        return new Changeset(List.copyOf(services), List.copyOf(routes), List.copyOf(names));
    }

    /// The changesets of consecutive steps as one. What changed back is no change.
    static Changeset sum(List<Changeset> steps) {
        return new Changeset(
                sum(steps.stream().map(Changeset::services).toList(), Object::equals),
                sum(steps.stream().map(Changeset::routes).toList(), Route::isSameAs),
                sum(steps.stream().map(Changeset::names).toList(), Object::equals));
    }

    Changeset reversed() {
        return new Changeset(
                services.stream().map(Changed::reversed).toList(),
                routes.stream().map(Changed::reversed).toList(),
                names.stream().map(Changed::reversed).toList());
    }

    /// The instances of the changed services that changed. One that moved to another service is the same instance.
    List<Changed<Instance>> instances() {
        Map<String, Instance> before = new LinkedHashMap<>();
        Map<String, Instance> after = new LinkedHashMap<>();
        for (Changed<Service> service : services) {
            service.before().ifPresent(was -> was.instances().forEach(instance -> before.put(instance.key(), instance)));
            service.after().ifPresent(is -> is.instances().forEach(instance -> after.put(instance.key(), instance)));
        }
        List<Changed<Instance>> changed = new ArrayList<>();
        before.forEach((key, was) -> {
            Changed<Instance> each = new Changed<>(key, Optional.of(was), Optional.ofNullable(after.remove(key)));
            if (!each.isNothing(Object::equals)) {
                changed.add(each);
            }
        });
        after.forEach((key, is) -> changed.add(new Changed<>(key, Optional.empty(), Optional.of(is))));
        return changed;
    }

    /// How much there is to remember.
    int size() {
        return services.size() + routes.size() + names.size();
    }

    private static <T> List<Changed<T>> sum(List<List<Changed<T>>> steps, BiPredicate<T, T> same) {
        Map<String, Changed<T>> sum = new LinkedHashMap<>();
        steps.forEach(step -> step.forEach(each -> sum.merge(each.key(), each, Changed::then)));
        return sum.values().stream().filter(each -> !each.isNothing(same)).toList();
    }
}
