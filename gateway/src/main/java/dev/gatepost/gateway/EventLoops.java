package dev.gatepost.gateway;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// The threads of the data plane: epoll on Linux, NIO where its native library doesn't load.
public final class EventLoops {
    private static final Duration LONGEST_END = Duration.ofSeconds(2);

    private EventLoops() {}

    static EventLoopGroup open(int threads) {
        IoHandlerFactory io = Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        return new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory("loop"), io);
    }

    /// Closes every channel that is still open on them, and ends them.
    public static Future<?> close(EventLoopGroup loops) {
        for (EventExecutor each : loops) {
            // Netty 4.2 closes the channels at one place of a loop's turn, and ends the loop at another, further down. A loop that is told to end
            // in between, and has nothing to do, would never come to the first one: a hook is something to do, and no quiet at all would let it
            // go in spite of that.
            if (each instanceof SingleThreadEventExecutor loop) {
                loop.addShutdownHook(() -> {});
            }
        }
        return loops.shutdownGracefully(1, LONGEST_END.toNanos(), TimeUnit.NANOSECONDS);
    }
}
