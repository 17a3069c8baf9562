package dev.gatepost.gateway.config;

import dev.gatepost.gateway.config.GatewayConfig.AccessLog;
import dev.gatepost.gateway.config.GatewayConfig.Certificate;
import dev.gatepost.gateway.config.GatewayConfig.Dns;
import dev.gatepost.gateway.config.GatewayConfig.Routes;
import dev.gatepost.gateway.config.Setting.Need;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

import static dev.gatepost.gateway.config.Setting.Need.NEEDED;
import static dev.gatepost.gateway.config.Setting.Need.RARELY;
import static dev.gatepost.gateway.config.Setting.Need.SOMETIMES;

/// Every setting there is, in the order of the reference: what isn't here is an unknown key.
final class Settings {
    private static final Map<String, Setting<?>> BY_KEY = new LinkedHashMap<>();
    private static final Set<String> SECTIONS = new TreeSet<>();

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{(service|tag|dc|meta\\.[A-Za-z0-9_-]+)\\}");
    private static final Duration ZERO = Duration.ZERO;
    private static final Duration A_MILLISECOND = Duration.ofMillis(1);

    static final Setting<InetSocketAddress> HTTP_ADDRESS = optional("http.address", Syntax.listenAddress(), "no HTTP listener", NEEDED,
            "where plain HTTP is served; port 0 picks one");
    static final Setting<InetSocketAddress> HTTPS_ADDRESS = optional("https.address", Syntax.listenAddress(), "no HTTPS listener", NEEDED,
            "where HTTPS is served, HTTP/2 and HTTP/1.1");
    static final Setting<List<Certificate>> HTTPS_CERTIFICATES = optional("https.certificates", Syntax.list(certificate()), "none", NEEDED,
            "chosen by the name that the client asks for (SNI), the first without one; `certificate` is a PEM chain or a folder of them");
    static final Setting<InetSocketAddress> DNS_ADDRESS = optional("dns.address", Syntax.listenAddress(), "no DNS listener", NEEDED,
            "where DNS is served, UDP and TCP");
    static final Setting<InetSocketAddress> ADMIN_ADDRESS = optional("admin.address", Syntax.listenAddress(), "no admin listener", NEEDED,
            "where the admin API, metrics and health checks are served; keep it private");
    static final Setting<String> CONSUL_ADDRESS = optional("consul.address", Syntax.text(), "no Consul, unless there is a `consul` section: then http://127.0.0.1:8500", NEEDED,
            "the Consul agent, `http://HOST:PORT` or `https://HOST:PORT`");
    static final Setting<Path> CATALOG_FILE = optional("catalog.file", Syntax.file("a readable YAML file"), "none", NEEDED,
            "services that are not in Consul, reread when the file changes");

    static final Setting<String> CONSUL_TOKEN = optional("consul.token", Syntax.secret(), "none", SOMETIMES,
            "the ACL token; prefer the file");
    static final Setting<Path> CONSUL_TOKEN_FILE = optional("consul.token-file", Syntax.file("a readable file"), "none", SOMETIMES,
            "a file that holds the ACL token; wins over the token");
    static final Setting<String> DNS_DOMAIN = of("dns.domain", Syntax.domain(), "consul", SOMETIMES,
            "the domain that services are answered under");
    static final Setting<Duration> DNS_TTL = of("dns.ttl", Syntax.ttl(), "2s", SOMETIMES,
            "of positive answers");
    static final Setting<List<Dns.Listed>> DNS_ALLOW = optional("dns.allow", Syntax.list(listed()), "private networks", SOMETIMES,
            "who is answered: `[10.0.0.0/8, \"!10.66.0.0/16\"]`, the longest block decides; others are REFUSED. Private networks are loopback, link-local, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 and fc00::/7");
    static final Setting<List<Dns.Listed>> DNS_ALLOW_FORWARDING = optional("dns.allow-forwarding", Syntax.list(listed()), "private networks", SOMETIMES,
            "who of them is answered about other names, as `dns.allow`");
    static final Setting<List<ServiceAnswer>> DNS_ANSWER = of("dns.answer", Syntax.list(serviceAnswer()), "instances", SOMETIMES,
            "what names of services with routes answer: `instances`, or the `gateway`'s own addresses; or for some of them, `[{ service: \"shop-*\", answer: gateway }]`, a name before a prefix. A service decides for itself by the tag or Meta `gatepost.dns-answer=gateway`, `gatepost-dns-answer`");
    static final Setting<List<GatewayPlace>> DNS_GATEWAY = optional("dns.gateway", Syntax.list(gatewayPlace()), "this gateway's own address", SOMETIMES,
            "for `dns.answer: gateway`: the gateways' addresses as clients reach them, `[192.0.2.10, 192.0.2.11]`, or the service whose healthy instances they are, `edge`");
    static final Setting<String> LOCALITY_ZONE = optional("locality.zone", Syntax.text(), "none", SOMETIMES,
            "where this gateway is, such as `rack-1`: instances on nodes whose Meta `zone` says the same get the requests and come first in DNS answers, as long as at least half of them are healthy");
    static final Setting<List<Dns.Forward>> DNS_FORWARD = optional("dns.forward", Syntax.list(forward()), "none: REFUSED", SOMETIMES,
            "who is asked about other names, the longest zone wins: `[{ zone: \".\", to: [10.0.0.2, \"tls://9.9.9.9#dns.quad9.net\"] }]`; `ca: FILE` for a private authority of `tls://` servers, `mix-case: true` for 0x20");
    static final Setting<List<Path>> DNS_HOSTS = optional("dns.hosts", Syntax.list(Syntax.file("a readable hosts file")), "none", SOMETIMES,
            "files as `/etc/hosts` is: their names are answered, and nobody asked; reread when they change");
    static final Setting<List<Path>> DNS_BLOCK = optional("dns.block", Syntax.list(Syntax.file("a readable list of names")), "none", SOMETIMES,
            "files of names, one a line or as in a hosts file, that do not exist for clients, nor names below them; reread when they change");
    static final Setting<Duration> DNS_CACHE_STALE = of("dns.cache-stale", Syntax.duration(ZERO), "1d", SOMETIMES,
            "how long a forwarded answer may serve after its TTL while nobody answers; 0 is not at all");
    static final Setting<InetSocketAddress> DNS_TLS_ADDRESS = optional("dns.tls-address", Syntax.listenAddress(), "no DNS over TLS", SOMETIMES,
            "where DNS over TLS is served, usually port 853, with the certificates of `https`");
    static final Setting<Optional<Dns.HttpsPath>> DNS_OVER_HTTPS = optional("dns.over-https", httpsPath(), "no DNS over HTTPS", SOMETIMES,
            "which requests of the HTTPS listener are DNS: `true` for `/dns-query`, another path, or `dns.example.com/dns-query` for one host alone; they go before every route");
    static final Setting<Path> CATALOG_LAST_GOOD = optional("catalog.last-good", Syntax.path(), "none", SOMETIMES,
            "where the last known good catalog is kept, for a start while Consul is away; omit it in a read-only container");
    static final Setting<List<String>> CONSUL_DATACENTERS = optional("consul.datacenters", Syntax.list(datacenter()), "none", SOMETIMES,
            "other datacenters that serve a route in this order while its services have no healthy instance in the own one, `[dc2, dc3]`; DNS has their names as `web.service.dc2.consul` anyway");
    static final Setting<Path> FRAGMENTS_FOLDER = optional("fragments.folder", Syntax.folder("a readable folder"), "none", SOMETIMES,
            "routes, zones and certificates that operators write, followed as its files change; the same is read from Consul's KV store");
    static final Setting<String> FRAGMENTS_FABIO_PATH = optional("fragments.fabio-path", keyPrefix(), "none", SOMETIMES,
            "where fabio keeps its `route add\\|del\\|weight` commands in Consul's KV store, `fabio/config`; our own place for them is `fabio/NAME` in the folder of `consul.key-prefix`");
    static final Setting<List<Routes.Dialect>> ROUTES_DIALECTS = of("routes.dialects", Syntax.list(Syntax.oneOf(dialects())), "gatepost, fabio, traefik", SOMETIMES,
            "which tags are read as routes");
    static final Setting<Boolean> ROUTES_HEALTH = of("routes.health", Syntax.oneOf(health()), "passing", SOMETIMES,
            "`warning` gives traffic to instances that warn as well; DNS follows the same rule");
    static final Setting<String> ROUTES_DEFAULT_HOST = optional("routes.default-host", defaultHost(), "off", SOMETIMES,
            "publishes every service under a host such as `{service}.qa.example.com`; also `{tag}`, `{dc}`, `{meta.KEY}`");
    static final Setting<List<Selector>> ROUTES_DEFAULT_HOST_FOR = optional("routes.default-host-for", Syntax.list(selector()), "all", SOMETIMES,
            "which instances: `[tag=qa, service=web-*]`, any of them; `!tag=internal` excludes; also `dc=`, `meta.KEY=`");
    static final Setting<List<Cidr>> TRUSTED_PROXIES = optional("trusted-proxies", Syntax.list(Syntax.cidr()), "none", SOMETIMES,
            "whose X-Forwarded-* and PROXY headers are believed");
    static final Setting<String> ACCESS_LOG_OUTPUT = of("access-log.output", output(), "stdout", SOMETIMES,
            "`stdout`, `file:PATH`, `tcp://HOST:PORT` or `none`");
    static final Setting<Path> HTTPS_TICKET_KEYS = optional("https.ticket-keys", Syntax.file("a readable file"), "our own, a new one every hour", SOMETIMES,
            "session ticket keys that several gateways share: a line of `openssl rand -base64 48` each, the first seals and all open; reread when the file changes");
    static final Setting<Integer> THREADS = optional("threads", Syntax.count(1, 1024), "one per core", SOMETIMES,
            "event loops");
    static final Setting<Duration> DRAIN_GRACE = of("drain.grace", Syntax.duration(ZERO), "0s", SOMETIMES,
            "between `/ready` failing and the listeners closing, so that a load balancer notices");
    static final Setting<Duration> DRAIN_TIMEOUT = of("drain.timeout", Syntax.duration(ZERO), "30s", SOMETIMES,
            "longest wait for requests in flight");
    static final Setting<Boolean> DRAIN_HAND_OVER = of("drain.hand-over", Syntax.yesOrNo(), "false", SOMETIMES,
            "whether another gateway of the same user on this host may take over our ports: it listens once it knows the catalog, then this one is stopped, and no connection is refused");
    static final Setting<Long> LIMITS_BODY = of("limits.body", Syntax.size(0, Long.MAX_VALUE), "0", SOMETIMES,
            "longest request body, 413 above it; 0 is no limit");
    static final Setting<Duration> TIMEOUTS_RESPONSE_HEADER = of("timeouts.response-header", Syntax.duration(A_MILLISECOND), "60s", SOMETIMES,
            "from the request's end to the response's header section");

    static final Setting<Duration> TIMEOUTS_CONNECT = of("timeouts.connect", Syntax.duration(A_MILLISECOND), "2s", RARELY,
            "to an endpoint, TLS included");
    static final Setting<Duration> TIMEOUTS_REQUEST_HEADER = of("timeouts.request-header", Syntax.duration(A_MILLISECOND), "10s", RARELY,
            "from the first byte of a request to the end of its header section");
    static final Setting<Duration> TIMEOUTS_STREAM = of("timeouts.stream", Syntax.duration(A_MILLISECOND), "60s", RARELY,
            "longest silence inside a body");
    static final Setting<Duration> TIMEOUTS_IDLE = of("timeouts.idle", Syntax.duration(A_MILLISECOND), "60s", RARELY,
            "of a kept-alive connection, either side");
    static final Setting<Duration> TIMEOUTS_TOTAL = of("timeouts.total", Syntax.duration(A_MILLISECOND), "1h", RARELY,
            "of one exchange, all attempts included");
    static final Setting<Duration> TIMEOUTS_UPGRADED = of("timeouts.upgraded", Syntax.duration(A_MILLISECOND), "1h", RARELY,
            "longest silence of a WebSocket");
    static final Setting<Long> LIMITS_REQUEST_LINE = of("limits.request-line", Syntax.size(1024, 1 << 20), "8KiB", RARELY,
            "longest request line, 414 above it");
    static final Setting<Long> LIMITS_HEADER = of("limits.header", Syntax.size(1024, 1 << 20), "16KiB", RARELY,
            "longest single header field, either side");
    static final Setting<Long> LIMITS_HEADERS = of("limits.headers", Syntax.size(1024, 16 << 20), "64KiB", RARELY,
            "longest header section, either side: 431 for a request, 502 for a response");
    static final Setting<Integer> LIMITS_CONNECTIONS = of("limits.connections", Syntax.count(1, 10_000_000), "50000", RARELY,
            "most client connections at a time; more are closed at once");
    static final Setting<Integer> LIMITS_ADDRESS_CONNECTIONS = optional("limits.address-connections", Syntax.count(1, 10_000_000), "half of `limits.connections`", RARELY,
            "most connections of one client address, an IPv6 /64 counts as one; `trusted-proxies` are exempt");
    static final Setting<Integer> LIMITS_REQUESTS = of("limits.requests", Syntax.count(1, 10_000_000), "20000", RARELY,
            "most requests in flight, WebSockets aside, 503 above it; bounds memory while endpoints are slow");
    static final Setting<Long> LIMITS_BODY_RATE = of("limits.body-rate", Syntax.size(0, 1 << 30), "500B", RARELY,
            "bytes a second that a client must send of a request body after 20 s, or take of a response, on average; gRPC is exempt; 0 is no limit");
    static final Setting<Integer> LIMITS_ENDPOINT_REQUESTS = of("limits.endpoint-requests", Syntax.count(1, 10_000_000), "10000", RARELY,
            "most requests in flight to one endpoint, WebSockets included; for HTTP/1 that is connections");
    static final Setting<Integer> LIMITS_WAITING = of("limits.waiting", Syntax.count(0, 10_000_000), "1000", RARELY,
            "most requests of one route that wait for an endpoint with room, 503 above it; none waits longer than `timeouts.connect`");
    static final Setting<Duration> CATALOG_MAX_AGE = of("catalog.max-age", Syntax.duration(ZERO), "24h", RARELY,
            "how old unconfirmed services may be and `/ready` still say yes");
    static final Setting<Integer> CATALOG_MAX_LOSS = of("catalog.max-loss", Syntax.count(0, 100), "50", RARELY,
            "percent of all instances: when more vanish from Consul at once, a second, consistent read must confirm it; 100 believes everything");
    static final Setting<List<String>> CATALOG_PANIC = optional("catalog.panic", Syntax.list(Syntax.text()), "none", RARELY,
            "services of which all instances but those in maintenance are served while none is healthy, `[\"*\"]` for every service");
    static final Setting<String> DNS_ALTERNATIVE_DOMAIN = optional("dns.alternative-domain", Syntax.domain(), "none", RARELY,
            "a second domain under which everything is answered as well; what is pointed at stays in the first");
    static final Setting<Duration> DNS_NODE_TTL = optional("dns.node-ttl", Syntax.ttl(), "`dns.ttl`", RARELY,
            "of names of nodes and addresses");
    static final Setting<List<ServiceTtl>> DNS_SERVICE_TTLS = optional("dns.service-ttls", Syntax.list(serviceTtl()), "`dns.ttl`", RARELY,
            "of some services: `[{ service: \"db*\", ttl: 10s }]`; a name goes before a prefix, a longer prefix before a shorter");
    static final Setting<Integer> DNS_GATEWAY_HTTP_PORT = optional("dns.gateway-http-port", Syntax.count(1, 65535), "that of `http.address`", RARELY,
            "for `dns.answer: gateway`: where clients reach `http`, if not where it listens");
    static final Setting<Integer> DNS_GATEWAY_HTTPS_PORT = optional("dns.gateway-https-port", Syntax.count(1, 65535), "that of `https.address`", RARELY,
            "the same for `https`: the port of SRV and HTTPS records");
    static final Setting<List<String>> DNS_SEARCH = optional("dns.search", Syntax.list(Syntax.domain()), "off", RARELY,
            "the search list of clients, as in their `resolv.conf`: who asks for a name that the first domain lacks gets an alias to where the rest of the list leads, rather than asking for each");
    static final Setting<String> LOCALITY_META = of("locality.meta", Syntax.text(), "zone", RARELY,
            "the Meta key of nodes that `locality.zone` is compared with");
    static final Setting<Duration> DNS_NEGATIVE_TTL = of("dns.negative-ttl", Syntax.ttl(), "1s", RARELY,
            "of \"no such name\" and \"no such record\"");
    static final Setting<Long> DNS_CACHE_SIZE = of("dns.cache-size", Syntax.size(64 << 10, 1L << 40), "64MiB", RARELY,
            "most memory for forwarded answers");
    static final Setting<Duration> DNS_CACHE_MAX_TTL = of("dns.cache-max-ttl", Syntax.ttl(), "1d", RARELY,
            "longest that a forwarded answer is believed");
    static final Setting<Duration> DNS_CACHE_MAX_NEGATIVE_TTL = of("dns.cache-max-negative-ttl", Syntax.ttl(), "1h", RARELY,
            "longest that a forwarded \"no such name\" is believed");
    static final Setting<Integer> DNS_TCP_CONNECTIONS = of("dns.tcp-connections", Syntax.count(1, 10_000_000), "4096", RARELY,
            "most connections by TCP and TLS at a time");
    static final Setting<Integer> DNS_TCP_CONNECTIONS_PER_CLIENT = of("dns.tcp-connections-per-client", Syntax.count(1, 10_000_000), "256", RARELY,
            "most of them for one IPv4 address or IPv6 network of 64 bits");
    static final Setting<Duration> DNS_TCP_IDLE = of("dns.tcp-idle", Syntax.duration(A_MILLISECOND), "10s", RARELY,
            "how long one of them may have nothing to ask; shorter as places become scarce");
    static final Setting<Boolean> DNS_PROXY_PROTOCOL = of("dns.proxy-protocol", Syntax.yesOrNo(), "false", RARELY,
            "whether `trusted-proxies` begin each connection and datagram to DNS with a PROXY header, version 2; what comes from them without is dropped");
    static final Setting<List<String>> DNS_COOKIE_SECRETS = optional("dns.cookie-secrets", Syntax.list(cookieSecret()), "one of this process alone, a new one every day", RARELY,
            "of 32 hexadecimal digits, for gateways behind one address: cookies are made with the first, and believed with any");
    static final Setting<Boolean> DNS_REQUIRE_COOKIES = of("dns.require-cookies", Syntax.yesOrNo(), "false", RARELY,
            "whether a client by UDP is answered only when it brings back a cookie; one that knows none is sent to TCP");
    static final Setting<Dns.Profile> DNS_PROFILE = of("dns.profile", profile(), "strict", RARELY,
            "how answers are formed: by the RFCs, or as Consul 1.8 does, quirks included, its TTLs of 0 as well unless others are set");
    static final Setting<Boolean> DNS_DENIED = of("dns.denied", Syntax.oneOf(denied()), "refuse", RARELY,
            "what those get who are not in `dns.allow`: `refuse` or `ignore`");
    static final Setting<Integer> DNS_RATE_LIMIT = of("dns.rate-limit", Syntax.count(0, 1_000_000), "0", RARELY,
            "most answers a second by UDP to one network (/24, /56) with records, without, NXDOMAIN and errors, each counted apart; of those above it every second one has no records and sends a real client back with its cookie or by TCP, the others are dropped. 0 is no limit; set it where `dns.allow` lets in the world");
    static final Setting<List<Dns.Listed>> DNS_RATE_LIMIT_EXEMPT = optional("dns.rate-limit-exempt", Syntax.list(listed()), "none", RARELY,
            "whom the limit does not hold for, as `dns.allow`");
    static final Setting<String> CONSUL_KEY_PREFIX = of("consul.key-prefix", keyPrefix(), "gatepost", RARELY,
            "the folder of the KV store that fragments are read from: `routes/NAME`, `zones/NAME`, `certificates/NAME`, `fabio/NAME`");
    static final Setting<String> CONSUL_DATACENTER = optional("consul.datacenter", Syntax.text(), "the agent's own", RARELY,
            "the datacenter whose services are read");
    static final Setting<Path> CONSUL_CA_CERTIFICATE = optional("consul.ca-certificate", Syntax.file("a readable PEM file"), "the JDK's", RARELY,
            "who signs Consul's certificate");
    static final Setting<Path> CONSUL_CLIENT_CERTIFICATE = optional("consul.client-certificate", Syntax.file("a readable PEM file"), "none", RARELY,
            "what Consul is shown");
    static final Setting<Path> CONSUL_CLIENT_KEY = optional("consul.client-key", Syntax.file("a readable PEM file"), "none", RARELY,
            "the key of the client certificate");
    static final Setting<Boolean> CONSUL_VERIFY = of("consul.verify", Syntax.yesOrNo(), "true", RARELY,
            "whether Consul's certificate is checked");
    static final Setting<Duration> CONSUL_MAX_STALE = of("consul.max-stale", Syntax.duration(ZERO), "5s", RARELY,
            "how far behind its leader a Consul server may be that answers a watch; `0s` asks the leader alone");
    static final Setting<Integer> TRACE_SAMPLE = optional("trace.sample", Syntax.count(0, 100), "no trace is started", RARELY,
            "starts a trace (`traceparent`) for each request that brings none, and marks so many percent of them as sampled");
    static final Setting<Integer> WARM_UP = of("warm-up", Syntax.count(0, 100_000), "500", RARELY,
            "requests that a starting gateway asks of itself, out of anybody's sight, before it says that it is ready: the first clients are then answered nearly as quickly as all others");
    static final Setting<Boolean> HTTP_H2C = of("http.h2c", Syntax.yesOrNo(), "false", RARELY,
            "whether `http.address` takes HTTP/2 without TLS as well, from clients that begin with it (gRPC inside a network)");
    static final Setting<Path> UPSTREAMS_CA_CERTIFICATE = optional("upstreams.ca-certificate", Syntax.file("a readable PEM file"), "the JDK's", RARELY,
            "who signs the certificates of upstreams that speak TLS (`scheme=https`, `grpcs`)");
    static final Setting<Path> UPSTREAMS_CLIENT_CERTIFICATE = optional("upstreams.client-certificate", Syntax.file("a readable PEM file"), "none", RARELY,
            "what upstreams are shown that ask who we are");
    static final Setting<Path> UPSTREAMS_CLIENT_KEY = optional("upstreams.client-key", Syntax.file("a readable PEM file"), "in `upstreams.client-certificate`", RARELY,
            "the key of that certificate");
    static final Setting<AccessLog.Format> ACCESS_LOG_FORMAT = of("access-log.format", Syntax.oneOf(Map.of("ecs", AccessLog.Format.ECS)), "ecs", RARELY,
            "one JSON object a line, field names of the Elastic Common Schema");
    static final Setting<Long> ACCESS_LOG_BUFFER = of("access-log.buffer", Syntax.size(64 << 10, 1 << 30), "4MiB", RARELY,
            "how much may wait for a slow output before lines are dropped and counted");
    static final Setting<Integer> ACCESS_LOG_DNS_SAMPLE = of("access-log.dns-sample", Syntax.count(1, 1_000_000), "1", RARELY,
            "of so many DNS queries that were answered in order (NOERROR, NXDOMAIN) one is logged, with that number as `gatepost.dns.sample`; all others are");
    static final Setting<List<String>> ACCESS_LOG_REDACT = of("access-log.redact", Syntax.list(Syntax.text()),
            "access_token, id_token, refresh_token, client_secret, password, api_key, sig, signature, X-Amz-Signature, X-Goog-Signature", RARELY,
            "query parameters whose values are logged as asterisks, in the URL and in the referrer; capitals don't matter; `[]` for none");

    private Settings() {}

    static List<Setting<?>> all() {
        return List.copyOf(BY_KEY.values());
    }

    static Optional<Setting<?>> find(String key) {
        return Optional.ofNullable(BY_KEY.get(key));
    }

    static Set<String> sections() {
        return Collections.unmodifiableSet(SECTIONS);
    }

    private static <T> Setting<T> of(String key, Syntax<T> syntax, String fallback, Need need, String meaning) {
        return known(new Setting<>(key, syntax, fallback, "", need, meaning));
    }

    private static <T> Setting<T> optional(String key, Syntax<T> syntax, String absent, Need need, String meaning) {
        return known(new Setting<>(key, syntax, "", absent, need, meaning));
    }

    private static <T> Setting<T> known(Setting<T> setting) {
        BY_KEY.put(setting.key(), setting);
        int dot = setting.key().indexOf('.');
        if (dot > 0) {
            SECTIONS.add(setting.key().substring(0, dot));
        }
        return setting;
    }

    private static Syntax<Certificate> certificate() {
        Syntax<Path> chain = Syntax.fileOrFolder("a readable PEM file, or a folder of them");
        Syntax<Path> key = Syntax.file("a readable PEM file");
        Syntax<Certificate> pair = Syntax.mapping("{ certificate: FILE, key: FILE }", List.of("certificate", "key"), (name, fields, problems) -> {
            Optional<Path> certificateFile = Optional.ofNullable(fields.get("certificate")).flatMap(value -> chain.read(name + ".certificate", value, problems));
            Optional<Path> keyFile = Optional.ofNullable(fields.get("key")).flatMap(value -> key.read(name + ".key", value, problems));
            return certificateFile.map(file -> new Certificate(file, keyFile));
        });
        Syntax<Path> alone = Syntax.fileOrFolder("{ certificate: FILE, key: FILE }, or a readable file that holds both, or a folder");
        return new Syntax<>(alone.expected(), (name, value, problems) -> value instanceof Value.Text
                ? alone.read(name, value, problems).map(file -> new Certificate(file, Optional.empty()))
                : pair.read(name, value, problems));
    }

    private static Syntax<Dns.Forward> forward() {
        Syntax<List<Dns.NameServer>> servers = Syntax.list(nameServer());
        Syntax<Path> ca = Syntax.file("a readable PEM file");
        return Syntax.mapping("{ zone: \".\", to: [10.0.0.2] }", List.of("zone", "to", "ca", "mix-case"), (name, fields, problems) -> {
            Optional<String> zone = Optional.ofNullable(fields.get("zone")).flatMap(value -> Syntax.domain().read(name + ".zone", value, problems));
            Optional<List<Dns.NameServer>> to = Optional.ofNullable(fields.get("to"))
                    .flatMap(value -> servers.read(name + ".to", value, problems))
                    .filter(list -> !list.isEmpty());
            Optional<Path> authority = Optional.ofNullable(fields.get("ca")).flatMap(value -> ca.read(name + ".ca", value, problems));
            boolean mixCase = Optional.ofNullable(fields.get("mix-case")).flatMap(value -> Syntax.yesOrNo().read(name + ".mix-case", value, problems)).orElse(false);
            return zone.flatMap(domain -> to.map(list -> new Dns.Forward(domain, list, authority, mixCase)));
        });
    }

    /// `10.0.0.2`, or over TLS `tls://9.9.9.9` with the name in the certificate behind a `#`.
    private static Syntax<Dns.NameServer> nameServer() {
        return Syntax.word("IP, IP:PORT, [IPV6]:PORT or tls://IP[:PORT][#NAME]", text -> {
            String server = text.text();
            if (!server.startsWith("tls://")) {
                return new Dns.NameServer(Syntax.nameServer(server, 53), false, "");
            }
            int hash = server.indexOf('#');
            String name = hash < 0 ? "" : server.substring(hash + 1).toLowerCase(Locale.ROOT);
            if (hash >= 0 && !Syntax.isDomain(name)) {
                throw new IllegalArgumentException();
            }
            return new Dns.NameServer(Syntax.nameServer(server.substring("tls://".length(), hash < 0 ? server.length() : hash), 853), true, name);
        });
    }

    private static Map<String, Routes.Dialect> dialects() {
        Map<String, Routes.Dialect> words = new LinkedHashMap<>();
        words.put("gatepost", Routes.Dialect.GATEPOST);
        words.put("fabio", Routes.Dialect.FABIO);
        words.put("traefik", Routes.Dialect.TRAEFIK);
        return words;
    }

    private static Map<String, Boolean> health() {
        Map<String, Boolean> words = new LinkedHashMap<>();
        words.put("passing", false);
        words.put("warning", true);
        return words;
    }

    private static Map<String, Boolean> denied() {
        Map<String, Boolean> words = new LinkedHashMap<>();
        words.put("refuse", false);
        words.put("ignore", true);
        return words;
    }

    private static Syntax<Dns.Listed> listed() {
        return Syntax.word("an address or block such as 10.0.0.0/8 or fd00::/8, ! before it for an exception", text -> {
            boolean excluded = text.text().startsWith("!");
            return new Dns.Listed(Cidr.parse(excluded ? text.text().substring(1) : text.text()), !excluded);
        });
    }

    record ServiceTtl(String service, Duration ttl) {}

    private static Syntax<String> services() {
        return Syntax.word("a service name, or the beginning of some with * at the end", text -> {
            if (!text.text().matches("[A-Za-z0-9_-]{0,63}\\*?") || text.text().isEmpty()) {
                throw new IllegalArgumentException();
            }
            return text.text();
        });
    }

    record ServiceAnswer(String service, boolean gateway) {}

    private static Syntax<ServiceAnswer> serviceAnswer() {
        Map<String, Boolean> words = new LinkedHashMap<>();
        words.put("instances", false);
        words.put("gateway", true);
        Syntax<Boolean> answer = Syntax.oneOf(words);
        Syntax<String> name = services();
        Syntax<ServiceAnswer> some = Syntax.mapping("{ service: \"shop-*\", answer: gateway }", List.of("service", "answer"), (key, fields, problems) -> {
            Optional<String> service = Optional.ofNullable(fields.get("service")).flatMap(value -> name.read(key + ".service", value, problems));
            Optional<Boolean> gateway = Optional.ofNullable(fields.get("answer")).flatMap(value -> answer.read(key + ".answer", value, problems));
            return service.flatMap(known -> gateway.map(own -> new ServiceAnswer(known, own)));
        });
        return new Syntax<>("instances, gateway or { service: \"shop-*\", answer: gateway }", (key, value, problems) -> value instanceof Value.Text
                ? answer.read(key, value, problems).map(gateway -> new ServiceAnswer("*", gateway))
                : some.read(key, value, problems));
    }

    /// An address, or else a service whose instances have them.
    record GatewayPlace(Optional<InetAddress> address, String service) {}

    private static Syntax<GatewayPlace> gatewayPlace() {
        return Syntax.word("an IP address, or the name of a service", text -> {
            String place = text.text();
            if (place.indexOf(':') >= 0 || place.matches("[0-9.]+")) {
                InetAddress address = InetAddress.ofLiteral(place);
                if (address.isAnyLocalAddress()) {
                    throw new IllegalArgumentException();
                }
                return new GatewayPlace(Optional.of(address), "");
            }
            if (!place.matches("[A-Za-z0-9_-]{1,63}")) {
                throw new IllegalArgumentException();
            }
            return new GatewayPlace(Optional.empty(), place);
        });
    }

    private static Syntax<ServiceTtl> serviceTtl() {
        Syntax<String> name = services();
        return Syntax.mapping("{ service: \"db*\", ttl: 10s }", List.of("service", "ttl"), (key, fields, problems) -> {
            Optional<String> service = Optional.ofNullable(fields.get("service")).flatMap(value -> name.read(key + ".service", value, problems));
            Optional<Duration> ttl = Optional.ofNullable(fields.get("ttl")).flatMap(value -> Syntax.ttl().read(key + ".ttl", value, problems));
            return service.flatMap(known -> ttl.map(time -> new ServiceTtl(known, time)));
        });
    }

    private static Syntax<Optional<Dns.HttpsPath>> httpsPath() {
        return Syntax.word("true, false, a path such as /dns-query, or HOST/PATH", text -> switch (text.text()) {
            case "false" -> Optional.empty();
            case "true" -> Optional.of(new Dns.HttpsPath("", "/dns-query"));
            default -> {
                int slash = text.text().indexOf('/');
                String host = slash < 0 ? "" : text.text().substring(0, slash).toLowerCase(Locale.ROOT);
                String path = slash < 0 ? "" : text.text().substring(slash);
                if (!path.matches("/[A-Za-z0-9._~/-]*") || (!host.isEmpty() && !Syntax.isDomain(host))) {
                    throw new IllegalArgumentException();
                }
                yield Optional.of(new Dns.HttpsPath(host, path));
            }
        });
    }

    private static Syntax<String> cookieSecret() {
        Syntax<String> secret = Syntax.secret();
        return new Syntax<>("32 hexadecimal digits", (key, value, problems) -> {
            if (value instanceof Value.Text text && text.text().matches("[0-9A-Fa-f]{32}")) {
                return secret.read(key, value, problems);
            }
            problems.add(Problem.of(value.place(), key, "(not shown)", "32 hexadecimal digits"));
            return Optional.empty();
        });
    }

    private static Syntax<Dns.Profile> profile() {
        return Syntax.word("strict or consul-1.8", text -> switch (text.text()) {
            case "strict" -> Dns.Profile.STRICT;
            case "consul-1.8" -> Dns.Profile.CONSUL_1_8;
            default -> throw new IllegalArgumentException();
        });
    }

    private static Syntax<Selector> selector() {
        return Syntax.word("service=NAME, tag=TAG, dc=DC or meta.KEY=VALUE, * for any text, ! before it to exclude", text -> Selector.parse(text.text()));
    }

    private static Syntax<String> defaultHost() {
        return Syntax.word("empty, or a host such as {service}.qa.example.com", text -> {
            String host = text.text().strip();
            String filled = PLACEHOLDER.matcher(host).replaceAll("s");
            if (!host.isEmpty() && (filled.equals(host) || !Syntax.isDomain(filled))) {
                throw new IllegalArgumentException();
            }
            return host;
        });
    }

    private static Syntax<String> output() {
        return Syntax.word("stdout, file:PATH, tcp://HOST:PORT or none", text -> {
            String output = text.text();
            if (output.equals("stdout") || output.equals("none") || output.matches("tcp://[^\\s/@]+:\\d{1,5}")) {
                return output;
            }
            if (output.startsWith("file:") && output.length() > "file:".length()) {
                return "file:" + text.place().resolve(output.substring("file:".length()));
            }
            throw new IllegalArgumentException();
        });
    }

    private static Syntax<String> datacenter() {
        return Syntax.word("a datacenter such as dc2, in letters, digits, - and _", text -> {
            if (!text.text().matches("[A-Za-z0-9_-]{1,64}")) {
                throw new IllegalArgumentException();
            }
            return text.text().toLowerCase(Locale.ROOT);
        });
    }

    private static Syntax<String> keyPrefix() {
        return Syntax.word("a KV folder such as gatepost or edge/gatepost", text -> {
            String prefix = text.text().replaceAll("^/+|/+$", "");
            if (prefix.isEmpty() || !prefix.matches("[A-Za-z0-9._/-]+")) {
                throw new IllegalArgumentException();
            }
            return prefix;
        });
    }
}
