package dev.gatepost.gateway.catalog;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketOption;
import java.util.Map;
import java.util.Objects;
import org.apache.http.HttpHost;
import org.apache.http.conn.socket.ConnectionSocketFactory;
import org.apache.http.conn.socket.PlainConnectionSocketFactory;
import org.apache.http.protocol.HttpContext;
import org.jspecify.annotations.Nullable;

/// TCP connections to an agent of which the kernel finds out within five seconds that they went deaf: a cut cable, or a
/// router that forgot them, tells nobody, and over HTTP/1.1 whoever waits for an answer has nothing to send.
final class ConsulSockets implements ConnectionSocketFactory {
    /// Seconds of silence before the first probe, seconds between probes, and how many go unanswered. The JDK knows these
    /// options by their names alone where its module jdk.net is not there.
    private static final Map<String, Integer> PROBES = Map.of("TCP_KEEPIDLE", 2, "TCP_KEEPINTERVAL", 1, "TCP_KEEPCOUNT", 3);

    private static final PlainConnectionSocketFactory PLAIN = PlainConnectionSocketFactory.getSocketFactory();

    /// Where the system has no such options, its own apply: two hours on Linux.
    @SuppressWarnings("unchecked") // these are numbers
    static Socket probed(Socket socket) throws IOException {
        socket.setKeepAlive(true);
        for (SocketOption<?> option : socket.supportedOptions()) {
            if (PROBES.containsKey(option.name())) {
                socket.setOption((SocketOption<Integer>) option, Objects.requireNonNull(PROBES.get(option.name())));
            }
        }
        return socket;
    }

    @Override
    public Socket createSocket(HttpContext context) throws IOException {
        return probed(PLAIN.createSocket(context));
    }

    @Override
    public Socket connectSocket(
            int timeoutMillis, Socket socket, HttpHost host, InetSocketAddress remote, @Nullable InetSocketAddress local, HttpContext context)
            throws IOException {
        return PLAIN.connectSocket(timeoutMillis, socket, host, remote, local, context);
    }
}
