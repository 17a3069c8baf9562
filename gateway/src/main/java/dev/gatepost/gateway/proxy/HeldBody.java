package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;

/// Request body that is kept at hand: what came before there was a connection to send it on, and what an endpoint may still give
/// back together with the request, as long as that is not too much.
///
/// Owns its buffers. Part of its exchange's [Attempts], and reused with them.
final class HeldBody {
    /// Of what was sent.
    private static final int MOST_KEPT = 64 * 1024;

    private final List<ByteBuf> parts = new ArrayList<>();
    /// All of the body so far is here.
    private boolean whole;
    private int sent;

    /// What can't be sent yet; takes over the buffer.
    void add(ByteBuf data) {
        parts.add(data);
    }

    boolean isEmpty() {
        return parts.isEmpty();
    }

    /// Sends what is here on a connection that takes the request now.
    void sendOn(EndpointSide carrying) {
        whole = carrying.mayRefuse();
        sent = 0;
        for (int i = 0; i < parts.size(); i++) {
            ByteBuf data = parts.get(i);
            sent += data.readableBytes();
            carrying.send(whole ? data.retainedDuplicate() : data);
        }
        if (!whole) {
            parts.clear();
        } else if (sent > MOST_KEPT) {
            letGo();
        }
    }

    /// This part is about to be sent.
    void keep(ByteBuf data) {
        if (!whole) {
            return;
        }
        sent += data.readableBytes();
        if (sent > MOST_KEPT) {
            letGo();
        } else {
            parts.add(data.retainedDuplicate());
        }
    }

    /// Whether the request can be sent once more as it was.
    boolean isWhole() {
        return whole;
    }

    /// Nobody will give it back any more.
    void letGo() {
        whole = false;
        for (int i = 0; i < parts.size(); i++) {
            parts.get(i).release();
        }
        parts.clear();
    }
}
