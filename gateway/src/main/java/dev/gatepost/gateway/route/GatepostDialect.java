package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Nearest;
import dev.gatepost.gateway.route.Expression.Malformed;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// Our own syntax: `HOST[:PORT]/PATH [option=value ...]`. Free of commas, so that it survives Registrator, which splits
/// tags at them: lists use `|`.
final class GatepostDialect {
    static final String TAG = "gatepost.route=";
    static final String META = "gatepost-route";

    private static final List<String> OPTIONS =
            List.of("strip", "prepend", "host", "scheme", "methods", "priority", "weight", "timeout", "redirect", "allow", "deny");
    /// Part of the syntax, and not yet of this version: a route must not work without what it asks for.
    private static final List<String> PLANNED = List.of("header", "query", "balance", "sticky", "retry", "auth", "rate", "cors", "compress");

    private static final Pattern BLANKS = Pattern.compile("\\s+");

    private GatepostDialect() {}

    static Expression parse(String text) {
        String[] words = BLANKS.split(text.strip(), -1);
        String target = words[0];
        int slash = target.indexOf('/');
        if (slash < 0) {
            throw new Malformed("\"%s\" (expected: HOST/PATH such as shop.example.com/api, or /PATH for any host)".formatted(target));
        }
        HostPattern host = HostPattern.parse(target.substring(0, slash));
        PathPattern path = PathPattern.parse(target.substring(slash));
        OptionReader options = new OptionReader();
        Set<String> seen = new HashSet<>();
        for (int i = 1; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            String name = equals < 0 ? words[i] : words[i].substring(0, equals);
            checkName(name);
            if (equals < 0) {
                throw new Malformed("option \"%s\" has no value (expected: %s=...)".formatted(name, name));
            }
            if (!seen.add(name)) {
                throw new Malformed("option %s is given twice (expected: once; lists use |)".formatted(name));
            }
            read(options, name, words[i].substring(equals + 1));
        }
        return options.expression(host, path, Condition.NONE);
    }

    private static void checkName(String name) {
        if (PLANNED.contains(name)) {
            throw new Malformed("option %s is not supported by this version (expected: any of %s)".formatted(name, String.join(", ", OPTIONS)));
        }
        if (!OPTIONS.contains(name)) {
            throw new Malformed("unknown option \"%s\", the nearest is %s (expected: any of %s)"
                    .formatted(name, Nearest.to(name, OPTIONS), String.join(", ", OPTIONS)));
        }
    }

    private static void read(OptionReader options, String name, String value) {
        switch (name) {
            case "strip" -> options.strip(value);
            case "prepend" -> options.prepend(value);
            case "host" -> options.host(value);
            case "scheme" -> scheme(value);
            case "methods" -> options.methods(value);
            case "priority" -> options.priority(value);
            case "weight" -> options.relativeWeight(value);
            case "timeout" -> options.timeout(value);
            case "redirect" -> options.redirect(value);
            case "allow" -> options.allow(value);
            case "deny" -> options.deny(value);
            default -> throw new IllegalStateException("no reader for option " + name);
        }
    }

    private static void scheme(String value) {
        if (!value.equals("http")) {
            throw new Malformed("scheme=%s (expected: http, the one scheme to upstreams that this version supports)".formatted(value));
        }
    }
}
