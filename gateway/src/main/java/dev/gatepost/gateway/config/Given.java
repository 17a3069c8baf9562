package dev.gatepost.gateway.config;

import dev.gatepost.gateway.config.Value.Field;
import dev.gatepost.gateway.config.Value.Fields;
import dev.gatepost.gateway.config.Value.Nothing;
import dev.gatepost.gateway.config.Value.Text;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What was written for each setting, the file below and the environment above it, still as text.
final class Given {
    /// Variables that share our prefix and aren't settings: the launcher's, the log's, and what Kubernetes and Docker
    /// put into every container beside a service called gatepost.
    private static final Pattern NOT_A_SETTING =
            Pattern.compile("GATEPOST_(JAVA|LOG)_.*|GATEPOST(_.*)?_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT|PORT_\\d+_(TCP|UDP|SCTP)(_.*)?|NAME|ENV_.*)");

    private final Map<String, Value> values = new HashMap<>();
    private final Map<String, Place> sections = new HashMap<>();
    private final Set<String> misspelt = new HashSet<>();
    private final List<Problem> problems;

    private Given(List<Problem> problems) {
        this.problems = problems;
    }

    static Given of(Value document, Map<String, String> environment, List<Problem> problems) {
        Given given = new Given(problems);
        switch (document) {
            case Fields root -> given.addFields("", root);
            case Nothing _ -> {}
            default -> problems.add(new Problem(document.place(), "%s (expected: a mapping such as http: { address: 127.0.0.1:8080 })".formatted(Problem.shown(document.shown()))));
        }
        given.addEnvironment(environment);
        return given;
    }

    /// A setting's value as written; empty when nobody wrote it, or wrote nothing.
    Optional<Value> value(Setting<?> setting) {
        return Optional.ofNullable(values.get(setting.key())).filter(value -> !(value instanceof Nothing));
    }

    /// Where a section was begun or one of its settings given; empty when there is no sign of it.
    Optional<Place> section(String name) {
        return Optional.ofNullable(sections.get(name));
    }

    /// Whether an unknown key was most likely meant to be this one: then that it is missing is no news.
    boolean isMisspelt(Setting<?> setting) {
        return misspelt.contains(setting.key());
    }

    private void addFields(String section, Fields fields) {
        Map<String, Place> seen = new HashMap<>();
        for (Field field : fields.fields()) {
            String key = section.isEmpty() ? field.name() : section + "." + field.name();
            Place first = seen.putIfAbsent(key, field.place());
            if (first != null) {
                problems.add(new Problem(field.place(), "%s: given twice (first: line %d)".formatted(key, first.line())));
            } else if (Settings.find(key).isPresent()) {
                put(key, field.value(), field.place());
            } else if (section.isEmpty() && Settings.sections().contains(key)) {
                addSection(key, field);
            } else {
                String nearest = nearest(key);
                misspelt.add(nearest);
                problems.add(new Problem(field.place(), "%s: unknown key (nearest known: %s)".formatted(Problem.shown(key), nearest)));
            }
        }
    }

    private void addSection(String name, Field field) {
        sections.putIfAbsent(name, field.place());
        switch (field.value()) {
            case Fields fields -> addFields(name, fields);
            case Nothing _ -> {}
            default -> problems.add(Problem.of(field.value().place(), name, field.value().shown(), "a mapping with " + keysOf(name)));
        }
    }

    private void put(String key, Value value, Place place) {
        int dot = key.indexOf('.');
        if (dot > 0) {
            sections.putIfAbsent(key.substring(0, dot), place);
        }
        values.put(key, value);
    }

    private void addEnvironment(Map<String, String> environment) {
        Map<String, String> keyByVariable = Settings.all().stream().collect(Collectors.toMap(Setting::variable, Setting::key));
        new TreeMap<>(environment).forEach((variable, text) -> {
            if (!variable.startsWith("GATEPOST_") || NOT_A_SETTING.matcher(variable).matches()) {
                return;
            }
            Place place = Place.ofVariable(variable);
            String key = keyByVariable.get(variable);
            if (key == null) {
                String nearest = Nearest.to(variable, keyByVariable.keySet().stream().sorted(Comparator.naturalOrder()).toList());
                problems.add(new Problem(place, "unknown variable (nearest known: %s)".formatted(nearest)));
            } else if (!text.isBlank()) { // an empty variable is what a compose file leaves of an unset one
                put(key, fromVariable(text.strip(), place), place);
            }
        });
    }

    /// A variable holds a word, or YAML where one needs structure: `[{ certificate: a.pem, key: a.key }]`.
    private Value fromVariable(String text, Place place) {
        boolean structured = text.startsWith("{") || (text.startsWith("[") && text.endsWith("]"));
        return structured ? YamlDocument.parse(text, place, problems) : new Text(text, place);
    }

    private static String nearest(String key) {
        Stream<String> keys = Settings.all().stream().map(Setting::key);
        return Nearest.to(key, key.contains(".") ? keys.toList() : Stream.concat(Settings.sections().stream(), keys).toList());
    }

    private static String keysOf(String section) {
        return Settings.all().stream()
                .map(Setting::key)
                .filter(key -> key.startsWith(section + "."))
                .map(key -> key.substring(section.length() + 1))
                .collect(Collectors.joining(", "));
    }
}
