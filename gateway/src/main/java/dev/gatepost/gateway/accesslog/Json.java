package dev.gatepost.gateway.accesslog;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A piece of JSON that many lines repeat, built once: members of an object, each with a comma in front unless it is the
/// first of an object opened here. Members with an empty value are left out.
final class Json {
    /// Longest value of a label: names from the catalog and from TLS are not ours to trust.
    private static final int VALUE_CAP = 256;
    /// Room for seven such values.
    private static final int MAX_BYTES = 2048;

    private final JsonLine line = new JsonLine();
    private final byte[] out = new byte[MAX_BYTES];

    Json() {
        line.start(out, 0);
    }

    Json raw(String json) {
        line.raw(JsonLine.ascii(json));
        return this;
    }

    Json member(String name, String value) {
        if (value.isEmpty()) {
            return this;
        }
        name(name);
        line.raw('"');
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        line.text(bytes, 0, bytes.length, VALUE_CAP);
        line.raw('"');
        return this;
    }

    Json member(String name, long value) {
        name(name);
        line.number(value);
        return this;
    }

    Json member(String name, boolean value) {
        name(name);
        return raw(Boolean.toString(value));
    }

    Json open(String name) {
        name(name);
        line.raw('{');
        return this;
    }

    Json close() {
        line.raw('}');
        return this;
    }

    byte[] bytes() {
        return Arrays.copyOf(out, line.end());
    }

    private void name(String name) {
        if (line.end() == 0 || out[line.end() - 1] != '{') {
            line.raw(',');
        }
        line.raw('"');
        line.raw(JsonLine.ascii(name));
        line.raw('"');
        line.raw(':');
    }
}
