package dev.gatepost.gateway.zone;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What holds for some services, by name or `prefix*`: an exact name goes first, then the longest prefix.
record ByService<T>(Map<String, T> byPattern) {
    ByService {
        var lower = new TreeMap<String, T>();
        byPattern.forEach((pattern, value) -> lower.put(pattern.toLowerCase(Locale.ROOT), value));
        byPattern = Map.copyOf(lower);
    }

    Optional<T> of(String service) {
        String name = service.toLowerCase(Locale.ROOT);
        Optional<T> found = Optional.ofNullable(byPattern.get(name));
        for (int length = byPattern.isEmpty() ? -1 : name.length(); found.isEmpty() && length >= 0; length--) {
            found = Optional.ofNullable(byPattern.get(name.substring(0, length) + "*"));
        }
        return found;
    }
}
