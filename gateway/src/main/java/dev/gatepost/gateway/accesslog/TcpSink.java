package dev.gatepost.gateway.accesslog;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Optional;

/// JSON lines over TCP, as Logstash's `json_lines` and most shippers take them. The connection is made at the first line and
/// made anew when it breaks, beginning with a whole line; what the peer's kernel had accepted and lost is not known to us.
final class TcpSink implements Sink {
    private static final int CONNECT_MILLIS = Math.toIntExact(Duration.ofSeconds(2).toMillis());

    private final InetSocketAddress unresolved;
    private final ByteBuffer ignored = ByteBuffer.allocate(512);
    private Optional<SocketChannel> connection = Optional.empty();

    TcpSink(InetSocketAddress unresolved) {
        this.unresolved = unresolved;
    }

    @Override
    public void write(ByteBuffer lines) throws IOException {
        try {
            SocketChannel channel = connected(lines);
            while (lines.hasRemaining()) {
                channel.write(lines);
            }
        } catch (IOException e) {
            close();
            Lines.rewind(lines);
            throw e;
        }
    }

    /// A peer that went away is noticed before the batch is spent on it.
    private SocketChannel connected(ByteBuffer lines) throws IOException {
        if (connection.isPresent() && hungUp(connection.get())) {
            close();
            Lines.rewind(lines);
        }
        if (connection.isEmpty()) {
            SocketChannel fresh = SocketChannel.open();
            connection = Optional.of(fresh);
            // Resolved again at each connect: a shipper may come back elsewhere.
            InetSocketAddress peer = new InetSocketAddress(unresolved.getHostString(), unresolved.getPort());
            if (peer.isUnresolved()) {
                throw new IOException("unknown host");
            }
            fresh.socket().connect(peer, CONNECT_MILLIS);
        }
        return connection.get();
    }

    private boolean hungUp(SocketChannel channel) {
        try {
            channel.configureBlocking(false);
            try {
                int read = channel.read(ignored.clear());
                return read < 0;
            } finally {
                channel.configureBlocking(true);
            }
        } catch (IOException _) {
            return true;
        }
    }

    @Override
    public void close() {
        try {
            if (connection.isPresent()) {
                connection.get().close();
            }
        } catch (IOException _) {
            // It was to be given up anyway.
        }
        connection = Optional.empty();
    }

    @Override
    public String toString() {
        return "tcp://" + unresolved.getHostString() + ":" + unresolved.getPort();
    }
}
