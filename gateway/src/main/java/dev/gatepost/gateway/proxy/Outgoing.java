package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import org.jspecify.annotations.Nullable;

/// What goes out on one HTTP/1 connection, gathered until it is flushed: a head and a small body leave in one buffer and
/// one system call; big buffers pass by reference.
final class Outgoing {
    /// Up to here a copy is cheaper than a second buffer in a gathering write.
    private static final int COPIED = 2048;
    private static final int SMALLEST = 1024;
    private static final byte[] HEX = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};

    private final Channel channel;
    private @Nullable ByteBuf tail;
    private boolean dirty;
    private long sent;
    private final byte[] chunkLine = new byte[12];

    Outgoing(Channel channel) {
        this.channel = channel;
    }

    /// Bytes handed over so far.
    long sent() {
        return sent;
    }

    void write(byte[] bytes, int from, int to) {
        int length = to - from;
        ByteBuf buffer = tail;
        if (buffer == null || buffer.writableBytes() < length) {
            passTail();
            // Room for a small body behind a head.
            buffer = channel.alloc().directBuffer(Math.max(SMALLEST, length + length / 2));
            tail = buffer;
        }
        buffer.writeBytes(bytes, from, length);
        sent += length;
    }

    /// Takes over the buffer.
    void write(ByteBuf data) {
        int length = data.readableBytes();
        ByteBuf buffer = tail;
        if (buffer != null && length <= COPIED && length <= buffer.writableBytes()) {
            buffer.writeBytes(data);
            data.release();
        } else {
            passTail();
            var _ = channel.write(data, channel.voidPromise());
            dirty = true;
        }
        sent += length;
    }

    /// A chunk of a chunked body (RFC 9112 section 7.1); takes over the buffer. An empty one would end the body: it is
    /// left out.
    void writeChunk(ByteBuf data) {
        int length = data.readableBytes();
        if (length == 0) {
            data.release();
            return;
        }
        int at = chunkLine.length;
        chunkLine[--at] = '\n';
        chunkLine[--at] = '\r';
        for (int rest = length; rest != 0; rest >>>= 4) {
            chunkLine[--at] = HEX[rest & 15];
        }
        write(chunkLine, at, chunkLine.length);
        write(data);
        write(chunkLine, chunkLine.length - 2, chunkLine.length);
    }

    /// The last chunk and the trailers that are not dropped.
    void writeLastChunk(FieldSection trailers) {
        chunkLine[0] = '0';
        chunkLine[1] = '\r';
        chunkLine[2] = '\n';
        write(chunkLine, 0, 3);
        for (int i = 0; i < trailers.count(); i++) {
            if (!trailers.isDropped(i)) {
                write(trailers.bytes, trailers.nameFrom(i), trailers.lineEnd(i));
            }
        }
        write(chunkLine, 1, 3);
    }

    void flush() {
        passTail();
        if (dirty) {
            dirty = false;
            channel.flush();
        }
    }

    /// Forgets what is not flushed.
    void discard() {
        ByteBuf buffer = tail;
        if (buffer != null) {
            tail = null;
            buffer.release();
        }
    }

    private void passTail() {
        ByteBuf buffer = tail;
        if (buffer != null) {
            tail = null;
            var _ = channel.write(buffer, channel.voidPromise());
            dirty = true;
        }
    }
}
