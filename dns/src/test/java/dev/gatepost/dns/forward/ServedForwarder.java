package dev.gatepost.dns.forward;

import dev.gatepost.dns.DnsServer;
import dev.gatepost.dns.DnsSettings;
import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Origin;
import dev.gatepost.dns.QueryLog;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rdata;
import dev.gatepost.dns.Zone;
import dev.gatepost.dns.forward.ForwardCounters.Event;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.nio.NioIoHandler;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.xbill.DNS.DClass;
import org.xbill.DNS.ExtendedErrorCodeOption;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;

/// A server of the zone `consul` that forwards everything else, on real sockets, and a client of it.
final class ServedForwarder implements AutoCloseable {
    private final EventLoopGroup loops;
    private final Forwarder forwarder;
    private final DnsServer server;

    private ServedForwarder(ForwardSettings settings, int threads, QueryLog log) throws IOException {
        loops = new MultiThreadIoEventLoopGroup(threads, Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
        forwarder = Forwarder.open(settings);
        Zone zone = Zone.of(
                Stream.concat(Stream.of(new Origin(DomainName.of("consul"), false)), Origin.privateReverse().stream()).toList(),
                        new Zone.Authority("ns", List.of(), Duration.ofSeconds(5), Duration.ofSeconds(1)))
                .change()
                .put(DomainName.of("external.service.consul"), RRset.of(Duration.ofSeconds(5), List.of(new Rdata.Cname(DomainName.of("www.example.com")))))
                .build(1);
        server = DnsServer.start(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), loops, () -> zone, forwarder, DnsSettings.DEFAULT, log);
    }

    static ServedForwarder start(ForwardSettings settings) throws IOException {
        return new ServedForwarder(settings, 1, QueryLog.NONE);
    }

    static ServedForwarder start(ForwardSettings settings, int threads, QueryLog log) throws IOException {
        return new ServedForwarder(settings, threads, log);
    }

    /// Asks those about everything.
    static ServedForwarder to(Upstream... upstreams) throws IOException {
        return start(ForwardSettings.of(List.of(zone(".", upstreams))));
    }

    static ForwardZone zone(String name, Upstream... upstreams) {
        return new ForwardZone(DomainName.of(name), List.of(upstreams), false);
    }

    InetSocketAddress address() {
        return server.localAddress();
    }

    Forwarder forwarder() {
        return forwarder;
    }

    long count(Event event) {
        return forwarder.counters().count(event);
    }

    /// With EDNS.
    Message ask(String name, int type) throws IOException {
        Message query = query(name, type);
        query.addRecord(new OPTRecord(1232, 0, 0, 0), Section.ADDITIONAL);
        return udp(query);
    }

    static Message query(String name, int type) {
        return Message.newQuery(Record.newRecord(ScriptedUpstream.name(name), type, DClass.IN));
    }

    Message udp(Message query) throws IOException {
        try (var socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            socket.setSoTimeout(8000);
            byte[] bytes = query.toWire();
            socket.send(new DatagramPacket(bytes, bytes.length, address()));
            var packet = new DatagramPacket(new byte[65535], 65535);
            socket.receive(packet);
            return checked(query, Arrays.copyOf(packet.getData(), packet.getLength()));
        }
    }

    Message tcp(Message query) throws IOException {
        try (var socket = new Socket(address().getAddress(), address().getPort())) {
            socket.setSoTimeout(8000);
            byte[] bytes = query.toWire();
            socket.getOutputStream().write(ByteBuffer.allocate(2 + bytes.length).putShort((short) bytes.length).put(bytes).array());
            var in = new DataInputStream(socket.getInputStream());
            byte[] answer = new byte[in.readUnsignedShort()];
            in.readFully(answer);
            return checked(query, answer);
        }
    }

    private static Message checked(Message query, byte[] bytes) throws IOException {
        Message answer = new Message(bytes);
        if (answer.getHeader().getID() != query.getHeader().getID()
                || !answer.getHeader().getFlag(Flags.RA)
                || !answer.getQuestion().getName().toString().equals(query.getQuestion().getName().toString())) {
            throw new AssertionError("not the answer to " + query + ": " + answer);
        }
        return answer;
    }

    /// The records of a section as text, without blanks in a row.
    static List<String> lines(Message message, int section) {
        return message.getSection(section).stream()
                .filter(record -> !(record instanceof OPTRecord))
                .map(record -> record.toString().replaceAll("\\s+", " "))
                .toList();
    }

    static List<String> answers(Message message) {
        return lines(message, Section.ANSWER).stream().sorted().toList();
    }

    /// The extended error's code, or -1.
    static int extendedError(Message message) {
        return message.getOPT() == null
                ? -1
                : message.getOPT().getOptions(15).stream().map(option -> ((ExtendedErrorCodeOption) option).getErrorCode()).findFirst().orElse(-1);
    }

    static String extendedErrorText(Message message) {
        return message.getOPT().getOptions(15).stream().map(option -> String.valueOf(((ExtendedErrorCodeOption) option).getText())).findFirst().orElse("");
    }

    @Override
    public void close() {
        server.close();
        forwarder.close();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }
}
