package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.config.Selector;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The host under which every service is published without asking for it: a pattern such as
/// `{service}.qa.example.com` of `{service}`, `{tag}`, `{dc}` and `{meta.KEY}`.
final class DefaultHost {
    static final String KIND = "default-host";

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^}]*)\\}");
    private static final Pattern NOT_IN_LABEL = Pattern.compile("[^a-z0-9]+");
    /// A tag that names something, as against one that configures something.
    private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?");

    private DefaultHost() {}

    /// The hosts of the instance, sorted; none for one that lacks what the pattern asks for.
    static Set<String> hosts(RouteSettings settings, Instance instance) {
        String pattern = settings.defaultHost();
        // Consul's servers register themselves; their port speaks no HTTP.
        if (pattern.isEmpty() || instance.service().equals("consul")) {
            return Set.of();
        }
        if (!Selector.chooses(settings.defaultHostFor(), instance.service(), instance.tags(), instance.node().datacenter(), instance.meta())) {
            return Set.of();
        }
        List<String> tags = pattern.contains("{tag}")
                ? instance.tags().stream().filter(tag -> LABEL.matcher(tag).matches()).toList()
                : List.of("");
        Set<String> hosts = new TreeSet<>();
        for (String tag : tags) {
            List<String> names = PLACEHOLDER.matcher(pattern).results().map(found -> found.group(1)).toList();
            if (names.stream().noneMatch(name -> value(name, instance, tag).isEmpty())) {
                hosts.add(PLACEHOLDER.matcher(pattern).replaceAll(found -> Matcher.quoteReplacement(value(found.group(1), instance, tag))));
            }
        }
        return hosts;
    }

    private static String value(String placeholder, Instance instance, String tag) {
        if (placeholder.startsWith("meta.")) {
            return label(instance.meta().getOrDefault(placeholder.substring("meta.".length()), ""));
        }
        return switch (placeholder) {
            case "service" -> label(instance.service());
            case "tag" -> label(tag);
            case "dc" -> label(instance.node().datacenter());
            default -> "{" + placeholder + "}"; // no name has braces: reported as malformed
        };
    }

    /// As one DNS label: runs of anything but letters and digits become a hyphen.
    static String label(String text) {
        String label = NOT_IN_LABEL.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("-");
        int from = label.startsWith("-") ? 1 : 0;
        int to = label.endsWith("-") && label.length() > from ? label.length() - 1 : label.length();
        return label.substring(from, to);
    }
}
