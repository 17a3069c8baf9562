package dev.gatepost.gateway.config;

import java.util.List;

/// A piece of a YAML document, before anyone decided what it means. Scalars stay text: whether `8080` is a number,
/// a name or an address is for the setting to say, not for YAML.
public sealed interface Value {
    Place place();

    /// How an error message names it.
    default String shown() {
        return switch (this) {
            case Text text -> text.text();
            case Items _ -> "a list";
            case Fields _ -> "a mapping";
            case Nothing _ -> "nothing";
        };
    }

    record Text(String text, Place place) implements Value {}

    record Items(List<Value> items, Place place) implements Value {}

    record Fields(List<Field> fields, Place place) implements Value {}

    record Nothing(Place place) implements Value {}

    /// @param place of the name
    record Field(String name, Value value, Place place) {}
}
