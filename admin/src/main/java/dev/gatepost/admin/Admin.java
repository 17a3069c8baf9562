package dev.gatepost.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The admin API: resources over HTTP as JSON, liveness, readiness, metrics, and a page that shows them. It runs on the JDK's
/// own HTTP server, one virtual thread a request, and a bounded number of them: it must never compete with traffic.
public final class Admin implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Admin.class);
    private static final int AT_A_TIME = 32;

    static {
        // The server reads these when its classes are loaded; whoever starts the JVM may set them otherwise.
        setUnlessSet("jdk.httpserver.maxConnections", "256");
        setUnlessSet("sun.net.httpserver.maxReqTime", "10");
        setUnlessSet("sun.net.httpserver.maxRspTime", "60");
        setUnlessSet("sun.net.httpserver.nodelay", "true");
    }

    private final HttpServer server;
    private final ExecutorService executor;
    private final Resources resources;
    private final Supplier<Readiness> readiness;
    private final Metrics metrics;
    private final Doorkeeper doorkeeper;
    private final Page page = Page.load();
    private final Semaphore free = new Semaphore(AT_A_TIME);

    private Admin(HttpServer server, Builder builder) {
        this.server = server;
        this.resources = builder.resources;
        this.readiness = builder.readiness;
        this.metrics = builder.metrics;
        this.doorkeeper = new Doorkeeper(server.getAddress().getAddress());
        this.executor = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("gatepost-admin-", 0).factory());
        server.setExecutor(executor);
        server.createContext("/", this::handle);
        server.start();
    }

    public static Builder builder(InetSocketAddress address) {
        return new Builder(address);
    }

    /// Where it listens: the port is a real one even if 0 was asked for.
    public InetSocketAddress address() {
        return server.getAddress();
    }

    @Override
    public void close() {
        server.stop(0);
        executor.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            if (!free.tryAcquire()) {
                send(exchange, Response.error(503, AT_A_TIME + " requests are being answered already"));
                return;
            }
            try {
                send(exchange, answer(exchange));
            } finally {
                free.release();
            }
        }
    }

    private Response answer(HttpExchange exchange) throws IOException {
        String method = exchange.getRequestMethod();
        String path = exchange.getRequestURI().getRawPath();
        Headers fields = exchange.getRequestHeaders();
        Optional<String> refusal = doorkeeper.refusal(method, path, first(fields, "Host"), first(fields, "Origin"));
        if (refusal.isPresent()) {
            return Response.error(403, refusal.get());
        }
        try {
            boolean reads = method.equals("GET") || method.equals("HEAD");
            if (reads && path.equals("/")) {
                return page.response();
            }
            if (reads && path.equals("/metrics")) {
                return metrics.response(first(fields, "Accept"));
            }
            if (reads && path.equals("/ready")) {
                Readiness now = readiness.get();
                return Response.json(now.ready() ? 200 : 503, now);
            }
            String query = exchange.getRequestURI().getRawQuery();
            return resources.answer(method, path, query == null ? "" : query);
        } catch (JsonProcessingException | RuntimeException e) {
            LOG.error("admin {} {} failed, answering 500", method, exchange.getRequestURI(), e);
            return Response.error(500, "internal error, see the log");
        }
    }

    private static void send(HttpExchange exchange, Response response) throws IOException {
        Headers fields = exchange.getResponseHeaders();
        fields.set("Content-Type", response.contentType());
        fields.set("Cache-Control", "no-store");
        fields.set("X-Content-Type-Options", "nosniff");
        response.fields().forEach(fields::set);
        byte[] body = response.body().bytes();
        if (exchange.getRequestMethod().equals("HEAD")) {
            fields.set("Content-Length", Integer.toString(body.length));
            exchange.sendResponseHeaders(response.status(), -1);
            return;
        }
        exchange.sendResponseHeaders(response.status(), body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    private static String first(Headers fields, String name) {
        String value = fields.getFirst(name);
        return value == null ? "" : value;
    }

    private static void setUnlessSet(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    /// Gathers what there is to be asked. `/live`, which says that the process answers, is always there.
    public static final class Builder {
        private final InetSocketAddress address;
        private final Resources resources = new Resources();
        private Supplier<Readiness> readiness = () -> Readiness.READY;
        private Metrics metrics = new Metrics();

        private Builder(InetSocketAddress address) {
            this.address = address;
            resources.add("GET", "/live", _ -> Map.of("live", true));
        }

        /// @param path fixed, or with a last segment in braces: `/api/v1/services/{name}`
        public Builder get(String path, Resource resource) {
            resources.add("GET", path, resource);
            return this;
        }

        public Builder post(String path, Resource resource) {
            resources.add("POST", path, resource);
            return this;
        }

        /// Changes something, as its parameters say: any other is refused before anything is done.
        public Builder post(String path, List<String> parameters, Resource resource) {
            resources.add("POST", path, new Change(parameters, resource));
            return this;
        }

        /// As [#post(String, List, Resource)].
        public Builder delete(String path, List<String> parameters, Resource resource) {
            resources.add("DELETE", path, new Change(parameters, resource));
            return this;
        }

        /// What `/ready` says.
        public Builder ready(Supplier<Readiness> readiness) {
            this.readiness = readiness;
            return this;
        }

        /// What `/metrics` shows.
        public Builder metrics(Metrics metrics) {
            this.metrics = metrics;
            return this;
        }

        /// @throws IOException when the address cannot be listened on; the message is one line for a person
        public Admin start() throws IOException {
            try {
                return new Admin(HttpServer.create(address, 64), this);
            } catch (BindException e) {
                String place = address.getHostString() + ":" + address.getPort();
                throw new IOException("admin.address: " + place + " cannot be listened on: " + e.getMessage(), e);
            }
        }
    }
}
