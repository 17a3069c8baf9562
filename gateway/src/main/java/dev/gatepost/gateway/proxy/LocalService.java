package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import java.net.InetAddress;

/// Answers requests within this process, in place of an endpoint: those that a [LocalPath] leads to.
public interface LocalService {
    /// Longest request body: 413 above it.
    int longestBody();

    /// Answers a request whose body is complete, on its event loop.
    ///
    /// @param body  of the caller, readable until this returns
    /// @param reply to be called once, on that loop, perhaps before this returns
    void serve(Asked asked, ByteBuf body, Reply reply);

    /// What is asked for.
    ///
    /// @param query       of the target, without its question mark
    /// @param contentType of the body, empty for none
    /// @param client      after evaluation of trusted proxies
    record Asked(EventLoop loop, String method, String query, String contentType, InetAddress client, int port) {}

    /// Takes the answer.
    interface Reply {
        /// @param fields further field lines `Name: value`, each ending in CR LF
        /// @param body   taken over
        void content(String contentType, String fields, ByteBuf body);

        /// @param fields as above
        /// @param detail for the log: what is wrong and what is expected
        void refusal(int status, Cause cause, String fields, String detail);
    }
}
