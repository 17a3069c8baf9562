package dev.gatepost.gateway.catalog;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/// Between a client and an agent on loopback: passes bytes and counts requests, connections and the agent's bytes. It
/// counts a request where a client's bytes begin with a method, which is right for clients that don't pipeline.
final class CountingProxy implements AutoCloseable {
    private final ServerSocket server;
    private final InetSocketAddress agent;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final AtomicInteger clients = new AtomicInteger();
    private final AtomicInteger mostClients = new AtomicInteger();
    private final AtomicInteger accepted = new AtomicInteger();
    private volatile int forgotten;
    private final AtomicLong bytes = new AtomicLong();

    private CountingProxy(ServerSocket server, InetSocketAddress agent) {
        this.server = server;
        this.agent = agent;
    }

    static CountingProxy start(int agentPort) {
        try {
            CountingProxy proxy = new CountingProxy(
                    new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), new InetSocketAddress(InetAddress.getLoopbackAddress(), agentPort));
            proxy.run(proxy::accept);
            return proxy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String address() {
        return "http://127.0.0.1:" + server.getLocalPort();
    }

    int port() {
        return server.getLocalPort();
    }

    /// From now on nothing passes on the connections that there are, as if a cable were cut: they stay open on both sides.
    void forgetConnections() {
        forgotten = accepted.get();
    }

    /// Method and target of each request so far.
    List<String> requests() {
        return List.copyOf(requests);
    }

    /// Most connections that were open at a time.
    int mostConnections() {
        return mostClients.get();
    }

    /// Bytes that the agent sent.
    long bytes() {
        return bytes.get();
    }

    @Override
    public void close() {
        try {
            server.close();
            for (Socket socket : open) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        threads.shutdownNow();
    }

    @FunctionalInterface
    private interface Io {
        void run() throws IOException;
    }

    /// An end of either side is the end of both, and nothing to report.
    private void run(Io io) {
        threads.execute(() -> {
            try {
                io.run();
            } catch (IOException _) {
                // closed
            }
        });
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = server.accept();
            client.setTcpNoDelay(true);
            Socket upstream = new Socket(agent.getAddress(), agent.getPort());
            upstream.setTcpNoDelay(true);
            int number = accepted.incrementAndGet();
            open.add(client);
            open.add(upstream);
            mostClients.accumulateAndGet(clients.incrementAndGet(), Math::max);
            run(() -> {
                try {
                    pass(number, client, upstream, true);
                } finally {
                    clients.decrementAndGet();
                }
            });
            run(() -> pass(number, upstream, client, false));
        }
    }

    private void pass(int number, Socket from, Socket to, boolean asking) throws IOException {
        try (from; to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] buffer = new byte[64 * 1024];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                if (number <= forgotten) {
                    continue;
                }
                if (asking) {
                    String text = new String(buffer, 0, n, StandardCharsets.ISO_8859_1);
                    if (text.startsWith("GET ")) {
                        requests.add(text.substring(0, text.indexOf(" HTTP/")));
                    }
                } else {
                    bytes.addAndGet(n);
                }
                out.write(buffer, 0, n);
            }
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }
}
