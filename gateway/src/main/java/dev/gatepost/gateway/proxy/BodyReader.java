package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.config.GatewayConfig.Limits;
import io.netty.buffer.ByteBuf;

/// Finds the bytes of a message body in what an HTTP/1 connection delivers (RFC 9112 sections 6 and 7). It copies nothing:
/// [#next(ByteBuf)] skips framing and says how many body bytes stand next.
final class BodyReader {
    /// What [#next(ByteBuf)] returns beside a number of bytes.
    static final int MORE = 0;
    static final int END = -1;
    static final int MALFORMED = -2;

    /// Longest chunk-size line; extensions are dropped, so nobody misses long ones.
    private static final int LONGEST_SIZE_LINE = 1024;

    private enum State { LENGTH, UNTIL_CLOSE, SIZE_FIRST, SIZE, BLANK, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILERS, END }

    private final TrailerParser trailerParser;
    private State state = State.END;
    /// Of the body, or of the current chunk.
    private long remaining;
    private int sizeLine;
    private FieldSection trailers = FieldSection.NONE;

    BodyReader(Limits limits) {
        trailerParser = new TrailerParser(limits);
    }

    void none() {
        state = State.END;
        trailers = FieldSection.NONE;
    }

    void length(long length) {
        state = length == 0 ? State.END : State.LENGTH;
        remaining = length;
        trailers = FieldSection.NONE;
    }

    void chunked() {
        state = State.SIZE_FIRST;
        trailers = FieldSection.NONE;
    }

    void untilClose() {
        state = State.UNTIL_CLOSE;
        trailers = FieldSection.NONE;
    }

    boolean isAtEnd() {
        return state == State.END;
    }

    boolean endsWithConnection() {
        return state == State.UNTIL_CLOSE;
    }

    /// Bytes of the body still to come when its length is known; -1 when it is not.
    long remaining() {
        return state == State.LENGTH ? remaining : state == State.END ? 0 : -1;
    }

    /// The trailers of a chunked body that is at its end; mostly empty.
    FieldSection trailers() {
        return trailers;
    }

    /// Skips framing in `in`. Positive: that many body bytes stand at its reader index, to be taken by the caller at once.
    /// Otherwise [#MORE] input is needed, the body is at its [#END], or it is [#MALFORMED].
    int next(ByteBuf in) {
        while (true) {
            switch (state) {
                case END -> {
                    return END;
                }
                case LENGTH -> {
                    int n = take(in);
                    if (remaining == 0) {
                        state = State.END;
                    }
                    return n;
                }
                case UNTIL_CLOSE -> {
                    return in.readableBytes();
                }
                case DATA -> {
                    int n = take(in);
                    if (remaining == 0) {
                        state = State.DATA_CR;
                    }
                    return n;
                }
                case TRAILERS -> {
                    return readTrailers(in);
                }
                default -> {
                    if (!in.isReadable()) {
                        return MORE;
                    }
                    if (!readFraming(in.readByte())) {
                        return MALFORMED;
                    }
                }
            }
        }
    }

    private int take(ByteBuf in) {
        int n = (int) Math.min(remaining, in.readableBytes());
        remaining -= n;
        return n;
    }

    private int readTrailers(ByteBuf in) {
        if (trailers == FieldSection.NONE) {
            // Nearly always the section is empty: no storage for it then.
            if (in.readableBytes() >= 2 && in.getByte(in.readerIndex()) == '\r' && in.getByte(in.readerIndex() + 1) == '\n') {
                in.skipBytes(2);
                state = State.END;
                return END;
            }
            trailers = new FieldSection(256);
            trailerParser.start(trailers);
        }
        if (trailerParser.read(in) != Refusal.NONE) {
            return MALFORMED;
        }
        if (!trailerParser.isComplete()) {
            return MORE;
        }
        TrailerParser.dropForbidden(trailers);
        state = State.END;
        return END;
    }

    /// Takes one byte between the data of chunks; false when it may not stand there.
    private boolean readFraming(byte b) {
        return switch (state) {
            case SIZE_FIRST -> {
                sizeLine = 0;
                remaining = 0;
                state = State.SIZE;
                yield readSize(b);
            }
            case SIZE -> switch (b) {
                case '\r' -> to(State.SIZE_LF);
                case ';' -> to(State.EXTENSION);
                case ' ', '\t' -> to(State.BLANK);
                default -> readSize(b);
            };
            case BLANK -> b == ';' ? to(State.EXTENSION) : (b == ' ' || b == '\t') && ++sizeLine < LONGEST_SIZE_LINE;
            case EXTENSION -> b == '\r' ? to(State.SIZE_LF) : Syntax.isValue(b) && ++sizeLine < LONGEST_SIZE_LINE;
            case SIZE_LF -> b == '\n' && to(remaining == 0 ? State.TRAILERS : State.DATA);
            case DATA_CR -> b == '\r' && to(State.DATA_LF);
            case DATA_LF -> b == '\n' && to(State.SIZE_FIRST);
            case LENGTH, UNTIL_CLOSE, DATA, TRAILERS, END -> false;
        };
    }

    private boolean to(State next) {
        state = next;
        return true;
    }

    private boolean readSize(byte b) {
        int digit = Character.digit(b, 16);
        // 15 hexadecimal digits fit a long with room; leading zeros count, they serve nobody.
        if (digit < 0 || ++sizeLine > 15) {
            return false;
        }
        remaining = remaining << 4 | digit;
        return true;
    }
}
