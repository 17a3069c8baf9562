package dev.gatepost.gateway.config;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// One word that chooses instances of services: `service=web-*`, `tag=qa`, `dc=dc1`, `meta.KEY=VALUE`, or `!` before it for
/// all others. `*` stands for any text.
///
/// @param field `service`, `tag`, `dc` or `meta.KEY`
public record Selector(boolean negated, String field, String glob) {
    private static final Pattern WORD = Pattern.compile("(!?)(service|tag|dc|meta\\.[A-Za-z0-9_-]+)=(\\S+)");

    /// @throws IllegalArgumentException when it is no such word
    public static Selector parse(String word) {
        var matcher = WORD.matcher(word);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(word);
        }
        return new Selector(!matcher.group(1).isEmpty(), matcher.group(2), matcher.group(3));
    }

    /// Whether one of the words chooses it, or none of them could, and no negated one excludes it.
    public static boolean chooses(List<Selector> words, String service, Collection<String> tags, String datacenter, Map<String, String> meta) {
        boolean anyPositive = words.stream().anyMatch(word -> !word.negated);
        boolean chosen = words.stream().anyMatch(word -> !word.negated && word.fits(service, tags, datacenter, meta));
        return (chosen || !anyPositive) && words.stream().noneMatch(word -> word.negated && word.fits(service, tags, datacenter, meta));
    }

    private boolean fits(String service, Collection<String> tags, String datacenter, Map<String, String> meta) {
        Pattern pattern = Pattern.compile(Stream.of(glob.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*")));
        return switch (field) {
            case "service" -> pattern.matcher(service).matches();
            case "tag" -> tags.stream().anyMatch(tag -> pattern.matcher(tag).matches());
            case "dc" -> pattern.matcher(datacenter).matches();
            default -> {
                String key = field.substring("meta.".length());
                yield meta.containsKey(key) && pattern.matcher(meta.getOrDefault(key, "")).matches();
            }
        };
    }
}
