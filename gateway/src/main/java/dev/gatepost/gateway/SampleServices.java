package dev.gatepost.gateway;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/// Three small services for the demonstration: `web` says who answered, `echo` shows the request as it arrived,
/// `counter` counts. And a fourth, `sick`, that is registered but never healthy.
final class SampleServices implements AutoCloseable {
    private final List<HttpServer> servers = new ArrayList<>();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final String catalog;

    private SampleServices() throws IOException {
        AtomicLong count = new AtomicLong();
        catalog = """
                # The demo's catalog. Change it while the demo runs: it is reread.
                services:
                  - name: web
                    tags: [ "gatepost.route=/" ]
                    instances:
                      - { id: web-1, address: 127.0.0.1, port: %d }
                      - { id: web-2, address: 127.0.0.1, port: %d }
                  - name: echo
                    tags: [ "gatepost.route=/echo strip=/echo" ]
                    instances: [ { id: echo-1, address: 127.0.0.1, port: %d } ]
                  - name: counter
                    tags: [ "gatepost.route=counter.localhost/" ]
                    instances: [ { id: counter-1, address: 127.0.0.1, port: %d } ]
                  - name: sick
                    tags: [ "gatepost.route=/sick" ]
                    instances: [ { id: sick-1, address: 127.0.0.1, port: 9, status: critical } ]
                """.formatted(
                        serve(_ -> "hello from web-1\n"),
                        serve(_ -> "hello from web-2\n"),
                        serve(SampleServices::echo),
                        serve(_ -> "request number " + count.incrementAndGet() + "\n"));
    }

    static SampleServices start() throws IOException {
        return new SampleServices();
    }

    /// The file catalog that holds them.
    String catalog() {
        return catalog;
    }

    private interface Answer {
        String to(HttpExchange exchange) throws IOException;
    }

    private int serve(Answer answer) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            try (exchange) {
                byte[] body = answer.to(exchange).getBytes(StandardCharsets.UTF_8);
                boolean head = exchange.getRequestMethod().equals("HEAD");
                exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
                exchange.sendResponseHeaders(200, head ? -1 : body.length);
                if (!head) {
                    exchange.getResponseBody().write(body);
                }
            }
        });
        server.start();
        servers.add(server);
        return server.getAddress().getPort();
    }

    private static String echo(HttpExchange exchange) throws IOException {
        StringBuilder text = new StringBuilder("%s %s %s\n".formatted(exchange.getRequestMethod(), exchange.getRequestURI(), exchange.getProtocol()));
        exchange.getRequestHeaders().forEach((name, values) -> values.forEach(value -> text.append(name).append(": ").append(value).append('\n')));
        byte[] body = exchange.getRequestBody().readAllBytes();
        return body.length == 0 ? text.toString() : text.append('\n').append(new String(body, StandardCharsets.UTF_8)).append('\n').toString();
    }

    @Override
    public void close() {
        servers.forEach(server -> server.stop(0));
        threads.close();
    }
}
