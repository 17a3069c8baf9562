package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.ClientTls;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Questions to Consul that no snapshot answers: prepared queries, gateways of the service mesh, other datacenters. Calls
/// block and belong on virtual threads.
public final class ConsulLookup implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMillis(1500);

    /// @param instances in Consul's order
    /// @param ttl       as a prepared query says it, `10s`; empty where it says nothing
    public record Found(List<Instance> instances, String ttl) {
        public Found {
            instances = List.copyOf(instances);
        }
    }

    /// What is asked for; the datacenter is empty for the agent's own.
    public sealed interface Wanted {
        String datacenter();

        /// A prepared query by name or id.
        record Query(String name, String datacenter) implements Wanted {}

        /// The proxies of a service, and those of its instances that need none.
        record Connect(String service, String datacenter) implements Wanted {}

        /// The ingress gateways of a service.
        record Ingress(String service, String datacenter) implements Wanted {}

        record Service(String service, String datacenter) implements Wanted {}

        /// The instances on a node, which know their node.
        record OnNode(String node, String datacenter) implements Wanted {}
    }

    private final ConsulClient client;
    private final String ownDatacenter;

    public ConsulLookup(GatewayConfig.Consul consul, Optional<ClientTls> tls) {
        ownDatacenter = consul.datacenter();
        client = new ConsulClient(consul.inOwnDatacenter(), tls, new ConsulToken(consul), PATIENCE, PATIENCE, PATIENCE);
    }

    /// Empty where Consul knows nothing of that name.
    ///
    /// @throws IOException when Consul can't say; the message has the reason
    public Optional<Found> find(Wanted wanted) throws IOException {
        try {
            return switch (wanted) {
                case Wanted.Query(var name, _) -> Optional.of(ConsulJson.executed(ask("/v1/query/" + ConsulClient.segment(name) + "/execute", wanted)));
                case Wanted.Connect(var service, _) -> health("/v1/health/connect/", service, wanted);
                case Wanted.Ingress(var service, _) -> health("/v1/health/ingress/", service, wanted);
                case Wanted.Service(var service, _) -> health("/v1/health/service/", service, wanted);
                case Wanted.OnNode(var node, _) -> Optional.of(
                        new Found(ConsulJson.nodeServices(ask("/v1/catalog/node/" + ConsulClient.segment(node), wanted)), ""));
            };
        } catch (ConsulFailure e) {
            String reason = e.reason();
            if (reason.contains(": 404 ") || reason.contains("No path to datacenter") || reason.contains("Query not found")) {
                return Optional.empty();
            }
            throw new IOException("consul (" + client.address() + "): " + reason, e);
        }
    }

    /// The datacenters that Consul can reach, its own first.
    public List<String> datacenters() throws IOException {
        try {
            return ConsulJson.datacenters(client.askIn("", "/v1/catalog/datacenters", ConsulClient.Consistency.STALE).body());
        } catch (ConsulFailure e) {
            throw new IOException("consul (" + client.address() + "): " + e.reason(), e);
        }
    }

    private Optional<Found> health(String endpoint, String service, Wanted wanted) throws ConsulFailure {
        return Optional.of(new Found(ConsulJson.service(service, ask(endpoint + ConsulClient.segment(service), wanted)).instances(), ""));
    }

    private String ask(String endpoint, Wanted wanted) throws ConsulFailure {
        String datacenter = wanted.datacenter().isEmpty() ? ownDatacenter : wanted.datacenter();
        return client.askIn(datacenter, endpoint, ConsulClient.Consistency.STALE).body();
    }

    @Override
    public void close() {
        client.close();
    }
}
