package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.accesslog.EndpointLabel;
import dev.gatepost.gateway.route.Endpoint;
import dev.gatepost.gateway.route.EndpointProtocol;
import dev.gatepost.gateway.tls.UpstreamTls;
import dev.gatepost.gateway.tls.UpstreamTls.Offer;
import io.netty.channel.ChannelException;
import io.netty.channel.ConnectTimeoutException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// The connections of one event loop to one endpoint. Kept-alive ones are reused last in, first out: the busy ones stay
/// warm and the rest times out. Lives as long as its endpoint is routed to, whatever happens to the route table.
final class EndpointPool {
    /// More idle connections than this are not kept.
    private static final int MOST_IDLE = 256;
    /// How long a connection may have been idle and still carry a request that can't be repeated. Servers close idle
    /// connections after some seconds; the shorter ours was idle, the less likely the request meets the closing.
    private static final long FRESH_NANOS = 1_000_000_000L;

    private static final String UNKNOWN_HOST = "host name does not resolve";

    private final GateLoop loop;
    final EndpointLabel label;
    final String host;
    final int port;
    /// As it stands in a Host field.
    final byte[] hostAndPort;
    /// The same in every process: what hashing and cookies know the endpoint by.
    final long id;
    /// In the terms of [GateLoop#now()].
    final long createdAt;
    final EndpointHealth health = new EndpointHealth(this);
    private final @Nullable InetAddress literal;
    /// Null where it speaks plain HTTP/1 only.
    private final @Nullable Http2Pool http2;
    private Http1Upstream[] idle = new Http1Upstream[4];
    private int idleCount;
    /// Connections, idle ones included.
    private int connections;
    private boolean retired;
    /// Requests that were given to it and are not over, those that wait for a connection included.
    private int inFlight;
    /// Moving average of the time to a response's head; the last one counts an eighth.
    private long latencyNanos;
    private long sampledAt;

    // Written by the event loop alone; a reader elsewhere may see them late, never torn.
    long requests;
    long failures;
    /// Requests whose response has begun, and the time that these took until then.
    long answers;
    long answerNanos;

    EndpointPool(GateLoop loop, Endpoint endpoint) {
        this.loop = loop;
        this.label = new EndpointLabel(
                endpoint.service(), endpoint.instance(), endpoint.node(), endpoint.datacenter(), endpoint.host(), endpoint.port());
        this.host = endpoint.host();
        this.port = endpoint.port();
        this.hostAndPort = EndpointKey.of(endpoint).authority().getBytes(ISO_8859_1);
        this.literal = literal(host);
        this.id = Hash.of(endpoint.instance() + " " + host + " " + port);
        this.createdAt = loop.now();
        this.http2 = endpoint.protocol().scheme() == EndpointProtocol.Scheme.HTTP ? null : new Http2Pool(loop, this, endpoint.protocol());
    }

    /// Its health has found something out.
    void judged() {
        loop.counters.verdicts++;
    }

    void ejected() {
        loop.counters.ejections++;
    }

    private static @Nullable InetAddress literal(String host) {
        try {
            return InetAddress.ofLiteral(host);
        } catch (IllegalArgumentException _) {
            return null;
        }
    }

    int idle() {
        return idleCount;
    }

    int active() {
        return connections - idleCount;
    }

    /// A request is given to it.
    ///
    /// @return whether that one decides if it stays ejected
    boolean begin() {
        inFlight++;
        if (retired) {
            loop.counters.leaving++;
        }
        return health.begin(loop.now());
    }

    /// A request that was given to it is over, or goes elsewhere.
    void over(boolean probe) {
        inFlight--;
        if (retired) {
            loop.counters.leaving--;
        }
        if (probe) {
            health.probed();
        }
        loop.advanceLines();
    }

    int inFlight() {
        return inFlight;
    }

    /// As many requests as one endpoint is to have at a time.
    boolean isFull() {
        return inFlight >= loop.mostPerEndpoint;
    }

    void answeredAfter(long nanos) {
        latencyNanos += (nanos - latencyNanos) >> 3;
        answers++;
        answerNanos += nanos;
        sampledAt = loop.now();
    }

    /// Of late. An endpoint that nobody asks seems faster and faster, until somebody does: halved every 8.6 s.
    long latencyNanos(long now) {
        return latencyNanos >> Math.min((now - sampledAt) >>> 33, 62);
    }

    /// A kept-alive connection, or a stream of one, or null when there is none that will do. Younger ones will do for a
    /// request that may not be sent again should the connection turn out to be closed.
    ///
    /// @param reuse whether an idle connection will do at all
    @Nullable EndpointSide take(RequestHead request, boolean reuse) {
        if (http2 != null) {
            EndpointSide stream = http2.take(request.upgrade);
            if (stream != null) {
                loop.counters.reuses++;
                return stream;
            }
        }
        if (idleCount == 0 || !reuse) {
            return null;
        }
        boolean repeatable = request.method.idempotent && !request.bodyFollows;
        Http1Upstream connection = idle[idleCount - 1];
        if (!repeatable && loop.now() - connection.idleSince() > FRESH_NANOS) {
            return null;
        }
        idleCount--;
        loop.counters.reuses++;
        return connection;
    }

    /// Connects for those attempts, and tells them.
    void connect(Attempts attempts) {
        if (http2 != null) {
            http2.connect(attempts, attempts.exchange().request().upgrade);
            return;
        }
        Http1Upstream connection = new Http1Upstream(loop, this, attempts);
        attempts.connecting(connection);
        connections++;
        loop.counters.connects++;
        if (literal != null) {
            connect(connection, literal);
        } else {
            resolve(connection);
        }
    }

    /// Opens a connection that begins with more than TCP.
    void open(Opening opening, boolean verified) {
        connections++;
        loop.counters.connects++;
        Offer offer = opening.offer();
        UpstreamTls tls = loop.settings.upstreamTls();
        if (offer == null || tls.isPrepared(verified, offer)) {
            if (literal != null) {
                connect(opening, literal);
            } else {
                resolve(opening);
            }
            return;
        }
        Thread.startVirtualThread(() -> {
            try {
                tls.prepare(verified, offer);
                InetAddress address = literal != null ? literal : InetAddress.getByName(host);
                loop.eventLoop.execute(() -> connect(opening, address));
            } catch (UnknownHostException _) {
                loop.eventLoop.execute(() -> failed(opening, Cause.UPSTREAM_CONNECT_FAILED, UNKNOWN_HOST));
            } catch (IOException e) {
                loop.eventLoop.execute(() -> failed(opening, Cause.UPSTREAM_TLS, String.valueOf(e.getMessage())));
            }
        });
    }

    /// The JDK's resolver blocks, so it does so on a virtual thread; it caches by itself.
    private void resolve(Connecting connection) {
        Thread.startVirtualThread(() -> {
            try {
                InetAddress address = InetAddress.getByName(host);
                loop.eventLoop.execute(() -> connect(connection, address));
            } catch (UnknownHostException _) {
                loop.eventLoop.execute(() -> failed(connection, Cause.UPSTREAM_CONNECT_FAILED, UNKNOWN_HOST));
            }
        });
    }

    private void connect(Connecting connection, InetAddress address) {
        loop.connect(connection, new InetSocketAddress(address, port)).addListener(done -> {
            loop.touch();
            if (!done.isSuccess()) {
                Throwable problem = done.cause();
                failed(connection, cause(problem), String.valueOf(problem.getMessage()));
            } else {
                connection.connected();
            }
        });
    }

    private void failed(Connecting connection, Cause cause, String detail) {
        loop.touch();
        if (cause == Cause.OVERLOAD) {
            connections--; // which is no failure of the endpoint
        } else {
            openingFailed();
        }
        connection.connectFailed(cause, detail);
    }

    /// A connection came to nothing after TCP was there.
    void openingFailed() {
        connections--;
        failures++;
    }

    /// An HTTP/2 connection is gone.
    void left() {
        connections--;
    }

    private static Cause cause(Throwable problem) {
        return switch (problem) {
            case ConnectTimeoutException _ -> Cause.UPSTREAM_CONNECT_TIMEOUT;
            case ChannelException _ -> Cause.OVERLOAD; // we have no file descriptor left
            case ConnectException e when String.valueOf(e.getMessage()).contains("refused") -> Cause.UPSTREAM_CONNECT_REFUSED;
            default -> Cause.UPSTREAM_CONNECT_FAILED;
        };
    }

    /// Takes back a connection that can be used again; false when it is not wanted.
    boolean keep(Http1Upstream connection) {
        if (retired || idleCount == MOST_IDLE) {
            return false;
        }
        if (idleCount == idle.length) {
            idle = Arrays.copyOf(idle, idleCount * 2);
        }
        idle[idleCount++] = connection;
        return true;
    }

    /// An established connection is gone.
    void closed(Http1Upstream connection) {
        connections--;
        for (int i = idleCount - 1; i >= 0; i--) {
            if (idle[i] == connection) {
                System.arraycopy(idle, i + 1, idle, i, idleCount - i - 1);
                idleCount--;
                return;
            }
        }
    }

    /// Nothing is routed here any more: idle connections close, busy ones finish.
    void retire() {
        if (!retired) {
            retired = true;
            loop.counters.leaving += inFlight;
        }
        while (idleCount > 0) {
            idle[idleCount - 1].close();
        }
        if (http2 != null) {
            http2.retire();
        }
    }
}
