package dev.gatepost.gateway.config;

/// One thing that is wrong with what a person gave us, as one line: where, what, and what was expected.
public record Problem(Place place, String text) {
    private static final int LONGEST_VALUE = 120;

    /// @param key      the setting, e.g. `dns.ttl`
    /// @param value    as written
    /// @param expected what would have been right
    public static Problem of(Place place, String key, String value, String expected) {
        return new Problem(place, "%s: %s (expected: %s)".formatted(key, shown(value), expected));
    }

    /// A value fit for one line of a terminal.
    static String shown(String value) {
        if (value.isEmpty()) {
            return "empty";
        }
        String line = value.replaceAll("\\p{Cntrl}", "?");
        return line.length() <= LONGEST_VALUE ? line : line.substring(0, LONGEST_VALUE) + "...";
    }

    @Override
    public String toString() {
        return place + ": " + text;
    }
}
