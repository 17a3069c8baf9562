package dev.gatepost.gateway;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/// A real HTTP/1.1 service on loopback, the instance behind a route.
///
/// `/name` answers its name, `/headers` the request's fields a line each, `/sink` the count of the body's bytes,
/// `/source/N` N bytes, anything else its name and the raw target it received.
public final class Origin implements AutoCloseable {
    private final String name;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger requests = new AtomicInteger();

    private Origin(String name, HttpServer server) {
        this.name = name;
        this.server = server;
    }

    public static Origin start(String name) throws IOException {
        return start(name, 0);
    }

    public static Origin start(String name, int port) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        Origin origin = new Origin(name, server);
        server.setExecutor(origin.threads);
        server.createContext("/", origin::handle);
        server.start();
        return origin;
    }

    public int port() {
        return server.getAddress().getPort();
    }

    public int requests() {
        return requests.get();
    }

    private void handle(HttpExchange exchange) throws IOException {
        requests.incrementAndGet();
        URI uri = exchange.getRequestURI();
        String path = uri.getPath();
        try (exchange) {
            if (path.equals("/sink")) {
                answer(exchange, Long.toString(count(exchange.getRequestBody())));
            } else if (path.startsWith("/source/")) {
                stream(exchange, Long.parseLong(path.substring("/source/".length())));
            } else if (path.equals("/headers")) {
                StringBuilder lines = new StringBuilder();
                exchange.getRequestHeaders().forEach((field, values) ->
                        values.forEach(value -> lines.append(field).append(": ").append(value).append('\n')));
                answer(exchange, lines.toString());
            } else if (path.equals("/name")) {
                answer(exchange, name);
            } else {
                answer(exchange, name + " " + exchange.getRequestMethod() + " " + uri);
            }
        }
    }

    private static long count(InputStream body) throws IOException {
        byte[] chunk = new byte[64 * 1024];
        long total = 0;
        for (int n = body.read(chunk); n >= 0; n = body.read(chunk)) {
            total += n;
        }
        return total;
    }

    private static void stream(HttpExchange exchange, long length) throws IOException {
        exchange.sendResponseHeaders(200, length);
        byte[] chunk = new byte[64 * 1024];
        try (OutputStream out = exchange.getResponseBody()) {
            for (long left = length; left > 0; left -= chunk.length) {
                out.write(chunk, 0, (int) Math.min(left, chunk.length));
            }
        }
    }

    private static void answer(HttpExchange exchange, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        boolean head = exchange.getRequestMethod().equals("HEAD");
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        exchange.sendResponseHeaders(200, head || body.length == 0 ? -1 : body.length);
        if (!head) {
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
