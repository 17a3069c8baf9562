package dev.gatepost.gateway.catalog;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.Map;
import java.util.TreeMap;
import org.apache.http.HttpHost;
import org.apache.http.protocol.BasicHttpContext;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class ConsulSocketsTest {
    @Test
    void theKernelNoticesWithinFiveSecondsThatAConnectionWentDeaf() throws Exception {
        ConsulSockets sockets = new ConsulSockets();
        var context = new BasicHttpContext();
        try (ServerSocket agent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket socket = sockets.connectSocket(
                        1000, sockets.createSocket(context), HttpHost.create("127.0.0.1"), new InetSocketAddress(agent.getInetAddress(), agent.getLocalPort()), null, context)) {
            assertTrue(socket.getOption(StandardSocketOptions.SO_KEEPALIVE));
            Map<String, Object> probes = new TreeMap<>();
            for (SocketOption<?> option : socket.supportedOptions()) {
                if (option.name().startsWith("TCP_KEEP")) {
                    probes.put(option.name(), socket.getOption(option));
                }
            }
            assertEquals(Map.of("TCP_KEEPCOUNT", 3, "TCP_KEEPIDLE", 2, "TCP_KEEPINTERVAL", 1), probes);
        }
    }
}
