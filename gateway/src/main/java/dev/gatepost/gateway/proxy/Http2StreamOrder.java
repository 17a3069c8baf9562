package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListener;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2FrameReader;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.ArrayDeque;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/// Holds a client to the order of its streams before Netty looks, which takes these for lesser faults: a number that was
/// skipped is never used again (RFC 9113 section 5.1.1), and nobody sends a request on a stream that was ended (section 5.1).
/// What may have crossed a reset of ours on its way stays an error of the stream alone.
final class Http2StreamOrder implements Http2FrameReader {
    private static final int MOST_GAPS = 16;
    private static final int REMEMBERED = 16;

    /// Numbers from `first` to `last` that no stream had.
    private record Gap(int first, int last) {}

    private final Http2FrameReader reader;
    private final Http2Connection connection;
    private final ArrayDeque<Gap> gaps = new ArrayDeque<>(0);

    /// The streams that the client ended last.
    private final int[] ended = new int[REMEMBERED];

    private int next;
    private int highest = -1;
    private @Nullable Checking checking;

    Http2StreamOrder(Http2FrameReader reader, Http2Connection connection) {
        this.reader = reader;
        this.connection = connection;
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // the very listener that the last one was made for
    public void readFrame(ChannelHandlerContext ctx, ByteBuf input, Http2FrameListener listener) throws Http2Exception {
        Checking known = checking;
        if (known == null || known.to != listener) {
            known = new Checking(listener); // once for the preface and once for what follows
            checking = known;
        }
        reader.readFrame(ctx, input, known);
    }

    @Override
    public Configuration configuration() {
        return reader.configuration();
    }

    @Override
    public void close() {
        reader.close();
    }

    private void check(int streamId) throws Http2Exception {
        if (streamId > highest) {
            if (streamId > highest + 2 && (streamId & 1) == 1) {
                if (gaps.size() == MOST_GAPS) {
                    gaps.removeFirst();
                }
                gaps.addLast(new Gap(highest + 2, streamId - 2));
            }
            highest = streamId;
            return;
        }
        for (Iterator<Gap> each = gaps.descendingIterator(); each.hasNext(); ) {
            Gap gap = each.next();
            if (streamId >= gap.first && streamId <= gap.last) {
                throw Http2Exception.connectionError(Http2Error.PROTOCOL_ERROR, "stream %d after stream %d", streamId, highest);
            }
        }
        Http2Stream stream = connection.stream(streamId);
        if (stream != null && stream.state() == Http2Stream.State.HALF_CLOSED_REMOTE) {
            throw Http2Exception.streamError(streamId, Http2Error.STREAM_CLOSED, "HEADERS after the end of the request");
        }
        if (stream == null && hasEnded(streamId)) {
            throw Http2Exception.connectionError(Http2Error.STREAM_CLOSED, "HEADERS on stream %d, which the client has ended", streamId);
        }
    }

    private boolean hasEnded(int streamId) {
        for (int each : ended) {
            if (each == streamId) {
                return true;
            }
        }
        return false;
    }

    private void end(int streamId) {
        ended[next++ % REMEMBERED] = streamId;
    }

    private final class Checking extends Http2FrameListenerDecorator {
        private final Http2FrameListener to;

        Checking(Http2FrameListener to) {
            super(to);
            this.to = to;
        }

        @Override
        public void onHeadersRead(ChannelHandlerContext ctx, int streamId, Http2Headers headers, int padding, boolean ends) throws Http2Exception {
            check(streamId);
            super.onHeadersRead(ctx, streamId, headers, padding, ends);
            if (ends) {
                end(streamId);
            }
        }

        @Override
        public void onHeadersRead(
                ChannelHandlerContext ctx,
                int streamId,
                Http2Headers headers,
                int streamDependency,
                short weight,
                boolean exclusive,
                int padding,
                boolean ends)
                throws Http2Exception {
            check(streamId);
            super.onHeadersRead(ctx, streamId, headers, streamDependency, weight, exclusive, padding, ends);
            if (ends) {
                end(streamId);
            }
        }

        @Override
        public int onDataRead(ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean ends) throws Http2Exception {
            int processed = super.onDataRead(ctx, streamId, data, padding, ends);
            if (ends) {
                end(streamId);
            }
            return processed;
        }
    }
}
