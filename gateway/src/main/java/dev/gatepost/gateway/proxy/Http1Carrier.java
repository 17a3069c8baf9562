package dev.gatepost.gateway.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelInboundHandlerAdapter;

/// Our end of an HTTP/1 connection, whichever side opened it: messages one after another, out of buffers as they are read.
abstract class Http1Carrier extends ChannelInboundHandlerAdapter {
    final GateLoop loop;
    final BodyReader body;
    private boolean consuming;

    Http1Carrier(GateLoop loop) {
        this.loop = loop;
        this.body = new BodyReader(loop.settings.limits());
    }

    /// Takes over the buffer.
    final void consume(ByteBuf in) {
        consuming = true;
        boolean taken = false;
        try {
            taken = readAll(in);
        } finally {
            consuming = false;
            if (!taken) {
                in.release();
            }
        }
    }

    /// Whether what was read is being looked through.
    final boolean isConsuming() {
        return consuming;
    }

    /// Reads as far as it goes. True when the buffer itself was passed on or kept.
    abstract boolean readAll(ByteBuf in);
}
