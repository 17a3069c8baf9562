package dev.gatepost.gateway.catalog;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gatepost.gateway.catalog.ConsulFailure.Kind;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Consul's JSON, known to nobody else: what the endpoints answer, into the catalog's own records. Consul writes `null`
/// for an empty list or map, and leaves out what a version doesn't know.
final class ConsulJson {
    private static final ObjectMapper MAPPER =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    private static final TypeReference<List<HealthEntry>> HEALTH = new TypeReference<>() {};
    private static final TypeReference<List<NodeEntry>> NODES = new TypeReference<>() {};
    private static final TypeReference<NodeServices> NODE_SERVICES = new TypeReference<>() {};
    private static final TypeReference<List<CheckEntry>> CHECKS = new TypeReference<>() {};
    private static final TypeReference<TreeMap<String, @Nullable List<String>>> SERVICES = new TypeReference<>() {};

    private ConsulJson() {}

    /// A check that doesn't pass, as the state endpoint lists it.
    ///
    /// @param serviceId empty for a check of the node, which counts for every instance on it
    record Sick(String node, String checkId, String service, String serviceId, Health status) {}

    /// `/v1/health/service/NAME`
    static Service service(String name, String json) throws ConsulFailure {
        return new Service(name, parse(json, HEALTH).stream().map(HealthEntry::instance).toList());
    }

    /// `/v1/query/NAME/execute`
    static ConsulLookup.Found executed(String json) throws ConsulFailure {
        Executed executed = parse(json, new TypeReference<>() {});
        List<Instance> instances = executed.nodes == null ? List.of() : executed.nodes.stream().map(HealthEntry::instance).toList();
        return new ConsulLookup.Found(instances, executed.dns == null ? "" : text(executed.dns.ttl));
    }

    private record Executed(@JsonProperty("Nodes") @Nullable List<HealthEntry> nodes, @JsonProperty("DNS") @Nullable DnsEntry dns) {}

    private record DnsEntry(@JsonProperty("TTL") @Nullable String ttl) {}

    /// `/v1/catalog/datacenters`
    static List<String> datacenters(String json) throws ConsulFailure {
        return parse(json, new TypeReference<>() {});
    }

    /// `/v1/catalog/services`: name to tags
    static Map<String, Set<String>> services(String json) throws ConsulFailure {
        Map<String, Set<String>> services = new TreeMap<>();
        parse(json, SERVICES).forEach((name, tags) -> services.put(name, tags == null ? Set.of() : new TreeSet<>(tags)));
        return services;
    }

    /// `/v1/catalog/nodes`
    static Map<String, Node> nodes(String json) throws ConsulFailure {
        Map<String, Node> nodes = new TreeMap<>();
        parse(json, NODES).forEach(entry -> nodes.put(entry.name(), entry.toNode()));
        return nodes;
    }

    /// `/v1/catalog/node/NAME`: its instances, without checks; none where there is no such node
    static List<Instance> nodeServices(String json) throws ConsulFailure {
        if (json.strip().equals("null")) {
            return List.of();
        }
        NodeServices node = parse(json, NODE_SERVICES);
        Node host = node.node.toNode();
        return orEmpty(node.services).values().stream().map(service -> service.instance(host, List.of())).toList();
    }

    /// `/v1/health/state/STATE`, passing ones left out
    static List<Sick> sick(String json) throws ConsulFailure {
        return parse(json, CHECKS).stream()
                .filter(check -> check.health() != Health.PASSING)
                .map(check -> new Sick(text(check.node), text(check.id), text(check.service), text(check.serviceId), check.health()))
                .toList();
    }

    private static <T> T parse(String json, TypeReference<T> type) throws ConsulFailure {
        try {
            T value = MAPPER.readValue(json, type);
            if (value == null) {
                throw new ConsulFailure(Kind.GARBLED, "null (expected: a JSON list or object)");
            }
            return value;
        } catch (JsonProcessingException e) {
            throw new ConsulFailure(Kind.GARBLED, "not the expected JSON: " + beginning(json), e);
        }
    }

    private static String beginning(String text) {
        String line = text.strip().replaceAll("\\s+", " ");
        return line.isEmpty() ? "an empty body" : line.length() <= 60 ? line : line.substring(0, 60) + "...";
    }

    private static String text(@Nullable String value) {
        return value == null ? "" : value;
    }

    private record HealthEntry(
            @JsonProperty("Node") NodeEntry node,
            @JsonProperty("Service") ServiceEntry service,
            @JsonProperty("Checks") @Nullable List<CheckEntry> checks) {
        Instance instance() {
            List<Check> own = checks == null
                    ? List.of()
                    : checks.stream().map(CheckEntry::check).sorted(Comparator.comparing(Check::id)).toList();
            return service.instance(node.toNode(), own);
        }
    }

    private record NodeServices(
            @JsonProperty("Node") NodeEntry node, @JsonProperty("Services") @Nullable Map<String, ServiceEntry> services) {}

    private record NodeEntry(
            @JsonProperty("Node") @Nullable String nodeName,
            @JsonProperty("ID") @Nullable String id,
            @JsonProperty("Address") @Nullable String address,
            @JsonProperty("Datacenter") @Nullable String datacenter,
            @JsonProperty("TaggedAddresses") @Nullable Map<String, String> taggedAddresses,
            @JsonProperty("Meta") @Nullable Map<String, String> meta) {
        String name() {
            return text(nodeName);
        }

        Node toNode() {
            return new Node(name(), text(id), text(address), text(datacenter), orEmpty(taggedAddresses), orEmpty(meta));
        }
    }

    private record AddressEntry(@JsonProperty("Address") @Nullable String address, @JsonProperty("Port") int port) {}

    private record WeightsEntry(@JsonProperty("Passing") int passing, @JsonProperty("Warning") int warning) {}

    private record ServiceEntry(
            @JsonProperty("ID") @Nullable String id,
            @JsonProperty("Service") @Nullable String service,
            @JsonProperty("Address") @Nullable String address,
            @JsonProperty("Port") int port,
            @JsonProperty("Tags") @Nullable List<String> tags,
            @JsonProperty("Meta") @Nullable Map<String, String> meta,
            @JsonProperty("TaggedAddresses") @Nullable Map<String, AddressEntry> taggedAddresses,
            @JsonProperty("Weights") @Nullable WeightsEntry weights) {
        Instance instance(Node node, List<Check> checks) {
            Map<String, Instance.TaggedAddress> tagged = new HashMap<>();
            orEmpty(taggedAddresses).forEach((name, entry) -> tagged.put(name, new Instance.TaggedAddress(text(entry.address), entry.port)));
            return new Instance(
                    text(id),
                    text(service),
                    node,
                    text(address),
                    port,
                    tags == null ? List.of() : tags.stream().filter(Objects::nonNull).toList(),
                    orEmpty(meta),
                    tagged,
                    weights == null ? Weights.DEFAULT : new Weights(weights.passing, weights.warning),
                    checks);
        }
    }

    private record CheckEntry(
            @JsonProperty("Node") @Nullable String node,
            @JsonProperty("CheckID") @Nullable String id,
            @JsonProperty("Name") @Nullable String name,
            @JsonProperty("Status") @Nullable String status,
            @JsonProperty("ServiceID") @Nullable String serviceId,
            @JsonProperty("ServiceName") @Nullable String service) {
        Check check() {
            return new Check(text(id), text(name), health());
        }

        /// Maintenance mode is a critical check with a name of its own. A status this version doesn't know is none to
        /// send traffic on.
        Health health() {
            return switch (text(status)) {
                case "passing" -> Health.PASSING;
                case "warning" -> Health.WARNING;
                default -> maintenance() ? Health.MAINTENANCE : Health.CRITICAL;
            };
        }

        private boolean maintenance() {
            return text(id).equals("_node_maintenance") || text(id).startsWith("_service_maintenance:");
        }
    }

    private static <V> Map<String, V> orEmpty(@Nullable Map<String, V> map) {
        return map == null ? Map.of() : map;
    }
}
