package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Our side of one HTTP/2 stream, whichever side opened it. The window of what the peer sends opens again only as whoever is
/// behind us takes the bytes.
abstract class Http2Side {
    /// Netty's; null before it is open and once it is of no use any more.
    @Nullable Http2Stream stream;
    /// Has been given something in the current read of the connection.
    boolean touched;
    private boolean paused;
    /// So many bytes the peer may send anew when reading goes on.
    private int withheld;

    abstract Http2Carrier<?> carrier();

    /// Body bytes have come. Returns how many of `flowControlled` bytes the peer may send anew at once.
    abstract int receive(ByteBuf data, int flowControlled, boolean ends);

    /// The connection's read is complete.
    abstract void readComplete();

    /// [Http2Carrier#isWritable(Http2Stream)] changed.
    abstract void writabilityChanged();

    /// Netty's stream is closed.
    abstract void closed();

    final Http2Stream stream() {
        return Objects.requireNonNull(stream);
    }

    final boolean isPaused() {
        return paused;
    }

    /// Another stream begins.
    final void readAnew() {
        paused = false;
        withheld = 0;
    }

    /// Of so many bytes that were passed on: how many the peer may send anew at once.
    final int passedOn(int flowControlled) {
        return paused ? withhold(flowControlled) : flowControlled;
    }

    /// The same of bytes that are kept here.
    final int withhold(int flowControlled) {
        withheld += flowControlled;
        return 0;
    }

    public final void pauseReading() {
        paused = true;
    }

    public final void resumeReading() {
        paused = false;
        Http2Stream open = stream;
        if (withheld > 0 && open != null) {
            int returned = withheld;
            withheld = 0;
            carrier().returnWindow(open, returned);
        }
    }
}
