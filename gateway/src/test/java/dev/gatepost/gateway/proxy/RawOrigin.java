package dev.gatepost.gateway.proxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ServerSocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocket;

import static org.junit.jupiter.api.Assertions.assertNotNull;

/// An endpoint that does what a test scripts, byte by byte. Either the test accepts connections and plays the server itself,
/// or a script plays it on each connection.
final class RawOrigin implements AutoCloseable {
    /// Plays the server on one connection.
    interface Script {
        void play(RawClient connection, int number) throws IOException;
    }

    private final ServerSocket listener;
    private final BlockingQueue<RawClient> accepted = new LinkedBlockingQueue<>();
    final AtomicInteger connections = new AtomicInteger();

    private RawOrigin(Script script, ServerSocket listener) {
        this.listener = listener;
        Thread.startVirtualThread(() -> accept(script));
    }

    private static ServerSocket listen(ServerSocketFactory sockets) {
        try {
            return sockets.createServerSocket(0, 128, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// One whose connections the test takes by [#accept()].
    static RawOrigin manual() {
        return scripted((_, _) -> {});
    }

    /// One that speaks TLS, by the JDK.
    ///
    /// @param protocols that ALPN chooses from
    static RawOrigin tls(SSLContext context, List<String> protocols, boolean wantsCertificate, Script script) {
        SSLServerSocket listener = (SSLServerSocket) listen(context.getServerSocketFactory());
        SSLParameters parameters = listener.getSSLParameters();
        parameters.setApplicationProtocols(protocols.toArray(new String[0]));
        parameters.setNeedClientAuth(wantsCertificate);
        listener.setSSLParameters(parameters);
        return new RawOrigin(script, listener);
    }

    static RawOrigin scripted(Script script) {
        return new RawOrigin(script, listen(ServerSocketFactory.getDefault()));
    }

    /// Answers every request without a body with `response`, on connections that it keeps.
    static RawOrigin answering(String response) {
        return scripted((connection, _) -> {
            while (true) {
                connection.readHead();
                connection.send(response);
            }
        });
    }

    int port() {
        return listener.getLocalPort();
    }

    RawClient accept() throws InterruptedException {
        RawClient connection = accepted.poll(10, TimeUnit.SECONDS);
        assertNotNull(connection, "no connection in time");
        return connection;
    }

    private void accept(Script script) {
        try {
            while (true) {
                Socket socket = listener.accept();
                RawClient connection = new RawClient(socket);
                int number = connections.incrementAndGet();
                accepted.add(connection);
                Thread.startVirtualThread(() -> play(script, connection, number));
            }
        } catch (IOException _) {
            // Closed.
        }
    }

    private static void play(Script script, RawClient connection, int number) {
        try {
            script.play(connection, number);
        } catch (IOException | UncheckedIOException | AssertionError _) {
            // The peer went away, as it does at the end of a test.
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        accepted.forEach(RawClient::close);
    }
}
