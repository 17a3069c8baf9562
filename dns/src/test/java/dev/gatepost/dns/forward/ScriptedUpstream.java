package dev.gatepost.dns.forward;

import java.io.DataInputStream;
import java.io.EOFException;
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
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.TextParseException;
import org.xbill.DNS.Type;

/// An upstream by UDP and TCP on one port that says whatever the test wants it to, well or badly formed.
final class ScriptedUpstream implements AutoCloseable {
    /// What it sends to a query.
    @FunctionalInterface
    interface Script {
        /// @return messages to send, one after the other; none to stay silent
        List<byte[]> answer(Message query, boolean tcp) throws IOException;
    }

    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private final DatagramSocket udp;
    private final ServerSocket tcp;
    /// As they came: `NAME TYPE`, by TCP with `/tcp` behind.
    final List<String> seen = new CopyOnWriteArrayList<>();
    final List<Message> messages = new CopyOnWriteArrayList<>();
    final List<Integer> sourcePorts = new CopyOnWriteArrayList<>();
    private volatile Script script;
    private volatile IntConsumer onPort = _ -> {};

    private ScriptedUpstream(DatagramSocket udp, ServerSocket tcp, Script script) {
        this.udp = udp;
        this.tcp = tcp;
        this.script = script;
        Thread.ofVirtual().start(this::serveUdp);
        Thread.ofVirtual().start(this::accept);
    }

    static ScriptedUpstream start(Script script) throws IOException {
        return start(0, script);
    }

    static ScriptedUpstream start(int port, Script script) throws IOException {
        for (int attempt = 0; ; attempt++) {
            ServerSocket tcp = new ServerSocket();
            tcp.setReuseAddress(true);
            tcp.bind(new InetSocketAddress(LOOPBACK, port));
            try {
                return new ScriptedUpstream(new DatagramSocket(new InetSocketAddress(LOOPBACK, tcp.getLocalPort())), tcp, script);
            } catch (SocketException e) {
                tcp.close();
                if (port != 0 || attempt == 16) {
                    throw e;
                }
            }
        }
    }

    /// Answers every question with the same records, in zone file format; a relative name is the one asked for as `@`.
    static Script says(String... records) {
        return (query, _) -> List.of(reply(query, Rcode.NOERROR, records).toWire());
    }

    static Message reply(Message query, int rcode, String... records) throws IOException {
        Message reply = new Message(query.getHeader().getID());
        reply.getHeader().setFlag(Flags.QR);
        reply.getHeader().setFlag(Flags.RA);
        reply.getHeader().setFlag(Flags.RD);
        reply.getHeader().setRcode(rcode);
        reply.addRecord(query.getQuestion(), Section.QUESTION);
        for (String each : records) {
            add(reply, query.getQuestion().getName(), each);
        }
        return reply;
    }

    /// `answer NAME TTL TYPE RDATA`, or `authority ...` or `additional ...`; NAME may be `@`.
    private static void add(Message reply, Name asked, String line) throws IOException {
        String[] words = line.split(" ", 5);
        int section = switch (words[0]) {
            case "answer" -> Section.ANSWER;
            case "authority" -> Section.AUTHORITY;
            case "additional" -> Section.ADDITIONAL;
            default -> throw new IllegalArgumentException(line);
        };
        Name owner = words[1].equals("@") ? asked : name(words[1]);
        reply.addRecord(Record.fromString(owner, Type.value(words[3]), DClass.IN, Long.parseLong(words[2]), words[4], Name.root), section);
    }

    static Name name(String text) {
        try {
            return Name.fromString(text, Name.root);
        } catch (TextParseException e) {
            throw new IllegalArgumentException(text, e);
        }
    }

    /// Told of the port that each datagram comes from, before it is answered.
    void onPort(IntConsumer told) {
        onPort = told;
    }

    /// By UDP alone, and without a look at the message.
    static Raw raw(BiConsumer<byte[], Consumer<byte[]>> received) throws IOException {
        return new Raw(new DatagramSocket(new InetSocketAddress(LOOPBACK, 0)), received);
    }

    /// Hands each datagram on, with a way to answer it.
    static final class Raw implements AutoCloseable {
        private final DatagramSocket socket;

        private Raw(DatagramSocket socket, BiConsumer<byte[], Consumer<byte[]>> received) {
            this.socket = socket;
            Thread.ofVirtual().start(() -> serve(received));
        }

        private void serve(BiConsumer<byte[], Consumer<byte[]>> received) {
            try {
                while (true) {
                    var packet = new DatagramPacket(new byte[4096], 4096);
                    socket.receive(packet);
                    received.accept(Arrays.copyOf(packet.getData(), packet.getLength()), answer -> send(answer, packet));
                }
            } catch (IOException _) {
                // Closed.
            }
        }

        private void send(byte[] answer, DatagramPacket to) {
            try {
                socket.send(new DatagramPacket(answer, answer.length, to.getSocketAddress()));
            } catch (IOException _) {
                // Closed.
            }
        }

        InetSocketAddress address() {
            return new InetSocketAddress(LOOPBACK, socket.getLocalPort());
        }

        @Override
        public void close() {
            socket.close();
        }
    }

    void script(Script next) {
        script = next;
    }

    InetSocketAddress address() {
        return new InetSocketAddress(LOOPBACK, udp.getLocalPort());
    }

    Upstream upstream() {
        return Upstream.plain(address());
    }

    private List<byte[]> answer(byte[] query, boolean byTcp) throws IOException {
        Message message = new Message(query);
        if (message.getQuestion().getType() == Type.HINFO) {
            // Looks for a loop.
            return List.of(reply(message, Rcode.NXDOMAIN).toWire());
        }
        seen.add(message.getQuestion().getName() + " " + Type.string(message.getQuestion().getType()) + (byTcp ? "/tcp" : ""));
        messages.add(message);
        return script.answer(message, byTcp);
    }

    private void serveUdp() {
        var packet = new DatagramPacket(new byte[4096], 4096);
        try {
            while (true) {
                packet.setLength(4096);
                udp.receive(packet);
                onPort.accept(packet.getPort());
                int before = seen.size();
                List<byte[]> answers = answer(Arrays.copyOf(packet.getData(), packet.getLength()), false);
                if (seen.size() > before) {
                    sourcePorts.add(packet.getPort());
                }
                for (byte[] each : answers) {
                    udp.send(new DatagramPacket(each, each.length, packet.getSocketAddress()));
                }
            }
        } catch (IOException _) {
            // Closed.
        }
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = tcp.accept();
                Thread.ofVirtual().start(() -> serveTcp(socket));
            }
        } catch (IOException _) {
            // Closed.
        }
    }

    private void serveTcp(Socket socket) {
        try (socket) {
            var in = new DataInputStream(socket.getInputStream());
            OutputStream out = socket.getOutputStream();
            while (true) {
                byte[] query = new byte[in.readUnsignedShort()];
                in.readFully(query);
                for (byte[] each : answer(query, true)) {
                    out.write(ByteBuffer.allocate(2 + each.length).putShort((short) each.length).put(each).array());
                }
            }
        } catch (EOFException _) {
            // The client is done.
        } catch (IOException _) {
            // Closed.
        }
    }

    @Override
    public void close() throws IOException {
        udp.close();
        tcp.close();
    }
}
