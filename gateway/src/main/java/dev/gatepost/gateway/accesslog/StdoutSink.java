package dev.gatepost.gateway.accesslog;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.concurrent.locks.LockSupport;

/// The process's standard output, without `System.out` in between: one write(2) a batch. It is never closed.
final class StdoutSink implements Sink {
    private static final long BUSY_PAUSE_NANOS = 1_000_000;

    @SuppressWarnings("resource") // Descriptor 1 belongs to the process.
    private final FileChannel channel = new FileOutputStream(FileDescriptor.out).getChannel();

    @Override
    public void write(ByteBuffer lines) throws IOException {
        while (lines.hasRemaining()) {
            // 0 where whoever gave us the pipe made it non-blocking.
            if (channel.write(lines) == 0) {
                LockSupport.parkNanos(BUSY_PAUSE_NANOS);
            }
        }
    }

    @Override
    public void close() {}

    @Override
    public String toString() {
        return "stdout";
    }
}
