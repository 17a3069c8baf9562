package dev.gatepost.dns;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// The server on real sockets.
@Timeout(30)
class DnsServerTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final DnsSettings SETTINGS =
            DnsSettings.DEFAULT.withStreams(new StreamLimits(4, 4, 100, Duration.ofMillis(300), Duration.ofMillis(300)));

    private final Zone zone = TestZones.sample();
    private final EventLoopGroup group = group(true, 2);

    @AfterEach
    void stop() {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private static EventLoopGroup group(boolean epoll, int threads) {
        return new MultiThreadIoEventLoopGroup(threads, epoll && Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
    }

    @ParameterizedTest
    @CsvSource({"true,1", "true,2", "false,1", "false,2"})
    void answersByUdpAndTcpOnOnePort(boolean epoll, int threads) throws IOException {
        EventLoopGroup loops = group(epoll, threads);
        try (var server = start(loops, DnsSettings.DEFAULT, QueryLog.NONE)) {
            for (int i = 0; i < 20; i++) {
                Message udp = udp(server, ResponderTest.query("web.service.consul.", Type.A, -1));
                assertEquals(2, udp.getSection(Section.ANSWER).size());
            }
            Message tcp = tcp(server, ResponderTest.query("many.service.consul.", Type.A, -1));
            assertEquals(600, tcp.getSection(Section.ANSWER).size());
            assertEquals(20, server.counters().answered(QueryRecord.Transport.UDP, Rcode.NOERROR));
            assertEquals(1, server.counters().answered(QueryRecord.Transport.TCP, Rcode.NOERROR));
            assertEquals(21, server.counters().answered(RRType.A));
            assertEquals(21, Arrays.stream(server.counters().durations()).sum());
        } finally {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    @Test
    void countsAnswersByZoneFromOneZoneToTheNext() throws IOException {
        Zone first = TestZones.sample();
        // The same origins in another order, made anew.
        List<Origin> origins = new ArrayList<>(List.of(first.origins));
        Collections.reverse(origins);
        Zone next = Zone.of(origins, first.authority());
        var served = new AtomicReference<>(first);
        EventLoopGroup loops = group(true, 2);
        try (var server = DnsServer.start(ANY_PORT, loops, served::get, SETTINGS, QueryLog.NONE)) {
            udp(server, ResponderTest.query("web.service.consul.", Type.A, -1));
            udp(server, ResponderTest.query("www.example.com.", Type.A, -1));
            served.set(next);
            udp(server, ResponderTest.query("nobody.consul.", Type.A, -1));
            Map<DomainName, long[]> counts = server.counters().answeredByZone();
            DomainName zone = first.origin(DomainName.of("web.service.consul")).orElseThrow().name();
            assertEquals(Set.of(zone, DomainName.ROOT), counts.keySet());
            long[] ours = counts.getOrDefault(zone, new long[0]);
            assertEquals("1 1", ours[Rcode.NOERROR] + " " + ours[Rcode.NXDOMAIN]);
            assertEquals(1, counts.getOrDefault(DomainName.ROOT, new long[0])[Rcode.REFUSED]);
        } finally {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    @Test
    void answersManyDatagramsOfOneBatchEachToItsOwnSender() throws IOException {
        try (var server = start(SETTINGS, QueryLog.NONE); var one = new DatagramSocket(ANY_PORT); var other = new DatagramSocket(ANY_PORT)) {
            one.setSoTimeout(5000);
            other.setSoTimeout(5000);
            for (int i = 0; i < 200; i++) {
                send(i % 2 == 0 ? one : other, server, withId(ResponderTest.query("web.service.consul.", Type.A, -1), i));
            }
            Set<Integer> ids = new HashSet<>();
            for (int i = 0; i < 100; i++) {
                int even = Query.u16(receive(one), 0);
                int odd = Query.u16(receive(other), 0);
                assertEquals(0, even % 2);
                assertEquals(1, odd % 2);
                ids.add(even);
                ids.add(odd);
            }
            assertEquals(200, ids.size());
        }
    }

    @Test
    void dropsWhatIsNoQueryAndGoesOn() throws IOException {
        try (var server = start(SETTINGS, QueryLog.NONE); var socket = new DatagramSocket(ANY_PORT)) {
            socket.setSoTimeout(5000);
            for (int length : new int[] {0, 1, 11, 2048, 9000}) {
                send(socket, server, new byte[length]);
            }
            byte[] response = new byte[12];
            response[2] = (byte) 0x80;
            send(socket, server, response);
            send(socket, server, withId(ResponderTest.query("web.service.consul.", Type.A, -1), 77));
            byte[] answer;
            do {
                answer = receive(socket);
            } while (Query.u16(answer, 0) != 77);
            assertEquals(0, answer[3] & 15);
        }
    }

    /// A client takes an answer from nobody but whom it asked: here its socket is connected, and sees nothing else.
    @ParameterizedTest
    @CsvSource({"0.0.0.0,127.0.0.2", "0.0.0.0,127.0.0.1", "::,::1", "::,127.0.0.2"})
    void answersFromTheAddressThatWasAskedWhenItListensOnAll(String listen, String asked) throws IOException {
        try (var server = DnsServer.start(new InetSocketAddress(listen, 0), group, () -> zone, SETTINGS, QueryLog.NONE);
                var socket = new DatagramSocket()) {
            socket.setSoTimeout(5000);
            socket.connect(new InetSocketAddress(asked, server.localAddress().getPort()));
            byte[] query = withId(ResponderTest.query("web.service.consul.", Type.A, -1), 5);
            socket.send(new DatagramPacket(query, query.length));
            assertEquals(5, Query.u16(receive(socket), 0));
        }
    }

    @Test
    void keepsTheAnswersOfABatchApartHoweverLongAMimicMakesThem() throws IOException {
        int length = 3000;
        Mimic mimic = (in, _, _, _, out, record) -> {
            Arrays.fill(out, 0, length, in[1]);
            System.arraycopy(in, 0, out, 0, 2);
            record.rcode = Rcode.NOERROR;
            return length;
        };
        Zone mimicked = zone.answeredBy(mimic);
        try (var server = DnsServer.start(ANY_PORT, group, () -> mimicked, SETTINGS, QueryLog.NONE); var socket = new DatagramSocket(ANY_PORT)) {
            socket.setSoTimeout(5000);
            socket.setReceiveBufferSize(1 << 20);
            for (int round = 0; round < 5; round++) {
                for (int i = 0; i < 60; i++) {
                    send(socket, server, withId(ResponderTest.query("web.service.consul.", Type.A, 4096), i));
                }
                Set<Integer> ids = new HashSet<>();
                for (int i = 0; i < 60; i++) {
                    byte[] answer = receive(socket);
                    assertEquals(length, answer.length);
                    byte[] expected = new byte[length];
                    Arrays.fill(expected, answer[1]);
                    expected[0] = answer[0];
                    assertArrayEquals(expected, answer);
                    ids.add(Query.u16(answer, 0));
                }
                assertEquals(60, ids.size());
            }
        }
    }

    @Test
    void tellsTheLogOfAClientByIpv6() throws IOException {
        var seen = new ConcurrentLinkedQueue<String>();
        QueryLog log = query -> seen.add(query.client().getAddress().getHostAddress());
        try (var server = DnsServer.start(new InetSocketAddress(InetAddress.ofLiteral("::1"), 0), group, () -> zone, SETTINGS, log)) {
            udp(server, ResponderTest.query("web.service.consul.", Type.A, -1));
        }
        assertEquals(List.of("0:0:0:0:0:0:0:1"), List.copyOf(seen));
    }

    @Test
    void readsTheZoneAnewForEveryQuery() throws IOException {
        var served = new java.util.concurrent.atomic.AtomicReference<>(zone);
        try (var server = DnsServer.start(ANY_PORT, group, served::get, SETTINGS, QueryLog.NONE)) {
            assertEquals(2, udp(server, ResponderTest.query("web.service.consul.", Type.A, -1)).getSection(Section.ANSWER).size());
            served.set(zone.change().put(DomainName.of("web.service.consul"), List.of()).build(8));
            assertEquals(0, udp(server, ResponderTest.query("web.service.consul.", Type.A, -1)).getSection(Section.ANSWER).size());
        }
    }

    @Test
    void tellsTheLogOfEveryQuery() throws IOException {
        var seen = new ConcurrentLinkedQueue<String>();
        QueryLog log = query -> seen.add(query.transport + " " + query.client().getAddress().getHostAddress() + " "
                + DomainName.copyOf(query.query, query.nameFrom, query.nameTo) + " " + RRType.name(query.type) + " " + Rcode.name(query.rcode) + " " + query.answers);
        try (var server = start(SETTINGS, log)) {
            udp(server, ResponderTest.query("Web.service.consul.", Type.A, -1));
            tcp(server, ResponderTest.query("nothing.consul.", Type.SRV, -1));
            udp(server, ResponderTest.query("example.com.", Type.AAAA, -1));
        }
        assertEquals(
                Set.of("UDP 127.0.0.1 Web.service.consul. A NOERROR 2", "TCP 127.0.0.1 nothing.consul. SRV NXDOMAIN 0", "UDP 127.0.0.1 example.com. AAAA REFUSED 0"),
                Set.copyOf(seen));
        assertEquals(3, seen.size());
    }

    // TCP.

    @Test
    void answersPipelinedQueriesHoweverTheyAreCut() throws IOException {
        try (var server = start(SETTINGS, QueryLog.NONE); var socket = connect(server)) {
            ByteBuffer stream = ByteBuffer.allocate(8000);
            for (int i = 0; i < 100; i++) {
                byte[] query = withId(ResponderTest.query(i % 2 == 0 ? "web.service.consul." : "many.service.consul.", Type.SRV, -1), i);
                stream.putShort((short) query.length).put(query);
            }
            OutputStream out = socket.getOutputStream();
            int from = 0;
            for (int step = 1; from < stream.position(); step = step * 2 + 1) {
                int length = Math.min(step, stream.position() - from);
                out.write(stream.array(), from, length);
                out.flush();
                from += length;
            }
            var in = new DataInputStream(socket.getInputStream());
            for (int i = 0; i < 100; i++) {
                byte[] answer = new byte[in.readUnsignedShort()];
                in.readFully(answer);
                assertEquals(i, Query.u16(answer, 0));
                assertEquals(i % 2 == 0 ? 2 : 600, new Message(answer).getSection(Section.ANSWER).size());
            }
        }
    }

    @Test
    void holdsLittleForAClientThatDoesNotReadAndEndsIt() throws Exception {
        try (var server = start(SETTINGS, QueryLog.NONE); var socket = connect(server)) {
            byte[] query = ResponderTest.query("many.service.consul.", Type.SRV, -1).toWire();
            ByteBuffer framed = ByteBuffer.allocate(2 + query.length).putShort((short) query.length).put(query);
            // Each asks for 42 kB: without back-pressure the server would hold all the answers.
            assertThrows(SocketException.class, () -> {
                for (int i = 0; i < 2_000_000; i++) {
                    socket.getOutputStream().write(framed.array());
                }
            });
            assertTrue(server.counters().answered(QueryRecord.Transport.TCP, Rcode.NOERROR) < 2000);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0000", "000b0000000000000000000000", "ffff", "000c0000800000010000000000000000"})
    void endsAConnectionThatSpeaksNoDns(String hex) throws IOException {
        try (var server = start(DnsSettings.DEFAULT, QueryLog.NONE); var socket = connect(server)) {
            socket.getOutputStream().write(java.util.HexFormat.of().parseHex(hex));
            assertEquals(-1, socket.getInputStream().read());
        }
    }

    @Test
    void endsIdleAndSlowConnections() throws IOException {
        try (var server = start(SETTINGS, QueryLog.NONE); var silent = connect(server); var slow = connect(server); var idle = connect(server)) {
            slow.getOutputStream().write(new byte[] {0, 40, 1});
            ask(idle, ResponderTest.query("web.service.consul.", Type.A, -1));
            for (Socket each : List.of(silent, slow, idle)) {
                assertEquals(-1, each.getInputStream().read());
            }
        }
    }

    @Test
    void closesConnectionsBeyondTheLimit() throws IOException {
        var settings = DnsSettings.DEFAULT.withStreams(new StreamLimits(2, 2, 100, Duration.ofSeconds(20), Duration.ofSeconds(20)));
        try (var server = start(settings, QueryLog.NONE); var first = connect(server); var second = connect(server)) {
            ask(first, ResponderTest.query("web.service.consul.", Type.A, -1));
            ask(second, ResponderTest.query("web.service.consul.", Type.A, -1));
            try (var third = connect(server)) {
                assertEquals(-1, third.getInputStream().read());
            }
            assertEquals(1, server.counters().connectionsRejected());
            assertEquals(2, server.connections());
        }
    }

    @Test
    void sendsAnswersOnTheirWayBeforeItCloses() throws IOException {
        var server = start(DnsSettings.DEFAULT, QueryLog.NONE);
        try (var socket = connect(server)) {
            ask(socket, ResponderTest.query("many.service.consul.", Type.SRV, -1));
            server.close();
            assertEquals(-1, socket.getInputStream().read());
        }
        assertThrows(IOException.class, () -> new Socket().connect(server.localAddress(), 1000));
    }

    // Opening.

    @Test
    void saysWhichAddressIsTaken() throws IOException {
        try (var taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), taken.getLocalPort());
            IOException e = assertThrows(IOException.class, () -> DnsServer.start(address, group, () -> zone, SETTINGS, QueryLog.NONE));
            assertTrue(String.valueOf(e.getMessage()).startsWith("dns: cannot listen on 127.0.0.1:" + taken.getLocalPort() + "/tcp: "), e.getMessage());
            assertFalse(String.valueOf(e.getMessage()).contains("\n"));
        }
    }

    @Test
    void doesNotJoinTheSocketsOfAnotherServer() throws IOException {
        try (var stranger = new DatagramSocket(null)) {
            stranger.setOption(java.net.StandardSocketOptions.SO_REUSEPORT, true);
            stranger.bind(ANY_PORT);
            var address = new InetSocketAddress(InetAddress.getLoopbackAddress(), stranger.getLocalPort());
            IOException e = assertThrows(IOException.class, () -> DnsServer.start(address, group, () -> zone, SETTINGS, QueryLog.NONE));
            assertTrue(String.valueOf(e.getMessage()).contains(stranger.getLocalPort() + "/udp: "), e.getMessage());
        }
    }

    // A real client.

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            +short web.service.consul A                            | 10.0.0.1 10.0.0.2
            +short +tcp web.service.consul A                       | 10.0.0.1 10.0.0.2
            +short -x 10.0.0.1                                     | node1.node.consul.
            +short ns.consul                                       | 127.0.0.1
            +noall +comments +bufsize=4096 none.service.consul     | NXDOMAIN 1232
            +noall +comments +edns=1 +noednsneg web.service.consul | BADVERS
            +noall +comments +dnssec web.service.consul            | NOERROR do
            +noall +comments +noedns +ignore many.service.consul   | NOERROR tc
            +noall +comments +noedns many.service.consul           | ANSWER:_600
            +noall +comments +opcode=NOTIFY web.service.consul     | NOTIMP
            +noall +comments example.com                           | REFUSED
            +noall +comments +header-only web.service.consul       | FORMERR
            """)
    void digReadsIt(String arguments, String expected) throws Exception {
        Assumptions.assumeTrue(onPath("dig"), "dig is not installed");
        try (var server = start(DnsSettings.DEFAULT, QueryLog.NONE)) {
            List<String> command = new java.util.ArrayList<>(List.of("dig", "@127.0.0.1", "-p", String.valueOf(server.localAddress().getPort()), "+norec", "+tries=1", "+time=5"));
            command.addAll(List.of(arguments.split(" ")));
            Process dig = new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(dig.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
            assertEquals(0, dig.waitFor(), output);
            for (String each : List.of(expected.split(" "))) {
                assertTrue(output.contains(each.replace('_', ' ')), () -> output + "(expected: " + each + ")");
            }
            assertFalse(output.contains("malformed"), output);
        }
    }

    private static boolean onPath(String program) {
        return Arrays.stream(System.getenv("PATH").split(":")).anyMatch(dir -> java.nio.file.Files.isExecutable(java.nio.file.Path.of(dir, program)));
    }

    private DnsServer start(DnsSettings settings, QueryLog log) throws IOException {
        return start(group, settings, log);
    }

    private DnsServer start(EventLoopGroup loops, DnsSettings settings, QueryLog log) throws IOException {
        return DnsServer.start(ANY_PORT, loops, () -> zone, settings, log);
    }

    private static Socket connect(DnsServer server) throws IOException {
        var socket = new Socket();
        socket.connect(server.localAddress());
        socket.setSoTimeout(10_000);
        return socket;
    }

    private static byte[] withId(Message query, int id) {
        query.getHeader().setID(id);
        return query.toWire();
    }

    private static void send(DatagramSocket socket, DnsServer server, byte[] bytes) throws IOException {
        socket.send(new DatagramPacket(bytes, bytes.length, server.localAddress()));
    }

    private static byte[] receive(DatagramSocket socket) throws IOException {
        var packet = new DatagramPacket(new byte[65535], 65535);
        socket.receive(packet);
        return Arrays.copyOf(packet.getData(), packet.getLength());
    }

    private static Message udp(DnsServer server, Message query) throws IOException {
        try (var socket = new DatagramSocket()) {
            socket.setSoTimeout(5000);
            send(socket, server, query.toWire());
            Message answer = new Message(receive(socket));
            assertEquals(query.getHeader().getID(), answer.getHeader().getID());
            assertFalse(answer.getHeader().getFlag(Flags.TC));
            return answer;
        }
    }

    private static Message tcp(DnsServer server, Message query) throws IOException {
        try (var socket = connect(server)) {
            return ask(socket, query);
        }
    }

    private static Message ask(Socket socket, Message query) throws IOException {
        byte[] bytes = query.toWire();
        socket.getOutputStream().write(ByteBuffer.allocate(2 + bytes.length).putShort((short) bytes.length).put(bytes).array());
        var in = new DataInputStream(socket.getInputStream());
        byte[] answer = new byte[in.readUnsignedShort()];
        in.readFully(answer);
        return new Message(answer);
    }
}
