package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.AccessLog;
import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.route.RouteTable;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class DrainTest {
    @Test
    void finishesWhatIsInFlightAndClosesTheRest() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient idle = gate.connect();
                RawClient busy = gate.connect()) {
            busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            int port = gate.port();
            gate.gate().stopAccepting();
            assertThrows(ConnectException.class, () -> new Socket(InetAddress.getLoopbackAddress(), port));
            CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(() -> gate.gate().drain(Duration.ofSeconds(10)));
            assertEquals("", idle.readToEnd());
            assertFalse(drained.isDone());
            gate.settle(); // each connection is told in its turn
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            String all = busy.readToEnd();
            assertTrue(all.contains("\r\nConnection: close\r\n") && all.endsWith("ok"), all);
            assertTrue(drained.get(10, TimeUnit.SECONDS));
            assertEquals(Cause.OK, gate.logged().cause());
        }
    }

    /// `P` may begin the preface of HTTP/2 as well.
    @Test
    void answersARequestWhoseFirstByteHadCome() throws Exception {
        try (RawOrigin origin = RawOrigin.answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect().send("P")) {
            CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(() -> gate.gate().drain(Duration.ofSeconds(10)));
            gate.settle(); // each connection is told in its turn
            client.send("OST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
            String all = client.readToEnd();
            assertTrue(all.startsWith("HTTP/1.1 200 OK\r\n") && all.contains("\r\nConnection: close\r\n"), all);
            assertTrue(drained.get(10, TimeUnit.SECONDS));
        }
    }

    @Test
    void letsAWebSocketGoOnWhileOthersEnd() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient idle = gate.connect();
                RawClient socket = gate.connect()) {
            socket.send("GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            server.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
            assertTrue(socket.readHead().startsWith("HTTP/1.1 101 "));
            CompletableFuture<Boolean> drained = CompletableFuture.supplyAsync(() -> gate.gate().drain(Duration.ofMinutes(2)));
            assertEquals("", idle.readToEnd());
            socket.send("still");
            assertEquals("still", server.read(5));
            server.send("there");
            assertEquals("there", socket.read(5));
            assertFalse(drained.isDone());
            socket.shutdownOutput();
            server.shutdownOutput();
            assertTrue(drained.get(20, TimeUnit.SECONDS));
            assertEquals(Cause.OK, gate.logged().cause());
        }
    }

    @Test
    void cutsOffWhatDoesNotEndInTime() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient busy = gate.connect()) {
            busy.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            origin.accept().readHead();
            assertFalse(gate.gate().drain(Duration.ofMillis(100)));
            assertTrue(busy.readToEnd().startsWith("HTTP/1.1 503 "));
            assertEquals(Cause.DRAINING, gate.logged().cause());
        }
    }

    @Test
    void saysWhichListenerFoundItsPortTaken() throws Exception {
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory());
        try (RunningGate gate = RunningGate.start();
                Gate second = Gate.start(GateSettings.DEFAULT, group, () -> new Serving(RouteTable.EMPTY, 0), AccessLog.NONE, Optional.empty())) {
            ListenerSpec taken = ListenerSpec.plain("http", new InetSocketAddress(InetAddress.getLoopbackAddress(), gate.port()));
            UncheckedIOException refused = assertThrows(UncheckedIOException.class, () -> second.listen(List.of(taken)));
            String message = String.valueOf(refused.getMessage());
            assertTrue(message.startsWith("http: can't listen on ") && message.contains(":" + gate.port() + ": "), message);
        } finally {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }
}
