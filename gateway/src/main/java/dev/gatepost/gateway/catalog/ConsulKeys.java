package dev.gatepost.gateway.catalog;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gatepost.gateway.config.GatewayConfig;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A folder of Consul's KV store, followed by one blocking query over a connection of its own. It tells all keys after
/// every answer. A failure is never an empty folder, and there is none after which it gives up.
public final class ConsulKeys implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ConsulKeys.class);
    private static final ObjectMapper JSON = JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();
    private static final TypeReference<List<Entry>> ENTRIES = new TypeReference<>() {};

    private static final Duration CONNECT = Duration.ofSeconds(2);
    private static final Duration ANSWER = Duration.ofSeconds(5);
    private static final Duration WAIT = Duration.ofSeconds(20);
    /// How much later a folder that is suddenly empty is read a second time.
    private static final Duration CONFIRM = Duration.ofMillis(300);

    /// Who hears of the folder, from one thread.
    public interface Listener {
        /// After every answer, whether or not anything changed.
        ///
        /// @param values by whole key
        void heard(SortedMap<String, String> values);

        /// Consul gives no usable answer: what was heard before stays.
        void failed(String reason);
    }

    /// @param value in base64; null for an empty one
    private record Entry(@JsonProperty("Key") String key, @JsonProperty("Value") @Nullable String value) {}

    private record Answer(SortedMap<String, String> values, long index) {}

    private final String address;
    private final String folder;
    private final String query;
    private final ConsulToken token;
    private final HttpClient http;
    private final Pace pace = new Pace(3, Duration.ofMillis(50), System::nanoTime);
    private final Backoff backoff;
    private final Listener listener;
    private final Thread thread = Thread.ofVirtual().name("consul-keys").unstarted(this::follow);
    private volatile boolean closed;

    /// @param folder what the keys begin with: `gatepost/`
    /// @param tls    for an `https` address: whom to believe and what to show
    public ConsulKeys(GatewayConfig.Consul consul, String folder, Optional<SSLContext> tls, RandomGenerator random, Listener listener) {
        this.address = consul.address().replaceAll("/+$", "");
        this.folder = folder;
        this.query = consul.datacenter().isEmpty() ? "" : "&dc=" + ConsulClient.segment(consul.datacenter());
        this.token = new ConsulToken(consul);
        this.backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10), random);
        this.listener = listener;
        HttpClient.Builder builder =
                HttpClient.newBuilder().connectTimeout(CONNECT).executor(Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("consul-keys-http-", 0).factory()));
        tls.ifPresentOrElse(builder::sslContext, () -> builder.version(HttpClient.Version.HTTP_1_1));
        this.http = builder.build();
    }

    public void start() {
        thread.start();
    }

    /// `http://127.0.0.1:8500/v1/kv/gatepost/`
    public String source() {
        return address + "/v1/kv/" + folder;
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        http.shutdownNow();
    }

    private void follow() {
        long index = 0;
        Optional<SortedMap<String, String>> last = Optional.empty();
        while (!closed) {
            try {
                pace.await();
                Answer answer = ask(index, "");
                if (answer.values().isEmpty() && last.filter(known -> !known.isEmpty()).isPresent()) {
                    // A server that just started, or a token that lost its rights, sees nothing either.
                    Thread.sleep(CONFIRM);
                    answer = ask(0, "&consistent");
                }
                // Lower than asked: the store is another one.
                index = answer.index() < index ? 0 : answer.index();
                backoff.reset();
                last = Optional.of(answer.values());
                listener.heard(answer.values());
            } catch (InterruptedException _) {
                return;
            } catch (IOException | RuntimeException e) {
                if (closed) {
                    return;
                }
                index = 0;
                String reason = e instanceof IOException && e.getMessage() != null ? e.getMessage() : e.toString();
                LOG.debug("{}: {}", source(), reason);
                listener.failed(reason);
                try {
                    Thread.sleep(backoff.next());
                } catch (InterruptedException _) {
                    return;
                }
            }
        }
    }

    private Answer ask(long index, String more) throws IOException, InterruptedException {
        String path = Arrays.stream(folder.split("/")).map(ConsulClient::segment).collect(Collectors.joining("/", "/v1/kv/", folder.endsWith("/") ? "/" : ""));
        String waiting = index == 0 ? "" : "&index=%d&wait=%dms".formatted(index, WAIT.toMillis());
        Duration patience = index == 0 ? ANSWER : WAIT.plus(WAIT.dividedBy(16)).plus(ANSWER);
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address + path + "?recurse" + waiting + query + more)).timeout(patience);
        String secret = token.current();
        if (!secret.isEmpty()) {
            request.header("X-Consul-Token", secret);
        }
        HttpResponse<byte[]> response = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        if (response.statusCode() == 401 || response.statusCode() == 403) {
            throw new IOException("%d for %s (expected: a token with key_prefix \"%s\" { policy = \"read\" })".formatted(response.statusCode(), source(), folder));
        }
        // A folder without a key is not there.
        if (response.statusCode() != 200 && !(response.statusCode() == 404 && response.headers().firstValue("X-Consul-Index").isPresent())) {
            throw new IOException("%d for %s (expected: 200)".formatted(response.statusCode(), source()));
        }
        if (response.headers().firstValue("X-Consul-KnownLeader").filter("false"::equals).isPresent()) {
            throw new IOException("answered by a server without a leader");
        }
        long next = Math.max(1, response.headers().firstValueAsLong("X-Consul-Index").orElse(1));
        return new Answer(response.statusCode() == 404 ? Collections.emptySortedMap() : values(response.body()), next);
    }

    private SortedMap<String, String> values(byte[] body) throws IOException {
        SortedMap<String, String> values = new TreeMap<>();
        for (Entry entry : JSON.readValue(body, ENTRIES)) {
            // Consul's own page makes folders by keys that end in a slash.
            if (entry.key().startsWith(folder) && !entry.key().endsWith("/")) {
                values.put(entry.key(), entry.value() == null ? "" : new String(Base64.getDecoder().decode(entry.value()), StandardCharsets.UTF_8));
            }
        }
        return Collections.unmodifiableSortedMap(values);
    }
}
