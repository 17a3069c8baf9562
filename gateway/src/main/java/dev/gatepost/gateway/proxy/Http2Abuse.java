package dev.gatepost.gateway.proxy;

import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import java.util.concurrent.TimeUnit;

/// What one client may do that costs us work and gets it nothing: a bound on each, after which its connection ends with
/// ENHANCE_YOUR_CALM. Resets count in both directions: those it sends ("rapid reset", CVE-2023-44487) and those that its
/// errors make us send ("made you reset", CVE-2025-8671).
final class Http2Abuse {
    private static final int MOST_RESETS = 200;
    private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(30);

    /// A stream above the limit is an error, too, but one of clients that do not wait for our settings.
    private static final int RESET_WEIGHT = 10;
    private static final int REFUSED_WEIGHT = 1;

    /// Frames that want an answer, sent by a client that does not take the answers we have for it.
    private static final int MOST_WHILE_BLOCKED = 1000;
    private static final int MOST_EMPTY_IN_A_ROW = 10;

    /// PING, SETTINGS, PRIORITY, WINDOW_UPDATE and unknown frames (CVE-2019-9512, -9513, -9515) that a client has in reserve, and
    /// how many more it gets a second. What carries requests and responses earns some as well: clients measure round trips by
    /// PING, and return windows, as data comes.
    private static final int MOST_RESERVE = 4000;
    private static final long REFILL_NANOS = TimeUnit.SECONDS.toNanos(1) / 100;
    private static final int FOR_A_HEAD = 8;
    private static final int FOR_DATA = 2;
    private static final int SENT_BYTES_EACH = 1024;

    private long windowStart = System.nanoTime();
    private int weight;
    private int whileBlocked;
    private int empty;
    private long reserve = MOST_RESERVE;
    private long refilledAt = System.nanoTime();

    void reset(boolean refusedStream) throws Http2Exception {
        long now = System.nanoTime();
        if (now - windowStart > WINDOW_NANOS) {
            windowStart = now;
            weight = 0;
        }
        weight += refusedStream ? REFUSED_WEIGHT : RESET_WEIGHT;
        if (weight > MOST_RESETS * RESET_WEIGHT) {
            throw calm("more than %d resets in 30 s", MOST_RESETS);
        }
    }

    /// @param writable whether the client takes what we send
    void wantsAnswer(boolean writable) throws Http2Exception {
        whileBlocked = writable ? 0 : whileBlocked + 1;
        if (whileBlocked > MOST_WHILE_BLOCKED) {
            throw calm("%d frames that want an answer, while none is read", whileBlocked);
        }
        control();
    }

    /// A frame that carries nothing of a request.
    void control() throws Http2Exception {
        if (--reserve < 0) {
            long now = System.nanoTime();
            long earned = (now - refilledAt) / REFILL_NANOS;
            refilledAt = now;
            reserve = Math.min(MOST_RESERVE, earned) - 1;
            if (reserve < 0) {
                throw calm("more than %d frames that carry nothing", MOST_RESERVE);
            }
        }
    }

    /// A header section of a request or response.
    void head() {
        earn(FOR_A_HEAD);
    }

    void data(boolean hasContentOrEnds) throws Http2Exception {
        empty = hasContentOrEnds ? 0 : empty + 1;
        if (empty > MOST_EMPTY_IN_A_ROW) {
            throw calm("%d empty DATA frames in a row", empty);
        }
        earn(FOR_DATA);
    }

    void sent(int bytes) {
        earn(FOR_DATA + bytes / SENT_BYTES_EACH);
    }

    private void earn(int frames) {
        reserve = Math.min(MOST_RESERVE, reserve + frames);
    }

    private static Http2Exception calm(String format, int number) {
        return Http2Exception.connectionError(Http2Error.ENHANCE_YOUR_CALM, format, number);
    }
}
