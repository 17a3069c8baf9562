package dev.gatepost.gateway;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class HealthProbeTest {
    @ParameterizedTest
    @CsvSource({"HTTP/1.1 200 OK, 0", "HTTP/1.1 503 Service Unavailable, 1"})
    void exitsByTheStatusOfTheAnswer(String statusLine, int exitCode) throws Exception {
        try (ServerSocket admin = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> answerOnce(admin, statusLine));
            assertEquals(exitCode, runAlone(admin.getLocalPort()));
        }
    }

    @Test
    void exitsOneWhenNobodyListens() throws Exception {
        int port;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = closed.getLocalPort();
        }
        assertEquals(1, runAlone(port));
    }

    @Test
    void refusesAnAnswerThatNeverCame() throws Exception {
        try (ServerSocket admin = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> answerOnce(admin, ""));
            assertThrows(IOException.class, () -> HealthProbe.ask(new InetSocketAddress(InetAddress.getLoopbackAddress(), admin.getLocalPort()), "/live"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0.0.0.0:9901, 127.0.0.1, 9901", "[::]:9901, ::1, 9901", ":9901, 127.0.0.1, 9901", "10.0.0.7:9901, 10.0.0.7, 9901", "[::1]:9901, ::1, 9901",
    })
    void asksWhereTheEnvironmentPutsTheAdminListener(String address, String host, int port) {
        assertEquals(new InetSocketAddress(host, port), HealthProbe.adminAddress(Map.of("GATEPOST_ADMIN_ADDRESS", address)));
    }

    @Test
    void takesOnlyOkForAnAnswer() {
        assertTrue(HealthProbe.isOk("HTTP/1.1 200 OK"));
        assertFalse(HealthProbe.isOk("HTTP/1.1 404 Not Found"));
    }

    /// The probe as the image starts it: with this module's classes and nothing else on the class path.
    private static int runAlone(int port) throws Exception {
        Path classes = Path.of(HealthProbe.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        ProcessBuilder builder = new ProcessBuilder(List.of(java, "-XX:TieredStopAtLevel=1", "-cp", classes.toString(), HealthProbe.class.getName()));
        builder.environment().put("GATEPOST_ADMIN_ADDRESS", "127.0.0.1:" + port);
        Process process = builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        try {
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
            return process.exitValue();
        } finally {
            process.destroyForcibly();
        }
    }

    private static void answerOnce(ServerSocket admin, String statusLine) {
        try (Socket peer = admin.accept()) {
            byte[] request = new byte[512];
            if (peer.getInputStream().read(request) > 0 && !statusLine.isEmpty()) {
                peer.getOutputStream().write((statusLine + "\r\nContent-Length: 0\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
