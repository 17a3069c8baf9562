package dev.gatepost.gateway.route;

import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import dev.gatepost.gateway.catalog.Weights;
import dev.gatepost.gateway.route.Expression.Malformed;
import dev.gatepost.gateway.route.Route.Declaration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// fabio's command language, `route add|del|weight ...`, as it stands in the KV store or a file: changes, in their order, of
/// what `urlprefix-` tags declare. A line that can't be read is rejected alone; fabio would drop all of them.
///
/// @param commands in the order in which they apply
/// @param rejected lines that could not be read
public record FabioCommands(List<Command> commands, List<Rejected> rejected) {
    public static final FabioCommands NONE = new FabioCommands(List.of(), List.of());

    static final String DIALECT = "fabio";
    static final String SYNTAX_ERROR = "syntax error";

    private static final Pattern ADD = flexible("route add (\\S+) (\\S+) (\\S+)( weight (\\S+))?( tags \"([^\"]*)\")?( opts \"([^\"]*)\")?");
    private static final Pattern DELETE = flexible("route del (\\S+)( (\\S+)( (\\S+))?)?");
    private static final Pattern DELETE_SERVICE_TAGS = flexible("route del (\\S+) tags \"([^\"]*)\"");
    private static final Pattern DELETE_TAGS = flexible("route del tags \"([^\"]*)\"");
    private static final Pattern WEIGHT = flexible("route weight (\\S+) (\\S+) weight (\\S+)( tags \"([^\"]*)\")?");
    private static final Pattern WEIGHT_TAGS = flexible("route weight (\\S+) weight (\\S+) tags \"([^\"]*)\"");
    private static final Pattern NUMBER = Pattern.compile("[+-]?(\\d{1,9}\\.?\\d{0,9}|\\.\\d{1,9})([eE][+-]?\\d{1,2})?");
    private static final Pattern PROTO = Pattern.compile("(?<!\\S)proto=(\\S*)");
    private static final Pattern REDIRECT = Pattern.compile("(?<!\\S)redirect=");
    private static final String TARGETS = "http://HOST:PORT/, https://, grpc:// or grpcs://";
    private static final Pattern TARGET = Pattern.compile("(?:(https?|grpcs?)://)?(\\[[0-9A-Fa-f:.]+\\]|[^/:$\\s\\[\\]]+)(?::(\\d{1,5}))?/?");

    public FabioCommands {
        commands = List.copyOf(commands);
        rejected = List.copyOf(rejected);
    }

    /// What one line does to the targets of a route.
    public sealed interface Command {
        /// Empty for any.
        String service();

        /// Adds a target outside of the catalog.
        record Add(Line line, String service, Expression expression, Instance target) implements Command {}

        /// Takes targets out.
        ///
        /// @param service empty for any
        /// @param source  empty for any
        /// @param target  its URL; empty for any
        /// @param tags    all of which a target has
        record Delete(String service, Optional<Source> source, String target, List<String> tags) implements Command {}

        /// Gives targets, all together, a fixed share of the traffic.
        ///
        /// @param share 0 for none
        record Weigh(Line line, String service, Source source, double share, List<String> tags) implements Command {}
    }

    /// A command as it was written.
    ///
    /// @param kind  `kv` or `file`
    /// @param place the key or file, and the number of the line
    public record Line(String kind, String place, String text) {
        private Rejected rejected(String service, String reason) {
            return new Rejected(kind, service, "", text, place + ": " + reason);
        }
    }

    /// Host and path of a route, whatever its condition.
    record Source(HostPattern host, PathPattern path) {
        boolean isOf(RouteKey key) {
            return key.host().equals(host) && key.path().equals(path);
        }
    }

    /// @param kind  `kv` or `file`
    /// @param place the key or file, for rejections
    public static FabioCommands parse(String kind, String place, String text) {
        return of(lines(kind, place, text));
    }

    /// Without blank lines and comments.
    public static List<Line> lines(String kind, String place, String text) {
        List<Line> lines = new ArrayList<>();
        int number = 0;
        for (String each : text.split("\n", -1)) {
            number++;
            String command = each.strip();
            if (!command.isEmpty() && !command.startsWith("#") && !command.startsWith("//")) {
                lines.add(new Line(kind, place + " line " + number, command));
            }
        }
        return lines;
    }

    public static FabioCommands of(List<Line> lines) {
        List<Command> commands = new ArrayList<>();
        List<Rejected> rejected = new ArrayList<>();
        for (Line line : lines) {
            try {
                commands.add(command(line));
            } catch (Malformed e) {
                rejected.add(line.rejected("", String.valueOf(e.getMessage())));
            }
        }
        return new FabioCommands(commands, rejected);
    }

    /// Host and path in a line that can't be used, as far as they can be made out.
    public static Optional<String> named(String line) {
        return Stream.of(line.split("\\s+")).skip(2).filter(word -> word.indexOf('/') >= 0).findFirst();
    }

    /// These, and then those.
    public FabioCommands then(FabioCommands others) {
        return new FabioCommands(
                Stream.concat(commands.stream(), others.commands.stream()).toList(), Stream.concat(rejected.stream(), others.rejected.stream()).toList());
    }

    private static Pattern flexible(String expression) {
        return Pattern.compile(expression.replace(" ", "\\s+"));
    }

    private static Command command(Line line) {
        Matcher add = ADD.matcher(line.text());
        if (add.matches()) {
            return add(line, add);
        }
        Matcher byServiceAndTags = DELETE_SERVICE_TAGS.matcher(line.text());
        if (byServiceAndTags.matches()) {
            return new Command.Delete(byServiceAndTags.group(1), Optional.empty(), "", tags(byServiceAndTags.group(2)));
        }
        Matcher byTags = DELETE_TAGS.matcher(line.text());
        if (byTags.matches()) {
            return new Command.Delete("", Optional.empty(), "", tags(byTags.group(1)));
        }
        Matcher delete = DELETE.matcher(line.text());
        if (delete.matches()) {
            Optional<Source> source = Optional.ofNullable(delete.group(3)).map(FabioCommands::source);
            return new Command.Delete(delete.group(1), source, delete.group(5) == null ? "" : url(delete.group(5)), List.of());
        }
        Matcher weightOfTags = WEIGHT_TAGS.matcher(line.text());
        if (weightOfTags.matches()) {
            return new Command.Weigh(line, "", source(weightOfTags.group(1)), share(weightOfTags.group(2)), tags(weightOfTags.group(3)));
        }
        Matcher weight = WEIGHT.matcher(line.text());
        if (weight.matches()) {
            return new Command.Weigh(line, weight.group(1), source(weight.group(2)), share(weight.group(3)), tags(weight.group(5)));
        }
        throw new Malformed(SYNTAX_ERROR + " (expected: route add SERVICE HOST/PATH URL [weight N] [tags \"A,B\"] [opts \"K=V ...\"],"
                + " route del SERVICE [HOST/PATH [URL]], route del [SERVICE] tags \"A,B\", route weight [SERVICE] HOST/PATH weight N [tags \"A,B\"])");
    }

    /// A redirect's target is where it leads: `route add svc old.example.com/ https://new.example.com$path opts "redirect=301"`.
    private static Command add(Line line, Matcher add) {
        String options = add.group(9) == null ? "" : add.group(9);
        String written = add.group(3);
        Matcher target = TARGET.matcher(written);
        boolean redirect = REDIRECT.matcher(options).find();
        if (!target.matches() && !redirect) {
            throw new Malformed("target %s (expected: %s)".formatted(written, TARGETS));
        }
        String scheme = redirect || target.group(1) == null ? "" : target.group(1);
        FabioDialect.Tag tag = FabioDialect.Tag.read(add.group(2) + " " + withProtocol(options, scheme), "", Map.of()).orElseThrow();
        double share = share(add.group(5) == null ? "0" : add.group(5));
        Expression expression = FabioDialect.parse(tag, written);
        String host = redirect ? "" : target.group(2).replaceAll("[\\[\\]]", "");
        int port = redirect ? 0 : port(written, target);
        // No node of a catalog is called by a key or a file.
        Node node = new Node(line.kind() + " " + line.place(), "", host, "", Map.of(), Map.of());
        Instance instance = new Instance(
                add.group(1) + "-" + host + ":" + port, add.group(1), node, host, port, tags(add.group(7)), Map.of(), Map.of(), Weights.DEFAULT, List.of());
        return new Command.Add(line, add.group(1), new Expression(expression.key(), 0, expression.options(), weight(share), 0, expression.protocol()), instance);
    }

    /// Where none is written, that of the scheme.
    private static int port(String written, Matcher target) {
        if (target.group(3) == null) {
            return List.of("https", "grpcs").contains(String.valueOf(target.group(1))) ? 443 : 80;
        }
        int port = Integer.parseInt(target.group(3));
        if (port < 1 || port > 65_535) {
            throw new Malformed("target %s (expected: a port from 1 to 65535)".formatted(written));
        }
        return port;
    }

    /// What the target is written with is what it speaks; options that say something else are a mistake.
    ///
    /// @param scheme empty where the target has none
    private static String withProtocol(String options, String scheme) {
        if (scheme.isEmpty()) {
            return options;
        }
        Matcher proto = PROTO.matcher(options);
        if (!proto.find()) {
            return options + " proto=" + scheme;
        }
        if (!proto.group(1).equals(scheme)) {
            throw new Malformed("proto=%s for a target with %s:// (expected: the same in both)".formatted(proto.group(1), scheme));
        }
        return options;
    }

    private static Source source(String text) {
        RouteKey key = FabioDialect.parse(FabioDialect.Tag.read(text, "", Map.of()).orElseThrow()).key();
        return new Source(key.host(), key.path());
    }

    private static double share(String text) {
        if (!NUMBER.matcher(text).matches()) {
            throw new Malformed("weight %s (expected: a share of the traffic such as 0.25)".formatted(text));
        }
        return Math.max(0, Double.parseDouble(text));
    }

    private static Weight weight(double share) {
        return share == 0 ? Weight.DEFAULT : new Weight.Share(share);
    }

    private static List<String> tags(@Nullable String text) {
        return text == null || text.isEmpty() ? List.of() : Stream.of(text.split(",", -1)).map(String::strip).toList();
    }

    /// One spelling for each target, that of [#url(Claim)].
    private static String url(String text) {
        Matcher target = TARGET.matcher(text);
        if (target.matches() && target.group(1) != null) {
            return target.group(1) + "://" + target.group(2) + ":" + port(text, target);
        }
        if (!text.startsWith("http://") && !text.startsWith("https://") && !text.startsWith("/")) {
            throw new Malformed("target %s (expected: %s, or where a redirect leads)".formatted(text, TARGETS));
        }
        return redirectUrl(text);
    }

    private static String redirectUrl(String location) {
        String text = location.replace("/$path", "$path");
        return text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
    }

    /// Routes that a command adds targets to: they may have no other.
    Set<RouteKey> added() {
        Set<RouteKey> keys = new HashSet<>();
        for (Command command : commands) {
            if (command instanceof Command.Add add) {
                keys.add(add.expression().key());
            }
        }
        return keys;
    }

    /// A route's claims after all commands; these touch only what fabio's tags declare.
    List<Claim> apply(RouteKey key, List<Claim> declared) {
        if (commands.isEmpty()) {
            return declared;
        }
        List<Claim> claims = new ArrayList<>(declared);
        for (Command command : commands) {
            switch (command) {
                case Command.Add add -> {
                    if (add.expression().key().equals(key)) {
                        claims.add(claim(add));
                    }
                }
                case Command.Delete delete -> {
                    if (delete.source().isEmpty() || delete.source().get().isOf(key)) {
                        claims.removeIf(claim -> concerns(claim, delete.service(), delete.tags()) && (delete.target().isEmpty() || delete.target().equals(url(claim))));
                    }
                }
                case Command.Weigh weigh -> {
                    if (weigh.source().isOf(key)) {
                        // Each datacenter by itself: one alone serves.
                        Map<Integer, Long> targets = claims.stream()
                                .filter(claim -> claim.serving() && concerns(claim, weigh.service(), weigh.tags()))
                                .collect(Collectors.groupingBy(Claim::distance, Collectors.counting()));
                        claims.replaceAll(claim -> concerns(claim, weigh.service(), weigh.tags())
                                ? claim.withWeight(weight(weigh.share() / targets.getOrDefault(claim.distance(), 1L)))
                                : claim);
                    }
                }
            }
        }
        return claims;
    }

    private static Claim claim(Command.Add add) {
        Expression expression = add.expression();
        Declaration declaration = new Declaration(add.line().kind(), DIALECT, add.line().text(), "");
        return new Claim(
                expression.key(), expression.priority(), expression.options(), expression.weight(), declaration, add.line().kind() + " " + add.line().place(), add.service(), add.target(), add.target().port(), expression.protocol(), true);
    }

    private static boolean concerns(Claim claim, String service, List<String> tags) {
        return claim.declaration().dialect().equals(DIALECT)
                && (service.isEmpty() || claim.service().equals(service))
                && claim.instance().tags().containsAll(tags);
    }

    /// As fabio writes the target of one of its tags.
    private static String url(Claim claim) {
        if (claim.options().redirect().isPresent()) {
            String location = claim.options().redirect().get().location();
            return TARGET.matcher(location).matches() ? url(location) : redirectUrl(location);
        }
        String host = claim.instance().address();
        String scheme = switch (claim.protocol().scheme()) {
            case HTTP -> "http";
            case HTTPS -> "https";
            case H2C -> "grpc";
            case H2 -> "grpcs";
        };
        return scheme + "://" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + claim.port();
    }

    /// The weights that no target of the table has, as fabio reports them.
    List<Rejected> idle(RouteIndex index) {
        List<Rejected> idle = new ArrayList<>();
        for (Command command : commands) {
            if (command instanceof Command.Weigh weigh) {
                boolean[] used = {false};
                index.forEachBeside(
                        new RouteKey(weigh.source().host(), weigh.source().path(), Condition.NONE),
                        entry -> used[0] |= entry.ruled().stream().anyMatch(claim -> concerns(claim, weigh.service(), weigh.tags())));
                if (!used[0]) {
                    idle.add(weigh.line().rejected(weigh.service(), "no target has this service, route and tags"));
                }
            }
        }
        return idle;
    }
}
