package dev.gatepost.gateway;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.channel.unix.RawUnixChannelOption;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Who of several processes gets what comes in on one port that they share by `SO_REUSEPORT`. Linux keeps the sockets of a port in
/// the order in which they were bound, fills a gap with the last one, and lets a small filter program choose by number. So the
/// process that leaves, the older one, has the first numbers, and can point at the one after its own: its sockets get nothing new,
/// what is in their queues is still served, and closing them resets nobody.
///
/// Without a filter, or when that names a socket that isn't there, the kernel spreads over all.
final class SharedPort {
    private static final Logger LOG = LoggerFactory.getLogger(SharedPort.class);
    private static final Duration SHORTLY = Duration.ofMillis(20);
    private static final int SOL_SOCKET = 1;
    private static final RawUnixChannelOption ATTACH = new RawUnixChannelOption("SO_ATTACH_REUSEPORT_CBPF", SOL_SOCKET, 51, 16);
    private static final IntegerUnixChannelOption DETACH = new IntegerUnixChannelOption("SO_DETACH_REUSEPORT_BPF", SOL_SOCKET, 68);
    /// `BPF_RET | BPF_K`.
    private static final short RETURN_CONSTANT = 6;

    private SharedPort() {}

    /// Lets another process have all that is new, and waits until what came to us has been taken up.
    static void hand(List<List<Channel>> ports, Duration settling) {
        for (long deadline = System.nanoTime() + settling.toNanos(); System.nanoTime() < deadline; ) {
            // Again and again, since whoever takes over clears what others have set, now and then.
            ports.forEach(SharedPort::leave);
            LockSupport.parkNanos(SHORTLY.toNanos());
        }
        ports.forEach(SharedPort::leave);
    }

    /// Lets the sockets of one port get nothing new, if another process has it as well.
    private static void leave(List<Channel> sockets) {
        if (!sockets.isEmpty() && Epoll.isAvailable()) {
            set(sockets, sockets.size());
        }
    }

    /// One instruction: return that number.
    private static void set(List<Channel> sockets, int number) {
        ByteBuffer filter = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());
        filter.putShort(0, RETURN_CONSTANT).putInt(4, number);
        ByteBuffer program = ByteBuffer.allocateDirect(16).order(ByteOrder.nativeOrder());
        program.putShort(0, (short) 1).putLong(8, MemorySegment.ofBuffer(filter).address());
        try {
            // For the whole port, whichever socket is told.
            sockets.getFirst().config().setOption(ATTACH, program);
        } catch (ChannelException e) {
            LOG.warn("{} goes on getting a share of what is new until it closes: {}", sockets.getFirst().localAddress(), e.toString());
        } finally {
            // The kernel has copied it by now.
            Reference.reachabilityFence(filter);
        }
    }

    /// Takes away what a process that has left may have set: its number may mean one of our sockets now, which would get all.
    static void share(List<Channel> sockets) {
        if (sockets.isEmpty() || !Epoll.isAvailable()) {
            return;
        }
        try {
            sockets.getFirst().config().setOption(DETACH, 0);
        } catch (ChannelException e) {
            LOG.trace("no filter at {}", sockets.getFirst().localAddress(), e);
        }
    }
}
