package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.GatewayConfig.Limits;
import io.netty.channel.Channel;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The clients' connections that are open, all of them and by address, and whether one more is taken. Shared by the event
/// loops, which open and close connections at the same time; a request never looks here.
final class OpenConnections {
    private static final Logger LOG = LoggerFactory.getLogger(OpenConnections.class);
    private static final long TOLD_EVERY_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final GateSettings settings;
    private final AtomicInteger all = new AtomicInteger();
    /// By the eight bytes that tell a client from others. An entry goes with its last connection.
    private final ConcurrentHashMap<Long, Integer> byAddress = new ConcurrentHashMap<>();
    private final AtomicLong toldAt = new AtomicLong(System.nanoTime() - TOLD_EVERY_NANOS);

    OpenConnections(GateSettings settings) {
        this.settings = settings;
    }

    /// Counts a connection until it closes; false when there are too many already.
    boolean admit(Channel channel) {
        Limits limits = settings.limits();
        if (all.incrementAndGet() > limits.connections()) {
            all.decrementAndGet();
            tell("all clients together have", limits.connections(), "limits.connections");
            return false;
        }
        InetAddress address = channel.remoteAddress() instanceof InetSocketAddress peer ? peer.getAddress() : null;
        // Behind a trusted proxy there are many clients.
        if (address == null || settings.trusts(address.getAddress())) {
            channel.closeFuture().addListener(_ -> all.decrementAndGet());
            return true;
        }
        Long client = key(address);
        if (byAddress.merge(client, 1, Integer::sum) > limits.addressConnections()) {
            leave(client);
            all.decrementAndGet();
            tell(address.getHostAddress() + " has", limits.addressConnections(), "limits.address-connections");
            return false;
        }
        channel.closeFuture().addListener(_ -> {
            leave(client);
            all.decrementAndGet();
        });
        return true;
    }

    private void leave(Long client) {
        byAddress.computeIfPresent(client, (_, count) -> count == 1 ? null : count - 1);
    }

    /// One household or machine gets a /64 of IPv6 addresses at least.
    private static Long key(InetAddress address) {
        byte[] bytes = address.getAddress();
        return address instanceof Inet6Address ? ByteBuffer.wrap(bytes).getLong() : ByteBuffer.wrap(bytes).getInt() & 0xffff_ffffL;
    }

    /// Now and then: whoever opens too many does so often.
    private void tell(String who, int limit, String setting) {
        long last = toldAt.get();
        long now = System.nanoTime();
        if (now - last >= TOLD_EVERY_NANOS && toldAt.compareAndSet(last, now)) {
            LOG.warn("connections refused: {} {} open ({}); gatepost_http_connections_refused_total counts them", who, limit, setting);
        }
    }
}
