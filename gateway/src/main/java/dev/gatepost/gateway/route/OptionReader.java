package dev.gatepost.gateway.route;

import dev.gatepost.gateway.config.Cidr;
import dev.gatepost.gateway.route.Expression.Malformed;
import dev.gatepost.gateway.route.Forwarding.Balance;
import dev.gatepost.gateway.route.Forwarding.HealthCheck;
import dev.gatepost.gateway.route.Forwarding.Lasting;
import dev.gatepost.gateway.route.RouteOptions.HostRewrite;
import dev.gatepost.gateway.route.RouteOptions.MatchRedirect;
import dev.gatepost.gateway.route.RouteOptions.Redirect;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Gathers the options of one route; each reader takes a value as it was written. Every problem is a [Malformed] that
/// names the option, its value and what was expected.
final class OptionReader {
    private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h)");
    private static final Pattern METHOD = Pattern.compile("[A-Z][A-Z-]{0,31}");
    /// RFC 9110 section 5.1, without the two characters that end a name here.
    private static final Pattern HEADER = Pattern.compile("([A-Za-z0-9!#$%&'*+.^_`|-]+)(?:([:~])(.+))?");
    private static final Pattern HEADER_NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]+");
    private static final Pattern QUERY = Pattern.compile("([^=~]+)(?:([=~])(.*))?");
    private static final Pattern INTEGER = Pattern.compile("-?\\d{1,9}");
    private static final Pattern DECIMAL = Pattern.compile("\\d{0,9}(\\.\\d{0,9})?");
    private static final int MAX_WEIGHT = 65_535;
    private static final int MOST_RETRIES = 2;

    private String strip = "";
    private String prepend = "";
    private HostRewrite host = HostRewrite.KEEP;
    private Set<String> methods = Set.of();
    private final List<Criterion> criteria = new ArrayList<>();
    private Optional<Duration> timeout = Optional.empty();
    private Optional<Redirect> redirect = Optional.empty();
    private final List<PathEdit> edits = new ArrayList<>();
    private OptionalInt retries = OptionalInt.empty();
    private final List<MatchRedirect> redirects = new ArrayList<>();
    private final List<FieldEdit> requestFields = new ArrayList<>();
    private final List<FieldEdit> responseFields = new ArrayList<>();
    private Forwarding forwarding = Forwarding.DEFAULT;
    private final List<Cidr> allow = new ArrayList<>();
    private final List<Cidr> deny = new ArrayList<>();
    private EndpointProtocol.Scheme scheme = EndpointProtocol.Scheme.HTTP;
    private String serverName = "";
    private boolean unverified;
    private int priority;
    private Weight weight = Weight.DEFAULT;

    void strip(String value) {
        strip = path("strip", value);
    }

    void prepend(String value) {
        prepend = path("prepend", value);
    }

    /// Leaves the path as it came.
    OptionReader withoutPath() {
        strip = "";
        prepend = "";
        edits.clear();
        return this;
    }

    /// In the order in which they are to be done.
    void edit(PathEdit edit) {
        edits.add(edit);
    }

    /// `N`, or `N|STATUS|STATUS`.
    void retry(String value) {
        String[] words = value.split("\\|", -1);
        int number = INTEGER.matcher(words[0]).matches() ? Integer.parseInt(words[0]) : -1;
        List<Integer> statuses = new ArrayList<>();
        for (int i = 1; i < words.length; i++) {
            statuses.add(words[i].matches("5\\d\\d") ? Integer.parseInt(words[i]) : -1);
        }
        if (number < 0 || number > MOST_RETRIES || statuses.contains(-1)) {
            throw new Malformed("retry=%s (expected: 0 to %d attempts after the first, and statuses such as 2|502|503)".formatted(value, MOST_RETRIES));
        }
        retries = OptionalInt.of(number);
        forwarding = forwarding.withRetryStatuses(statuses);
    }

    /// `METHOD`, `METHOD|slow-start:DURATION` or `slow-start:DURATION`.
    void balance(String value) {
        Balance read = Balance.DEFAULT;
        for (String word : value.split("\\|", -1)) {
            int colon = word.indexOf(':');
            String name = colon < 0 ? "" : word.substring(colon + 1);
            boolean named = HEADER_NAME.matcher(name).matches();
            read = switch (colon < 0 ? word : named ? word.substring(0, colon + 1) : "") {
                case "least-request" -> new Balance(Balance.Method.LEAST_REQUEST, "", read.slowStart());
                case "round-robin" -> new Balance(Balance.Method.ROUND_ROBIN, "", read.slowStart());
                case "address" -> new Balance(Balance.Method.ADDRESS, "", read.slowStart());
                case "header:" -> new Balance(Balance.Method.HEADER, name.toLowerCase(Locale.ROOT), read.slowStart());
                case "cookie:" -> new Balance(Balance.Method.COOKIE, name, read.slowStart());
                case "slow-start:" -> new Balance(read.method(), read.name(), duration("balance", name));
                default -> throw new Malformed(
                        "balance=%s (expected: least-request, round-robin, header:NAME, cookie:NAME or address, and |slow-start:DURATION after it)".formatted(value));
            };
        }
        forwarding = forwarding.withBalance(read);
    }

    void sticky(String value) {
        if (!HEADER_NAME.matcher(value).matches()) {
            throw new Malformed("sticky=%s (expected: the name of a cookie)".formatted(value));
        }
        forwarding = forwarding.withSticky(value);
    }

    void limit(String value) {
        if (!value.matches("[1-9]\\d{0,6}")) {
            throw new Malformed("limit=%s (expected: a number of requests from 1)".formatted(value));
        }
        forwarding = forwarding.withLimit(Integer.parseInt(value));
    }

    /// `PATH`, or `PATH|INTERVAL`.
    void healthCheck(String value) {
        int bar = value.indexOf('|');
        String path = bar < 0 ? value : value.substring(0, bar);
        if (!path.matches("/[!-~]*")) {
            throw new Malformed("health-check=%s (expected: a path and perhaps an interval, such as /health|5s)".formatted(value));
        }
        Duration every = bar < 0 ? HealthCheck.EVERY : duration("health-check", value.substring(bar + 1));
        if (every.compareTo(HealthCheck.SHORTEST) < 0) {
            throw new Malformed("health-check=%s (expected: an interval of at least %d ms)".formatted(value, HealthCheck.SHORTEST.toMillis()));
        }
        forwarding = forwarding.withHealthCheck(new HealthCheck(path, every));
    }

    void redirect(MatchRedirect redirect) {
        redirects.add(redirect);
    }

    /// `NAME:VALUE`, `+NAME:VALUE` to leave others of that name, or `!NAME` to remove it.
    void requestHeader(String value) {
        requestFields.add(fieldEdit("request-header", value));
    }

    void responseHeader(String value) {
        responseFields.add(fieldEdit("response-header", value));
    }

    private static FieldEdit fieldEdit(String option, String value) {
        int colon = value.indexOf(':');
        boolean remove = value.startsWith("!");
        if (remove == colon >= 0 || (!remove && colon + 1 == value.length())) {
            throw new Malformed("%s=%s (expected: NAME:VALUE, +NAME:VALUE to leave others of that name, or !NAME to remove it)".formatted(option, value));
        }
        if (remove) {
            return FieldEdit.of(value.substring(1), "", false);
        }
        boolean add = value.startsWith("+");
        FieldEdit edit = FieldEdit.of(value.substring(add ? 1 : 0, colon), value.substring(colon + 1), false);
        return add ? edit.adding() : edit;
    }

    void requestField(FieldEdit edit) {
        requestFields.add(edit);
    }

    void responseField(FieldEdit edit) {
        responseFields.add(edit);
    }

    static String path(String option, String value) {
        if (!value.startsWith("/") || value.chars().anyMatch(c -> c <= ' ' || c > '~' || c == '?' || c == '#')) {
            throw new Malformed("%s=%s (expected: a path that begins with /)".formatted(option, value));
        }
        return value;
    }

    void host(String value) {
        if (value.equals("dst")) {
            host = HostRewrite.ENDPOINT;
            return;
        }
        try {
            HostPattern pattern = HostPattern.parse(value);
            if (pattern.kind() == HostPattern.Kind.EXACT) {
                host = new HostRewrite(HostRewrite.Kind.FIXED, pattern.toString());
                return;
            }
        } catch (IllegalArgumentException _) {
            // said below, in the option's own words
        }
        throw new Malformed("host=%s (expected: a host name for the upstream, or dst for the instance's own address)".formatted(value));
    }

    void methods(String value) {
        methods = methods("methods", value);
    }

    private static Set<String> methods(String option, String value) {
        Set<String> read = new TreeSet<>();
        for (String method : value.split("\\|", -1)) {
            if (!METHOD.matcher(method).matches()) {
                throw new Malformed("%s=%s (expected: methods in upper case such as GET|POST)".formatted(option, value));
            }
            read.add(method);
        }
        return read;
    }

    /// A criterion as it is written in a route's id.
    ///
    /// @param name of the option; after `!` what must not hold
    /// @param mark `=` or `~`
    void criterion(String name, char mark, String value) {
        boolean not = name.startsWith("!");
        Criterion criterion = switch (mark + (not ? name.substring(1) : name)) {
            case "=header" -> header(value);
            case "=query" -> query(value);
            case "=method" -> new Criterion.Method(methods("method", value));
            case "=client" -> {
                List<Cidr> blocks = new ArrayList<>();
                addresses("client", value, value.split("\\|", -1), blocks);
                yield new Criterion.ClientAddress(blocks);
            }
            case "~host" -> new Criterion.HostMatch(Regex.of(value));
            case "~path" -> new Criterion.PathMatch(Regex.of(value));
            default -> throw new Malformed("%s%s%s (expected: header=, query=, method=, client=, host~ or path~)".formatted(name, mark, value));
        };
        criteria.add(not ? new Criterion.Not(criterion) : criterion);
    }

    void criteria(List<Criterion> more) {
        criteria.addAll(more);
    }

    private static Criterion header(String value) {
        Matcher parts = HEADER.matcher(value);
        if (!parts.matches()) {
            throw new Malformed("header=%s (expected: NAME, NAME:VALUE with | between several values, or NAME~EXPRESSION)".formatted(value));
        }
        return new Criterion.Field(parts.group(1).toLowerCase(Locale.ROOT), test(parts.group(2), parts.group(3)));
    }

    private static Criterion query(String value) {
        Matcher parts = QUERY.matcher(value);
        if (!parts.matches()) {
            throw new Malformed("query=%s (expected: NAME, NAME=VALUE with | between several values, or NAME~EXPRESSION)".formatted(value));
        }
        return new Criterion.Query(parts.group(1), test(parts.group(2), parts.group(3)));
    }

    private static ValueTest test(@Nullable String mark, @Nullable String text) {
        if (mark == null || text == null) {
            return new ValueTest.Present();
        }
        return mark.equals("~") ? new ValueTest.Matching(Regex.of(text)) : new ValueTest.OneOf(new HashSet<>(Arrays.asList(text.split("\\|", -1))));
    }

    void priority(String value) {
        if (!INTEGER.matcher(value).matches()) {
            throw new Malformed("priority=%s (expected: a whole number, 0 where it is not given, the higher first)".formatted(value));
        }
        priority = Integer.parseInt(value);
    }

    void relativeWeight(String value) {
        int number = INTEGER.matcher(value).matches() ? Integer.parseInt(value) : -1;
        if (number < 0 || number > MAX_WEIGHT) {
            throw new Malformed("weight=%s (expected: 0 to %d, relative to the other instances)".formatted(value, MAX_WEIGHT));
        }
        weight = new Weight.Relative(number);
    }

    /// fabio's: 0 means no fixed share. A share above 1 is cut down with its siblings when the route is put together.
    void sharedWeight(String value) {
        if (value.isEmpty() || value.equals(".") || !DECIMAL.matcher(value).matches()) {
            throw new Malformed("weight=%s (expected: a share of the traffic such as 0.25)".formatted(value));
        }
        double share = Double.parseDouble(value);
        weight = share == 0 ? Weight.DEFAULT : new Weight.Share(share);
    }

    /// What the instance speaks.
    void scheme(String value) {
        scheme = scheme("scheme", value);
    }

    static EndpointProtocol.Scheme scheme(String option, String value) {
        return switch (value) {
            case "http" -> EndpointProtocol.Scheme.HTTP;
            case "https" -> EndpointProtocol.Scheme.HTTPS;
            case "h2c", "grpc" -> EndpointProtocol.Scheme.H2C;
            case "grpcs" -> EndpointProtocol.Scheme.H2;
            default -> throw new Malformed("%s=%s (expected: http, https, h2c, grpc or grpcs)".formatted(option, value));
        };
    }

    void serverName(String option, String value) {
        boolean name = value.matches("[A-Za-z0-9_.-]{1,253}") && !value.startsWith(".");
        if (!name) {
            throw new Malformed("%s=%s (expected: the name in the upstream's certificate)".formatted(option, value));
        }
        serverName = value.toLowerCase(Locale.ROOT);
    }

    void verify(String option, String value, String yes) {
        if (!value.equals("true") && !value.equals("false")) {
            throw new Malformed("%s=%s (expected: true or false)".formatted(option, value));
        }
        unverified = !value.equals(yes);
    }

    /// The name is that of the Host which the upstream sees, where the route gives it one and no other name.
    private EndpointProtocol protocol() {
        if (!scheme.isSecure()) {
            if (!serverName.isEmpty() || unverified) {
                throw new Malformed("%s without TLS to the upstream (expected: beside scheme https or grpcs)"
                        .formatted(unverified ? "a certificate not to be verified" : "server name " + serverName));
            }
            return new EndpointProtocol(scheme);
        }
        String fixed = host.kind() == HostRewrite.Kind.FIXED ? host.value().replaceFirst(":\\d+$", "") : "";
        return new EndpointProtocol(scheme, serverName.isEmpty() ? fixed : serverName, !unverified);
    }

    /// `DURATION` for the response's header section, `stream:DURATION` and `total:DURATION`, each once at most.
    void timeout(String value) {
        for (String word : value.split("\\|", -1)) {
            Lasting lasting = forwarding.lasting();
            if (word.startsWith("stream:") && lasting.stream().isZero()) {
                forwarding = forwarding.withLasting(new Lasting(duration("timeout", word.substring(7)), lasting.total()));
            } else if (word.startsWith("total:") && lasting.total().isZero()) {
                forwarding = forwarding.withLasting(new Lasting(lasting.stream(), duration("timeout", word.substring(6))));
            } else if (timeout.isEmpty()) {
                timeout = Optional.of(duration("timeout", word));
            } else {
                throw new Malformed("timeout=%s (expected: DURATION, stream:DURATION and total:DURATION, each once at most)".formatted(value));
            }
        }
    }

    private static Duration duration(String option, String value) {
        Matcher matcher = DURATION.matcher(value);
        if (!matcher.matches() || Integer.parseInt(matcher.group(1)) == 0) {
            throw new Malformed("%s=%s (expected: a duration such as 250ms, 2s or 5m)".formatted(option, value));
        }
        int count = Integer.parseInt(matcher.group(1));
        return switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(count);
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            default -> Duration.ofHours(count);
        };
    }

    /// `CODE|URL`. With a comma, as fabio writes it, a tag would be cut in two by Registrator.
    void redirect(String value) {
        int bar = value.indexOf('|');
        if (bar < 0) {
            throw new Malformed("redirect=%s (expected: CODE|URL such as 301|https://$host$path)".formatted(value));
        }
        redirect(value, value.substring(0, bar), value.substring(bar + 1));
    }

    void redirect(String value, String code, String url) {
        int status = INTEGER.matcher(code).matches() ? Integer.parseInt(code) : 0;
        // 304 to 306 are no redirects (RFC 9110 section 15.4).
        if (status < 300 || status > 399 || (status >= 304 && status <= 306)) {
            throw new Malformed("redirect=%s: status \"%s\" (expected: 301, 302, 303, 307 or 308)".formatted(value, code));
        }
        if (!url.matches("(https?://[^/$?#]|https?://\\$host|/|\\$path)[!-~]*") || url.startsWith("//")) {
            throw new Malformed(
                    "redirect=%s: \"%s\" (expected: a URL that begins with http://, https:// or /; it may hold $host and $path)".formatted(value, url));
        }
        redirect = Optional.of(new Redirect(status, url));
    }

    void allow(String value) {
        addresses("allow", value, value.split("\\|", -1), allow);
    }

    void deny(String value) {
        addresses("deny", value, value.split("\\|", -1), deny);
    }

    /// Every item must be right: a rule that is half understood would admit whom it should not.
    static void addresses(String option, String value, String[] items, List<Cidr> into) {
        for (String item : items) {
            try {
                into.add(Cidr.parse(item));
            } catch (IllegalArgumentException e) {
                throw new Malformed("%s=%s: %s".formatted(option, value, e.getMessage()));
            }
        }
    }

    void allow(List<Cidr> blocks) {
        allow.addAll(blocks);
    }

    void deny(List<Cidr> blocks) {
        deny.addAll(blocks);
    }

    boolean allowsAndDenies() {
        return !allow.isEmpty() && !deny.isEmpty();
    }

    /// The usual ones cost less as the two options that they are.
    private void plainEdits() {
        if (!edits.isEmpty() && strip.isEmpty() && prepend.isEmpty() && edits.getFirst() instanceof PathEdit.Strip(List<String> prefixes) && prefixes.size() == 1) {
            strip = prefixes.getFirst();
            edits.removeFirst();
        }
        if (edits.size() == 1 && prepend.isEmpty() && edits.getFirst() instanceof PathEdit.Prepend(String prefix)) {
            prepend = prefix;
            edits.clear();
        }
    }

    Expression expression(HostPattern hostPattern, PathPattern path, Condition condition) {
        plainEdits();
        RouteOptions options = new RouteOptions(
                strip, prepend, edits, host, timeout, retries, redirect, redirects, allow, deny, requestFields, responseFields, forwarding);
        boolean upgrade = redirect.isPresent() && redirect.get().upgrades(hostPattern) && !options.rewritesPath();
        // Over TLS it would lead to itself: there the next route in order is what is meant.
        Condition.Scheme from = upgrade && condition.scheme() == Condition.Scheme.ANY ? Condition.Scheme.HTTP : condition.scheme();
        List<Criterion> all = new ArrayList<>(condition.criteria());
        all.addAll(criteria);
        return new Expression(new RouteKey(hostPattern, path, new Condition(from, methods, all)), priority, options, weight, 0, protocol());
    }
}
