package dev.gatepost.admin;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// What was asked of a resource: the end of its path and the query parameters. It remembers which parameters the resource
/// asked for, so that one it has never heard of is an error and not silently ignored.
public final class Request {
    private final String name;
    private final Map<String, List<String>> parameters;
    private final TreeSet<String> known = new TreeSet<>();

    private Request(String name, Map<String, List<String>> parameters) {
        this.name = name;
        this.parameters = parameters;
    }

    static Request of(String name, String rawQuery) {
        Map<String, List<String>> parameters = new LinkedHashMap<>();
        for (String pair : rawQuery.split("&", -1)) {
            if (!pair.isEmpty()) {
                int equals = pair.indexOf('=');
                String key = decoded(equals < 0 ? pair : pair.substring(0, equals));
                parameters.computeIfAbsent(key, _ -> new ArrayList<>()).add(equals < 0 ? "" : decoded(pair.substring(equals + 1)));
            }
        }
        return new Request(name, parameters);
    }

    /// What stands in the place of `{...}` in the resource's path, decoded; it may hold slashes. Empty for a fixed path.
    public String name() {
        return name;
    }

    /// A parameter that must be there.
    public String required(String parameter, String expected) {
        return optional(parameter).filter(value -> !value.isEmpty()).orElseThrow(() -> new BadParameter(parameter, "", expected));
    }

    /// A parameter that may be there, once.
    public Optional<String> optional(String parameter) {
        List<String> values = all(parameter);
        if (values.size() > 1) {
            throw new BadParameter(parameter, String.join(", ", values), "one value");
        }
        return values.stream().findFirst();
    }

    /// A parameter that may be there any number of times.
    public List<String> all(String parameter) {
        known.add(parameter);
        return parameters.getOrDefault(parameter, List.of());
    }

    void refuseUnknown() {
        for (String parameter : parameters.keySet()) {
            if (!known.contains(parameter)) {
                throw new BadParameter(parameter, "unknown", known.isEmpty() ? "no parameter" : String.join(", ", known));
            }
        }
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException _) {
            throw new BadParameter("query", text, "percent-encoded UTF-8");
        }
    }
}
