package dev.gatepost.gateway;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/// Sends queries as they are, byte for byte, to one server, and gives what comes back.
final class DnsClient implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 3000;
    private static final int SHORT_PATIENCE_MILLIS = 80;

    private final InetSocketAddress server;
    private final DatagramSocket udp;
    private Optional<Socket> tcp = Optional.empty();

    DnsClient(InetSocketAddress server) {
        this.server = server;
        try {
            udp = new DatagramSocket();
            udp.connect(server);
            udp.setReceiveBufferSize(1 << 20);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Empty when nothing comes back.
    ///
    /// @param mayBeSilent no answer is one of the things that can happen
    Optional<byte[]> ask(byte[] query, boolean stream, boolean mayBeSilent) {
        try {
            int patience = mayBeSilent ? SHORT_PATIENCE_MILLIS : PATIENCE_MILLIS;
            return stream ? overTcp(query, patience) : overUdp(query, patience);
        } catch (SocketTimeoutException _) {
            dropTcp();
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Optional<byte[]> overUdp(byte[] query, int patience) throws IOException {
        udp.setSoTimeout(patience);
        udp.send(new DatagramPacket(query, query.length));
        while (true) {
            var reply = new DatagramPacket(new byte[65535], 65535);
            udp.receive(reply);
            if (reply.getData()[0] == query[0] && reply.getData()[1] == query[1]) { // else one that was given up on
                return Optional.of(Arrays.copyOf(reply.getData(), reply.getLength()));
            }
        }
    }

    /// One connection for all; the server may have closed it in between.
    private Optional<byte[]> overTcp(byte[] query, int patience) throws IOException {
        for (int attempt = 0; ; attempt++) {
            boolean kept = tcp.isPresent();
            Socket socket = kept ? tcp.get() : new Socket(server.getAddress(), server.getPort());
            tcp = Optional.of(socket);
            try {
                socket.setSoTimeout(patience);
                socket.setTcpNoDelay(true);
                socket.getOutputStream().write(ByteBuffer.allocate(query.length + 2).putShort((short) query.length).put(query).array());
                var in = new DataInputStream(socket.getInputStream());
                byte[] reply = new byte[in.readUnsignedShort()];
                in.readFully(reply);
                return Optional.of(reply);
            } catch (SocketTimeoutException e) {
                throw e;
            } catch (IOException e) {
                dropTcp();
                if (!kept || attempt > 0) {
                    return Optional.empty();
                }
            }
        }
    }

    private void dropTcp() {
        tcp.ifPresent(socket -> {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        tcp = Optional.empty();
    }

    @Override
    public void close() {
        udp.close();
        dropTcp();
    }
}
