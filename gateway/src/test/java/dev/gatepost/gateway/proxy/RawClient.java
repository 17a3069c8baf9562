package dev.gatepost.gateway.proxy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

/// A peer that speaks in bytes: what a test writes is what goes out, and what it reads is what came.
final class RawClient implements AutoCloseable {
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    RawClient(Socket socket) {
        try {
            this.socket = socket;
            socket.setSoTimeout(10_000);
            socket.setTcpNoDelay(true);
            in = socket.getInputStream();
            out = socket.getOutputStream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static RawClient connect(int port) {
        try {
            return new RawClient(new Socket(InetAddress.getLoopbackAddress(), port));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Socket socket() {
        return socket;
    }

    /// Writes text, one byte a character.
    RawClient send(String text) {
        return send(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    RawClient send(byte[] bytes) {
        try {
            out.write(bytes);
            out.flush();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A head with its empty line.
    String readHead() {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int b = read();
            if (b < 0) {
                return fail("connection closed after: " + head);
            }
            head.append((char) b);
        }
        return head.toString();
    }

    /// The body of a response whose head says 200 and how long it is.
    String readBody() {
        String head = readHead();
        assertTrue(head.startsWith("HTTP/1.1 200 OK\r\n"), head);
        return readBody(head);
    }

    /// That of the head that was read.
    String readBody(String head) {
        int at = head.toLowerCase(Locale.ROOT).indexOf("content-length: ") + 16;
        return read(Integer.parseInt(head.substring(at, head.indexOf('\r', at))));
    }

    /// The next bytes, as text.
    String read(int length) {
        try {
            return new String(in.readNBytes(length), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// One byte; -1 at the end.
    int read() {
        try {
            return in.read();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A whole chunked body, decoded, trailers appended as text.
    String readChunked() {
        StringBuilder body = new StringBuilder();
        while (true) {
            int size = Integer.parseInt(readLine(), 16);
            if (size == 0) {
                String trailer = readLine();
                while (!trailer.isEmpty()) {
                    body.append('|').append(trailer);
                    trailer = readLine();
                }
                return body.toString();
            }
            body.append(read(size));
            assertEquals("", readLine(), "end of chunk");
        }
    }

    String readLine() {
        StringBuilder line = new StringBuilder();
        for (int b = read(); b != '\n'; b = read()) {
            if (b < 0) {
                return fail("connection closed after: " + line);
            }
            line.append((char) b);
        }
        assertEquals('\r', line.charAt(line.length() - 1), "line ends in CR LF");
        return line.substring(0, line.length() - 1);
    }

    /// Everything until the peer closes in order; a reset counts as `<reset>`.
    String readToEnd() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[8192];
        try {
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                all.write(buffer, 0, n);
            }
        } catch (SocketTimeoutException e) {
            return fail("still open after: " + all.toString(StandardCharsets.ISO_8859_1), e);
        } catch (IOException _) {
            return all.toString(StandardCharsets.ISO_8859_1) + "<reset>";
        }
        return all.toString(StandardCharsets.ISO_8859_1);
    }

    void shutdownOutput() {
        try {
            socket.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Closes so that the other side sees a reset.
    void reset() {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
