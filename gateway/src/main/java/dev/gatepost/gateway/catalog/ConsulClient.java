package dev.gatepost.gateway.catalog;

import com.ecwid.consul.transport.DefaultHttpTransport;
import com.ecwid.consul.transport.HttpRequest;
import com.ecwid.consul.transport.HttpResponse;
import com.ecwid.consul.transport.HttpTransport;
import com.ecwid.consul.transport.TransportException;
import dev.gatepost.gateway.catalog.ConsulFailure.Kind;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.ClientTls;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLException;
import org.apache.http.Header;
import org.apache.http.NoHttpResponseException;
import org.apache.http.client.HttpClient;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.config.SocketConfig;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.ssl.NoopHostnameVerifier;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;
import org.apache.http.protocol.HttpContext;

/// GET requests to one Consul agent, over a handful of connections. consul-api carries them by its transport interface: its
/// typed models know no weights and its typed calls put the token in the URL, and its own HTTP client would open a
/// connection for every watch, wait ten minutes for an answer, and retry behind our back. So the HTTP clients are ours:
/// Apache's over plain HTTP, and Netty's where the agent speaks HTTP/2, which it does over TLS.
///
/// Calls block and belong on virtual threads; an interrupt ends them.
final class ConsulClient implements AutoCloseable {
    /// All that one gateway takes of the 200 connections that an agent allows a client address, its own command line included.
    static final int MOST_CONNECTIONS = 14;

    private static final String UNRESERVED = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

    /// A pooled connection that was silent for longer is tested before use: the agent may have been restarted.
    private static final int TEST_AFTER_MILLIS = 500;

    /// @param index    `X-Consul-Index`; 0 where the answer has none
    /// @param filtered the answer is short because the token may not see the rest (told by Consul 1.11 and later)
    /// @param lag      how long ago the server that answered last heard from its leader; zero for the leader
    record Answer(String body, long index, boolean filtered, Duration lag) {}

    /// Who may answer.
    enum Consistency {
        /// The leader, or a server that asks it.
        DEFAULT(""),
        /// The leader, once a majority agreed that it still leads.
        CONSISTENT("consistent"),
        /// Any server, with what it has: [Answer#lag] says how old that may be.
        STALE("stale");

        private final String parameter;

        Consistency(String parameter) {
            this.parameter = parameter;
        }
    }

    /// How a question travels that is answered at once, and one that sleeps at the agent, for as long as is usual or longer.
    private record Transports(HttpTransport asking, HttpTransport waiting, HttpTransport dozing) {}

    private final String address;
    private final String datacenter;
    private final PoolingHttpClientConnectionManager connections;
    private final Transports overHttp1;
    private final Optional<Http2Lines> lines;
    private final Optional<Transports> overHttp2;
    private final Duration wait;

    /// Decided once, by whichever thread asks first; the others wait for that.
    private volatile Optional<Transports> decided;

    /// For questions at a time, where they share connections; written before `decided`.
    private volatile int room;

    /// Whether the answer that this thread is reading was filtered: consul-api drops the header, the interceptor sees it.
    private final ThreadLocal<Boolean> filtered = ThreadLocal.withInitial(() -> false);

    /// @param tls  for an `https` address
    /// @param ask  longest silence while an ordinary question is answered
    /// @param wait how long a blocking query usually sleeps at the agent
    /// @param doze how long it sleeps at most
    ConsulClient(GatewayConfig.Consul consul, Optional<ClientTls> tls, ConsulToken token, Duration ask, Duration wait, Duration doze) {
        URI uri = URI.create(consul.address());
        boolean secure = "https".equals(uri.getScheme());
        address = consul.address();
        datacenter = consul.datacenter();
        connections = new PoolingHttpClientConnectionManager(sockets(tls, consul.verify()));
        connections.setMaxTotal(MOST_CONNECTIONS);
        connections.setDefaultMaxPerRoute(MOST_CONNECTIONS);
        connections.setValidateAfterInactivity(TEST_AFTER_MILLIS);
        connections.setDefaultSocketConfig(SocketConfig.custom().setSoKeepAlive(true).build()); // see ConsulSockets
        this.wait = wait;
        HttpTransport waiting = new DefaultHttpTransport(http(token, withJitter(wait).plus(ask)));
        overHttp1 = new Transports(new DefaultHttpTransport(http(token, ask)), waiting, waiting);
        lines = secure ? tls.map(known -> new Http2Lines(known, uri, ask)) : Optional.empty();
        overHttp2 = lines.map(all -> new Transports(
                new Http2Transport(all, address, ask, token, filtered::set),
                new Http2Transport(all, address, withJitter(wait).plus(ask), token, filtered::set),
                new Http2Transport(all, address, withJitter(doze).plus(ask), token, filtered::set)));
        decided = overHttp2.isPresent() ? Optional.empty() : Optional.of(overHttp1);
    }

    /// The agent adds up to a sixteenth to a wait, so that its clients don't return all at once.
    private static Duration withJitter(Duration wait) {
        return wait.plusNanos(wait.toNanos() / 16);
    }

    /// How many questions may sleep at the agent beside the usual ones: none where each takes a connection.
    int dozers() {
        return Math.max(0, room - 2 * MOST_CONNECTIONS);
    }

    String address() {
        return address;
    }

    /// Asks now.
    Answer ask(String endpoint, Consistency consistency) throws ConsulFailure {
        return get(Transports::asking, endpoint, consistency, "");
    }

    /// Asks a datacenter, or the agent's own for an empty name.
    Answer askIn(String askedDatacenter, String endpoint, Consistency consistency) throws ConsulFailure {
        return get(Transports::asking, endpoint, consistency, askedDatacenter.isEmpty() ? "" : "&dc=" + segment(askedDatacenter));
    }

    /// Asks for what is newer than `index` and waits for it at most as long as is said.
    Answer await(String endpoint, long index, Duration longest, Consistency consistency) throws ConsulFailure {
        return get(longest.compareTo(wait) > 0 ? Transports::dozing : Transports::waiting, endpoint, consistency, "&index=" + Long.toUnsignedString(index) + "&wait=" + longest.toMillis() + "ms");
    }

    /// Connections that a dead agent left behind.
    void dropIdleConnections() {
        connections.closeIdleConnections(0, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        connections.close();
        lines.ifPresent(Http2Lines::close);
    }

    private Answer get(Function<Transports, HttpTransport> way, String endpoint, Consistency consistency, String waiting) throws ConsulFailure {
        String query = consistency.parameter + (datacenter.isEmpty() ? "" : "&dc=" + segment(datacenter)) + waiting;
        HttpRequest request = HttpRequest.Builder.newBuilder()
                .setUrl(address + endpoint + (query.isEmpty() ? "" : (endpoint.contains("?") ? "&" : "?") + (query.startsWith("&") ? query.substring(1) : query)))
                .build();
        HttpResponse response;
        filtered.set(false);
        try {
            response = way.apply(transports()).makeGetRequest(request);
        } catch (TransportException e) {
            Throwable cause = cause(e);
            if (isLost(cause)) {
                throw ConsulFailure.lost(reason(cause), e);
            }
            throw new ConsulFailure(Kind.UNREACHABLE, reason(cause), e);
        } catch (RuntimeException e) {
            // A closed pool, an address that is no URL: whatever it is, it is no answer.
            throw new ConsulFailure(Kind.UNREACHABLE, reason(cause(e)), e);
        }
        int status = response.getStatusCode();
        if (status == 401 || status == 403) {
            throw new ConsulFailure(Kind.DENIED, endpoint + ": " + status + " " + firstLine(response.getContent()));
        }
        if (status == 404 && response.getConsulIndex() != null) {
            // Nothing there, and it can be waited for: so say keys.
            return new Answer("", response.getConsulIndex(), false, Duration.ZERO);
        }
        if (status != 200) {
            throw new ConsulFailure(Kind.FAILED, endpoint + ": " + status + " " + firstLine(response.getContent()));
        }
        if (consistency != Consistency.STALE && Boolean.FALSE.equals(response.isConsulKnownLeader())) {
            throw new ConsulFailure(Kind.FAILED, endpoint + ": answered by a server without a leader");
        }
        Long index = response.getConsulIndex();
        Long lastContact = response.getConsulLastContact();
        return new Answer(
                response.getContent() == null ? "" : response.getContent(),
                index == null ? 0 : index,
                filtered.get(),
                Duration.ofMillis(lastContact == null ? 0 : Math.max(0, lastContact)));
    }

    /// HTTP/2 where the agent, or what is between us and it, speaks it.
    private Transports transports() {
        if (decided.isPresent()) {
            return decided.get();
        }
        synchronized (overHttp1) {
            if (decided.isEmpty()) {
                try {
                    room = lines.orElseThrow().room();
                    decided = overHttp2;
                } catch (Http2Line.NotSpoken e) {
                    decided = Optional.of(overHttp1);
                } catch (IOException e) {
                    throw new TransportException(e);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new TransportException(e);
                }
            }
            return decided.orElseThrow();
        }
    }

    private static boolean isLost(Throwable cause) {
        return cause instanceof NoHttpResponseException
                || (cause instanceof SocketException && !(cause instanceof ConnectException))
                || cause instanceof EOFException
                || cause instanceof ClosedChannelException;
    }

    private HttpClient http(ConsulToken token, Duration silence) {
        RequestConfig timeouts = RequestConfig.custom()
                .setConnectTimeout(Math.toIntExact(CONNECT_TIMEOUT.toMillis()))
                .setConnectionRequestTimeout(Math.toIntExact(silence.toMillis()))
                .setSocketTimeout(Math.toIntExact(silence.toMillis()))
                .build();
        HttpClientBuilder builder = HttpClients.custom()
                .setConnectionManager(connections)
                .setConnectionManagerShared(true)
                .setDefaultRequestConfig(timeouts)
                .setUserAgent("gatepost")
                .disableAutomaticRetries()
                .disableRedirectHandling()
                .disableCookieManagement()
                .disableAuthCaching()
                .disableContentCompression(); // the agent is next door: compressing costs both sides more than it saves
        builder.addInterceptorLast((org.apache.http.HttpRequest request, HttpContext _) -> {
            String secret = token.current();
            if (!secret.isEmpty()) {
                request.setHeader("X-Consul-Token", secret);
            }
        });
        builder.addInterceptorFirst((org.apache.http.HttpResponse response, HttpContext _) -> {
            Header header = response.getFirstHeader("X-Consul-Results-Filtered-By-ACLs");
            filtered.set(header != null && "true".equals(header.getValue()));
        });
        return builder.build();
    }

    private static Registry<ConnectionSocketFactory> sockets(Optional<ClientTls> tls, boolean verify) {
        RegistryBuilder<ConnectionSocketFactory> sockets = RegistryBuilder.<ConnectionSocketFactory>create().register("http", new ConsulSockets());
        tls.ifPresent(known -> {
            HostnameVerifier names = verify ? SSLConnectionSocketFactory.getDefaultHostnameVerifier() : NoopHostnameVerifier.INSTANCE;
            sockets.register("https", new SSLConnectionSocketFactory(known.context(), names) {
                @Override
                public Socket createSocket(HttpContext context) throws IOException {
                    return ConsulSockets.probed(super.createSocket(context));
                }
            });
        });
        return sockets.build();
    }

    /// What the socket said, not how many libraries passed it on.
    private static Throwable cause(RuntimeException e) {
        Throwable cause = e;
        while (cause.getCause() != null
                && !(cause instanceof ConnectException)
                && !(cause instanceof SocketTimeoutException)
                && !(cause instanceof SSLException)) {
            cause = cause.getCause();
        }
        return cause;
    }

    private static String reason(Throwable cause) {
        if (cause instanceof SocketTimeoutException) {
            return "no answer in time";
        }
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : firstLine(message);
    }

    private static String firstLine(String text) {
        String line = text.strip().lines().findFirst().orElse("");
        return line.length() <= 200 ? line : line.substring(0, 200) + "...";
    }

    /// A name as one segment of a URL's path: everything but RFC 3986's unreserved characters is percent-encoded.
    static String segment(String name) {
        StringBuilder encoded = new StringBuilder(name.length() + 16);
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            if (UNRESERVED.indexOf((char) b) >= 0) {
                encoded.append((char) b);
            } else {
                encoded.append('%').append(Character.forDigit((b >> 4) & 15, 16)).append(Character.forDigit(b & 15, 16));
            }
        }
        return encoded.toString();
    }
}
