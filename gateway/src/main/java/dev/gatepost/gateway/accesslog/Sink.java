package dev.gatepost.gateway.accesslog;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/// Where lines go in the end. Used by the writer's thread alone, which it may block.
interface Sink {
    /// Writes all of the lines. Where it fails, the position stands at the first byte to write next time.
    void write(ByteBuffer lines) throws IOException;

    void close();

    Sink NOWHERE = new Sink() {
        @Override
        public void write(ByteBuffer lines) {
            lines.position(lines.limit());
        }

        @Override
        public void close() {}
    };

    static Sink open(String output) throws IOException {
        if (output.equals("stdout")) {
            return new StdoutSink();
        }
        if (output.startsWith("file:") && output.length() > "file:".length()) {
            return FileSink.open(Path.of(output.substring("file:".length())));
        }
        if (output.startsWith("tcp://")) {
            return new TcpSink(address(output));
        }
        throw new IllegalArgumentException(expected(output));
    }

    private static InetSocketAddress address(String output) {
        int colon = output.lastIndexOf(':');
        String host = colon < 0 ? "" : output.substring("tcp://".length(), Math.max(colon, "tcp://".length()));
        String port = output.substring(colon + 1);
        if (host.isEmpty() || !port.matches("[0-9]{1,5}") || Integer.parseInt(port) > 65_535) {
            throw new IllegalArgumentException(expected(output));
        }
        boolean literal = host.startsWith("[") && host.endsWith("]");
        return InetSocketAddress.createUnresolved(literal ? host.substring(1, host.length() - 1) : host, Integer.parseInt(port));
    }

    private static String expected(String output) {
        return "access-log.output: " + output + " (expected: stdout, file:PATH, tcp://HOST:PORT or none)";
    }
}
