package dev.gatepost.dns;

import dev.gatepost.dns.access.Access;
import dev.gatepost.dns.forward.Await;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

@Timeout(60)
class OverloadTest {
    private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);

    @Test
    void aBurstIsNoOverload() {
        var overload = new Overload();
        assertFalse(overload.fellBehind(0, true));
        assertFalse(overload.fellBehind(99 * MILLI, true));
        overload.caughtUp();
        assertFalse(overload.fellBehind(110 * MILLI, true));
        assertFalse(overload.fellBehind(200 * MILLI, true));
        assertFalse(overload.isOn());
    }

    @Test
    void clientsThatAskAgainWhenTheyAreAnsweredAreNoOverload() {
        var overload = new Overload();
        for (int milli = 0; milli < 1000; milli++) {
            assertFalse(overload.fellBehind(milli * MILLI, milli % 90 == 0));
        }
        assertFalse(overload.isOn());
    }

    @Test
    void whatStaysBehindIsOneUntilNothingWasDroppedForASecond() {
        var overload = new Overload();
        long now = System.nanoTime();
        assertFalse(overload.fellBehind(now, true));
        assertTrue(overload.fellBehind(now + 101 * MILLI, true));
        assertTrue(overload.isOn());
        assertTrue(overload.drops(now + 150 * MILLI), "said");
        assertFalse(overload.isOver(now + 150 * MILLI));
        assertFalse(overload.isOver(now + 1000 * MILLI));
        assertTrue(overload.isOn());
        assertTrue(overload.isOver(now + 1151 * MILLI), "said");
        assertFalse(overload.isOn());

        overload.fellBehind(now + 2000 * MILLI, true);
        assertTrue(overload.fellBehind(now + 2101 * MILLI, true));
        assertFalse(overload.drops(now + 2102 * MILLI), "not said again within a minute");
        assertFalse(overload.isOver(now + 3103 * MILLI), "nor its end");
        assertFalse(overload.isOn());
    }

    /// A log that takes its time makes any machine slow enough.
    @Test
    void aFloodIsCutAndOthersAreAnsweredBesideIt() throws Exception {
        Assumptions.assumeTrue(Epoll.isAvailable(), "without epoll there is no batch to choose from");
        EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        Zone zone = TestZones.sample();
        var slow = new AtomicBoolean(true);
        QueryLog log = _ -> {
            if (slow.get()) {
                LockSupport.parkNanos(20_000);
            }
        };
        var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        var settings = DnsSettings.DEFAULT.withAccess(Access.PRIVATE);
        try (var server = DnsServer.start(address, loops, () -> zone, settings, log);
                var polite = new DatagramSocket(new InetSocketAddress("127.0.0.3", 0))) {
            var flooding = new AtomicBoolean(true);
            Thread flood = Thread.ofPlatform().name("flood").start(() -> flood(server, flooding));
            try {
                Await.until("the flood is cut", () -> server.counters().shed() > 1000);
                for (int i = 0; i < 30; i++) {
                    assertEquals(2, asked(polite, server, i).getSection(Section.ANSWER).size());
                }
            } finally {
                flooding.set(false);
                flood.join();
                slow.set(false);
            }
            assertEquals(2, asked(polite, server, 77).getSection(Section.ANSWER).size());
        } finally {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    private static void flood(DnsServer server, AtomicBoolean flooding) {
        byte[] query = ResponderTest.query("many.service.consul.", Type.A, 1232).toWire();
        try (var socket = new DatagramSocket(new InetSocketAddress("127.0.0.2", 0))) {
            socket.setReceiveBufferSize(1024);
            while (flooding.get()) {
                for (int i = 0; i < 100; i++) {
                    socket.send(new DatagramPacket(query, query.length, server.localAddress()));
                }
                LockSupport.parkNanos(MILLI);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// The kernel may drop it before anybody sees it: asked again then, as any client does.
    private static Message asked(DatagramSocket socket, DnsServer server, int id) throws IOException {
        Message query = ResponderTest.query("web.service.consul.", Type.A, 1232);
        query.getHeader().setID(id);
        byte[] bytes = query.toWire();
        socket.setSoTimeout(500);
        for (int attempt = 0; attempt < 20; attempt++) {
            socket.send(new DatagramPacket(bytes, bytes.length, server.localAddress()));
            try {
                while (true) {
                    var packet = new DatagramPacket(new byte[2048], 2048);
                    socket.receive(packet);
                    Message answer = new Message(Arrays.copyOf(packet.getData(), packet.getLength()));
                    if (answer.getHeader().getID() == id) {
                        return answer;
                    }
                }
            } catch (SocketTimeoutException _) {
                // Again.
            }
        }
        throw new AssertionError("no answer to " + id);
    }
}
