package dev.gatepost.gateway.route;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// Traefik's tags of one instance, sorted by what they are about. Keys are in lower case, since they are not
/// case-sensitive; values are.
///
/// @param enable      `traefik.enable`
/// @param routers     by name, the rest of their keys to their labels
/// @param services    likewise
/// @param middlewares likewise
/// @param unknown     what is none of these, by key
record TraefikLabels(
        Optional<Label> enable,
        SortedMap<String, SortedMap<String, Label>> routers,
        SortedMap<String, SortedMap<String, Label>> services,
        SortedMap<String, SortedMap<String, Label>> middlewares,
        SortedMap<String, Label> unknown) {
    private static final String ROOT = "traefik.";
    private static final String HTTP = "traefik.http.";

    /// @param tag as it was written
    record Label(String tag, String value) {}

    static TraefikLabels of(List<String> tags) {
        TraefikLabels labels = new TraefikLabels(Optional.empty(), new TreeMap<>(), new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
        for (String tag : tags) {
            int equals = tag.indexOf('=');
            if (equals >= 0 && tag.toLowerCase(Locale.ROOT).startsWith(ROOT)) {
                labels = labels.with(tag.substring(0, equals).strip().toLowerCase(Locale.ROOT), new Label(tag, tag.substring(equals + 1).strip()));
            }
        }
        return labels;
    }

    private TraefikLabels with(String key, Label label) {
        if (key.equals("traefik.enable")) {
            return new TraefikLabels(Optional.of(label), routers, services, middlewares, unknown);
        }
        String[] parts = key.startsWith(HTTP) ? key.substring(HTTP.length()).split("\\.", 3) : new String[0];
        Optional<SortedMap<String, SortedMap<String, Label>>> section = switch (parts.length < 3 ? "" : parts[0]) {
            case "routers" -> Optional.of(routers);
            case "services" -> Optional.of(services);
            case "middlewares" -> Optional.of(middlewares);
            default -> Optional.empty();
        };
        section.ifPresentOrElse(
                names -> names.computeIfAbsent(parts[1], _ -> new TreeMap<>()).put(parts[2], label), () -> unknown.put(key, label));
        return this;
    }

    /// With commas between, or with `|`, which survives Registrator.
    static List<String> list(String value) {
        List<String> items = new ArrayList<>();
        for (String item : value.split("[,|]", -1)) {
            if (!item.isBlank()) {
                items.add(item.strip());
            }
        }
        return items;
    }

    /// A name of one of the providers that can be meant: the catalog is read from Consul and from a file, as one.
    static String local(String name) {
        int at = name.indexOf('@');
        if (at >= 0 && !name.substring(at).equals("@consulcatalog") && !name.substring(at).equals("@file")) {
            throw new Expression.Malformed("%s (expected: a name without provider, or with @consulcatalog or @file, in this version)".formatted(name));
        }
        return (at < 0 ? name : name.substring(0, at)).toLowerCase(Locale.ROOT);
    }

    /// As Go reads one: `True` is what templates often make of it.
    static boolean flag(Label label) {
        return switch (label.value()) {
            case "1", "t", "T", "true", "TRUE", "True" -> true;
            case "0", "f", "F", "false", "FALSE", "False" -> false;
            default -> throw new Expression.Malformed("%s (expected: true or false)".formatted(label.tag()));
        };
    }

    static void require(boolean condition, Label label, String expected) {
        if (!condition) {
            throw new Expression.Malformed("%s (expected: %s)".formatted(label.tag(), expected));
        }
    }
}
