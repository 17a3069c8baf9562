package dev.gatepost.gateway;

import dev.gatepost.gateway.catalog.OtherDatacenter;
import dev.gatepost.gateway.catalog.Safeguards;
import dev.gatepost.gateway.catalog.SourceStatus;
import dev.gatepost.gateway.fragment.FragmentStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What `/api/v1/state` shows.
///
/// @param source   the one that speaks for the whole: Consul where there is one, else the file
/// @param sources  all of them
/// @param datacenters others that stand by for our own, the nearest first
/// @param panicking services that are served with all instances since none is healthy
/// @param fragments where operators keep what is served beside the catalog
/// @param notReady why; empty when ready
record StateView(
        long revision,
        Instant publishedAt,
        SourceView source,
        List<SourceView> sources,
        List<DatacenterView> datacenters,
        List<String> panicking,
        List<FragmentsView> fragments,
        Counts counts,
        boolean ready,
        String notReady,
        Versions versions) {

    /// @param ageMillis since the data was last confirmed; absent before the first complete read
    record SourceView(
            String address,
            boolean reachable,
            Optional<Long> ageMillis,
            boolean stale,
            List<String> staleServices,
            Safeguards safeguards,
            Optional<String> lastError) {
        static SourceView of(SourceStatus status, Instant now) {
            return new SourceView(
                    status.address(),
                    status.reachable(),
                    status.confirmedAt().map(at -> Math.max(0, Duration.between(at, now).toMillis())),
                    status.stale(),
                    status.staleServices(),
                    status.safeguards(),
                    status.lastError());
        }
    }

    /// @param routes how many it serves, since no nearer datacenter has a healthy instance
    record DatacenterView(String name, long routes, SourceView source) {
        static DatacenterView of(OtherDatacenter other, GatewayState state, Instant now) {
            return new DatacenterView(other.name(), state.routesServedBy(other.name()), SourceView.of(other.status(), now));
        }
    }

    /// @param ageMillis since they were last read; absent before the first time
    record FragmentsView(String address, int count, Optional<Long> ageMillis, Optional<String> lastError) {
        static FragmentsView of(FragmentStatus status, Instant now) {
            return new FragmentsView(
                    status.address(),
                    status.fragments(),
                    status.confirmedAt().map(at -> Math.max(0, Duration.between(at, now).toMillis())),
                    status.lastError());
        }
    }

    record Counts(int services, int instances, int routes, int rejected, int names) {}

    record Versions(String version, String commit) {}

    static StateView of(Gateway gateway) {
        GatewayState state = gateway.state();
        Instant now = gateway.clock().instant();
        List<SourceView> sources = gateway.catalog().status().stream().map(status -> SourceView.of(status, now)).toList();
        Optional<String> notReady = gateway.notReady();
        Version version = Version.ofThisBuild();
        return new StateView(
                state.revision(),
                state.publishedAt(),
                sources.getLast(),
                sources,
                gateway.catalog().others().stream().map(other -> DatacenterView.of(other, state, now)).toList(),
                state.panicking(),
                gateway.fragments().status().stream().map(status -> FragmentsView.of(status, now)).toList(),
                new Counts(
                        state.catalog().services().size(),
                        state.catalog().instanceCount(),
                        state.routes().size(),
                        state.routes().rejected().size() + state.fragments().rejected().size(),
                        state.zone().names()),
                notReady.isEmpty(),
                notReady.orElse(""),
                new Versions(version.version(), version.commit()));
    }
}
