package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.config.Nearest;
import dev.gatepost.gateway.route.Expression.Malformed;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// fabio's tags: `urlprefix-HOST/PATH [option=value ...]`. Paths are plain string prefixes, as with its default matcher.
/// What it would ignore or what would freeze it is rejected here, that tag alone. Lists may use `|` for `,`.
final class FabioDialect {
    static final String PREFIX = "urlprefix-";

    private static final List<String> OPTIONS = List.of("strip", "prepend", "proto", "tlsskipverify", "grpcservername", "weight", "redirect", "host", "allow", "deny");
    private static final List<String> UNSUPPORTED = List.of("register", "pxyproto", "auth");
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{([^}]*)\\}|(\\w+))");
    private static final Pattern COMMA_OR_BAR = Pattern.compile("[,|]");

    private FabioDialect() {}

    /// A tag taken apart, as fabio does it.
    ///
    /// @param source  host and path, the host in lower case; or `:port`; or a host alone
    /// @param options what follows the first blank; empty for nothing
    record Tag(String source, String options) {
        /// @return empty for a tag without the prefix
        static Optional<Tag> read(String tag, String prefix, Map<String, String> variables) {
            String trimmed = tag.strip();
            if (!trimmed.startsWith(prefix)) {
                return Optional.empty();
            }
            String rest = trimmed.substring(prefix.length()).strip();
            int blank = rest.indexOf(' ');
            String source = blank < 0 ? rest : rest.substring(0, blank);
            String options = blank < 0 ? "" : rest.substring(blank + 1).strip();
            int slash = source.indexOf('/');
            if (source.startsWith(":") || slash < 0) {
                return Optional.of(new Tag(source, options));
            }
            String host = expand(source.substring(0, slash), variables).toLowerCase(Locale.ROOT);
            String path = expand(source.substring(slash + 1), variables);
            return Optional.of(new Tag(host + "/" + path, options));
        }
    }

    /// `$x` and `${x}`; an unknown variable is empty.
    private static String expand(String text, Map<String, String> variables) {
        return VARIABLE.matcher(text).replaceAll(found -> {
            String name = found.group(1) == null ? found.group(2) : found.group(1);
            return Matcher.quoteReplacement(variables.getOrDefault(name, ""));
        });
    }

    static Expression parse(Tag tag) {
        return parse(tag, "");
    }

    /// @param target where a redirect leads that gives its status alone; empty where it has to say that itself
    static Expression parse(Tag tag, String target) {
        OptionReader options = new OptionReader();
        List<Cidr> allow = new ArrayList<>();
        List<Cidr> deny = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (String word : tag.options().isEmpty() ? new String[0] : tag.options().split("\\s+")) {
            int equals = word.indexOf('=');
            String name = equals < 0 ? word : word.substring(0, equals);
            String value = equals < 0 ? "" : word.substring(equals + 1);
            if (!seen.add(name)) {
                throw new Malformed("option %s is given twice (expected: once; fabio goes by the last)".formatted(name));
            }
            switch (name) {
                case "strip" -> options.strip(value);
                case "prepend" -> options.prepend(value);
                case "proto" -> proto(options, value);
                case "weight" -> options.sharedWeight(value);
                case "redirect" -> redirect(options, value, target);
                case "host" -> options.host(value);
                case "tlsskipverify" -> options.verify(name, value, "false");
                case "grpcservername" -> options.serverName(name, value);
                case "allow" -> addresses(name, value, allow);
                case "deny" -> addresses(name, value, deny);
                default -> throw unknown(name);
            }
        }
        if (!allow.isEmpty() && !deny.isEmpty()) {
            throw new Malformed("allow and deny together (expected: one of them, as in fabio)");
        }
        options.allow(allow);
        options.deny(deny);
        return target(tag.source(), options);
    }

    private static Expression target(String source, OptionReader options) {
        if (source.isEmpty()) {
            throw new Malformed("nothing after the prefix (expected: HOST/PATH or /PATH)");
        }
        if (source.chars().anyMatch(c -> c <= ' ' || c == 0x7f)) {
            throw new Malformed("\"%s\" holds a tab or another control character (expected: a blank before the options)".formatted(source));
        }
        if (source.startsWith(":")) {
            throw new Malformed("\"%s\": TCP listeners are not supported by this version (expected: HOST/PATH or /PATH)".formatted(source));
        }
        int slash = source.indexOf('/');
        String path = slash < 0 ? "/" : source.substring(slash);
        HostPattern host = HostPattern.parse(slash < 0 ? source : source.substring(0, slash));
        return options.expression(host, path(path), Condition.NONE);
    }

    /// A plain prefix, as for fabio's default matcher. A wildcard can only have been meant for its glob matcher: at the end it
    /// is what a prefix is anyway; elsewhere the whole path is a glob, and a `*` crosses slashes.
    private static PathPattern path(String path) {
        int wildcard = path.indexOf('*');
        if (wildcard < 0 || wildcard == path.length() - 1) {
            return PathPattern.of(PathPattern.Kind.STRING, wildcard < 0 ? path : path.substring(0, wildcard));
        }
        return PathPattern.parse(path.replaceAll("\\*+", "**") + "$");
    }

    private static Malformed unknown(String name) {
        String expected = String.join(", ", OPTIONS);
        return UNSUPPORTED.contains(name)
                ? new Malformed("option %s is not supported by this version (expected: any of %s)".formatted(name, expected))
                : new Malformed("unknown option \"%s\", the nearest is %s (expected: any of %s)".formatted(name, Nearest.to(name, OPTIONS), expected));
    }

    private static void proto(OptionReader options, String value) {
        if (!value.equals("http") && !value.equals("https") && !value.equals("grpc") && !value.equals("grpcs")) {
            throw new Malformed("proto=%s (expected: http, https, grpc or grpcs, the protocols to upstreams that this version supports)".formatted(value));
        }
        options.scheme(value);
    }

    private static void redirect(OptionReader options, String value, String target) {
        if (!target.isEmpty() && value.indexOf(',') < 0 && value.indexOf('|') < 0) {
            options.redirect(value, value, target);
            return;
        }
        String[] parts = COMMA_OR_BAR.split(value, -1);
        if (parts.length != 2) {
            throw new Malformed("redirect=%s (expected: CODE|URL or CODE,URL, with no other comma; Registrator cuts tags at commas)".formatted(value));
        }
        options.redirect(value, parts[0], parts[1]);
    }

    private static void addresses(String name, String value, List<Cidr> into) {
        String[] items = COMMA_OR_BAR.split(value, -1);
        for (int i = 0; i < items.length; i++) {
            if (!items[i].startsWith("ip:")) {
                throw new Malformed("%s=%s (expected: ip:ADDRESS or ip:BLOCK, several with a comma between)".formatted(name, value));
            }
            items[i] = items[i].substring("ip:".length());
        }
        OptionReader.addresses(name, value, items, into);
    }
}
