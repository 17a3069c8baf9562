package dev.gatepost.gateway.catalog;

import com.ecwid.consul.SingleUrlParameters;
import com.ecwid.consul.UrlParameters;
import com.ecwid.consul.transport.HttpResponse;
import com.ecwid.consul.transport.TransportException;
import com.ecwid.consul.v1.ConsulRawClient;
import dev.gatepost.gateway.catalog.ConsulFailure.Kind;
import dev.gatepost.gateway.config.GatewayConfig;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.apache.http.Header;
import org.apache.http.NoHttpResponseException;
import org.apache.http.client.HttpClient;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.config.Registry;
import org.apache.http.config.RegistryBuilder;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.conn.ssl.NoopHostnameVerifier;
import org.apache.http.conn.ssl.SSLConnectionSocketFactory;
import org.apache.http.impl.client.HttpClientBuilder;
import org.apache.http.impl.client.HttpClients;
import org.apache.http.impl.conn.PoolingHttpClientConnectionManager;

/// GET requests to one Consul agent, over a handful of connections. consul-api carries them, in its raw form: its typed
/// models know no weights and its typed calls put the token in the URL, and its own HTTP client would open a connection
/// for every watch, wait ten minutes for an answer, and retry behind our back. So the HTTP client is ours.
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

    private final String address;
    private final String path;
    private final String datacenter;
    private final PoolingHttpClientConnectionManager connections;
    private final ConsulRawClient asking;
    private final ConsulRawClient waiting;

    /// Whether the answer that this thread is reading was filtered: consul-api drops the header, the interceptor sees it.
    private final ThreadLocal<Boolean> filtered = ThreadLocal.withInitial(() -> false);

    /// @param tls  for an `https` address
    /// @param ask  longest silence while an ordinary question is answered
    /// @param wait how long a blocking query may sleep at the agent
    ConsulClient(GatewayConfig.Consul consul, Optional<SSLContext> tls, ConsulToken token, Duration ask, Duration wait) {
        URI uri = URI.create(consul.address());
        boolean secure = "https".equals(uri.getScheme());
        address = consul.address();
        path = uri.getPath() == null ? "" : uri.getPath().replaceAll("/+$", "");
        datacenter = consul.datacenter();
        connections = new PoolingHttpClientConnectionManager(sockets(tls, consul.verify()));
        connections.setMaxTotal(MOST_CONNECTIONS);
        connections.setDefaultMaxPerRoute(MOST_CONNECTIONS);
        connections.setValidateAfterInactivity(TEST_AFTER_MILLIS);
        String host = uri.getScheme() + "://" + uri.getHost();
        int port = uri.getPort() >= 0 ? uri.getPort() : secure ? 443 : 80;
        asking = new ConsulRawClient(host, port, http(token, ask));
        // The agent adds up to a sixteenth to the wait, so that its clients don't return all at once.
        waiting = new ConsulRawClient(host, port, http(token, wait.plus(wait.dividedBy(16)).plus(ask)));
    }

    String address() {
        return address;
    }

    /// Asks now.
    Answer ask(String endpoint, Consistency consistency) throws ConsulFailure {
        return get(asking, endpoint, consistency, List.of());
    }

    /// Asks for what is newer than `index` and waits for it at most `wait`.
    Answer await(String endpoint, long index, Duration wait, Consistency consistency) throws ConsulFailure {
        return get(waiting, endpoint, consistency, List.of(
                new SingleUrlParameters("index", Long.toUnsignedString(index)), new SingleUrlParameters("wait", wait.toMillis() + "ms")));
    }

    /// Connections that a dead agent left behind.
    void dropIdleConnections() {
        connections.closeIdleConnections(0, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        connections.close();
    }

    private Answer get(ConsulRawClient client, String endpoint, Consistency consistency, List<UrlParameters> given) throws ConsulFailure {
        List<UrlParameters> parameters = new ArrayList<>(given);
        if (!consistency.parameter.isEmpty()) {
            parameters.add(new SingleUrlParameters(consistency.parameter));
        }
        if (!datacenter.isEmpty()) {
            parameters.add(new SingleUrlParameters("dc", datacenter));
        }
        HttpResponse response;
        filtered.set(false);
        try {
            response = client.makeGetRequest(path + endpoint, parameters);
        } catch (TransportException e) {
            Throwable cause = cause(e);
            if (cause instanceof NoHttpResponseException || (cause instanceof SocketException && !(cause instanceof ConnectException))) {
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
        builder.addInterceptorLast((org.apache.http.HttpRequest request, org.apache.http.protocol.HttpContext _) -> {
            String secret = token.current();
            if (!secret.isEmpty()) {
                request.setHeader("X-Consul-Token", secret);
            }
        });
        builder.addInterceptorFirst((org.apache.http.HttpResponse response, org.apache.http.protocol.HttpContext _) -> {
            Header header = response.getFirstHeader("X-Consul-Results-Filtered-By-ACLs");
            filtered.set(header != null && "true".equals(header.getValue()));
        });
        return builder.build();
    }

    private static Registry<ConnectionSocketFactory> sockets(Optional<SSLContext> tls, boolean verify) {
        RegistryBuilder<ConnectionSocketFactory> sockets =
                RegistryBuilder.<ConnectionSocketFactory>create().register("http", PlainConnectionSocketFactory.getSocketFactory());
        tls.ifPresent(context -> sockets.register(
                "https",
                verify ? new SSLConnectionSocketFactory(context) : new SSLConnectionSocketFactory(context, NoopHostnameVerifier.INSTANCE)));
        return sockets.build();
    }

    /// What the socket said, not how many libraries passed it on.
    private static Throwable cause(RuntimeException e) {
        Throwable cause = e;
        while (cause.getCause() != null && !(cause instanceof ConnectException) && !(cause instanceof SocketTimeoutException)) {
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
