package dev.gatepost.gateway.proxy;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

/// An HTTP/2 peer that sends whatever frames a test makes: a client, or an endpoint.
final class RawHttp2 implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;
    static final int END_STREAM = 1;
    static final int ACK = 1;
    static final int END_HEADERS = 4;

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    record Frame(int type, int flags, int stream, byte[] payload) {
        boolean endsStream() {
            return (flags & END_STREAM) != 0;
        }

        /// The four bytes at `offset` as a number.
        int number(int offset) {
            return Unpooled.wrappedBuffer(payload).getInt(offset);
        }

        @Override
        public String toString() {
            return "type " + type + " flags " + flags + " stream " + stream + " " + HexFormat.of().formatHex(payload);
        }
    }

    /// A whole response; `reset` is the code of the RST_STREAM that ended or followed it, -1 for none.
    record Response(Map<String, String> head, String body, Map<String, String> trailers, int reset) {
        String status() {
            return head.getOrDefault(":status", "none");
        }
    }

    private final Socket socket;
    private final DataInputStream in;
    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false, 100_000);
    private final List<Frame> seen = new ArrayList<>();

    private RawHttp2(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new DataInputStream(socket.getInputStream());
    }

    /// Trusts everybody.
    static SSLContext trusting() {
        TrustManager everybody = new X509ExtendedTrustManager() {
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type, java.net.Socket socket) {}

            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type) {}

            @Override
            public X509Certificate[] getAcceptedIssuers() {
                return new X509Certificate[0];
            }
        };
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {everybody}, null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Connects and sends preface and settings, `settings` in hexadecimal.
    static RawHttp2 connect(int port, String settings) {
        RawHttp2 client = connectInSilence(port);
        client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(ISO_8859_1));
        return client.frame(SETTINGS, 0, 0, HexFormat.of().parseHex(settings));
    }

    /// Connects and sends nothing.
    static RawHttp2 connectInSilence(int port) {
        try {
            SSLSocket socket = (SSLSocket) trusting().getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port);
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {"h2"});
            socket.setSSLParameters(parameters);
            socket.setSoTimeout(10_000);
            socket.setTcpNoDelay(true);
            socket.startHandshake();
            return new RawHttp2(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Without TLS.
    static RawHttp2 connectCleartext(int port) {
        try {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setSoTimeout(10_000);
            socket.setTcpNoDelay(true);
            RawHttp2 client = new RawHttp2(socket);
            client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(ISO_8859_1));
            return client.frame(SETTINGS, 0, 0, new byte[0]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Plays the endpoint: reads the preface and sends settings, in hexadecimal.
    static RawHttp2 serve(Socket socket, String settings) throws IOException {
        RawHttp2 server = new RawHttp2(socket);
        byte[] preface = new byte[24];
        server.in.readFully(preface);
        assertEquals("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", new String(preface, ISO_8859_1));
        return server.frame(SETTINGS, 0, 0, HexFormat.of().parseHex(settings));
    }

    static RawHttp2 connect(int port) {
        return connect(port, "");
    }

    RawHttp2 send(byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    RawHttp2 frame(int type, int flags, int stream, byte[] payload) {
        return send(encoded(type, flags, stream, payload));
    }

    static byte[] encoded(int type, int flags, int stream, byte[] payload) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(payload.length >> 16);
        out.write(payload.length >> 8);
        out.write(payload.length);
        out.write(type);
        out.write(flags);
        number(out, stream);
        out.writeBytes(payload);
        return out.toByteArray();
    }

    static byte[] number(int value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        number(out, value);
        return out.toByteArray();
    }

    private static void number(ByteArrayOutputStream out, int value) {
        out.write(value >> 24);
        out.write(value >> 16);
        out.write(value >> 8);
        out.write(value);
    }

    /// @param fields `name=value`
    RawHttp2 headers(int stream, boolean ends, String... fields) {
        return frame(HEADERS, END_HEADERS | (ends ? END_STREAM : 0), stream, block(fields));
    }

    RawHttp2 get(int stream, String path, String... fields) {
        return headers(stream, true, request("GET", path, fields));
    }

    static String[] request(String method, String path, String... fields) {
        List<String> all = new ArrayList<>(List.of(":method=" + method, ":scheme=https", ":path=" + path, ":authority=localhost"));
        all.addAll(List.of(fields));
        return all.toArray(new String[0]);
    }

    RawHttp2 data(int stream, boolean ends, String text) {
        return frame(DATA, ends ? END_STREAM : 0, stream, text.getBytes(ISO_8859_1));
    }

    static byte[] block(String... fields) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (String field : fields) {
            int equals = field.indexOf('=', 1);
            out.write(0);
            string(out, field.substring(0, equals));
            string(out, field.substring(equals + 1));
        }
        return out.toByteArray();
    }

    private static void string(ByteArrayOutputStream out, String text) {
        int length = text.length();
        if (length < 127) {
            out.write(length);
        } else {
            out.write(127);
            int rest = length - 127;
            while (rest >= 128) {
                out.write((rest & 0x7f) | 0x80);
                rest >>= 7;
            }
            out.write(rest);
        }
        out.writeBytes(text.getBytes(ISO_8859_1));
    }

    /// The next frame, whatever it is; empty payload and type -1 at the end of the connection.
    Frame next() {
        try {
            int length = in.readUnsignedShort() << 8 | in.readUnsignedByte();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            int stream = in.readInt();
            byte[] payload = new byte[length];
            in.readFully(payload);
            Frame frame = new Frame(type, flags, stream, payload);
            seen.add(frame);
            if (type == SETTINGS && (flags & ACK) == 0) {
                frame(SETTINGS, ACK, 0, new byte[0]);
            }
            return frame;
        } catch (java.io.EOFException | SocketException | javax.net.ssl.SSLException _) {
            return new Frame(-1, 0, 0, new byte[0]);
        } catch (IOException e) {
            return fail("nothing more after " + seen, e);
        }
    }

    /// The next frame of that type, passing over others.
    Frame await(int type) {
        while (true) {
            Frame frame = next();
            if (frame.type() == type) {
                return frame;
            }
            if (frame.type() < 0) {
                return fail("connection ended; seen: " + seen);
            }
        }
    }

    /// Whether the connection ended with a GOAWAY of that code.
    boolean endsWith(int code) {
        Frame last = new Frame(-1, 0, 0, new byte[0]);
        for (Frame frame = next(); frame.type() >= 0; frame = next()) {
            if (frame.type() == GOAWAY) {
                last = frame;
            }
        }
        return last.type() == GOAWAY && last.number(4) == code;
    }

    /// The response on that stream, with the RST_STREAM that follows it when `reset` is expected.
    Response response(int stream, boolean reset) {
        Map<String, String> head = new TreeMap<>();
        Map<String, String> trailers = new TreeMap<>();
        StringBuilder body = new StringBuilder();
        boolean ended = false;
        while (true) {
            if (ended && !reset) {
                return new Response(head, body.toString(), trailers, -1);
            }
            Frame frame = next();
            if (frame.type() < 0) {
                return fail("connection ended; seen: " + seen);
            }
            if (frame.stream() != stream) {
                continue;
            }
            switch (frame.type()) {
                case HEADERS -> {
                    Map<String, String> fields = decode(frame.payload());
                    if (!fields.getOrDefault(":status", "").startsWith("1")) {
                        (head.isEmpty() ? head : trailers).putAll(fields);
                    }
                }
                case DATA -> body.append(new String(frame.payload(), ISO_8859_1));
                case RST_STREAM -> {
                    return new Response(head, body.toString(), trailers, frame.number(0));
                }
                default -> {}
            }
            ended |= (frame.type() == HEADERS || frame.type() == DATA) && frame.endsStream();
        }
    }

    Response response(int stream) {
        return response(stream, false);
    }

    Map<String, String> decode(byte[] block) {
        try {
            Http2Headers headers = decoder.decodeHeaders(1, Unpooled.wrappedBuffer(block));
            Map<String, String> fields = new TreeMap<>();
            headers.forEach(field -> fields.merge(field.getKey().toString(), field.getValue().toString(), (a, b) -> a + " AND " + b));
            return fields;
        } catch (Http2Exception e) {
            return fail(e);
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
