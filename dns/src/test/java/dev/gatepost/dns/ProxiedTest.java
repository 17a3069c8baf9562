package dev.gatepost.dns;

import dev.gatepost.dns.access.Access;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static dev.gatepost.dns.forward.Await.until;
import static org.junit.jupiter.api.Assertions.assertEquals;

/// Behind a proxy that says who the client is: PROXY protocol version 2.
@Timeout(30)
class ProxiedTest {
    private static final byte[] SIGNATURE = HexFormat.of().parseHex("0d0a0d0a000d0a515549540a");
    private static final TrustedProxies LOOPBACK_TWO = address -> Arrays.equals(address, new byte[] {127, 0, 0, 2});

    private final Zone zone = TestZones.sample();
    private final List<String> seen = new CopyOnWriteArrayList<>();
    private final EventLoopGroup group =
            new MultiThreadIoEventLoopGroup(1, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());

    @AfterEach
    void stop() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @ParameterizedTest
    @CsvSource({
        "192.0.2.7, 4711, false, 192.0.2.7 4711",
        "2001:db8::7, 4711, false, 2001:db8:0:0:0:0:0:7 4711",
        // With more than addresses behind them.
        "192.0.2.8, 1, true, 192.0.2.8 1"
    })
    void takesTheClientFromTheHeader(String client, int port, boolean more, String expected) throws Exception {
        try (var server = start()) {
            byte[] header = header(0x21, InetAddress.ofLiteral(client).getAddress(), port, more ? 300 : 0);
            assertEquals(2, tcp(server, "127.0.0.2", header).getSection(Section.ANSWER).size());
            assertEquals(2, udp(server, "127.0.0.2", header).getSection(Section.ANSWER).size());
            until("both are logged", () -> seen.size() == 2);
            assertEquals(List.of("TCP " + expected, "UDP " + expected), seen);
        }
    }

    @Test
    void takesTheProxyForTheClientWhenThatSpeaksForItself() throws Exception {
        try (var server = start()) {
            byte[] local = header(0x20, new byte[0], 0, 0);
            assertEquals(2, tcp(server, "127.0.0.2", local).getSection(Section.ANSWER).size());
            assertEquals(2, udp(server, "127.0.0.2", local).getSection(Section.ANSWER).size());
            until("both are logged", () -> seen.size() == 2);
            assertEquals(List.of("TCP 127.0.0.2", "UDP 127.0.0.2"), seen.stream().map(each -> each.substring(0, each.lastIndexOf(' '))).toList());
        }
    }

    @Test
    void believesNobodyElse() throws Exception {
        try (var server = start()) {
            byte[] header = header(0x21, new byte[] {10, 0, 0, 1}, 1, 0);
            try (var socket = connect(server, "127.0.0.1")) {
                socket.getOutputStream().write(with(header, framed()));
                assertEquals(-1, socket.getInputStream().read());
            }
            assertEquals(2, tcp(server, "127.0.0.1", new byte[0]).getSection(Section.ANSWER).size());
            until("one is logged", () -> !seen.isEmpty());
            assertEquals(List.of("TCP 127.0.0.1"), seen.stream().map(each -> each.substring(0, each.lastIndexOf(' '))).toList());
        }
    }

    /// A query without a header, version 1, one that is cut, one with addresses that it has no room for, one of no command.
    @ParameterizedTest
    @ValueSource(strings = {
        "0021aabb0000000100000000000003777777",
        "50524f5859205443503420312e322e332e3420352e362e372e382031203533300d0a",
        "0d0a0d0a000d0a515549540b2111000c",
        "0d0a0d0a000d0a515549540a21110004aaaaaaaa",
        "0d0a0d0a000d0a515549540a2211000c010203040506070800010002",
        "0d0a0d0a000d0a515549540a2111ffff010203040506070800010002"
    })
    void hasNothingToDoWithATrustedProxyThatSendsNoHeader(String hex) throws Exception {
        try (var server = start(); var socket = connect(server, "127.0.0.2"); var datagrams = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.2"), 0))) {
            byte[] bytes = HexFormat.of().parseHex(hex);
            socket.getOutputStream().write(bytes);
            assertEquals(-1, socket.getInputStream().read());
            datagrams.send(new DatagramPacket(bytes, bytes.length, server.localAddress()));
            until("both are dropped", () -> server.counters().dropped() == 2);
            assertEquals(List.of(), seen);
        }
    }

    @Test
    void readsAHeaderHoweverItIsCut() throws Exception {
        try (var server = start(); var socket = connect(server, "127.0.0.2")) {
            byte[] whole = with(header(0x21, new byte[] {10, 0, 0, 1}, 9, 20), framed());
            for (byte each : whole) {
                socket.getOutputStream().write(each);
                socket.getOutputStream().flush();
            }
            assertEquals(2, receive(socket).getSection(Section.ANSWER).size());
            until("it is logged", () -> seen.size() == 1);
            assertEquals(List.of("TCP 10.0.0.1 9"), seen);
        }
    }

    private DnsServer start() throws IOException {
        QueryLog log = query -> seen.add(query.transport + " " + query.client().getAddress().getHostAddress() + " " + query.clientPort);
        return DnsServer.start(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), group, () -> zone, Outside.NONE, DnsSettings.DEFAULT.withProxies(LOOPBACK_TWO).withAccess(Access.EVERYBODY), log);
    }

    private static byte[] header(int command, byte[] address, int port, int more) {
        int family = address.length == 0 ? 0 : address.length == 4 ? 0x12 : 0x22;
        int rest = (address.length == 0 ? 0 : 2 * address.length + 4) + more;
        ByteBuffer header = ByteBuffer.allocate(16 + rest).put(SIGNATURE).put((byte) command).put((byte) family).putShort((short) rest).put(address);
        if (address.length > 0) {
            header.put(new byte[address.length]).putShort((short) port).putShort((short) 53);
        }
        return header.array();
    }

    private static byte[] with(byte[] first, byte[] second) {
        var both = new ByteArrayOutputStream();
        both.writeBytes(first);
        both.writeBytes(second);
        return both.toByteArray();
    }

    private static byte[] query() {
        return ResponderTest.query("web.service.consul.", Type.A, -1).toWire();
    }

    private static byte[] framed() {
        byte[] query = query();
        return ByteBuffer.allocate(2 + query.length).putShort((short) query.length).put(query).array();
    }

    private static Socket connect(DnsServer server, String from) throws IOException {
        var socket = new Socket();
        socket.bind(new InetSocketAddress(InetAddress.ofLiteral(from), 0));
        socket.connect(server.localAddress());
        socket.setSoTimeout(20_000);
        return socket;
    }

    private static Message tcp(DnsServer server, String from, byte[] header) throws IOException {
        try (var socket = connect(server, from)) {
            socket.getOutputStream().write(with(header, framed()));
            return receive(socket);
        }
    }

    private static Message receive(Socket socket) throws IOException {
        var in = new DataInputStream(socket.getInputStream());
        byte[] answer = new byte[in.readUnsignedShort()];
        in.readFully(answer);
        return new Message(answer);
    }

    private static Message udp(DnsServer server, String from, byte[] header) throws IOException {
        try (var socket = new DatagramSocket(new InetSocketAddress(InetAddress.ofLiteral(from), 0))) {
            socket.setSoTimeout(20_000);
            byte[] bytes = with(header, query());
            socket.send(new DatagramPacket(bytes, bytes.length, server.localAddress()));
            var packet = new DatagramPacket(new byte[4096], 4096);
            socket.receive(packet);
            return new Message(Arrays.copyOf(packet.getData(), packet.getLength()));
        }
    }
}
