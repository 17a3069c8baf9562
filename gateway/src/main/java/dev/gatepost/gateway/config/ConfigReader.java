package dev.gatepost.gateway.config;

import dev.gatepost.gateway.config.GatewayConfig.AccessLog;
import dev.gatepost.gateway.config.GatewayConfig.Admin;
import dev.gatepost.gateway.config.GatewayConfig.CatalogFiles;
import dev.gatepost.gateway.config.GatewayConfig.Consul;
import dev.gatepost.gateway.config.GatewayConfig.Dns;
import dev.gatepost.gateway.config.GatewayConfig.Drain;
import dev.gatepost.gateway.config.GatewayConfig.Fragments;
import dev.gatepost.gateway.config.GatewayConfig.Http;
import dev.gatepost.gateway.config.GatewayConfig.Https;
import dev.gatepost.gateway.config.GatewayConfig.Limits;
import dev.gatepost.gateway.config.GatewayConfig.Routes;
import dev.gatepost.gateway.config.GatewayConfig.Timeouts;
import dev.gatepost.gateway.config.Value.Nothing;
import dev.gatepost.gateway.config.Value.Text;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/// Reads the configuration: for each setting our own variable, else the file, else the variable of the ecosystem,
/// else the default. It doesn't stop at the first thing that is wrong: a person gets the whole list at once.
public final class ConfigReader {
    private final List<Problem> problems = new ArrayList<>();
    private final Set<String> read = new HashSet<>();
    private final Place whole;
    private final Given given;
    private final ConsulVariables consulVariables;

    private ConfigReader(Place whole, Value document, List<Problem> found, Map<String, String> environment) {
        this.whole = whole;
        this.problems.addAll(found);
        this.given = Given.of(document, environment, problems);
        this.consulVariables = new ConsulVariables(environment, problems);
    }

    /// Without a file the environment alone configures.
    public static ConfigReading read(Optional<Path> file, Map<String, String> environment) {
        Place whole = file.map(Place::ofFile).orElseGet(() -> Place.ofVariable("environment"));
        if (file.isEmpty()) {
            return new ConfigReader(whole, new Nothing(whole), List.of(), environment).read();
        }
        try {
            return read(Files.readString(file.get()), file.get(), environment);
        } catch (NoSuchFileException _) {
            return refused(whole, "there is no such file");
        } catch (CharacterCodingException _) {
            return refused(whole, "not text (expected: YAML in UTF-8)");
        } catch (IOException e) {
            return refused(whole, Files.isDirectory(file.get()) ? "a folder (expected: a YAML file)" : "can't be read: " + e.getMessage());
        }
    }

    /// @param file where the text is from: names it in messages, and relative paths start there
    public static ConfigReading read(String text, Path file, Map<String, String> environment) {
        Place whole = Place.ofFile(file);
        List<Problem> found = new ArrayList<>();
        Value document = YamlDocument.parse(text, whole, found);
        if (!found.isEmpty()) { // what is missing from a broken document is no news
            return new ConfigReading.Invalid(List.copyOf(found), Optional.empty());
        }
        return new ConfigReader(whole, document, found, environment).read();
    }

    private static ConfigReading refused(Place place, String text) {
        return new ConfigReading.Invalid(List.of(new Problem(place, text)), Optional.empty());
    }

    private ConfigReading read() {
        GatewayConfig config = new GatewayConfig(
                listener(Settings.HTTP_ADDRESS, (_, address) -> new Http(address, get(Settings.HTTP_H2C))),
                listener(Settings.HTTPS_ADDRESS, this::https),
                listener(Settings.DNS_ADDRESS, this::dns),
                listener(Settings.ADMIN_ADDRESS, (_, address) -> new Admin(address)),
                consul(),
                new CatalogFiles(find(Settings.CATALOG_FILE), find(Settings.CATALOG_LAST_GOOD), get(Settings.CATALOG_MAX_AGE),
                        get(Settings.CATALOG_MAX_LOSS), new TreeSet<>(find(Settings.CATALOG_PANIC).orElse(List.of()))),
                new Fragments(find(Settings.FRAGMENTS_FOLDER), find(Settings.FRAGMENTS_FABIO_PATH)),
                routes(),
                find(Settings.TRUSTED_PROXIES).orElse(List.of()),
                new AccessLog(get(Settings.ACCESS_LOG_OUTPUT), get(Settings.ACCESS_LOG_FORMAT), Math.toIntExact(get(Settings.ACCESS_LOG_BUFFER)), get(Settings.ACCESS_LOG_DNS_SAMPLE), get(Settings.ACCESS_LOG_REDACT)),
                timeouts(),
                limits(),
                new Drain(get(Settings.DRAIN_GRACE), get(Settings.DRAIN_TIMEOUT), get(Settings.DRAIN_HAND_OVER)),
                upstreams(),
                find(Settings.TRACE_SAMPLE).map(OptionalInt::of).orElseGet(OptionalInt::empty),
                find(Settings.THREADS).orElseGet(() -> Runtime.getRuntime().availableProcessors()),
                get(Settings.WARM_UP));
        Settings.all().stream().filter(setting -> !read.contains(setting.key())).forEach(this::find); // of listeners that lack an address
        checkListeners(config);
        checkSources(config);
        if (problems.isEmpty()) {
            return new ConfigReading.Valid(config);
        }
        problems.sort(Comparator.comparingInt((Problem problem) -> problem.place().source().equals(whole.source()) ? 0 : 1)
                .thenComparingInt(problem -> problem.place().line())
                .thenComparingInt(problem -> problem.place().column()));
        return new ConfigReading.Invalid(List.copyOf(problems), Optional.of(config));
    }

    private <T> Optional<T> listener(Setting<InetSocketAddress> address, BiFunction<Place, InetSocketAddress, T> listener) {
        String section = address.key().substring(0, address.key().indexOf('.'));
        Optional<Place> begun = given.section(section);
        if (begun.isPresent() && given.value(address).isEmpty() && !given.isMisspelt(address)) {
            problems.add(Problem.of(begun.get(), address.key(), "missing", address.syntax().expected() + ", or no " + section + " section at all"));
        }
        return find(address).map(found -> listener.apply(begun.orElse(whole), found));
    }

    private Https https(Place place, InetSocketAddress address) {
        int before = problems.size();
        List<GatewayConfig.Certificate> certificates = find(Settings.HTTPS_CERTIFICATES).orElse(List.of());
        if (certificates.isEmpty() && problems.size() == before) {
            problems.add(Problem.of(place, Settings.HTTPS_CERTIFICATES.key(), "none", "at least one { certificate: FILE, key: FILE }"));
        }
        return new Https(address, certificates, find(Settings.HTTPS_TICKET_KEYS));
    }

    private Dns dns(Place place, InetSocketAddress address) {
        Dns.Profile profile = get(Settings.DNS_PROFILE);
        return new Dns(
                address,
                get(Settings.DNS_DOMAIN),
                profile,
                ttl(Settings.DNS_TTL, profile),
                ttl(Settings.DNS_NEGATIVE_TTL, profile),
                forwarding(address),
                new Dns.Names(find(Settings.DNS_ALTERNATIVE_DOMAIN), find(Settings.DNS_NODE_TTL), serviceTtls(), gateways(), find(Settings.DNS_SEARCH).orElse(List.of())),
                ways(),
                new Dns.Access(find(Settings.DNS_ALLOW), find(Settings.DNS_ALLOW_FORWARDING), get(Settings.DNS_DENIED),
                        new Dns.RateLimit(get(Settings.DNS_RATE_LIMIT), find(Settings.DNS_RATE_LIMIT_EXEMPT).orElse(List.of()))));
    }

    private Dns.Ways ways() {
        Optional<InetSocketAddress> tls = find(Settings.DNS_TLS_ADDRESS);
        Optional<Dns.HttpsPath> https = find(Settings.DNS_OVER_HTTPS).flatMap(path -> path);
        boolean proxyProtocol = get(Settings.DNS_PROXY_PROTOCOL);
        needs(tls.isPresent() || https.isPresent(), tls.isPresent() ? Settings.DNS_TLS_ADDRESS : Settings.DNS_OVER_HTTPS,
                given.value(Settings.HTTPS_ADDRESS).isPresent(), "an https section, whose certificates it shows");
        needs(proxyProtocol, Settings.DNS_PROXY_PROTOCOL, given.value(Settings.TRUSTED_PROXIES).isPresent(), "trusted-proxies, who send the header");
        return new Dns.Ways(
                tls, https, proxyProtocol,
                new Dns.Streams(get(Settings.DNS_TCP_CONNECTIONS), get(Settings.DNS_TCP_CONNECTIONS_PER_CLIENT), get(Settings.DNS_TCP_IDLE)),
                new Dns.Cookies(find(Settings.DNS_COOKIE_SECRETS).orElse(List.of()), get(Settings.DNS_REQUIRE_COOKIES)));
    }

    private void needs(boolean wanted, Setting<?> setting, boolean there, String needed) {
        if (wanted && !there) {
            problems.add(Problem.of(placeOf(setting), setting.key(), written(setting), "also " + needed));
        }
    }

    private Dns.Forwarding forwarding(InetSocketAddress own) {
        List<Dns.Forward> zones = find(Settings.DNS_FORWARD).orElse(List.of());
        Set<String> names = new HashSet<>();
        for (Dns.Forward zone : zones) {
            if (!names.add(zone.zone())) {
                problems.add(Problem.of(placeOf(Settings.DNS_FORWARD), Settings.DNS_FORWARD.key(), zone.zone() + " twice", "each zone once, with all its servers"));
            }
            zone.to().stream().filter(server -> isOwn(own, server.address())).findFirst().ifPresent(server ->
                    problems.add(Problem.of(placeOf(Settings.DNS_FORWARD), Settings.DNS_FORWARD.key(), server.address().toString().replaceFirst("^.*/", ""),
                            "another server than dns.address, this one")));
        }
        return new Dns.Forwarding(zones, new Dns.Cache(
                get(Settings.DNS_CACHE_SIZE), get(Settings.DNS_CACHE_MAX_TTL), get(Settings.DNS_CACHE_MAX_NEGATIVE_TTL), get(Settings.DNS_CACHE_STALE)),
                find(Settings.DNS_HOSTS).orElse(List.of()), find(Settings.DNS_BLOCK).orElse(List.of()));
    }

    private Dns.Gateways gateways() {
        Map<String, Boolean> answers = new LinkedHashMap<>();
        find(Settings.DNS_ANSWER).orElse(List.of()).forEach(each -> answers.put(each.service(), each.gateway()));
        if (answers.containsValue(true) && given.section("http").isEmpty() && given.section("https").isEmpty()) {
            problems.add(Problem.of(placeOf(Settings.DNS_ANSWER), Settings.DNS_ANSWER.key(), "gateway", "instances, as there is neither http.address nor https.address"));
        }
        List<Settings.GatewayPlace> places = find(Settings.DNS_GATEWAY).orElse(List.of());
        return new Dns.Gateways(
                answers,
                places.stream().flatMap(each -> each.address().stream()).toList(),
                places.stream().filter(each -> each.address().isEmpty()).map(Settings.GatewayPlace::service).toList(),
                find(Settings.DNS_GATEWAY_HTTP_PORT).orElse(0),
                find(Settings.DNS_GATEWAY_HTTPS_PORT).orElse(0));
    }

    private Map<String, Duration> serviceTtls() {
        Map<String, Duration> ttls = new LinkedHashMap<>();
        find(Settings.DNS_SERVICE_TTLS).orElse(List.of()).forEach(each -> ttls.put(each.service(), each.ttl()));
        return ttls;
    }

    /// Consul's answers may not be kept at all, unless somebody said otherwise.
    private Duration ttl(Setting<Duration> setting, Dns.Profile profile) {
        return switch (profile) {
            case STRICT -> get(setting);
            case CONSUL_1_8 -> find(setting).orElse(Duration.ZERO);
        };
    }

    /// Consul is read when somebody mentioned it: a section in the file, a setting of ours, or CONSUL_HTTP_ADDR. An
    /// address that was written as empty says no to the latter.
    private Optional<Consul> consul() {
        Optional<Value> address = given.value(Settings.CONSUL_ADDRESS).or(() -> consulVariables.value(Settings.CONSUL_ADDRESS));
        boolean mentioned = given.section("consul").isPresent() || address.isPresent();
        boolean declined = address.orElse(null) instanceof Text text && text.text().isBlank();
        if (!mentioned || declined) {
            return Optional.empty();
        }
        read.add(Settings.CONSUL_ADDRESS.key());
        Optional<Value> checked = address.filter(value -> Settings.CONSUL_ADDRESS.syntax().read(Settings.CONSUL_ADDRESS.key(), value, problems).isPresent());
        boolean ownToken = given.value(Settings.CONSUL_TOKEN).isPresent() || given.value(Settings.CONSUL_TOKEN_FILE).isPresent();
        Optional<Path> certificate = findOrConsul(Settings.CONSUL_CLIENT_CERTIFICATE);
        Optional<Path> key = findOrConsul(Settings.CONSUL_CLIENT_KEY);
        if (certificate.isPresent() != key.isPresent()) {
            Setting<Path> missing = certificate.isPresent() ? Settings.CONSUL_CLIENT_KEY : Settings.CONSUL_CLIENT_CERTIFICATE;
            problems.add(Problem.of(given.section("consul").orElse(whole), missing.key(), "missing", "both client-certificate and client-key, or neither"));
        }
        return Optional.of(new Consul(
                consulVariables.baseAddress(checked),
                (ownToken ? find(Settings.CONSUL_TOKEN) : findOrConsul(Settings.CONSUL_TOKEN)).orElse(""),
                ownToken ? find(Settings.CONSUL_TOKEN_FILE) : findOrConsul(Settings.CONSUL_TOKEN_FILE),
                get(Settings.CONSUL_KEY_PREFIX),
                find(Settings.CONSUL_DATACENTER).orElse(""),
                findOrConsul(Settings.CONSUL_CA_CERTIFICATE),
                certificate,
                key,
                given.value(Settings.CONSUL_VERIFY).isPresent() ? get(Settings.CONSUL_VERIFY) : consulVariables.verify().orElse(get(Settings.CONSUL_VERIFY)),
                get(Settings.CONSUL_MAX_STALE),
                find(Settings.CONSUL_DATACENTERS).orElse(List.of())));
    }

    private Routes routes() {
        EnumSet<Routes.Dialect> dialects = EnumSet.noneOf(Routes.Dialect.class);
        dialects.addAll(get(Settings.ROUTES_DIALECTS));
        return new Routes(
                dialects, find(Settings.ROUTES_DEFAULT_HOST).orElse(""), find(Settings.ROUTES_DEFAULT_HOST_FOR).orElse(List.of()), get(Settings.ROUTES_HEALTH),
                find(Settings.LOCALITY_ZONE).orElse(""), get(Settings.LOCALITY_META));
    }

    private Timeouts timeouts() {
        return new Timeouts(
                get(Settings.TIMEOUTS_CONNECT),
                get(Settings.TIMEOUTS_REQUEST_HEADER),
                get(Settings.TIMEOUTS_RESPONSE_HEADER),
                get(Settings.TIMEOUTS_STREAM),
                get(Settings.TIMEOUTS_IDLE),
                get(Settings.TIMEOUTS_TOTAL),
                get(Settings.TIMEOUTS_UPGRADED));
    }

    private Limits limits() {
        Limits limits = new Limits(
                Math.toIntExact(get(Settings.LIMITS_REQUEST_LINE)),
                Math.toIntExact(get(Settings.LIMITS_HEADER)),
                Math.toIntExact(get(Settings.LIMITS_HEADERS)),
                get(Settings.LIMITS_BODY),
                Math.toIntExact(get(Settings.LIMITS_BODY_RATE)),
                get(Settings.LIMITS_CONNECTIONS),
                find(Settings.LIMITS_ADDRESS_CONNECTIONS).orElseGet(() -> Math.ceilDiv(get(Settings.LIMITS_CONNECTIONS), 2)),
                get(Settings.LIMITS_REQUESTS),
                get(Settings.LIMITS_ENDPOINT_REQUESTS),
                get(Settings.LIMITS_WAITING));
        if (limits.header() > limits.headers()) {
            problems.add(Problem.of(placeOf(Settings.LIMITS_HEADER), Settings.LIMITS_HEADER.key(), limits.header() + "B", "at most limits.headers, " + limits.headers() + "B"));
        }
        return limits;
    }

    private GatewayConfig.Upstreams upstreams() {
        Optional<Path> certificate = find(Settings.UPSTREAMS_CLIENT_CERTIFICATE);
        Optional<Path> key = find(Settings.UPSTREAMS_CLIENT_KEY);
        if (key.isPresent() && certificate.isEmpty()) {
            problems.add(Problem.of(placeOf(Settings.UPSTREAMS_CLIENT_KEY), Settings.UPSTREAMS_CLIENT_KEY.key(), "alone", Settings.UPSTREAMS_CLIENT_CERTIFICATE.key() + " beside it"));
        }
        return new GatewayConfig.Upstreams(find(Settings.UPSTREAMS_CA_CERTIFICATE), certificate, key);
    }

    private void checkListeners(GatewayConfig config) {
        if (Stream.of("http", "https", "dns").allMatch(section -> given.section(section).isEmpty())) {
            problems.add(new Problem(whole, "nothing to serve (expected: at least one of http.address, https.address, dns.address)"));
        }
        record Listener(Setting<InetSocketAddress> setting, InetSocketAddress address) {}
        List<Listener> listeners = new ArrayList<>();
        config.http().ifPresent(http -> listeners.add(new Listener(Settings.HTTP_ADDRESS, http.address())));
        config.https().ifPresent(https -> listeners.add(new Listener(Settings.HTTPS_ADDRESS, https.address())));
        config.dns().ifPresent(dns -> listeners.add(new Listener(Settings.DNS_ADDRESS, dns.address())));
        config.dns().flatMap(dns -> dns.ways().tls()).ifPresent(tls -> listeners.add(new Listener(Settings.DNS_TLS_ADDRESS, tls)));
        config.admin().ifPresent(admin -> listeners.add(new Listener(Settings.ADMIN_ADDRESS, admin.address())));
        for (int i = 0; i < listeners.size(); i++) {
            Listener later = listeners.get(i);
            listeners.subList(0, i).stream().filter(earlier -> collide(earlier.address(), later.address())).findFirst().ifPresent(earlier ->
                    problems.add(Problem.of(placeOf(later.setting()), later.setting().key(), written(later.setting()),
                            "an address that %s does not use".formatted(earlier.setting().key()))));
        }
    }

    private static boolean isOwn(InetSocketAddress own, InetSocketAddress server) {
        return own.getPort() == server.getPort()
                && (own.getAddress().equals(server.getAddress()) || (own.getAddress().isAnyLocalAddress() && server.getAddress().isLoopbackAddress()));
    }

    /// Two TCP listeners on one port, where a wildcard address takes the port of every address.
    private static boolean collide(InetSocketAddress a, InetSocketAddress b) {
        return a.getPort() != 0 && a.getPort() == b.getPort()
                && (a.getAddress().isAnyLocalAddress() || b.getAddress().isAnyLocalAddress() || a.getAddress().equals(b.getAddress()));
    }

    private void checkSources(GatewayConfig config) {
        boolean fileWritten = given.value(Settings.CATALOG_FILE).isPresent();
        if (config.consul().isEmpty() && !fileWritten) {
            problems.add(new Problem(whole, "nothing to read services from (expected: consul.address, catalog.file or both)"));
        }
    }

    private Place placeOf(Setting<?> setting) {
        return given.value(setting).map(Value::place).orElse(whole);
    }

    private String written(Setting<?> setting) {
        return given.value(setting).map(Value::shown).orElse(setting.fallback());
    }

    private <T> T get(Setting<T> setting) {
        return find(setting).orElseGet(() -> fallback(setting));
    }

    private <T> Optional<T> find(Setting<T> setting) {
        read.add(setting.key());
        return given.value(setting).flatMap(value -> setting.syntax().read(setting.key(), value, problems));
    }

    private <T> Optional<T> findOrConsul(Setting<T> setting) {
        read.add(setting.key());
        return given.value(setting).or(() -> consulVariables.value(setting)).flatMap(value -> setting.syntax().read(setting.key(), value, problems));
    }

    /// Defaults are written as a person would write them, and read the same way.
    private static <T> T fallback(Setting<T> setting) {
        List<Problem> none = new ArrayList<>();
        return setting.syntax().read(setting.key(), new Text(setting.fallback(), Place.ofVariable("default")), none)
                .orElseThrow(() -> new IllegalStateException("the default of %s doesn't fit: %s".formatted(setting.key(), none)));
    }
}
