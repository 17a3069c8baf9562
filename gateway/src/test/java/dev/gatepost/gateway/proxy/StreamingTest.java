package dev.gatepost.gateway.proxy;

import io.netty.buffer.PooledByteBufAllocator;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/// Bodies pass through in bounded memory: a slow reader slows its writer.
class StreamingTest {
    private static final int SIZE = 64 * 1024 * 1024;
    private static final int BLOCK = 64 * 1024;
    /// Two water marks, two socket reads, and room for the pool's granularity.
    private static final long MOST = 8 * 1024 * 1024;

    private static long used() {
        return PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory();
    }

    @Test
    void streamsADownloadToASlowReader() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            long before = used();
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            CompletableFuture<Void> sending = send(server, "HTTP/1.1 200 OK\r\nContent-Length: " + SIZE + "\r\n\r\n");
            client.readHead();
            assertBlocks(client, before);
            sending.join();
            assertEquals(SIZE, gate.logged().responseBodyBytes());
        }
    }

    @Test
    void streamsAnUploadToASlowReader() throws Exception {
        try (RawOrigin origin = RawOrigin.manual();
                RunningGate gate = RunningGate.start().routeTo(origin.port());
                RawClient client = gate.connect()) {
            long before = used();
            CompletableFuture<Void> sending = send(client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + SIZE + "\r\n\r\n");
            RawClient server = origin.accept();
            server.readHead();
            assertBlocks(server, before);
            sending.join();
            server.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            client.readHead();
            assertEquals(SIZE, gate.logged().requestBodyBytes());
        }
    }

    private static CompletableFuture<Void> send(RawClient from, String head) {
        byte[] block = new byte[BLOCK];
        Arrays.fill(block, (byte) 'x');
        return CompletableFuture.runAsync(() -> {
            from.send(head);
            for (int i = 0; i < SIZE / BLOCK; i++) {
                from.send(block);
            }
        });
    }

    private static void assertBlocks(RawClient reader, long before) {
        long most = 0;
        for (int i = 0; i < SIZE / BLOCK; i++) {
            assertEquals(BLOCK, reader.read(BLOCK).length());
            most = Math.max(most, used() - before);
        }
        assertTrue(most <= MOST, "bytes held: " + most);
    }
}
