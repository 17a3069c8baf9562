package dev.gatepost.gateway.proxy;

import dev.gatepost.gateway.accesslog.Cause;
import dev.gatepost.gateway.tls.Certificates;
import dev.gatepost.gateway.tls.ServerTls;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SniCompletionEvent;
import io.netty.handler.ssl.SniHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.internal.tcnative.SSL;
import io.netty.util.Mapping;
import java.time.Duration;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How the connections of an HTTPS listener begin: ClientHello, the certificate for its SNI name, the handshake, then the
/// protocol that ALPN chose. What only the beginning needs leaves the pipeline: afterwards it is TLS and HTTP.
public final class TlsStart implements ConnectionStart {
    private static final Logger LOG = LoggerFactory.getLogger(TlsStart.class);

    /// From the first byte to the end of the handshake.
    private static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(10);

    /// A ClientHello with post-quantum key shares takes about 2 KiB; we collect no more than one TLS record's worth.
    private static final int LONGEST_CLIENT_HELLO = 16 * 1024;

    private final Mapping<String, SslContext> contexts;

    public TlsStart(Certificates certificates) {
        contexts = contexts(certificates);
    }

    /// By the name that the client asks for.
    public static Mapping<String, SslContext> contexts(Certificates certificates) {
        return serverName -> certificates.choose(serverName).context();
    }

    @Override
    public void begin(Channel channel, GateLoop loop) {
        channel.pipeline()
                .addLast(new SniHandler(contexts, LONGEST_CLIENT_HELLO, HANDSHAKE_TIMEOUT.toMillis()))
                .addLast(new Handshake(loop, channel));
    }

    /// @param startMillis when the handshake began: a session from before is a resumed one
    static TlsFacts factsOf(SslHandler tls, String serverName, long startMillis) {
        SSLSession session = tls.engine().getSession();
        boolean resumed = tls.engine() instanceof ReferenceCountedOpenSslEngine openSsl
                ? SSL.isSessionReused(openSsl.sslPointer())
                : session.getCreationTime() < startMillis;
        String protocol = tls.applicationProtocol();
        return new TlsFacts(
                session.getProtocol().replace("TLSv", ""), session.getCipherSuite(), serverName, protocol == null ? "" : protocol, resumed);
    }

    /// Waits for the handshake's end and hands over to the protocol. Removes itself.
    private static final class Handshake extends ChannelInboundHandlerAdapter implements LiveConnection {
        private final GateLoop loop;
        private final Channel channel;
        private final long startMillis = System.currentTimeMillis();
        private String serverName = "";
        private long acceptedAt;
        private boolean failed;
        /// What its record says, should it fail.
        private Cause cause = Cause.CLIENT_TLS;

        Handshake(GateLoop loop, Channel channel) {
            this.loop = loop;
            this.channel = channel;
        }

        /// Counts from now: a client that never completes its handshake takes a place all the same.
        @Override
        public void handlerAdded(ChannelHandlerContext ctx) {
            loop.touch();
            acceptedAt = loop.now();
            loop.connected(this);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            loop.disconnected(this);
            ctx.fireChannelInactive();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            switch (event) {
                case SniCompletionEvent sni when sni.isSuccess() -> serverName = sni.hostname() == null ? "" : sni.hostname();
                case SslHandshakeCompletionEvent tls when tls.isSuccess() -> start(ctx);
                case SniCompletionEvent sni -> fail(ctx, sni.cause());
                case SslHandshakeCompletionEvent tls -> fail(ctx, tls.cause());
                default -> ctx.fireUserEventTriggered(event);
            }
        }

        private void start(ChannelHandlerContext ctx) {
            SslHandler tls = ctx.pipeline().get(SslHandler.class);
            TlsFacts facts = factsOf(tls, serverName, startMillis);
            if (facts.nextProtocol().equals(ServerTls.DNS_OVER_TLS)) {
                fail(ctx, new SSLException("asks for DNS over TLS by ALPN on an HTTPS listener"));
                return;
            }
            loop.counters.handshakes++;
            if (facts.resumed()) {
                loop.counters.resumedHandshakes++;
            }
            // A client with Nagle's algorithm keeps its request until the end of its handshake is acknowledged, and the kernel puts that
            // off by 40 ms as long as we send nothing: BoringSSL keeps the session tickets until there is a response.
            ctx.channel().config().setOption(EpollChannelOption.TCP_QUICKACK, true);
            loop.handedOver(this);
            loop.touch();
            // Behind this handler, so that what was read together with the end of the handshake reaches it.
            if (facts.nextProtocol().equals(ApplicationProtocolNames.HTTP_2)) {
                loop.serveHttp2(ctx.channel(), facts, acceptedAt);
            } else {
                loop.serveHttp1(ctx.channel(), facts, acceptedAt);
            }
            ctx.pipeline().remove(this);
        }

        private void fail(ChannelHandlerContext ctx, Throwable problem) {
            if (failed) {
                return;
            }
            failed = true;
            loop.counters.failedHandshakes++;
            loop.touch();
            ClientConnection client = ClientConnection.withoutHandshake(ctx.channel(), serverName, loop.settings, acceptedAt, loop.now());
            loop.logFailedHandshake(client, cause, FailedHandshake.describe(problem));
            var _ = ctx.close();
        }

        /// It may finish: what follows is served once.
        @Override
        public void drain() {}

        @Override
        public void kill() {
            cause = Cause.DRAINING;
            close();
        }

        @Override
        public void close() {
            var _ = channel.close();
        }

        /// The completion event has told it already.
        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            LOG.trace("connection from {} ended", ctx.channel().remoteAddress(), cause);
            var _ = ctx.close();
        }
    }
}
