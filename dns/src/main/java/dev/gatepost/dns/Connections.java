package dev.gatepost.dns;

import io.netty.channel.Channel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/// The open connections of a server: how many, whose, and how long an idle one may stay. All event loops share it, at the
/// beginning and end of a connection.
final class Connections {
    private static final long IPV4 = 0xffffL << 32;

    private final StreamLimits limits;
    private final ChannelGroup open = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final AtomicInteger count = new AtomicInteger();
    private final ConcurrentHashMap<Long, Integer> clients = new ConcurrentHashMap<>();

    Connections(StreamLimits limits) {
        this.limits = limits;
    }

    StreamLimits limits() {
        return limits;
    }

    int count() {
        return open.size();
    }

    ChannelGroup all() {
        return open;
    }

    /// Gives an accepted connection a place until it is closed; false when there is none.
    boolean admit(Channel channel) {
        if (count.incrementAndGet() > limits.connections()) {
            count.decrementAndGet();
            return false;
        }
        open.add(channel);
        channel.closeFuture().addListener(_ -> count.decrementAndGet());
        return true;
    }

    /// Counts an admitted connection as one of its client's until it is closed; false when that has enough of them.
    boolean admit(Channel channel, InetAddress client) {
        long network = network(client.getAddress());
        if (clients.merge(network, 1, Integer::sum) > limits.perClient()) {
            leave(network);
            return false;
        }
        channel.closeFuture().addListener(_ -> leave(network));
        return true;
    }

    private void leave(long network) {
        clients.computeIfPresent(network, (_, connections) -> connections == 1 ? null : connections - 1);
    }

    /// How long a connection may have nothing to ask: the more places are taken, the shorter, so that those who ask get one.
    long idleNanos() {
        long idle = limits.idle().toNanos();
        long taken = 8L * count.get() / Math.max(1, limits.connections());
        return taken < 4 ? idle : taken < 7 ? idle / 4 : idle / 20;
    }

    private static long network(byte[] address) {
        ByteBuffer bytes = ByteBuffer.wrap(address);
        return address.length == 4 ? IPV4 | (bytes.getInt() & 0xffffffffL) : bytes.getLong();
    }
}
