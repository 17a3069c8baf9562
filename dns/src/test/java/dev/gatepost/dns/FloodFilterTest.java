package dev.gatepost.dns;

import dev.gatepost.dns.access.FairShare;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// The kernel runs the program that says what it is to drop.
@Timeout(60)
class FloodFilterTest {
    private static final int FLOOD = 4000;

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 127.0.0.2, 127.0.0.3", "0.0.0.0, 127.0.0.2, 127.0.0.3", "::, 127.0.0.2, ::1"})
    void theKernelDropsMostOfAFloodAndNothingElse(String server, String flooding, String polite) throws Exception {
        Assumptions.assumeTrue(Epoll.isAvailable(), "without epoll there is no such socket");
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        var channel = (EpollDatagramChannel) new Bootstrap().group(loops).channel(EpollDatagramChannel.class)
                .option(ChannelOption.AUTO_READ, false).option(ChannelOption.SO_RCVBUF, 1 << 20).handler(new ChannelInboundHandlerAdapter())
                .bind(InetAddress.ofLiteral(server), 0).sync().channel();
        try {
            var filter = new FloodFilter(channel.fd().intValue());
            var batch = new DatagramBatch(512, false);
            assertTrue(filter.pass(flooded(InetAddress.ofLiteral(flooding))));
            int port = channel.localAddress().getPort();
            send(flooding, port, FLOOD);
            send(polite, port, 20);
            int received = read(batch, channel.fd().intValue());
            int dropped = filter.droppedSince();
            assertEquals(FLOOD + 20, received + dropped);
            assertTrue(received >= 20 && received < FLOOD / 4, "received " + received + " of a flood of which a tenth or so is enough");
            send(polite, port, 20);
            assertEquals(20, read(batch, channel.fd().intValue()));

            filter.passAll();
            send(flooding, port, 50);
            assertEquals(50, read(batch, channel.fd().intValue()));
            assertEquals(0, filter.droppedSince());
        } finally {
            channel.close().sync();
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    /// After a period in which it asked for ten times as much as could be answered.
    private static FairShare flooded(InetAddress flood) {
        var shares = new FairShare();
        shares.begin(0);
        for (int i = 0; i < 100; i++) {
            shares.seen(flood.getAddress());
        }
        shares.turnTo(TimeUnit.MILLISECONDS.toNanos(100));
        for (int i = 0; i < 1000; i++) {
            shares.place(flood.getAddress());
        }
        shares.turnTo(TimeUnit.MILLISECONDS.toNanos(200));
        assertEquals(1, shares.floods());
        return shares;
    }

    private static void send(String from, int port, int queries) throws IOException {
        InetAddress address = InetAddress.ofLiteral(from);
        try (var socket = new DatagramSocket(new InetSocketAddress(address, 0))) {
            var to = new InetSocketAddress(address.getAddress().length == 4 ? InetAddress.ofLiteral("127.0.0.1") : InetAddress.ofLiteral("::1"), port);
            for (int i = 0; i < queries; i++) {
                socket.send(new DatagramPacket(new byte[40], 40, to));
            }
        }
    }

    /// On loopback all that was sent is there.
    private static int read(DatagramBatch batch, int socket) {
        int all = 0;
        for (int received = batch.receive(socket, 0); received > 0; received = batch.receive(socket, 0)) {
            all += received;
        }
        return all;
    }
}
