package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/// One request on its way through a [LocalService]: its body as it comes, and the answer, unless the exchange is over by then,
/// since exchanges are used again.
final class LocalTurn implements LocalService.Reply {
    final LocalPath path;
    private final ByteBuf body;
    private @Nullable Exchange exchange;

    LocalTurn(LocalPath path, Exchange exchange, GateLoop loop) {
        this.path = path;
        this.exchange = exchange;
        this.body = loop.allocator().buffer();
    }

    /// Takes over the buffer; false when it is too much.
    boolean add(ByteBuf data) {
        boolean fits = body.readableBytes() + data.readableBytes() <= path.service.longestBody();
        if (fits) {
            body.writeBytes(data);
        }
        data.release();
        return fits;
    }

    void serve(LocalService.Asked asked) {
        path.service.serve(asked, body, this);
    }

    /// The exchange is over, and what comes now is for nobody.
    void end() {
        exchange = null;
        body.release();
    }

    @Override
    public void content(String contentType, String fields, ByteBuf content) {
        Exchange waiting = exchange;
        if (waiting == null) {
            content.release();
        } else {
            waiting.answerContent(contentType, fields, content);
        }
    }

    @Override
    public void refusal(int status, Cause cause, String fields, String detail) {
        Exchange waiting = exchange;
        if (waiting != null) {
            waiting.answerRefusal(new LocalAnswer(status, cause, fields), detail);
        }
    }
}
