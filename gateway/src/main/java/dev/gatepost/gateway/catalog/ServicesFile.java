package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.config.Place;
import dev.gatepost.gateway.config.Problem;
import dev.gatepost.gateway.config.Syntax;
import dev.gatepost.gateway.config.Value;
import dev.gatepost.gateway.config.Value.Fields;
import dev.gatepost.gateway.config.Value.Items;
import dev.gatepost.gateway.config.Value.Nothing;
import dev.gatepost.gateway.config.Value.Text;
import dev.gatepost.gateway.config.YamlDocument;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The text of a file catalog to a snapshot, or to the whole list of what is wrong with it. What stands on a service
/// holds for all its instances; an instance adds tags and Meta of its own, and its own status replaces the service's.
///
/// A file knows no machines, so each address is a node of its own, called `file-ADDRESS`.
final class ServicesFile {
    /// Consul's own name for the datacenter of a single agent: names such as `web.service.dc1.consul` need one.
    private static final String DATACENTER = "dc1";

    private static final Syntax<String> NAME = Syntax.word("a name without blanks at its ends", text -> {
        String name = text.text();
        if (name.isBlank() || !name.equals(name.strip()) || name.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException();
        }
        return name;
    });
    private static final Syntax<String> ADDRESS = Syntax.word("an IP address or a host name", text -> {
        if (!text.text().matches("[A-Za-z0-9._:-]+")) {
            throw new IllegalArgumentException();
        }
        return text.text();
    });
    private static final Syntax<Health> STATUS = Syntax.oneOf(statuses());
    private static final Syntax<List<String>> TAGS = new Syntax<>("a list of tags", (key, value, problems) -> {
        if (value instanceof Items) {
            return Syntax.list(Syntax.text()).read(key, value, problems);
        }
        problems.add(Problem.of(value.place(), key, value.shown(), "a list of tags")); // a comma is part of a tag here
        return Optional.empty();
    });
    private static final Syntax<Map<String, String>> META = new Syntax<>("a mapping of text", ServicesFile::meta);
    private static final Syntax<List<Entry>> INSTANCES = Syntax.list(Syntax.mapping(
            "{ id: ID, address: HOST, port: PORT }",
            List.of("id", "address", "port", "weight", "tags", "meta", "status"),
            ServicesFile::instance));
    private static final Syntax<List<Service>> SERVICES = Syntax.list(Syntax.mapping(
            "{ name: NAME, instances: [...] }", List.of("name", "tags", "meta", "status", "instances"), ServicesFile::service));

    /// An instance as it is written, before its service's part is added.
    private record Entry(
            Optional<String> id,
            String address,
            int port,
            int weight,
            List<String> tags,
            Map<String, String> meta,
            Optional<Health> status,
            Place place) {}

    private ServicesFile() {}

    static ServicesReading read(Path file) {
        Place whole = Place.ofFile(file);
        try {
            return parse(new String(Files.readAllBytes(file), StandardCharsets.UTF_8), whole);
        } catch (NoSuchFileException _) {
            return refused(whole, "there is no such file");
        } catch (CharacterCodingException _) {
            return refused(whole, "not text (expected: YAML in UTF-8)");
        } catch (IOException e) {
            return refused(whole, Files.isDirectory(file) ? "a folder (expected: a YAML file)" : "can't be read: " + e.getMessage());
        }
    }

    static ServicesReading parse(String text, Place whole) {
        List<Problem> problems = new ArrayList<>();
        Value document = YamlDocument.parse(text, whole, problems);
        if (!problems.isEmpty()) {
            return new ServicesReading.Invalid(List.copyOf(problems));
        }
        // The document itself is a mapping with one name in it.
        Syntax<List<Service>> syntax = Syntax.mapping("services: [...]", List.of("services"), (_, fields, found) ->
                Optional.ofNullable(fields.get("services")).map(value -> SERVICES.read("services", value, found).orElse(List.of())));
        List<Service> services = document instanceof Nothing || isEmpty(document)
                ? List.of()
                : syntax.read("file", document, problems).orElse(List.of());
        Map<String, Service> byName = new TreeMap<>();
        for (Service service : services) {
            if (byName.putIfAbsent(service.name(), service) != null) {
                problems.add(new Problem(whole, "services: " + service.name() + " is there twice (expected: each name once)"));
            }
        }
        if (!problems.isEmpty()) {
            return new ServicesReading.Invalid(List.copyOf(problems));
        }
        Map<String, Node> nodes = new TreeMap<>();
        byName.values().forEach(service -> service.instances().forEach(instance -> nodes.put(instance.node().name(), instance.node())));
        return new ServicesReading.Valid(new Snapshot(byName, nodes));
    }

    /// `services:` with nothing behind it: no services, and no mistake.
    private static boolean isEmpty(Value document) {
        return document instanceof Fields fields
                && fields.fields().size() == 1
                && fields.fields().getFirst().name().equals("services")
                && fields.fields().getFirst().value() instanceof Nothing;
    }

    private static Optional<Service> service(String key, Map<String, Value> fields, List<Problem> problems) {
        Optional<String> name = read(NAME, key + ".name", fields.get("name"), problems);
        List<String> tags = read(TAGS, key + ".tags", fields.get("tags"), problems).orElse(List.of());
        Map<String, String> meta = read(META, key + ".meta", fields.get("meta"), problems).orElse(Map.of());
        Optional<Health> status = read(STATUS, key + ".status", fields.get("status"), problems);
        List<Entry> entries = read(INSTANCES, key + ".instances", fields.get("instances"), problems).orElse(List.of());
        if (name.isEmpty()) {
            return Optional.empty();
        }
        Set<String> ids = new HashSet<>();
        List<Instance> instances = new ArrayList<>();
        for (Entry entry : entries) {
            Instance instance = instance(name.get(), tags, meta, status, entry);
            if (!ids.add(instance.id())) {
                problems.add(Problem.of(entry.place(), key + ".instances", instance.id(), "each id once in its service"));
            }
            instances.add(instance);
        }
        return Optional.of(new Service(name.get(), instances));
    }

    private static Optional<Entry> instance(String key, Map<String, Value> fields, List<Problem> problems) {
        Optional<String> id = read(NAME, key + ".id", fields.get("id"), problems);
        Optional<String> address = read(ADDRESS, key + ".address", fields.get("address"), problems);
        Optional<Integer> port = read(Syntax.count(1, 65535), key + ".port", fields.get("port"), problems);
        // As far as an SRV record's weight goes (RFC 2782).
        int weight = read(Syntax.count(0, 65535), key + ".weight", fields.get("weight"), problems).orElse(1);
        List<String> tags = read(TAGS, key + ".tags", fields.get("tags"), problems).orElse(List.of());
        Map<String, String> meta = read(META, key + ".meta", fields.get("meta"), problems).orElse(Map.of());
        Optional<Health> status = read(STATUS, key + ".status", fields.get("status"), problems);
        if (address.isEmpty() || port.isEmpty()) {
            return Optional.empty();
        }
        Value any = fields.values().iterator().next();
        return Optional.of(new Entry(id, address.get(), port.get(), weight, tags, meta, status, any.place()));
    }

    private static Instance instance(String service, List<String> tags, Map<String, String> meta, Optional<Health> status, Entry entry) {
        List<String> allTags = new ArrayList<>(tags);
        entry.tags().stream().filter(tag -> !allTags.contains(tag)).forEach(allTags::add);
        Map<String, String> allMeta = new LinkedHashMap<>(meta);
        allMeta.putAll(entry.meta());
        Node node = new Node("file-" + entry.address().replaceAll("[^A-Za-z0-9]", "-"), "", entry.address(), DATACENTER, Map.of(), Map.of());
        return new Instance(
                entry.id().orElse(service + "-" + entry.address() + "-" + entry.port()),
                service,
                node,
                entry.address(),
                entry.port(),
                allTags,
                allMeta,
                Map.of(),
                new Weights(entry.weight(), entry.weight()),
                entry.status().or(() -> status).map(health -> List.of(new Check("file", "status in the file", health))).orElse(List.of()));
    }

    private static Optional<Map<String, String>> meta(String key, Value value, List<Problem> problems) {
        if (!(value instanceof Fields fields)) {
            problems.add(Problem.of(value.place(), key, value.shown(), "a mapping of text"));
            return Optional.empty();
        }
        Map<String, String> meta = new LinkedHashMap<>();
        for (Value.Field field : fields.fields()) {
            if (field.value() instanceof Text text) {
                meta.put(field.name(), text.text());
            } else if (field.value() instanceof Nothing) {
                meta.put(field.name(), "");
            } else {
                problems.add(Problem.of(field.place(), key + "." + field.name(), field.value().shown(), "text"));
            }
        }
        return Optional.of(meta);
    }

    private static <T> Optional<T> read(Syntax<T> syntax, String key, @Nullable Value value, List<Problem> problems) {
        return value == null ? Optional.empty() : syntax.read(key, value, problems);
    }

    private static ServicesReading refused(Place place, String text) {
        return new ServicesReading.Invalid(List.of(new Problem(place, text)));
    }

    private static Map<String, Health> statuses() {
        Map<String, Health> statuses = new LinkedHashMap<>();
        // Panicking is a verdict of ours, nobody's to declare.
        for (Health health : EnumSet.complementOf(EnumSet.of(Health.PANICKING))) {
            statuses.put(health.name().toLowerCase(Locale.ROOT), health);
        }
        return statuses;
    }
}
