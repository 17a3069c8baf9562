package dev.gatepost.dns;

import dev.gatepost.dns.access.Access;
import dev.gatepost.dns.access.Access.Admission;
import dev.gatepost.dns.access.AddressBlock;
import dev.gatepost.dns.access.AddressSet;
import dev.gatepost.dns.access.ResponseRates;
import dev.gatepost.dns.forward.Await;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.xbill.DNS.EDNSOption;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Who is answered, by the address that a query comes from: all of 127.0.0.0/8 is this machine.
@Timeout(30)
class AccessControlTest {
    private static final InetAddress KNOWN = InetAddress.ofLiteral("127.0.0.1");
    private static final InetAddress GUEST = InetAddress.ofLiteral("127.0.0.2");
    private static final InetAddress STRANGER = InetAddress.ofLiteral("127.0.0.3");
    private static final List<AddressBlock> KNOWN_AND_GUEST = List.of(block(KNOWN), block(GUEST));

    private final Zone zone = TestZones.sample();
    private final AtomicInteger asked = new AtomicInteger();
    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());

    @AfterEach
    void stop() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    @Test
    void refusesAStrangerAndSaysWhy() throws IOException {
        try (var server = start(Admission.REFUSED)) {
            for (Message answer : List.of(udp(server, STRANGER, "web.service.consul.", 1232), tcp(server, STRANGER, "web.service.consul."))) {
                assertEquals(org.xbill.DNS.Rcode.REFUSED, answer.getRcode());
                assertTrue(answer.getSection(Section.ANSWER).isEmpty());
                var why = (ExtendedErrorCodeOption) answer.getOPT().getOptions(EDNSOption.Code.EDNS_EXTENDED_ERROR).getFirst();
                assertEquals(18, why.getErrorCode());
                assertEquals("not in dns.allow", why.getText());
            }
            assertNull(udp(server, STRANGER, "web.service.consul.", -1).getOPT());
            assertEquals(2, udp(server, KNOWN, "web.service.consul.", 1232).getSection(Section.ANSWER).size());
            Await.until("denied", () -> server.counters().denied() == 3);
        }
    }

    @Test
    void saysNothingToAStrangerWhereThatIsWanted() throws IOException {
        try (var server = start(Admission.IGNORED); var stranger = new DatagramSocket(new InetSocketAddress(STRANGER, 0))) {
            byte[] query = ResponderTest.query("web.service.consul.", Type.A, 1232).toWire();
            stranger.send(new DatagramPacket(query, query.length, server.localAddress()));
            Await.until("denied and dropped", () -> server.counters().denied() == 1 && server.counters().dropped() == 1);
            stranger.setSoTimeout(1);
            assertThrows(SocketTimeoutException.class, () -> stranger.receive(new DatagramPacket(new byte[512], 512)));
            try (var socket = connection(server, STRANGER)) {
                send(socket, query);
                assertEquals(-1, socket.getInputStream().read(), "the connection ends");
            }
        }
    }

    @Test
    void answersAGuestAboutItsOwnNamesAlone() throws IOException {
        try (var server = start(Admission.REFUSED)) {
            Message own = udp(server, GUEST, "web.service.consul.", 1232);
            assertEquals(2, own.getSection(Section.ANSWER).size());
            assertFalse(own.getHeader().getFlag(Flags.RA), "no recursion for this client");
            Message other = udp(server, GUEST, "www.example.com.", 1232);
            assertEquals(org.xbill.DNS.Rcode.REFUSED, other.getRcode());
            var why = (ExtendedErrorCodeOption) other.getOPT().getOptions(EDNSOption.Code.EDNS_EXTENDED_ERROR).getFirst();
            assertEquals("not in dns.allow-forwarding", why.getText());
            Message alias = udp(server, GUEST, "external.service.consul.", 1232);
            assertEquals(1, alias.getSection(Section.ANSWER).size(), "the alias, which leads out, is not followed");
            Message reverse = udp(server, GUEST, "9.0.0.10.in-addr.arpa.", 1232);
            assertEquals(org.xbill.DNS.Rcode.NXDOMAIN, reverse.getRcode(), "shared names are answered from what is ours");

            assertTrue(udp(server, KNOWN, "web.service.consul.", 1232).getHeader().getFlag(Flags.RA));
            assertEquals(org.xbill.DNS.Rcode.SERVFAIL, udp(server, KNOWN, "www.example.com.", 1232).getRcode(), "what the agent says");
            assertEquals(org.xbill.DNS.Rcode.SERVFAIL, udp(server, GUEST, "late.example.com.", 1232).getRcode(), "a name that is ours, though somebody is asked");
        }
    }

    @Test
    void asksNobodyForAGuestWhoseNameIsDelegatedOrInTheSearchList() throws IOException {
        Zone delegating = zone.change().put(DomainName.of("away.consul"), TestZones.sets(new Rdata.Ns(DomainName.of("ns.away.test"), List.of()))).build(2)
                .searched(List.of(DomainName.of("consul"), DomainName.of("service.consul")));
        try (var server = start(delegating, Admission.REFUSED)) {
            Message referral = udp(server, GUEST, "www.away.consul.", 1232);
            assertEquals(org.xbill.DNS.Rcode.NOERROR, referral.getRcode());
            assertEquals(1, referral.getSection(Section.AUTHORITY).size(), "who else to ask");
            Message missing = udp(server, GUEST, "www.example.com.consul.", 1232);
            assertEquals(org.xbill.DNS.Rcode.NXDOMAIN, missing.getRcode());
            assertTrue(missing.getSection(Section.ANSWER).isEmpty());
            assertEquals(0, asked.get());
            assertEquals(org.xbill.DNS.Rcode.SERVFAIL, udp(server, KNOWN, "www.away.consul.", 1232).getRcode(), "what the agent says");
            assertEquals(org.xbill.DNS.Rcode.NXDOMAIN, udp(server, KNOWN, "www.example.com.consul.", 1232).getRcode());
            assertEquals(2, asked.get());
        }
    }

    @Test
    void saysWhatStrangersCouldDo() {
        var usual = DnsSettings.DEFAULT;
        var open = usual.withAccess(new Access(AddressSet.ALL_NETWORKS, AddressSet.PRIVATE_NETWORKS, Admission.REFUSED));
        var wideOpen = usual.withAccess(Access.EVERYBODY);
        assertEquals(Optional.empty(), usual.exposure(true));
        assertTrue(open.exposure(true).orElseThrow().startsWith("dns: dns.allow admits the whole internet and dns.rate-limit is 0"));
        assertTrue(wideOpen.exposure(false).orElseThrow().startsWith("dns: dns.allow admits the whole internet and dns.rate-limit is 0"));
        assertTrue(wideOpen.exposure(true).orElseThrow().startsWith("dns: an open resolver: dns.allow and dns.allow-forwarding"));
        assertEquals(Optional.empty(), wideOpen.withRates(new ResponseRates(20, AddressSet.NOBODY)).exposure(true));
        assertEquals(Optional.empty(), wideOpen.withCookies(CookieSecrets.random(), true).exposure(true));
    }

    private DnsServer start(Admission others) throws IOException {
        return start(zone, others);
    }

    private DnsServer start(Zone served, Admission others) throws IOException {
        var access = new Access(KNOWN_AND_GUEST, List.of(block(KNOWN)), others);
        return DnsServer.start(
                new InetSocketAddress(KNOWN, 0), loops, () -> served, _ -> failing, DnsSettings.DEFAULT.withAccess(access), QueryLog.NONE);
    }

    /// Answers SERVFAIL to everything, and takes one name for its own.
    private final Outside.Agent failing = new Outside.Agent() {
        @Override
        public boolean covers(byte[] bytes, int nameAt, int nameLength) {
            return true;
        }

        @Override
        public boolean isOwn(byte[] bytes, int nameAt, int nameLength) {
            return bytes[nameAt + 1] == 'l';
        }

        @Override
        public boolean answer(Query query, byte[] in, byte[] out, int from, int to, Relay relay) {
            asked.incrementAndGet();
            relay.end = from;
            relay.rcode = Rcode.SERVFAIL;
            return true;
        }

        @Override
        public void ask(Outside.Asker asker) {
            throw new IllegalStateException("everything is answered at once");
        }
    };

    private static AddressBlock block(InetAddress address) {
        return new AddressBlock(address, 32, true);
    }

    private static Message udp(DnsServer server, InetAddress client, String name, int bufferSize) throws IOException {
        try (var socket = new DatagramSocket(new InetSocketAddress(client, 0))) {
            socket.setSoTimeout(10_000);
            byte[] query = ResponderTest.query(name, Type.value(name.endsWith("arpa.") ? "PTR" : "A"), bufferSize).toWire();
            query[2] |= 1; // RD
            socket.send(new DatagramPacket(query, query.length, server.localAddress()));
            var packet = new DatagramPacket(new byte[4096], 4096);
            socket.receive(packet);
            return new Message(Arrays.copyOf(packet.getData(), packet.getLength()));
        }
    }

    private static Message tcp(DnsServer server, InetAddress client, String name) throws IOException {
        try (var socket = connection(server, client)) {
            send(socket, ResponderTest.query(name, Type.A, 1232).toWire());
            var in = new java.io.DataInputStream(socket.getInputStream());
            byte[] answer = new byte[in.readUnsignedShort()];
            in.readFully(answer);
            return new Message(answer);
        }
    }

    private static Socket connection(DnsServer server, InetAddress client) throws IOException {
        var socket = new Socket();
        socket.bind(new InetSocketAddress(client, 0));
        socket.connect(server.localAddress());
        socket.setSoTimeout(10_000);
        return socket;
    }

    private static void send(Socket socket, byte[] query) throws IOException {
        socket.getOutputStream().write(ByteBuffer.allocate(2 + query.length).putShort((short) query.length).put(query).array());
    }
}
