package dev.gatepost.gateway.catalog;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.SSLContext;

/// HTTP/2 connections to one agent, each filled with requests before another is opened: a line is a JDK client, which
/// keeps one connection, and its room is learnt from the agent's own SETTINGS, which it names by refusing a stream. A line
/// is opened by one question alone: of several at once the JDK's client would open a connection each.
///
/// The lock is between the threads that ask; none holds it while it waits for an answer.
final class Http2Lines implements AutoCloseable {
    /// Below the 250 streams that Consul (Go's server) allows a connection: most agents are never refused by.
    static final int USUAL_ROOM = 240;
    private static final int MOST_LINES = 8;

    /// Requests at a time, over all lines.
    static final int MOST_STREAMS = MOST_LINES * USUAL_ROOM;

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

    /// The other side speaks HTTP/1.1 only, where every question at a time would take a connection.
    static final class NotSpoken extends IOException {
        private static final long serialVersionUID = 1L;

        NotSpoken(URI where) {
            super(where + " speaks no HTTP/2");
        }
    }

    static final class Line {
        private final HttpClient client;

        /// None until it is open.
        private int room;

        private int taken;
        private boolean retired;

        private Line(HttpClient client) {
            this.client = client;
        }

        HttpClient client() {
            return client;
        }
    }

    private final SSLContext tls;
    private final HttpRequest opening;
    private final int usualRoom;
    private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
    private final List<Line> lines = new ArrayList<>();
    private boolean closed;

    /// @param opening   what is asked to open a line
    /// @param usualRoom requests at a time on a line that refused none yet
    Http2Lines(SSLContext tls, URI opening, Duration silence, int usualRoom) {
        this.tls = tls;
        this.usualRoom = usualRoom;
        this.opening = HttpRequest.newBuilder(opening).timeout(silence).build();
    }

    /// Room for one request on the first line that has any; waits while a line is opened, or while all are full.
    ///
    /// @throws NotSpoken when the other side turns out to speak HTTP/1.1 only
    Line take() throws IOException, InterruptedException {
        while (true) {
            Line fresh;
            synchronized (this) {
                Optional<Line> free = lines.stream().filter(line -> line.taken < line.room).findFirst();
                if (free.isPresent()) {
                    free.get().taken++;
                    return free.get();
                }
                if (closed) {
                    throw new IOException("closed");
                }
                if (lines.size() == MOST_LINES || lines.stream().anyMatch(line -> line.room == 0)) {
                    wait();
                    continue;
                }
                fresh = new Line(newClient());
                lines.add(fresh);
            }
            open(fresh);
        }
    }

    private void open(Line line) throws IOException, InterruptedException {
        boolean spoken = false;
        try {
            spoken = line.client.send(opening, HttpResponse.BodyHandlers.discarding()).version() == HttpClient.Version.HTTP_2;
        } finally {
            if (spoken) {
                synchronized (this) {
                    line.room = usualRoom;
                    notifyAll();
                }
            } else {
                retire(line);
            }
        }
        if (!spoken) {
            throw new NotSpoken(opening.uri());
        }
    }

    synchronized void giveBack(Line line) {
        line.taken--;
        notifyAll();
    }

    /// Whether the line refused a stream because it has as many as it may; it gets no more than that from now on.
    synchronized boolean isFull(Line line, IOException e) {
        String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        if (!message.contains("too many concurrent streams")) {
            return false;
        }
        line.room = Math.max(1, Math.min(line.room, line.taken - 1));
        return true;
    }

    /// Breaks a line off with all that waits on it.
    void retire(Line line) {
        synchronized (this) {
            if (line.retired) {
                return;
            }
            line.retired = true;
            lines.remove(line);
            notifyAll();
        }
        line.client.shutdownNow();
    }

    private HttpClient newClient() {
        return HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_2)
                .sslContext(tls)
                .connectTimeout(CONNECT_TIMEOUT)
                .executor(executor)
                .build();
    }

    @Override
    public void close() {
        List<Line> all;
        synchronized (this) {
            closed = true;
            all = List.copyOf(lines);
            notifyAll();
        }
        all.forEach(this::retire);
        executor.shutdownNow();
    }
}
