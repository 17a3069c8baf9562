package dev.gatepost.gateway.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/// The whole configuration, validated and immutable: what the YAML file, the environment and the defaults add up to.
/// A listener that is absent is not opened.
///
/// @param traceSample percent of the traces we start that are marked as sampled; empty: we start none
/// @param threads     event loops
/// @param warmUp      requests that the gateway asks of itself before it is ready
public record GatewayConfig(
        Optional<Http> http,
        Optional<Https> https,
        Optional<Dns> dns,
        Optional<Admin> admin,
        Optional<Consul> consul,
        CatalogFiles catalog,
        Fragments fragments,
        Routes routes,
        List<Cidr> trustedProxies,
        AccessLog accessLog,
        Timeouts timeouts,
        Limits limits,
        Drain drain,
        Upstreams upstreams,
        OptionalInt traceSample,
        int threads,
        int warmUp) {

    public GatewayConfig {
        trustedProxies = List.copyOf(trustedProxies);
    }

    /// For whoever only looks at the catalog, and must not write what a gateway keeps of it.
    public GatewayConfig withoutLastGood() {
        CatalogFiles files = new CatalogFiles(catalog.file(), Optional.empty(), catalog.maxAge(), catalog.maxLossPercent(), catalog.panic());
        return new GatewayConfig(
                http, https, dns, admin, consul, files, fragments, routes, trustedProxies, accessLog, timeouts, limits, drain, upstreams, traceSample, threads, warmUp);
    }

    /// @param h2c whether HTTP/2 is served there as well, to clients that begin with it
    public record Http(InetSocketAddress address, boolean h2c) {}

    /// @param ticketKeys holds the keys of session tickets that several gateways share; empty: each makes its own
    public record Https(InetSocketAddress address, List<Certificate> certificates, Optional<Path> ticketKeys) {
        public Https {
            certificates = List.copyOf(certificates);
        }
    }

    /// @param certificate a PEM chain, leaf first; or a directory, each `NAME.pem|.crt` in it with its `NAME.key`
    /// @param key         a PEM private key; empty when `certificate` is a directory or holds the key itself
    public record Certificate(Path certificate, Optional<Path> key) {
        public Stream<Path> files() {
            return Stream.concat(Stream.of(certificate), key.stream());
        }
    }

    /// @param ttl         of positive answers
    /// @param negativeTtl of NODATA and NXDOMAIN (RFC 2308)
    public record Dns(InetSocketAddress address, String domain, Profile profile, Duration ttl, Duration negativeTtl, Forwarding forwarding, Names names, Ways ways, Access access) {
        public enum Profile { STRICT, CONSUL_1_8 }

        /// How queries may come, beside UDP.
        ///
        /// @param tls           where DNS over TLS is served; empty: nowhere
        /// @param https         which requests of the HTTPS listener are DNS; empty: none
        /// @param proxyProtocol whether trusted proxies begin what they send with a PROXY header
        public record Ways(Optional<InetSocketAddress> tls, Optional<HttpsPath> https, boolean proxyProtocol, Streams streams, Cookies cookies) {
            public static final Ways DEFAULT = new Ways(Optional.empty(), Optional.empty(), false, Streams.DEFAULT, new Cookies(List.of(), false));
        }

        /// @param host in lower case; empty for any
        /// @param path exact, beginning with a slash
        public record HttpsPath(String host, String path) {}

        /// @param connections by TCP, those with TLS included
        /// @param perClient   of one address
        public record Streams(int connections, int perClient, Duration idle) {
            public static final Streams DEFAULT = new Streams(4096, 256, Duration.ofSeconds(10));
        }

        /// @param secrets  of 32 hexadecimal digits; empty: one that nobody else knows
        /// @param required whether a client by UDP is answered only with one
        public record Cookies(List<String> secrets, boolean required) {
            public Cookies {
                secrets = List.copyOf(secrets);
            }

            /// A configuration may be printed.
            @Override
            public String toString() {
                return "Cookies[secrets=%d (not shown), required=%s]".formatted(secrets.size(), required);
            }
        }

        /// Who is answered, by the client's address. A list without blocks is one of nobody.
        ///
        /// @param allow      who is answered at all; absent: private networks
        /// @param forwarding who of them is answered about other names; absent: private networks
        /// @param silent     whether all others get no answer, in place of REFUSED
        /// @param rateLimit  how often those are answered who are
        public record Access(Optional<List<Listed>> allow, Optional<List<Listed>> forwarding, boolean silent, RateLimit rateLimit) {
            public static final Access DEFAULT = new Access(Optional.empty(), Optional.empty(), false, new RateLimit(0, List.of()));
        }

        /// @param perSecond answers of one kind to one network by UDP; 0: no limit
        /// @param exempt    whom it doesn't hold for
        public record RateLimit(int perSecond, List<Listed> exempt) {
            public RateLimit {
                exempt = List.copyOf(exempt);
            }
        }

        /// @param included false for an exception to a larger block
        public record Listed(Cidr block, boolean included) {}

        /// What holds for some of the names.
        ///
        /// @param alternativeDomain another domain that has the same names
        /// @param nodeTtl           of nodes and addresses; empty: as all others
        /// @param serviceTtls       by service name, or `prefix*`
        /// @param gateways          which names answer the gateway's own addresses
        /// @param search            the domains in which clients look for names
        public record Names(Optional<String> alternativeDomain, Optional<Duration> nodeTtl, Map<String, Duration> serviceTtls, Gateways gateways, List<String> search) {
            public static final Names DEFAULT = new Names(Optional.empty(), Optional.empty(), Map.of(), Gateways.NONE, List.of());

            public Names {
                serviceTtls = Map.copyOf(serviceTtls);
                search = List.copyOf(search);
            }
        }

        /// What names of HTTP services answer, and where the gateways are.
        ///
        /// @param answers   by service name, or `prefix*`; `*` for all: whether the gateways' addresses are answered for it
        /// @param addresses of the gateways as clients reach them; none: this one's, as far as it can be told
        /// @param services  whose healthy instances are gateways
        /// @param httpPort  as clients reach it; 0: where `http` listens
        /// @param httpsPort the same of `https`
        public record Gateways(Map<String, Boolean> answers, List<InetAddress> addresses, List<String> services, int httpPort, int httpsPort) {
            public static final Gateways NONE = new Gateways(Map.of(), List.of(), List.of(), 0, 0);

            public Gateways {
                answers = Map.copyOf(answers);
                addresses = List.copyOf(addresses);
                services = List.copyOf(services);
            }
        }

        /// Who is asked about other names, and what is remembered of it.
        ///
        /// @param zones none: such names are REFUSED
        /// @param hosts files of addresses and names, which are not asked about
        /// @param block files of names that are not to be found
        public record Forwarding(List<Forward> zones, Cache cache, List<Path> hosts, List<Path> block) {
            public Forwarding {
                zones = List.copyOf(zones);
                hosts = List.copyOf(hosts);
                block = List.copyOf(block);
            }

            /// Whether anything but REFUSED is answered to other names.
            public boolean isAny() {
                return !zones.isEmpty() || !hosts.isEmpty() || !block.isEmpty();
            }
        }

        /// @param zone    in lower case without the dot at the end; `.` is the root
        /// @param ca      who signs the certificates of those asked over TLS; empty: the JDK's
        /// @param mixCase whether names are asked for in random case (0x20)
        public record Forward(String zone, List<NameServer> to, Optional<Path> ca, boolean mixCase) {
            public Forward {
                to = List.copyOf(to);
            }
        }

        /// @param serverName whom the certificate must name; empty: the address
        public record NameServer(InetSocketAddress address, boolean tls, String serverName) {}

        /// @param size           most bytes that answers may take
        /// @param maxTtl         of positive answers
        /// @param maxNegativeTtl of NODATA and NXDOMAIN
        /// @param stale          how long an answer may serve after its TTL while no upstream answers; zero: not at all
        public record Cache(long size, Duration maxTtl, Duration maxNegativeTtl, Duration stale) {}
    }

    public record Admin(InetSocketAddress address) {}

    /// @param address    `http://HOST:PORT` or `https://HOST:PORT`, the port always there
    /// @param token      empty for none; `tokenFile` wins when both are set
    /// @param datacenter empty for the agent's own
    /// @param maxStale   how far behind its leader a server may be that answers a watch; zero for the leader alone
    /// @param datacenters others that serve what the own one can't, in this order; the own one may be among them
    public record Consul(
            String address,
            String token,
            Optional<Path> tokenFile,
            String keyPrefix,
            String datacenter,
            Optional<Path> caCertificate,
            Optional<Path> clientCertificate,
            Optional<Path> clientKey,
            boolean verify,
            Duration maxStale,
            List<String> datacenters) {
        public Consul {
            datacenters = List.copyOf(datacenters);
        }

        /// With one datacenter alone.
        public Consul(
                String address,
                String token,
                Optional<Path> tokenFile,
                String keyPrefix,
                String datacenter,
                Optional<Path> caCertificate,
                Optional<Path> clientCertificate,
                Optional<Path> clientKey,
                boolean verify,
                Duration maxStale) {
            this(address, token, tokenFile, keyPrefix, datacenter, caCertificate, clientCertificate, clientKey, verify, maxStale, List.of());
        }

        /// The same, asking the agent's own datacenter where none is said.
        public Consul inOwnDatacenter() {
            return in("");
        }

        /// The same, asking one datacenter and no other.
        ///
        /// @param other empty for the agent's own
        public Consul in(String other) {
            return new Consul(address, token, tokenFile, keyPrefix, other, caCertificate, clientCertificate, clientKey, verify, maxStale);
        }

        public Consul withDatacenters(List<String> others) {
            return new Consul(address, token, tokenFile, keyPrefix, datacenter, caCertificate, clientCertificate, clientKey, verify, maxStale, others);
        }

        /// Without the token: a configuration may be printed.
        @Override
        public String toString() {
            return "Consul[address=%s, token=%s, tokenFile=%s, keyPrefix=%s, datacenter=%s]"
                    .formatted(address, token.isEmpty() ? "none" : "(not shown)", tokenFile.map(Path::toString).orElse("none"), keyPrefix, datacenter);
        }
    }

    /// @param file     the file catalog
    /// @param lastGood where the last known good catalog is kept
    /// @param maxAge   how old a last good copy, or unconfirmed data, may be and still count as ready
    /// @param maxLossPercent of all instances: when more vanish from Consul at once, a second read must confirm it
    /// @param panic          services that are served with all instances rather than none; `*` for every service
    public record CatalogFiles(Optional<Path> file, Optional<Path> lastGood, Duration maxAge, int maxLossPercent, Set<String> panic) {
        public CatalogFiles {
            panic = Set.copyOf(panic);
        }
    }

    /// @param folder    of what operators keep beside the catalog
    /// @param fabioPath where fabio's commands are in the KV store
    public record Fragments(Optional<Path> folder, Optional<String> fabioPath) {}

    /// @param zone     where this gateway is, as nodes have it in their Meta; empty for nowhere
    /// @param zoneMeta under which key
    public record Routes(Set<Dialect> dialects, String defaultHost, List<Selector> defaultHostFor, boolean admitWarning, String zone, String zoneMeta) {
        public Routes {
            dialects = Set.copyOf(dialects);
            defaultHostFor = List.copyOf(defaultHostFor);
        }

        public enum Dialect { GATEPOST, FABIO, TRAEFIK }
    }

    /// @param output `stdout`, `file:PATH` (absolute), `tcp://HOST:PORT` or `none`
    /// @param buffer    bytes that may wait for a slow output before lines are dropped and counted
    /// @param dnsSample of so many DNS queries that were answered in order one is logged
    /// @param redact    query parameters whose values are not logged
    public record AccessLog(String output, Format format, int buffer, int dnsSample, List<String> redact) {
        public AccessLog {
            redact = List.copyOf(redact);
        }

        public enum Format { ECS }
    }

    /// @param connect        to an endpoint, TLS included
    /// @param requestHeader  from the first byte of a request to the end of its header section
    /// @param responseHeader from the request's end to the response's header section
    /// @param stream         longest silence inside a request or response body
    /// @param idle           of a kept-alive connection, either side
    /// @param total          of one exchange, all attempts included; upgraded connections are exempt
    /// @param upgraded       longest silence of an upgraded (WebSocket) connection
    public record Timeouts(
            Duration connect,
            Duration requestHeader,
            Duration responseHeader,
            Duration stream,
            Duration idle,
            Duration total,
            Duration upgraded) {
        public static final Timeouts DEFAULT = new Timeouts(
                Duration.ofSeconds(2),
                Duration.ofSeconds(10),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                Duration.ofSeconds(60),
                Duration.ofHours(1),
                Duration.ofHours(1));
    }

    /// Bytes, but counts of connections and requests.
    ///
    /// @param requestLine longest request line: 414 above it
    /// @param header      longest single header field, either side
    /// @param headers     longest header section, either side: 431 for a request, 502 for a response
    /// @param body        longest request body: 413 above it; 0 is no limit
    /// @param bodyRate    bytes a second that a client must send of a body, or take of a response, on average; 0 is none
    /// @param connections most downstream connections at a time
    /// @param addressConnections most of them from one address; for IPv6 from one /64
    /// @param requests    most exchanges in flight, upgraded connections aside: 503 above it
    /// @param endpointRequests most requests in flight to one endpoint; for HTTP/1 that is connections
    /// @param waiting     most requests of one route that wait for an endpoint with room: 503 above it
    public record Limits(
            int requestLine, int header, int headers, long body, int bodyRate, int connections, int addressConnections, int requests, int endpointRequests, int waiting) {
        public static final Limits DEFAULT = new Limits(8 * 1024, 16 * 1024, 64 * 1024, 0, 50_000);

        public Limits(int requestLine, int header, int headers, long body, int connections) {
            this(requestLine, header, headers, body, 500, connections, Math.ceilDiv(connections, 2), 20_000, 10_000, 1_000);
        }

        public Limits withEndpoints(int most, int mostWaiting) {
            return new Limits(requestLine, header, headers, body, bodyRate, connections, addressConnections, requests, most, mostWaiting);
        }

        public Limits withClients(int most, int mostOfOneAddress, int mostRequests) {
            return new Limits(requestLine, header, headers, body, bodyRate, most, mostOfOneAddress, mostRequests, endpointRequests, waiting);
        }

        public Limits withBodyRate(int bytesPerSecond) {
            return new Limits(requestLine, header, headers, body, bytesPerSecond, connections, addressConnections, requests, endpointRequests, waiting);
        }
    }

    /// TLS to endpoints, where a route asks for it.
    ///
    /// @param caCertificate     who signs their certificates; empty: the JDK's
    /// @param clientCertificate shown to those that ask
    public record Upstreams(Optional<Path> caCertificate, Optional<Path> clientCertificate, Optional<Path> clientKey) {
        public static final Upstreams DEFAULT = new Upstreams(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /// @param grace   between not being ready and closing the listeners, so that a load balancer can notice
    /// @param timeout longest wait for exchanges in flight
    /// @param handOver whether another process may have the same ports at the same time
    public record Drain(Duration grace, Duration timeout, boolean handOver) {
        public static final Drain DEFAULT = new Drain(Duration.ZERO, Duration.ofSeconds(30), false);
    }
}
