package dev.gatepost.gateway.accesslog;

import java.nio.ByteBuffer;

/// The lines in a buffer.
final class Lines {
    private Lines() {}

    /// Line ends between position and limit.
    static int count(ByteBuffer lines) {
        int count = 0;
        for (int i = lines.position(); i < lines.limit(); i++) {
            if (lines.get(i) == '\n') {
                count++;
            }
        }
        return count;
    }

    /// Moves the position back to the start of the line it is in: for a sink that begins anew.
    static void rewind(ByteBuffer lines) {
        int start = lines.position();
        while (start > 0 && lines.get(start - 1) != '\n') {
            start--;
        }
        lines.position(start);
    }
}
