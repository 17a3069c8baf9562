package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.route.Expression.Malformed;
import dev.gatepost.gateway.route.RouteOptions.MatchRedirect;
import dev.gatepost.gateway.route.TraefikLabels.Label;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

import static dev.gatepost.gateway.route.TraefikLabels.list;
import static dev.gatepost.gateway.route.TraefikLabels.require;

/// The middlewares of one router, in their order, as options of its route. What the gate lacks, and an order in which it
/// doesn't work, is malformed by name.
final class TraefikMiddlewares {
    private static final String KINDS = "addprefix, chain, headers, ipallowlist, redirectregex, redirectscheme, replacepath, replacepathregex, retry, stripprefix, stripprefixregex";
    /// Chains within chains.
    private static final int DEEPEST = 10;

    private final OptionReader options;
    private final Function<String, Optional<SortedMap<String, Label>>> declared;
    /// May be there once: a second one would not add to the first but replace it.
    private final Set<String> single = new HashSet<>();
    private boolean pathEdited;
    private Optional<SchemeRedirect> schemeRedirect = Optional.empty();

    /// To the scheme; a request that has it already goes on to the service.
    record SchemeRedirect(String scheme, String location, boolean permanent) {
        boolean toTls() {
            return scheme.equals("https");
        }
    }

    /// @param declared middlewares by name
    TraefikMiddlewares(OptionReader options, Function<String, Optional<SortedMap<String, Label>>> declared) {
        this.options = options;
        this.declared = declared;
    }

    Optional<SchemeRedirect> schemeRedirect() {
        return schemeRedirect;
    }

    /// @param names as the router lists them
    void read(String names) {
        read(names, 0);
    }

    private void read(String names, int depth) {
        if (depth > DEEPEST) {
            throw new Malformed("middlewares=%s (expected: chains that end)".formatted(names));
        }
        for (String name : list(names)) {
            SortedMap<String, Label> labels = declared.apply(TraefikLabels.local(name))
                    .orElseThrow(() -> new Malformed("middleware %s (expected: one that an instance declares%s)"
                            .formatted(name, name.endsWith("@file") ? "; Traefik's own files are not read by this version" : "")));
            // The labels of one middleware are of one kind: it is what stands before the first dot.
            String first = labels.firstKey();
            String kind = first.contains(".") ? first.substring(0, first.indexOf('.')) : first;
            SortedMap<String, Label> own = new TreeMap<>();
            labels.forEach((key, label) -> {
                require(key.startsWith(kind + "."), label, "a middleware of one kind, and one of " + KINDS);
                own.put(key.substring(kind.length() + 1), label);
            });
            middleware(kind, own, depth);
        }
    }

    private void middleware(String kind, SortedMap<String, Label> labels, int depth) {
        Label any = labels.isEmpty() ? new Label(kind, "") : labels.firstEntry().getValue();
        switch (kind) {
            case "chain" -> {
                only(labels, "middlewares");
                read(labels.getOrDefault("middlewares", any).value(), depth + 1);
            }
            case "addprefix" -> edit(labels, "prefix", label -> new PathEdit.Prepend(OptionReader.path(label.tag(), label.value())));
            case "stripprefix" -> {
                require(TraefikLabels.flag(labels.getOrDefault("forceslash", new Label("", "true"))), any, "forceslash=true");
                labels.remove("forceslash");
                edit(labels, "prefixes", label -> new PathEdit.Strip(some(label).stream().map(prefix -> OptionReader.path(label.tag(), prefix)).toList()));
            }
            case "stripprefixregex" -> edit(labels, "regex", label -> new PathEdit.StripMatch(some(label).stream().map(Regex::of).toList()));
            case "replacepath" -> edit(labels, "path", label -> new PathEdit.Replace(OptionReader.path(label.tag(), label.value())));
            case "replacepathregex" -> {
                Label regex = needed(labels, "regex", any);
                Label replacement = needed(labels, "replacement", any);
                only(labels, "regex", "replacement");
                require(visible(replacement.value()) && replacement.value().indexOf('?') < 0, replacement, "a path of visible characters without ? and #");
                edit(new PathEdit.ReplaceMatch(Regex.of(regex.value()), replacement.value()));
            }
            case "redirectscheme" -> redirectScheme(labels, any);
            case "redirectregex" -> redirectRegex(labels, any);
            case "ipallowlist", "ipwhitelist" -> allow(labels, any);
            case "headers" -> headers(labels);
            case "retry" -> {
                once("retry", any);
                only(labels, "attempts");
                Label attempts = needed(labels, "attempts", any);
                require(attempts.value().matches("[1-3]"), attempts, "1 to 3 attempts in this version, the first included");
                options.retry(String.valueOf(Integer.parseInt(attempts.value()) - 1));
            }
            default -> require(false, any, "a middleware that this version supports: " + KINDS);
        }
    }

    private void edit(SortedMap<String, Label> labels, String key, Function<Label, PathEdit> read) {
        only(labels, key);
        Label label = labels.getOrDefault(key, new Label("", ""));
        if (label.tag().isEmpty()) {
            throw new Malformed("%s (expected: it is given)".formatted(key));
        }
        edit(read.apply(label));
    }

    private void edit(PathEdit edit) {
        pathEdited = true;
        options.edit(edit);
    }

    private void redirectScheme(SortedMap<String, Label> labels, Label any) {
        once("redirectscheme", any);
        require(!pathEdited, any, "redirectscheme before what changes the path, in this version");
        only(labels, "scheme", "port", "permanent");
        Label scheme = needed(labels, "scheme", any);
        require(scheme.value().equals("https") || scheme.value().equals("http"), scheme, "http or https");
        String port = "";
        if (labels.containsKey("port")) {
            Label given = needed(labels, "port", any);
            require(given.value().matches("[1-9]\\d{0,4}") && Integer.parseInt(given.value()) <= 65_535, given, "1 to 65535");
            port = given.value().equals(scheme.value().equals("https") ? "443" : "80") ? "" : ":" + given.value();
        }
        schemeRedirect = Optional.of(new SchemeRedirect(scheme.value(), scheme.value() + "://$host" + port + "$path", flag(labels, "permanent")));
    }

    private void redirectRegex(SortedMap<String, Label> labels, Label any) {
        require(!pathEdited, any, "redirectregex before what changes the path, in this version");
        only(labels, "regex", "replacement", "permanent");
        Label replacement = needed(labels, "replacement", any);
        require(visible(replacement.value()), replacement, "a URL of visible characters");
        options.redirect(new MatchRedirect(Regex.of(needed(labels, "regex", any).value()), replacement.value(), flag(labels, "permanent")));
    }

    private void allow(SortedMap<String, Label> labels, Label any) {
        once("ipallowlist", any);
        Label status = labels.getOrDefault("rejectstatuscode", new Label("", "403"));
        require(status.value().equals("403"), status, "403, the one status that this version supports");
        labels.remove("rejectstatuscode");
        only(labels, "sourcerange");
        Label range = needed(labels, "sourcerange", any);
        List<Cidr> blocks = new ArrayList<>();
        OptionReader.addresses(range.tag(), range.value(), some(range).toArray(String[]::new), blocks);
        options.allow(blocks);
    }

    private void headers(SortedMap<String, Label> labels) {
        labels.forEach((key, label) -> {
            String value = label.value();
            if (key.startsWith("customrequestheaders.")) {
                String name = canonical(key.substring("customrequestheaders.".length()));
                if (name.equals("Host") && !value.isEmpty()) {
                    options.host(value);
                } else {
                    options.requestField(FieldEdit.of(name, value, false));
                }
            } else if (key.startsWith("customresponseheaders.")) {
                options.responseField(FieldEdit.of(canonical(key.substring("customresponseheaders.".length())), value, false));
            } else {
                securityHeader(key, label, labels);
            }
        });
    }

    /// The ready-made response headers.
    private void securityHeader(String key, Label label, SortedMap<String, Label> labels) {
        String value = label.value();
        switch (key) {
            case "stsseconds" -> {
                require(value.matches("\\d{1,9}"), label, "a number of seconds");
                String policy = "max-age=" + value
                        + (flag(labels, "stsincludesubdomains") ? "; includeSubDomains" : "")
                        + (flag(labels, "stspreload") ? "; preload" : "");
                if (!value.equals("0")) {
                    respond("Strict-Transport-Security", policy, !flag(labels, "forcestsheader"));
                }
            }
            case "stsincludesubdomains", "stspreload", "forcestsheader" -> flag(labels, key);
            case "framedeny" -> {
                if (flag(labels, key) && !labels.containsKey("customframeoptionsvalue")) {
                    respond("X-Frame-Options", "DENY", false);
                }
            }
            case "customframeoptionsvalue" -> respond("X-Frame-Options", value, false);
            case "contenttypenosniff" -> {
                if (flag(labels, key)) {
                    respond("X-Content-Type-Options", "nosniff", false);
                }
            }
            case "browserxssfilter" -> {
                if (flag(labels, key) && !labels.containsKey("custombrowserxssvalue")) {
                    respond("X-XSS-Protection", "1; mode=block", false);
                }
            }
            case "custombrowserxssvalue" -> respond("X-XSS-Protection", value, false);
            case "contentsecuritypolicy" -> respond("Content-Security-Policy", value, false);
            case "contentsecuritypolicyreportonly" -> respond("Content-Security-Policy-Report-Only", value, false);
            case "referrerpolicy" -> respond("Referrer-Policy", value, false);
            case "permissionspolicy" -> respond("Permissions-Policy", value, false);
            default -> require(false, label, "what this version supports of it: custom request and response headers, sts*, frame*, contenttypenosniff, *xss*, contentsecuritypolicy*, referrerpolicy, permissionspolicy");
        }
    }

    private void respond(String name, String value, boolean tlsOnly) {
        options.responseField(FieldEdit.of(name, value, tlsOnly));
    }

    private static boolean flag(SortedMap<String, Label> labels, String key) {
        return TraefikLabels.flag(labels.getOrDefault(key, new Label("", "false")));
    }

    private static Label needed(SortedMap<String, Label> labels, String key, Label any) {
        Label label = labels.get(key);
        if (label == null) {
            throw new Malformed("%s (expected: %s beside it)".formatted(any.tag(), key));
        }
        require(!label.value().isEmpty(), label, "a value");
        return label;
    }

    private static List<String> some(Label label) {
        List<String> items = list(label.value());
        require(!items.isEmpty(), label, "at least one");
        return items;
    }

    private static void only(SortedMap<String, Label> labels, String... keys) {
        labels.forEach((key, label) -> require(List.of(keys).contains(key), label, "what this version supports of it: " + String.join(", ", keys)));
    }

    private void once(String kind, Label label) {
        require(single.add(kind), label, "one middleware of a kind, in this version");
    }

    private static boolean visible(String text) {
        return text.chars().allMatch(c -> c > ' ' && c <= '~' && c != '#');
    }

    /// `x-custom-name` as `X-Custom-Name`, as Go writes it.
    private static String canonical(String name) {
        StringBuilder canonical = new StringBuilder();
        for (int i = 0; i < name.length(); i++) {
            boolean first = i == 0 || name.charAt(i - 1) == '-';
            canonical.append(first ? Character.toUpperCase(name.charAt(i)) : name.charAt(i));
        }
        return canonical.toString();
    }
}
