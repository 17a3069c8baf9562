package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.AccessLog;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import java.util.function.Supplier;

/// Everything that one event loop owns: both sides of an exchange live on the same loop, so nothing here needs a lock.
final class GateLoop {
    final EventLoop eventLoop;
    final GateSettings settings;
    final Supplier<Serving> serving;
    final AccessLog accessLog;

    GateLoop(EventLoop eventLoop, GateSettings settings, Supplier<Serving> serving, AccessLog accessLog) {
        this.eventLoop = eventLoop;
        this.settings = settings;
        this.serving = serving;
        this.accessLog = accessLog;
    }

    /// A fresh exchange for one request of that downstream; [Exchange] returns itself when it is over.
    Exchange exchange(Downstream downstream) {
        return new Exchange(this, downstream);
    }

    /// Speaks HTTP/1 on a channel from here on.
    ///
    /// @param tls [TlsFacts#NONE] without TLS
    void serveHttp1(Channel channel, TlsFacts tls) {
        channel.pipeline().addLast(new Http1Connection(this, ClientConnection.of(channel, tls, settings)));
    }
}
