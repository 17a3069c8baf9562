package dev.gatepost.dns;

import dev.gatepost.dns.forward.Await;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.TcpKeepaliveOption;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Queries by TCP: RFC 7766 and RFC 7828.
@Timeout(30)
class StreamsTest {
    private static final Duration LONG = Duration.ofSeconds(25);
    private static final StreamLimits LIMITS = new StreamLimits(16, 16, 100, LONG, LONG);

    private final HeldOutside outside = new HeldOutside();
    private final Zone zone = TestZones.sample();
    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(2, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());

    @AfterEach
    void stop() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Test
    void answersWhatItKnowsBeforeWhatItHasToAskFor() throws Exception {
        try (var server = start(LIMITS); var socket = connect(server, "127.0.0.1")) {
            send(socket, query("slow.example.com.", 1), query("web.service.consul.", 2), query("slower.example.com.", 3), query("web.service.consul.", 4));
            assertEquals(2, id(socket));
            assertEquals(4, id(socket));
            outside.release();
            assertEquals(1, id(socket));
            outside.release();
            assertEquals(3, id(socket));
        }
    }

    @Test
    void readsNoMoreOfAConnectionThanMayWait() throws Exception {
        var two = new StreamLimits(16, 16, 2, LONG, LONG);
        try (var server = start(two); var socket = connect(server, "127.0.0.1"); var other = connect(server, "127.0.0.1")) {
            send(socket, query("one.example.com.", 1), query("two.example.com.", 2), query("three.example.com.", 3), query("web.service.consul.", 4));
            Await.until("two are asked for", () -> outside.asked.get() == 2);
            // Whoever else asks is not concerned.
            send(other, query("web.service.consul.", 5));
            assertEquals(5, id(other));
            assertEquals(2, outside.asked.get());
            outside.release();
            assertEquals(1, id(socket));
            // The third has taken the place, and the fourth has to wait for another.
            outside.release();
            assertEquals(2, id(socket));
            assertEquals(4, id(socket));
            outside.release();
            assertEquals(3, id(socket));
        }
    }

    @Test
    void answersWhatItAskedForWhenTheClientHasEndedItsSide() throws Exception {
        try (var server = start(LIMITS); var socket = connect(server, "127.0.0.1")) {
            send(socket, query("slow.example.com.", 1));
            Await.until("it is asked for", () -> outside.asked.get() == 1);
            socket.shutdownOutput();
            outside.release();
            assertEquals(1, id(socket));
            assertEquals(-1, socket.getInputStream().read());
        }
    }

    @Test
    void saysHowLongAConnectionMayBeIdleToWhoAsks() throws Exception {
        try (var server = start(LIMITS); var socket = connect(server, "127.0.0.1")) {
            Message asking = ResponderTest.query("web.service.consul.", Type.A, -1);
            asking.addRecord(new OPTRecord(1232, 0, 0, 0, new TcpKeepaliveOption()), Section.ADDITIONAL);
            send(socket, asking.toWire());
            assertEquals(250, ((TcpKeepaliveOption) keepalive(receive(socket)).getFirst()).getTimeout().orElseThrow());
            send(socket, ResponderTest.query("web.service.consul.", Type.A, 1232).toWire());
            assertEquals(List.of(), keepalive(receive(socket)));
            // RFC 7828 section 3.2.1: nothing of it over UDP.
            assertEquals(List.of(), keepalive(udp(server, asking)));
        }
    }

    @Test
    void givesOneClientItsShareOfTheConnectionsAlone() throws Exception {
        var shared = new StreamLimits(16, 2, 100, LONG, LONG);
        try (var server = start(shared); var first = connect(server, "127.0.0.1"); var second = connect(server, "127.0.0.1")) {
            for (Socket each : List.of(first, second)) {
                send(each, query("web.service.consul.", 1));
                assertEquals(1, id(each));
            }
            try (var third = connect(server, "127.0.0.1"); var other = connect(server, "127.0.0.2")) {
                assertEquals(-1, third.getInputStream().read());
                send(other, query("web.service.consul.", 2));
                assertEquals(2, id(other));
                Await.until("what was closed takes no place", () -> server.connections() == 3);
            }
            first.shutdownOutput();
            assertEquals(-1, first.getInputStream().read());
            Await.until("its place is free", () -> {
                try (var again = connect(server, "127.0.0.1")) {
                    send(again, query("web.service.consul.", 3));
                    return id(again) == 3;
                } catch (IOException _) {
                    return false;
                }
            });
        }
    }

    @Test
    void lessPlacesMakeIdleTimesShorter() {
        var connections = new Connections(new StreamLimits(8, 8, 1, LONG, Duration.ofSeconds(20)));
        List<Long> idleMillis = new ArrayList<>();
        List<EmbeddedChannel> channels = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            channels.add(new EmbeddedChannel());
            assertTrue(connections.admit(channels.getLast()));
            idleMillis.add(TimeUnit.NANOSECONDS.toMillis(connections.idleNanos()));
        }
        assertEquals(List.of(20_000L, 20_000L, 20_000L, 5000L, 5000L, 5000L, 1000L, 1000L), idleMillis);
        assertFalse(connections.admit(new EmbeddedChannel()));
        channels.forEach(channel -> channel.close().syncUninterruptibly());
        assertEquals(20_000L, TimeUnit.NANOSECONDS.toMillis(connections.idleNanos()));
    }

    @Test
    void anIpv6NetworkIsOneClient() {
        var connections = new Connections(new StreamLimits(8, 1, 1, LONG, LONG));
        assertTrue(connections.admit(new EmbeddedChannel(), InetAddress.ofLiteral("2001:db8:0:1::1")));
        assertFalse(connections.admit(new EmbeddedChannel(), InetAddress.ofLiteral("2001:db8:0:1:ffff::2")));
        assertTrue(connections.admit(new EmbeddedChannel(), InetAddress.ofLiteral("2001:db8:0:2::1")));
        assertTrue(connections.admit(new EmbeddedChannel(), InetAddress.ofLiteral("10.0.0.1")));
        assertTrue(connections.admit(new EmbeddedChannel(), InetAddress.ofLiteral("10.0.0.2")));
    }

    private DnsServer start(StreamLimits limits) throws IOException {
        return DnsServer.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), group, () -> zone, outside, DnsSettings.DEFAULT.withStreams(limits), QueryLog.NONE);
    }

    private static Socket connect(DnsServer server, String from) throws IOException {
        var socket = new Socket();
        socket.bind(new InetSocketAddress(InetAddress.ofLiteral(from), 0));
        socket.connect(server.localAddress());
        socket.setSoTimeout(20_000);
        return socket;
    }

    private static byte[] query(String name, int id) throws IOException {
        Message query = ResponderTest.query(name, Type.A, -1);
        query.getHeader().setID(id);
        return query.toWire();
    }

    private static void send(Socket socket, byte[]... queries) throws IOException {
        ByteBuffer stream = ByteBuffer.allocate(4096);
        for (byte[] each : queries) {
            stream.putShort((short) each.length).put(each);
        }
        socket.getOutputStream().write(stream.array(), 0, stream.position());
    }

    private static Message receive(Socket socket) throws IOException {
        var in = new DataInputStream(socket.getInputStream());
        byte[] answer = new byte[in.readUnsignedShort()];
        in.readFully(answer);
        return new Message(answer);
    }

    private static int id(Socket socket) throws IOException {
        return receive(socket).getHeader().getID();
    }

    private static List<EDNSOption> keepalive(Message answer) {
        return answer.getOPT().getOptions(EDNSOption.Code.TCP_KEEPALIVE);
    }

    private static Message udp(DnsServer server, Message query) throws IOException {
        try (var socket = new java.net.DatagramSocket()) {
            socket.setSoTimeout(10_000);
            byte[] bytes = query.toWire();
            socket.send(new java.net.DatagramPacket(bytes, bytes.length, server.localAddress()));
            var packet = new java.net.DatagramPacket(new byte[4096], 4096);
            socket.receive(packet);
            return new Message(java.util.Arrays.copyOf(packet.getData(), packet.getLength()));
        }
    }
}
