package dev.gatepost.gateway.accesslog;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Optional;

/// A file that is appended to. Renamed or removed by a rotation, it is opened again under its name within a second of the
/// next line; truncated, it is simply written on. After a full disk it goes on at the byte where it stopped.
final class FileSink implements Sink {
    private static final long LOOK_NANOS = Duration.ofSeconds(1).toNanos();

    private final Path path;
    private FileChannel channel;
    private Optional<Object> key;
    private long lookedAt = System.nanoTime();

    private FileSink(Path path) throws IOException {
        this.path = path;
        this.channel = append(path);
        this.key = key(path);
    }

    static FileSink open(Path path) throws IOException {
        try {
            return new FileSink(path);
        } catch (FileSystemException e) {
            String reason = e instanceof NoSuchFileException ? "no such directory" : e.getReason();
            throw new IOException("access-log.output: file:" + path + " cannot be opened: " + reason, e);
        }
    }

    @Override
    public void write(ByteBuffer lines) throws IOException {
        long now = System.nanoTime();
        if (now - lookedAt >= LOOK_NANOS) {
            lookedAt = now;
            reopenIfRotated(lines);
        }
        while (lines.hasRemaining()) {
            channel.write(lines);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // Nothing is buffered on our side, so nothing is lost.
        }
    }

    private void reopenIfRotated(ByteBuffer lines) throws IOException {
        Optional<Object> found = key(path);
        if (found.isPresent() && found.equals(key)) {
            return;
        }
        FileChannel fresh = append(path);
        channel.close();
        channel = fresh;
        key = key(path);
        Lines.rewind(lines);
    }

    private static FileChannel append(Path path) throws IOException {
        return FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
    }

    /// Device and inode; empty when there is no such file, or on a file system that has none.
    private static Optional<Object> key(Path path) {
        try {
            return Optional.ofNullable(Files.readAttributes(path, BasicFileAttributes.class).fileKey());
        } catch (IOException _) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return "file:" + path;
    }
}
