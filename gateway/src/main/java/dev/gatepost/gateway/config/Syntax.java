package dev.gatepost.gateway.config;

import dev.gatepost.gateway.config.Value.Fields;
import dev.gatepost.gateway.config.Value.Items;
import dev.gatepost.gateway.config.Value.Nothing;
import dev.gatepost.gateway.config.Value.Text;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// How the value of a setting is written, and what it means: text to a typed value, or a problem.
///
/// @param expected completes `(expected: ...)`
public record Syntax<T>(String expected, Reader<T> reader) {
    /// Reports to `problems` and returns empty when the value doesn't fit.
    public interface Reader<T> {
        Optional<T> read(String key, Value value, List<Problem> problems);
    }

    /// A value that isn't what was expected. The message, if there is one, says more than the expectation does.
    public static final class Unfit extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        public Unfit(String reason) {
            super(reason);
        }
    }

    private static final Pattern DURATION_PART = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");
    private static final Pattern SIZE = Pattern.compile("(\\d{1,15})(B|KiB|MiB|GiB|)");
    private static final Pattern PORT_AT_END = Pattern.compile("(\\[[^\\]]+\\]|[^:\\[\\]]*):(\\d{1,5})");
    private static final Pattern DOMAIN = Pattern.compile("(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*");

    public Optional<T> read(String key, Value value, List<Problem> problems) {
        return reader.read(key, value, problems);
    }

    /// One word, checked by `meaning`, which throws IllegalArgumentException for one that doesn't fit.
    public static <T> Syntax<T> word(String expected, Function<Text, T> meaning) {
        return new Syntax<>(expected, (key, value, problems) -> {
            if (!(value instanceof Text text)) {
                problems.add(Problem.of(value.place(), key, value.shown(), expected));
                return Optional.empty();
            }
            try {
                return Optional.of(meaning.apply(text));
            } catch (Unfit e) {
                problems.add(Problem.of(text.place(), key, text.text(), expected + "; " + e.getMessage()));
            } catch (IllegalArgumentException e) {
                problems.add(Problem.of(text.place(), key, text.text(), expected));
            }
            return Optional.empty();
        });
    }

    /// A YAML list, or one line with commas between the items, which is how a variable holds it.
    public static <T> Syntax<List<T>> list(Syntax<T> item) {
        return new Syntax<>("a list, each " + item.expected(), (key, value, problems) -> {
            List<Value> items = switch (value) {
                case Items written -> written.items();
                case Text line -> Arrays.stream(line.text().split(","))
                        .map(String::strip)
                        .filter(word -> !word.isEmpty())
                        .map(word -> (Value) new Text(word, line.place()))
                        .toList();
                case Fields single -> List.of(single);
                case Nothing _ -> List.of();
            };
            List<T> read = new ArrayList<>();
            for (int i = 0; i < items.size(); i++) {
                item.read(key + "[" + i + "]", items.get(i), problems).ifPresent(read::add);
            }
            return Optional.of(List.copyOf(read));
        });
    }

    public static Syntax<String> text() {
        return word("text", text -> {
            require(text.text().chars().noneMatch(Character::isISOControl));
            return text.text().strip();
        });
    }

    /// Text that no message and no log may show.
    static Syntax<String> secret() {
        return new Syntax<>("text without blanks", (key, value, problems) -> {
            if (value instanceof Text text && text.text().chars().allMatch(c -> c > ' ' && c < 127)) {
                return Optional.of(text.text());
            }
            problems.add(Problem.of(value.place(), key, "(not shown)", "text without blanks"));
            return Optional.empty();
        });
    }

    static Syntax<Boolean> yesOrNo() {
        return word("true or false", text -> switch (text.text()) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException();
        });
    }

    public static Syntax<Integer> count(int least, int most) {
        return word("a number from %d to %d".formatted(least, most), text -> {
            int number = Integer.parseInt(text.text());
            require(number >= least && number <= most);
            return number;
        });
    }

    /// One of a few words; the map's order is the message's.
    public static <T> Syntax<T> oneOf(Map<String, T> words) {
        return word("one of: " + String.join(", ", words.keySet()), text -> {
            T meaning = words.get(text.text().toLowerCase(Locale.ROOT));
            if (meaning == null) {
                throw new IllegalArgumentException();
            }
            return meaning;
        });
    }

    static Syntax<Duration> duration(Duration least) {
        String bound = least.isZero() ? ">= 0" : ">= " + least.toMillis() + "ms";
        return word("a duration such as 250ms, 2s, 5m or 1h, " + bound, text -> {
            Duration duration = parseDuration(text.text());
            require(duration.compareTo(least) >= 0 && duration.compareTo(Duration.ofDays(3650)) <= 0);
            return duration;
        });
    }

    /// A DNS TTL counts whole seconds in 31 bits (RFC 2181 section 8).
    static Syntax<Duration> ttl() {
        return word("whole seconds such as 0s, 2s or 5m, up to 3650d", text -> {
            Duration ttl = parseDuration(text.text());
            require(ttl.toMillisPart() == 0 && ttl.compareTo(Duration.ofDays(3650)) <= 0);
            return ttl;
        });
    }

    private static Duration parseDuration(String text) {
        if (text.equals("0")) {
            return Duration.ZERO;
        }
        Matcher part = DURATION_PART.matcher(text);
        Duration sum = Duration.ZERO;
        int end = 0;
        while (part.find()) {
            require(part.start() == end);
            long number = Long.parseLong(part.group(1));
            sum = sum.plus(switch (part.group(2)) {
                case "ms" -> Duration.ofMillis(number);
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
            });
            end = part.end();
        }
        require(end == text.length() && end > 0);
        return sum;
    }

    static Syntax<Long> size(long least, long most) {
        String range = most == Long.MAX_VALUE ? "" : ", from %s to %s".formatted(sizeText(least), sizeText(most));
        return word("a size such as 512B, 64KiB or 10MiB" + range, text -> {
            Matcher size = SIZE.matcher(text.text());
            require(size.matches());
            int shift = switch (size.group(2)) {
                case "KiB" -> 10;
                case "MiB" -> 20;
                case "GiB" -> 30;
                default -> 0;
            };
            long number = Long.parseLong(size.group(1));
            require(number <= Long.MAX_VALUE >> shift);
            long bytes = number << shift;
            require(bytes >= least && bytes <= most);
            return bytes;
        });
    }

    private static String sizeText(long bytes) {
        if (bytes % (1 << 20) == 0 && bytes > 0) {
            return (bytes >> 20) + "MiB";
        }
        return bytes % 1024 == 0 && bytes > 0 ? (bytes >> 10) + "KiB" : bytes + "B";
    }

    /// Where a listener listens: no host means every address; a name is looked up once, here.
    static Syntax<InetSocketAddress> listenAddress() {
        return word("HOST:PORT, [IPV6]:PORT or :PORT", text -> {
            HostAndPort parts = HostAndPort.of(text.text());
            if (parts.host().isEmpty()) {
                return new InetSocketAddress(parts.port());
            }
            InetSocketAddress address = parts.isLiteral()
                    ? new InetSocketAddress(InetAddress.ofLiteral(parts.host()), parts.port())
                    : new InetSocketAddress(parts.host(), parts.port());
            if (address.isUnresolved()) {
                throw new Unfit("the name " + parts.host() + " has no address here");
            }
            return address;
        });
    }

    /// Where to connect to, its name not looked up: `HOST:PORT` or `[IPV6]:PORT`.
    public static Syntax<InetSocketAddress> endpoint() {
        return word("HOST:PORT or [IPV6]:PORT", text -> {
            HostAndPort parts = HostAndPort.of(text.text());
            require(!parts.host().isEmpty() && parts.port() > 0);
            return InetSocketAddress.createUnresolved(parts.host(), parts.port());
        });
    }

    /// A name server to ask: an address, never a name, for who would look it up?
    static InetSocketAddress nameServer(String text, int usualPort) {
        try {
            return new InetSocketAddress(InetAddress.ofLiteral(text), usualPort);
        } catch (IllegalArgumentException _) {
            HostAndPort parts = HostAndPort.of(text);
            require(parts.port() > 0);
            return new InetSocketAddress(InetAddress.ofLiteral(parts.host()), parts.port());
        }
    }

    /// A host without brackets, and a port.
    private record HostAndPort(String host, int port) {
        static HostAndPort of(String text) {
            Matcher matcher = PORT_AT_END.matcher(text);
            require(matcher.matches());
            int port = Integer.parseInt(matcher.group(2));
            require(port <= 65535);
            String host = matcher.group(1);
            boolean bracketed = host.startsWith("[");
            String bare = bracketed ? host.substring(1, host.length() - 1) : host;
            require(bracketed == bare.contains(":") && bare.chars().noneMatch(c -> c <= ' ' || c == '/' || c == '@'));
            return new HostAndPort(bare, port);
        }

        boolean isLiteral() {
            return host.contains(":") || host.chars().allMatch(c -> c == '.' || (c >= '0' && c <= '9'));
        }
    }

    static Syntax<Cidr> cidr() {
        return word("an address or block such as 10.0.0.0/8 or fd00::/8", text -> Cidr.parse(text.text()));
    }

    /// A domain name in lower case, without the dot at the end; the root is `.`.
    static Syntax<String> domain() {
        return word("a domain name such as consul or example.com", text -> {
            String name = text.text().toLowerCase(Locale.ROOT);
            if (name.equals(".")) {
                return name;
            }
            String bare = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
            require(DOMAIN.matcher(bare).matches());
            return bare;
        });
    }

    /// A path that may or may not exist yet.
    static Syntax<Path> path() {
        return word("a path", Syntax::path);
    }

    static Syntax<Path> file(String expected) {
        return word(expected, text -> {
            Path path = path(text);
            if (Files.isDirectory(path)) {
                throw new Unfit(path + " is a folder");
            }
            return readable(path);
        });
    }

    static Syntax<Path> folder(String expected) {
        return word(expected, text -> {
            Path path = readable(path(text));
            if (!Files.isDirectory(path)) {
                throw new Unfit(path + " is a file");
            }
            return path;
        });
    }

    static Syntax<Path> fileOrFolder(String expected) {
        return word(expected, text -> readable(path(text)));
    }

    private static Path path(Text text) {
        require(!text.text().isBlank() && text.text().indexOf('\0') < 0);
        return text.place().resolve(text.text());
    }

    private static Path readable(Path path) {
        if (!Files.exists(path)) {
            throw new Unfit("there is no " + path);
        }
        if (!Files.isReadable(path)) {
            throw new Unfit(path + " may not be read by this user");
        }
        return path;
    }

    /// A mapping with names of its own, such as one certificate of a list.
    public static <T> Syntax<T> mapping(String expected, List<String> names, MappingReader<T> reader) {
        return new Syntax<>(expected, (key, value, problems) -> {
            if (!(value instanceof Fields fields)) {
                problems.add(Problem.of(value.place(), key, value.shown(), expected));
                return Optional.empty();
            }
            int before = problems.size();
            for (Value.Field field : fields.fields()) {
                if (!names.contains(field.name())) {
                    problems.add(new Problem(field.place(), "%s.%s: unknown key (nearest known: %s.%s)"
                            .formatted(key, Problem.shown(field.name()), key, Nearest.to(field.name(), names))));
                }
            }
            Map<String, Value> byName = fields.fields().stream()
                    .filter(field -> !(field.value() instanceof Nothing))
                    .collect(Collectors.toMap(Value.Field::name, Value.Field::value, (first, second) -> {
                        problems.add(new Problem(second.place(), key + ": the same name twice"));
                        return first;
                    }));
            Optional<T> read = reader.read(key, byName, problems);
            if (read.isEmpty() && problems.size() == before) {
                problems.add(Problem.of(value.place(), key, value.shown(), expected));
            }
            return read;
        });
    }

    public interface MappingReader<T> {
        /// Empty when something needed is missing.
        Optional<T> read(String key, Map<String, Value> fields, List<Problem> problems);
    }

    static boolean isDomain(String name) {
        return DOMAIN.matcher(name.toLowerCase(Locale.ROOT)).matches();
    }

    private static void require(boolean fits) {
        if (!fits) {
            throw new IllegalArgumentException();
        }
    }
}
