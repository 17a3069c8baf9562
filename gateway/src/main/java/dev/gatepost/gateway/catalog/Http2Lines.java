package dev.gatepost.gateway.catalog;

import dev.gatepost.gateway.tls.ClientTls;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/// HTTP/2 connections to one agent, each filled with questions before another is opened, one at a time. When none can be
/// opened, whoever waited for it learns that at once.
///
/// The lock is between the threads that ask and the event loop on which lines end; none holds it while it waits for an answer.
final class Http2Lines implements AutoCloseable {
    static final int MOST_LINES = 8;

    private final ClientTls tls;
    private final URI agent;
    private final Duration silence;
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("consul", true), Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());

    /// Each with the questions that are on it.
    private final Map<Http2Line, Integer> lines = new LinkedHashMap<>();

    private Optional<CompletableFuture<Http2Line>> opening = Optional.empty();
    private boolean closed;

    /// @param silence longest time without a byte from the agent, which is sent a PING in the meantime
    Http2Lines(ClientTls tls, URI agent, Duration silence) {
        this.tls = tls;
        this.agent = agent;
        this.silence = silence;
    }

    /// Opens a first line if there is none, and tells how many questions there is room for on as many lines as there may be.
    ///
    /// @throws Http2Line.NotSpoken when the other side turns out to speak HTTP/1.1 only
    int room() throws IOException, InterruptedException {
        Http2Line line = take();
        giveBack(line);
        return MOST_LINES * line.most();
    }

    /// Asks on the first line that has room; waits while one is opened, or while all are full.
    ///
    /// @param longest from the question to its whole answer
    Http2Line.Reply ask(String target, String token, Duration longest) throws IOException, InterruptedException {
        Http2Line line = take();
        try {
            return line.ask(target, token, longest);
        } finally {
            giveBack(line);
        }
    }

    private Http2Line take() throws IOException, InterruptedException {
        while (true) {
            CompletableFuture<Http2Line> fresh;
            synchronized (this) {
                if (closed) {
                    throw new IOException("closed");
                }
                for (Map.Entry<Http2Line, Integer> each : lines.entrySet()) {
                    if (each.getValue() < each.getKey().most()) {
                        each.setValue(each.getValue() + 1);
                        return each.getKey();
                    }
                }
                if (opening.isEmpty() && lines.size() >= MOST_LINES) {
                    wait();
                    continue;
                }
                fresh = opening.orElseGet(this::startOpening);
            }
            try {
                fresh.get();
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
            }
        }
    }

    private synchronized void giveBack(Http2Line line) {
        lines.computeIfPresent(line, (_, questions) -> questions - 1);
        notifyAll();
    }

    /// On a thread of its own: whoever wants it first may be interrupted.
    private CompletableFuture<Http2Line> startOpening() {
        CompletableFuture<Http2Line> fresh = new CompletableFuture<>();
        opening = Optional.of(fresh);
        Thread.ofVirtual().name("consul-connect").start(() -> {
            try {
                Http2Line line = connect();
                opened(Optional.of(line));
                fresh.complete(line);
            } catch (IOException | InterruptedException | RuntimeException e) {
                opened(Optional.empty());
                fresh.completeExceptionally(e);
            }
        });
        return fresh;
    }

    private synchronized void opened(Optional<Http2Line> line) {
        opening = Optional.empty();
        line.filter(each -> !each.hasEnded()).ifPresent(each -> lines.put(each, 0));
        notifyAll();
    }

    private Http2Line connect() throws IOException, InterruptedException {
        int port = agent.getPort() < 0 ? 443 : agent.getPort();
        IOException failure = new UnknownHostException(agent.getHost());
        for (InetAddress address : InetAddress.getAllByName(agent.getHost())) {
            if (isClosed()) {
                throw new IOException("closed");
            }
            try {
                return Http2Line.open(loop, tls, agent, new InetSocketAddress(address, port), silence, this::left).get();
            } catch (ExecutionException e) {
                failure = e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
            }
        }
        throw failure;
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    private synchronized void left(Http2Line line) {
        lines.remove(line);
        notifyAll();
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
            notifyAll();
        }
        // Closes whatever is open on it, and is quiet once that is done.
        loop.shutdownGracefully(20, 1000, TimeUnit.MILLISECONDS).awaitUninterruptibly();
    }
}
