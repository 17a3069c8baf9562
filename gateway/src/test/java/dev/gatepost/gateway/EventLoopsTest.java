package dev.gatepost.gateway;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.net.InetAddress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class EventLoopsTest {
    @Test
    void closeTheirChannelsThoughTheyAreToldToEndInTheMiddleOfATurn() throws Exception {
        EventLoopGroup loops = EventLoops.open(1);
        Channel open = new ServerBootstrap()
                .group(loops)
                .channel(Epoll.isAvailable() ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .childHandler(new ChannelInboundHandlerAdapter())
                .bind(InetAddress.getLoopbackAddress(), 0)
                .sync()
                .channel();
        // A task's place is behind that where a loop looks whether its channels are to be closed.
        loops.next().execute(() -> {
            var _ = EventLoops.close(loops);
        });
        assertTrue(loops.terminationFuture().await(30, TimeUnit.SECONDS));
        assertFalse(open.isOpen());
    }
}
