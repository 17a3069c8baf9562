package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import io.netty.channel.ChannelHandler;

/// What takes a channel to an endpoint that [EndpointPool] opens: told once how that went.
interface Connecting extends ChannelHandler {
    /// TCP is there; the channel has this handler.
    void connected();

    void connectFailed(Cause cause, String detail);
}
