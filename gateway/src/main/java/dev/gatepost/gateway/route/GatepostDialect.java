package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Nearest;
import dev.gatepost.gateway.route.Expression.Malformed;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Our own syntax: `HOST[:PORT]/PATH [option=value ...]`, after `http://` or `https://` for requests that came that way
/// only. Free of commas, so that it survives Registrator, which splits tags at them: lists use `|`.
final class GatepostDialect {
    static final String TAG = "gatepost.route=";
    static final String META = "gatepost-route";

    private static final List<String> OPTIONS =
            List.of("strip", "prepend", "host", "scheme", "server-name", "verify", "methods", "header", "query", "client", "priority", "weight", "timeout", "retry", "balance", "sticky", "limit", "health-check", "redirect", "allow", "deny", "request-header", "response-header");
    /// May be given several times, all of which must hold, and negated.
    private static final List<String> CRITERIA = List.of("header", "query", "method", "client", "path", "host");
    /// Part of the syntax, and not yet of this version: a route must not work without what it asks for.
    private static final List<String> PLANNED = List.of("auth", "rate", "cors", "compress");

    private static final Pattern OPTION = Pattern.compile("(!?[^=~]*)(?:([=~])(.*))?");
    private static final Pattern BLANKS = Pattern.compile("\\s+");

    private GatepostDialect() {}

    static Expression parse(String text) {
        String[] words = BLANKS.split(text.strip(), -1);
        String target = withoutScheme(words[0]);
        int slash = target.indexOf('/');
        if (slash < 0) {
            throw new Malformed("\"%s\" (expected: HOST/PATH such as shop.example.com/api, or /PATH for any host)".formatted(target));
        }
        HostPattern host = HostPattern.parse(target.substring(0, slash));
        PathPattern path = PathPattern.parse(target.substring(slash));
        OptionReader options = new OptionReader();
        Set<String> seen = new HashSet<>();
        for (int i = 1; i < words.length; i++) {
            option(words[i], options, seen);
        }
        return options.expression(host, path, Condition.of(scheme(words[0])));
    }

    private static Condition.Scheme scheme(String target) {
        return target.startsWith("http://")
                ? Condition.Scheme.HTTP
                : target.startsWith("https://") ? Condition.Scheme.HTTPS : Condition.Scheme.ANY;
    }

    private static String withoutScheme(String target) {
        return scheme(target) == Condition.Scheme.ANY ? target : target.substring(target.indexOf("//") + 2);
    }

    private static void option(String word, OptionReader options, Set<String> seen) {
        Matcher parts = OPTION.matcher(word);
        if (!parts.matches()) {
            throw new Malformed("option \"%s\" (expected: NAME=VALUE)".formatted(word));
        }
        String name = parts.group(1);
        String plain = name.startsWith("!") ? name.substring(1) : name;
        boolean expression = "~".equals(parts.group(2));
        boolean criterion = CRITERIA.contains(plain) && (expression || name.startsWith("!") || !plain.equals("host"));
        if (!criterion) {
            checkName(name);
        }
        if (parts.group(2) == null) {
            throw new Malformed("option \"%s\" has no value (expected: %s=...)".formatted(name, name));
        }
        if (criterion) {
            options.criterion(name, parts.group(2).charAt(0), parts.group(3));
            return;
        }
        if (expression) {
            throw new Malformed("%s (expected: %s=...)".formatted(word, name));
        }
        if (!seen.add(name) && !name.endsWith("-header")) {
            throw new Malformed("option %s is given twice (expected: once; lists use |)".formatted(name));
        }
        read(options, name, parts.group(3));
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
            case "scheme" -> options.scheme(value);
            case "server-name" -> options.serverName(name, value);
            case "verify" -> options.verify(name, value, "true");
            case "methods" -> options.methods(value);
            case "priority" -> options.priority(value);
            case "weight" -> options.relativeWeight(value);
            case "timeout" -> options.timeout(value);
            case "retry" -> options.retry(value);
            case "balance" -> options.balance(value);
            case "sticky" -> options.sticky(value);
            case "limit" -> options.limit(value);
            case "health-check" -> options.healthCheck(value);
            case "request-header" -> options.requestHeader(value);
            case "response-header" -> options.responseHeader(value);
            case "redirect" -> options.redirect(value);
            case "allow" -> options.allow(value);
            case "deny" -> options.deny(value);
            default -> throw new IllegalStateException("no reader for option " + name);
        }
    }
}
