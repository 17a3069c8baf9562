package dev.gatepost.gateway.accesslog;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatepost.dns.QueryRecord;
import dev.gatepost.gateway.config.GatewayConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class AccessLogTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final AccessLog.Origin ORIGIN = new AccessLog.Origin("edge-1", "0.1.0");

    @TempDir
    Path dir;

    @Test
    void writesEveryLineOfEveryThreadWhole() throws Exception {
        Path file = dir.resolve("access.log");
        int threads = 4;
        int each = 5_000;
        AccessLog log = open("file:" + file);
        List<Thread> loops = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            loops.add(Thread.ofPlatform().start(() -> {
                ExchangeRecord exchange = Exchanges.typical();
                for (int i = 0; i < each; i++) {
                    log.log(exchange);
                    if (i % 100 == 0) {
                        log.log(Exchanges.query());
                    }
                }
            }));
        }
        for (Thread loop : loops) {
            loop.join();
        }
        log.close();
        assertEquals(threads * (each + each / 100L), ids(lines(file)).size() + log.dropped());
    }

    @Test
    void writesASingleLineAtOnce() throws IOException {
        Path file = dir.resolve("access.log");
        try (AccessLog log = open("file:" + file)) {
            log.log(Exchanges.typical());
            await(() -> size(file) > 0);
            assertEquals(1, ids(Files.readAllLines(file)).size());
        }
    }

    @Test
    void wakesUpAfterALongSilence() throws IOException {
        Path file = dir.resolve("access.log");
        try (AccessLog log = open("file:" + file)) {
            log.log(Exchanges.typical());
            await(() -> writer().getState() == Thread.State.WAITING);
            log.log(Exchanges.typical());
            await(() -> lines(file).size() == 2);
        }
    }

    @Test
    void appendsToWhatIsThere() throws IOException {
        Path file = Files.writeString(dir.resolve("access.log"), "{\"before\":1}\n");
        try (AccessLog log = open("file:" + file)) {
            log.log(Exchanges.typical());
        }
        assertEquals(2, lines(file).size());
        assertEquals("{\"before\":1}", lines(file).getFirst());
    }

    @Test
    void followsARotatedFile() throws IOException {
        Path file = dir.resolve("access.log");
        Path rotated = dir.resolve("access.log.1");
        AccessLog log = open("file:" + file);
        log.log(Exchanges.typical());
        await(() -> size(file) > 0);
        Files.move(file, rotated);
        int[] sent = {1};
        await(() -> {
            log.log(Exchanges.typical());
            sent[0]++;
            return Files.exists(file) && size(file) > 0;
        });
        log.close();
        List<String> all = new ArrayList<>(lines(rotated));
        all.addAll(lines(file));
        assertEquals(sent[0], ids(all).size());
    }

    @Test
    void neverMakesAnEventLoopWaitForAStoppedReader() throws Exception {
        Path fifo = dir.resolve("pipe");
        Path copy = dir.resolve("copy");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        Process reader = new ProcessBuilder("cat", fifo.toString()).redirectOutput(copy.toFile()).start();
        try {
            AccessLog log = open("file:" + fifo);
            log.log(Exchanges.typical());
            await(() -> size(copy) > 0);
            signal("STOP", reader);
            ExchangeRecord exchange = Exchanges.typical();
            int[] sent = {1};
            long longest = 0;
            while (log.dropped() < 10_000) {
                long begin = System.nanoTime();
                log.log(exchange);
                longest = Math.max(longest, System.nanoTime() - begin);
                sent[0]++;
            }
            // A pipe that blocked the caller would hold it for as long as the reader is stopped.
            assertTrue(longest < TimeUnit.SECONDS.toNanos(1), "longest call took " + longest + " ns");
            signal("CONT", reader);
            await(() -> {
                long before = log.dropped();
                log.log(exchange);
                sent[0]++;
                return log.dropped() == before;
            });
            log.close();
            assertTrue(reader.waitFor(10, TimeUnit.SECONDS));
            long logged = ids(lines(copy)).size();
            assertEquals(sent[0], logged + log.dropped());
        } finally {
            reader.destroyForcibly();
        }
    }

    @Test
    void countsExactlyWhatABlockedSinkCost() throws IOException {
        GatedSink sink = new GatedSink();
        AccessLog log = new BufferedAccessLog(sink, ORIGIN, 128 * 1024, 1, QueryMask.NONE);
        int sent = 0;
        while (log.dropped() < 500) {
            log.log(Exchanges.typical());
            sent++;
        }
        sink.open.set(true);
        log.close();
        assertEquals(sent, ids(sink.lines()).size() + log.dropped());
    }

    @Test
    void goesOnWithAWholeLineAfterAFullDisk() throws IOException {
        GatedSink sink = new GatedSink();
        sink.open.set(true);
        sink.failures.set(2);
        try (AccessLog log = new BufferedAccessLog(sink, ORIGIN, 128 * 1024, 1, QueryMask.NONE)) {
            for (int i = 0; i < 50; i++) {
                log.log(Exchanges.typical());
            }
            await(() -> sink.failures.get() == 0 && sink.lines().size() == 50);
            assertEquals(50, ids(sink.lines()).size());
            assertEquals(0, log.dropped());
        }
    }

    @Test
    void dropsAndCountsOnARealFullDevice() throws IOException {
        AccessLog log = open("file:/dev/full");
        long begin = System.nanoTime();
        for (int i = 0; i < 5_000; i++) {
            log.log(Exchanges.typical());
        }
        log.close();
        assertEquals(5_000, log.dropped());
        assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(5));
    }

    @Test
    void sendsJsonLinesOverTcpAndConnectsAnew() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                AccessLog log = open("tcp://127.0.0.1:" + server.getLocalPort())) {
            server.setSoTimeout(10_000);
            log.log(Exchanges.typical());
            try (Socket first = server.accept()) {
                JSON.readTree(reader(first).readLine());
            }
            // The peer is gone; the next line finds that out and reaches the next connection whole.
            log.log(Exchanges.typical());
            try (Socket second = server.accept()) {
                JsonNode line = JSON.readTree(reader(second).readLine());
                assertEquals("gatepost.access", line.at("/event/dataset").asText());
            }
        }
    }

    @Test
    void startsBeforeItsTcpPeer() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        try (AccessLog log = open("tcp://127.0.0.1:" + port)) {
            log.log(Exchanges.typical());
            try (ServerSocket server = new ServerSocket(port, 5, InetAddress.getLoopbackAddress())) {
                server.setSoTimeout(10_000);
                try (Socket peer = server.accept()) {
                    JSON.readTree(reader(peer).readLine());
                }
            }
        }
    }

    @Test
    void closesInBoundedTimeThoughTheSinkIsBlocked() throws IOException {
        GatedSink sink = new GatedSink();
        AccessLog log = new BufferedAccessLog(sink, ORIGIN, 128 * 1024, 1, QueryMask.NONE);
        log.log(Exchanges.typical());
        await(() -> sink.entered);
        long begin = System.nanoTime();
        log.close();
        assertTrue(System.nanoTime() - begin < TimeUnit.SECONDS.toNanos(10));
        sink.open.set(true);
    }

    @Test
    void logsOneOfSoManyQueriesAndEachThatWasNotAnsweredInOrder() throws IOException {
        Path file = dir.resolve("sampled.log");
        QueryRecord failed = Exchanges.query();
        failed.rcode = 2;
        QueryRecord stale = Exchanges.query();
        stale.stale = true;
        try (AccessLog log = AccessLog.open(new GatewayConfig.AccessLog("file:" + file, GatewayConfig.AccessLog.Format.ECS, 4 * 1024 * 1024, 10, List.of()), ORIGIN, 4)) {
            for (int i = 0; i < 1000; i++) {
                log.log(Exchanges.query());
                if (i % 100 == 0) {
                    log.log(failed);
                    log.log(stale);
                    log.log(Exchanges.typical());
                }
            }
        }
        int sampled = 0;
        int others = 0;
        for (String line : lines(file)) {
            int sample = JSON.readTree(line).at("/gatepost/dns/sample").asInt(1);
            assertTrue(sample == 1 || sample == 10, line);
            sampled += sample == 10 ? 1 : 0;
            others += sample == 1 ? 1 : 0;
        }
        assertEquals(30, others, "failures, stale answers and requests");
        assertTrue(sampled > 30 && sampled < 200, "of 1000 queries: " + sampled);
    }

    @Test
    void countsWhatIsLoggedAfterItWasClosed() throws IOException {
        AccessLog log = open("file:" + dir.resolve("access.log"));
        log.close();
        log.log(Exchanges.typical());
        assertEquals(1, log.dropped());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "syslog", "file:", "tcp://", "tcp://host", "tcp://:99", "tcp://host:99999", "tcp://host:x"})
    void refusesAnOutputItDoesNotKnow(String output) {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> open(output));
        assertEquals("access-log.output: " + output + " (expected: stdout, file:PATH, tcp://HOST:PORT or none)", e.getMessage());
    }

    @Test
    void saysWhichFileCannotBeOpened() {
        IOException e = assertThrows(IOException.class, () -> open("file:" + dir.resolve("absent/access.log")));
        assertEquals("access-log.output: file:" + dir.resolve("absent/access.log") + " cannot be opened: no such directory", e.getMessage());
    }

    @Test
    void keepsNothingWhenThereIsNoOutput() throws IOException {
        assertSame(AccessLog.NONE, open("none"));
    }

    @Test
    void sharesOneBoundAmongTheEventLoops() {
        int total = 4 * 1024 * 1024;
        assertEquals(total, BufferedAccessLog.laneBytes(total, 1));
        assertEquals(1024 * 1024, BufferedAccessLog.laneBytes(total, 4));
        assertEquals(512 * 1024, BufferedAccessLog.laneBytes(total, 7));
        assertEquals(64 * 1024, BufferedAccessLog.laneBytes(total, 1000));
        assertEquals(64 * 1024, BufferedAccessLog.laneBytes(0, 1));
        assertEquals(64 * 1024 * 1024, BufferedAccessLog.laneBytes(Integer.MAX_VALUE, 1));
    }

    private static AccessLog open(String output) throws IOException {
        return AccessLog.open(new GatewayConfig.AccessLog(output, GatewayConfig.AccessLog.Format.ECS, 4 * 1024 * 1024, 1, List.of()), ORIGIN, 4);
    }

    private static Set<String> ids(List<String> lines) throws IOException {
        Set<String> ids = new HashSet<>();
        for (String line : lines) {
            assertTrue(ids.add(JSON.readTree(line).at("/event/id").asText()), "a line came twice");
        }
        return ids;
    }

    private static List<String> lines(Path file) {
        try {
            String text = Files.readString(file);
            assertTrue(text.isEmpty() || text.endsWith("\n"), "a line is cut");
            return text.lines().toList();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException _) {
            return 0;
        }
    }

    private static BufferedReader reader(Socket socket) throws IOException {
        socket.setSoTimeout(10_000);
        return new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
    }

    private static Thread writer() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("gatepost-access-log"))
                .findFirst()
                .orElseThrow();
    }

    private static void signal(String signal, Process process) throws IOException, InterruptedException {
        assertEquals(0, new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor());
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(15).toNanos();
        while (!condition.getAsBoolean()) {
            assertFalse(System.nanoTime() > deadline, "waited 15 s in vain");
            java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
        }
    }

    /// Blocks until it is opened; then fails as often as told, each time after a few bytes, as a full disk does.
    private static final class GatedSink implements Sink {
        final AtomicBoolean open = new AtomicBoolean();
        private final StringBuilder written = new StringBuilder();
        volatile boolean entered;
        final AtomicInteger failures = new AtomicInteger();

        @Override
        public void write(ByteBuffer lines) throws IOException {
            entered = true;
            while (!open.get()) {
                Thread.onSpinWait();
            }
            if (failures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                take(lines, 100);
                throw new IOException("No space left on device");
            }
            take(lines, lines.remaining());
        }

        private synchronized void take(ByteBuffer lines, int length) {
            byte[] bytes = new byte[length];
            lines.get(bytes);
            written.append(new String(bytes, StandardCharsets.UTF_8));
        }

        synchronized List<String> lines() {
            return written.toString().lines().toList();
        }

        @Override
        public void close() {}
    }
}
