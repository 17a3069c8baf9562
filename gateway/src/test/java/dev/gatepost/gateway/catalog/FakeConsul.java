package dev.gatepost.gateway.catalog;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;

/// A Consul for what a real agent can't be made to do: its index jumps back, one of its endpoints fails, answers half,
/// nonsense, nothing or never. It holds blocking queries as the real one does, wakes them when its index moves, and
/// remembers what it was asked.
final class FakeConsul implements AutoCloseable {
    /// What happens instead of an answer.
    sealed interface Fault {
        record Status(int code, String body) implements Fault {}

        record Body(String body) implements Fault {}

        /// Half of the true body, and the connection closed.
        record Half() implements Fault {}

        /// No byte, until the fault is lifted.
        record Hang() implements Fault {}
    }

    private record Entry(String node, String service, String id, int port, String status, List<String> tags) {}

    private record Planned(Predicate<String> questions, Fault fault) {}

    private final HttpServer server;
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();

    /// Between the test, which changes things, and the requests, which wait for that.
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition changed = lock.newCondition();
    private final Map<String, Entry> entries = new TreeMap<>();
    private final List<Planned> faults = new ArrayList<>();
    private final Map<String, Integer> asked = new HashMap<>();
    private final List<String> requests = new ArrayList<>();
    private final List<String> filtered = new ArrayList<>();
    private long index = 100;
    private Map<String, Entry> behind = Map.of();
    private long behindIndex;
    private Optional<Duration> lag = Optional.empty();
    private boolean leadsBehind;
    private boolean catchesUp;
    private boolean stopped;

    private FakeConsul(HttpServer server) {
        this.server = server;
    }

    static FakeConsul start() {
        try {
            return start(HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 256));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Over TLS, and no other HTTP than 1.1, as behind a proxy.
    static FakeConsul startWithTls(SSLContext tls) {
        try {
            HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 256);
            server.setHttpsConfigurator(new HttpsConfigurator(tls));
            return start(server);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static FakeConsul start(HttpServer server) {
        FakeConsul consul = new FakeConsul(server);
        server.setExecutor(consul.executor);
        server.createContext("/", consul::handle);
        server.start();
        return consul;
    }

    String address() {
        return "http://127.0.0.1:" + port();
    }

    int port() {
        return server.getAddress().getPort();
    }

    /// Registers, or replaces, an instance on the node `n1` and wakes whoever waits.
    FakeConsul has(String service, String id, int port, Health health, String... tags) {
        return locked(() -> {
            entries.put(id, new Entry("n1", service, id, port, health == Health.PASSING ? "passing" : "critical", List.of(tags)));
            index++;
        });
    }

    /// All at once.
    FakeConsul lacks(String... ids) {
        return locked(() -> {
            entries.keySet().removeAll(List.of(ids));
            index++;
        });
    }

    FakeConsul lacksEverything() {
        return locked(() -> {
            entries.clear();
            index++;
        });
    }

    /// Changes an instance's port and tells nobody.
    FakeConsul movesSilently(String id, int port) {
        return locked(() -> entries.computeIfPresent(
                id, (_, old) -> new Entry(old.node, old.service, id, port, old.status, old.tags)));
    }

    /// As after a restore: queries that wait for a higher index are answered only when their wait is over.
    FakeConsul indexIs(long value) {
        return locked(() -> index = value);
    }

    /// Something was written that no answer shows.
    FakeConsul wakesForNothing() {
        return locked(() -> index++);
    }

    /// From now on, for paths that start so; requests that wait there now are broken off.
    FakeConsul fails(String path, Fault fault) {
        return failing(asked -> asked.startsWith(path), fault);
    }

    FakeConsul failsEverywhere(Fault fault) {
        return failing(_ -> true, fault);
    }

    FakeConsul recovers() {
        return locked(faults::clear);
    }

    /// From now on answers to paths that start so are marked as short for want of rights.
    FakeConsul filters(String path) {
        return locked(() -> filtered.add(path));
    }

    FakeConsul filtersNothing() {
        return locked(filtered::clear);
    }

    /// A follower stays behind with what is there now; it answers nobody yet.
    FakeConsul aFollowerStaysBehind() {
        return locked(() -> {
            behind = new TreeMap<>(entries);
            behindIndex = index;
        });
    }

    /// Whoever accepts old answers gets that follower's.
    FakeConsul theFollowerAnswers(Duration lastContact) {
        return locked(() -> lag = Optional.of(lastContact));
    }

    /// The follower was elected, and has not taken in everything yet that was promised by the leader before.
    FakeConsul theFollowerLeads() {
        return locked(() -> leadsBehind = true);
    }

    /// The same until somebody wants to have it confirmed: by then it has caught up.
    FakeConsul theFollowerLeadsAndCatchesUp() {
        return locked(() -> leadsBehind = catchesUp = true);
    }

    /// The same for those that want it confirmed by a majority.
    FakeConsul failsToConfirm(String path, Fault fault) {
        return failing(asked -> asked.startsWith(path) && asked.contains("consistent"), fault);
    }

    private FakeConsul failing(Predicate<String> questions, Fault fault) {
        return locked(() -> faults.add(new Planned(questions, fault)));
    }

    /// How often a path was asked for.
    int asked(String path) {
        lock.lock();
        try {
            return asked.getOrDefault(path, 0);
        } finally {
            lock.unlock();
        }
    }

    /// Path and query of every request so far.
    List<String> requests() {
        lock.lock();
        try {
            return List.copyOf(requests);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        locked(() -> stopped = true);
        server.stop(0);
        executor.shutdownNow();
    }

    private FakeConsul locked(Runnable change) {
        lock.lock();
        try {
            change.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        return this;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            Map<String, String> query = query(exchange);
            Optional<Fault> fault;
            byte[] body;
            long answered;
            lock.lock();
            try {
                asked.merge(path, 1, Integer::sum);
                requests.add(exchange.getRequestURI().toString());
                String question = path + "?" + exchange.getRequestURI().getQuery();
                leadsBehind &= !(catchesUp && query.containsKey("consistent"));
                boolean stale = isBehind(query);
                awaitIndex(query, question, stale);
                while (fault(question).filter(planned -> planned instanceof Fault.Hang).isPresent() && !stopped) {
                    changed.await();
                }
                fault = fault(question);
                stale = isBehind(query);
                body = answer(path, (stale ? behind : entries).values()).getBytes(StandardCharsets.UTF_8);
                answered = stale ? behindIndex : index;
                exchange.getResponseHeaders().set("X-Consul-Lastcontact", Long.toString(stale ? lag.orElse(Duration.ZERO).toMillis() : 0));
                if (filtered.stream().anyMatch(path::startsWith)) {
                    exchange.getResponseHeaders().set("X-Consul-Results-Filtered-By-Acls", "true");
                }
            } catch (InterruptedException e) {
                return; // the server stops
            } finally {
                lock.unlock();
            }
            send(exchange, fault, body, answered);
        }
    }

    private boolean isBehind(Map<String, String> query) {
        return (query.containsKey("stale") && lag.isPresent()) || (leadsBehind && !query.containsKey("consistent"));
    }

    private void awaitIndex(Map<String, String> query, String question, boolean stale) throws InterruptedException {
        if (!query.containsKey("index")) {
            return;
        }
        long known = Long.parseLong(query.getOrDefault("index", "0"));
        long left = TimeUnit.MILLISECONDS.toNanos(Long.parseLong(query.getOrDefault("wait", "300000ms").replace("ms", "")));
        while ((stale ? behindIndex : index) <= known && left > 0 && !stopped && fault(question).isEmpty()) {
            left = changed.awaitNanos(left);
        }
    }

    private Optional<Fault> fault(String question) {
        return faults.stream().filter(planned -> planned.questions.test(question)).map(Planned::fault).findFirst();
    }

    private static void send(HttpExchange exchange, Optional<Fault> fault, byte[] body, long index) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.getResponseHeaders().set("X-Consul-Index", Long.toString(index));
        exchange.getResponseHeaders().set("X-Consul-Knownleader", "true");
        if (fault.isEmpty()) {
            send(exchange, 200, body, body.length);
            return;
        }
        switch (fault.get()) {
            case Fault.Status status -> send(exchange, status.code, status.body.getBytes(StandardCharsets.UTF_8), -1);
            case Fault.Body instead -> send(exchange, 200, instead.body.getBytes(StandardCharsets.UTF_8), -1);
            case Fault.Half _ -> send(exchange, 200, body, body.length / 2);
            case Fault.Hang _ -> exchange.close(); // stopped while it hung
        }
    }

    /// @param sent how many bytes of the announced body; negative for all
    private static void send(HttpExchange exchange, int status, byte[] body, int sent) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            OutputStream out = exchange.getResponseBody();
            out.write(body, 0, sent < 0 ? body.length : sent);
            out.flush();
        }
    }

    private static String answer(String path, Collection<Entry> entries) {
        if (path.equals("/v1/catalog/services")) {
            Map<String, List<String>> tags = new TreeMap<>();
            entries.forEach(entry -> tags.merge(entry.service, entry.tags, (a, b) -> {
                List<String> both = new ArrayList<>(a);
                b.stream().filter(tag -> !both.contains(tag)).forEach(both::add);
                return both;
            }));
            List<String> fields = new ArrayList<>();
            tags.forEach((name, list) -> fields.add(quoted(name) + ":" + quoted(list)));
            return "{" + String.join(",", fields) + "}";
        }
        if (path.equals("/v1/catalog/nodes")) {
            return "[" + node("n1") + "]";
        }
        if (path.startsWith("/v1/health/state/")) {
            String state = path.substring("/v1/health/state/".length());
            return array(entries.stream().filter(entry -> entry.status.equals(state)).map(FakeConsul::check).toList());
        }
        if (path.startsWith("/v1/catalog/node/")) {
            String node = path.substring("/v1/catalog/node/".length());
            return "{\"Node\":" + node(node) + ",\"Services\":{" + entries.stream()
                    .filter(entry -> entry.node.equals(node))
                    .map(entry -> quoted(entry.id) + ":" + service(entry))
                    .collect(Collectors.joining(",")) + "}}";
        }
        if (path.startsWith("/v1/health/service/")) {
            String name = path.substring("/v1/health/service/".length());
            return array(entries.stream()
                    .filter(entry -> entry.service.equals(name))
                    .map(entry -> "{\"Node\":" + node(entry.node) + ",\"Service\":" + service(entry) + ",\"Checks\":[" + check(entry) + "]}")
                    .toList());
        }
        return "null";
    }

    private static String service(Entry entry) {
        return "{\"ID\":" + quoted(entry.id) + ",\"Service\":" + quoted(entry.service) + ",\"Address\":\"10.0.0.9\",\"Port\":" + entry.port
                + ",\"Tags\":" + quoted(entry.tags) + ",\"Meta\":null,\"Weights\":{\"Passing\":1,\"Warning\":1}}";
    }

    private static String check(Entry entry) {
        return "{\"Node\":" + quoted(entry.node) + ",\"CheckID\":" + quoted("service:" + entry.id) + ",\"Name\":\"check\",\"Status\":"
                + quoted(entry.status) + ",\"ServiceID\":" + quoted(entry.id) + ",\"ServiceName\":" + quoted(entry.service) + "}";
    }

    private static String node(String name) {
        return "{\"ID\":\"\",\"Node\":" + quoted(name) + ",\"Address\":\"10.0.0.9\",\"Datacenter\":\"dc1\",\"TaggedAddresses\":null,\"Meta\":null}";
    }

    private static String array(List<String> items) {
        return "[" + String.join(",", items) + "]";
    }

    private static String quoted(List<String> texts) {
        return array(texts.stream().map(FakeConsul::quoted).toList());
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }

    private static Map<String, String> query(HttpExchange exchange) {
        Map<String, String> query = new HashMap<>();
        String raw = exchange.getRequestURI().getRawQuery();
        if (raw != null) {
            for (String pair : raw.split("&", -1)) {
                int equals = pair.indexOf('=');
                String key = equals < 0 ? pair : pair.substring(0, equals);
                query.put(key, equals < 0 ? "" : URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
            }
        }
        return query;
    }
}
