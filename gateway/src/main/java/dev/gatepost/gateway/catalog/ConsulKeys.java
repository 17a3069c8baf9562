package dev.gatepost.gateway.catalog;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gatepost.gateway.catalog.ConsulFailure.Kind;
import dev.gatepost.gateway.config.GatewayConfig;
import dev.gatepost.gateway.tls.ClientTls;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A folder of Consul's KV store, followed by one blocking query over a connection of its own. It tells all keys after
/// every answer. A failure is never an empty folder, and there is none after which it gives up.
public final class ConsulKeys implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ConsulKeys.class);
    private static final ObjectMapper JSON = JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();
    private static final TypeReference<List<Entry>> ENTRIES = new TypeReference<>() {};

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

    private final String folder;
    private final String source;
    private final String endpoint;
    private final ConsulClient client;
    private final BlockingQuery query;
    private final Backoff backoff;
    private final Listener listener;
    private final Thread thread = Thread.ofVirtual().name("consul-keys").unstarted(this::follow);
    private volatile boolean closed;

    /// @param folder what the keys begin with: `gatepost/`
    /// @param tls    for an `https` address: whom to believe and what to show
    public ConsulKeys(GatewayConfig.Consul consul, String folder, Optional<ClientTls> tls, RandomGenerator random, Listener listener) {
        this.folder = folder;
        this.source = consul.address() + "/v1/kv/" + folder;
        this.endpoint = Arrays.stream(folder.split("/")).map(ConsulClient::segment).collect(Collectors.joining("/", "/v1/kv/", folder.endsWith("/") ? "/" : ""))
                + "?recurse";
        this.client = new ConsulClient(consul, tls, new ConsulToken(consul), ANSWER, WAIT, WAIT);
        this.query = new BlockingQuery(client, endpoint, WAIT, Duration.ZERO, new Pace(3, Duration.ofMillis(50), System::nanoTime));
        this.backoff = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10), random);
        this.listener = listener;
    }

    public void start() {
        thread.start();
    }

    /// `http://127.0.0.1:8500/v1/kv/gatepost/`
    public String source() {
        return source;
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        client.close();
    }

    private void follow() {
        boolean any = false;
        while (!closed) {
            try {
                SortedMap<String, String> values = values(query.next().answer());
                if (values.isEmpty() && any) {
                    // A server that just started, or a token that lost its rights, sees nothing either.
                    Thread.sleep(CONFIRM);
                    values = values(client.ask(endpoint, ConsulClient.Consistency.CONSISTENT));
                }
                any = !values.isEmpty();
                backoff.reset();
                listener.heard(values);
            } catch (InterruptedException _) {
                return;
            } catch (ConsulFailure | RuntimeException e) {
                if (closed) {
                    return;
                }
                query.restart();
                client.dropIdleConnections();
                String reason = e instanceof ConsulFailure failure ? reason(failure) : e.toString();
                LOG.debug("{}: {}", source, reason);
                listener.failed(reason);
                try {
                    Thread.sleep(backoff.next());
                } catch (InterruptedException _) {
                    return;
                }
            }
        }
    }

    private String reason(ConsulFailure failure) {
        return failure.kind() == Kind.DENIED
                ? failure.reason() + " (expected: a token with key_prefix \"" + folder + "\" { policy = \"read\" })"
                : failure.reason();
    }

    private SortedMap<String, String> values(ConsulClient.Answer answer) throws ConsulFailure {
        SortedMap<String, String> values = new TreeMap<>();
        try {
            // A folder without a key is not there.
            for (Entry entry : answer.body().isEmpty() ? List.<Entry>of() : JSON.readValue(answer.body(), ENTRIES)) {
                // Consul's own page makes folders by keys that end in a slash.
                if (entry.key().startsWith(folder) && !entry.key().endsWith("/")) {
                    values.put(entry.key(), entry.value() == null ? "" : new String(Base64.getDecoder().decode(entry.value()), StandardCharsets.UTF_8));
                }
            }
        } catch (JsonProcessingException e) {
            throw new ConsulFailure(Kind.GARBLED, "not the expected JSON from " + source, e);
        }
        return Collections.unmodifiableSortedMap(values);
    }
}
