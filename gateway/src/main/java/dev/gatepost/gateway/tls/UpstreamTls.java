package dev.gatepost.gateway.tls;

import dev.gatepost.gateway.config.GatewayConfig;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// TLS towards endpoints: whom to believe, what to show those that ask who we are, which protocols to offer. Sessions are
/// kept and resumed by name and port.
public final class UpstreamTls implements AutoCloseable {
    /// The JDK's authorities, and no certificate of ours.
    public static final UpstreamTls DEFAULT = new UpstreamTls(GatewayConfig.Upstreams.DEFAULT, null, List.of());

    private static final int SESSION_CACHE_SIZE = 10_000;

    /// What ALPN offers.
    public enum Offer {
        HTTP_1(ApplicationProtocolNames.HTTP_1_1),
        HTTP_2(ApplicationProtocolNames.HTTP_2),
        BOTH(ApplicationProtocolNames.HTTP_2, ApplicationProtocolNames.HTTP_1_1);

        @SuppressWarnings("ImmutableEnumChecker") // Never written to.
        private final ApplicationProtocolConfig protocols;

        Offer(String... names) {
            protocols = new ApplicationProtocolConfig(
                    ApplicationProtocolConfig.Protocol.ALPN,
                    ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                    ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                    names);
        }
    }

    private record Kind(boolean verified, Offer offer) {}

    private final GatewayConfig.Upstreams config;
    private final @Nullable PrivateKey key;
    private final List<X509Certificate> chain;
    // Filled by whichever virtual thread asks first, read by the event loops.
    private final Map<Kind, SslContext> contexts = new HashMap<>();

    private UpstreamTls(GatewayConfig.Upstreams config, @Nullable PrivateKey key, List<X509Certificate> chain) {
        this.config = config;
        this.key = key;
        this.chain = List.copyOf(chain);
    }

    /// @throws IOException a file can't be read or holds no such thing; the message names it
    public static UpstreamTls of(GatewayConfig.Upstreams config) throws IOException {
        try {
            if (config.caCertificate().isPresent()) {
                ClientTls.certificates(config.caCertificate().get());
            }
            if (config.clientCertificate().isEmpty()) {
                return new UpstreamTls(config, null, List.of());
            }
            List<X509Certificate> chain = ClientTls.certificates(config.clientCertificate().get());
            return new UpstreamTls(config, ClientTls.privateKey(config.clientKey().orElse(config.clientCertificate().get()), chain.getFirst()), chain);
        } catch (GeneralSecurityException e) {
            throw new IOException("TLS to upstreams can't be set up: " + e.getMessage(), e);
        }
    }

    /// Makes what [#handler] needs. May block for a while: the JDK's authorities are many.
    ///
    /// @throws IOException the authorities or the key don't do
    public void prepare(boolean verified, Offer offer) throws IOException {
        synchronized (contexts) {
            Kind kind = new Kind(verified, offer);
            if (!contexts.containsKey(kind)) {
                contexts.put(kind, context(kind));
            }
        }
    }

    public boolean isPrepared(boolean verified, Offer offer) {
        synchronized (contexts) {
            return contexts.containsKey(new Kind(verified, offer));
        }
    }

    /// A handler for one connection, of a kind that is prepared.
    ///
    /// @param name that the certificate must have: a host name, which is asked for by SNI, or an address
    public SslHandler handler(ByteBufAllocator allocator, String name, int port, boolean verified, Offer offer) {
        SslContext context;
        synchronized (contexts) {
            context = contexts.get(new Kind(verified, offer));
        }
        if (context == null) {
            throw new IllegalStateException("TLS is not prepared");
        }
        return context.newHandler(allocator, name, port);
    }

    private SslContext context(Kind kind) throws IOException {
        SslContextBuilder builder = SslContextBuilder.forClient()
                .sslProvider(TlsProvider.current().netty())
                .protocols("TLSv1.3", "TLSv1.2")
                .applicationProtocolConfig(kind.offer.protocols)
                .sessionCacheSize(SESSION_CACHE_SIZE);
        if (key != null) {
            builder.keyManager(key, chain);
        }
        try {
            if (kind.verified) {
                builder.trustManager(ClientTls.trustManagers(config.caCertificate())[0]).endpointIdentificationAlgorithm("HTTPS");
            } else {
                builder.trustManager(InsecureTrustManagerFactory.INSTANCE).endpointIdentificationAlgorithm(null);
            }
            return builder.build();
        } catch (GeneralSecurityException | SSLException e) {
            throw new IOException("TLS to upstreams can't be set up: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        synchronized (contexts) {
            contexts.values().forEach(ReferenceCountUtil::release);
            contexts.clear();
        }
    }
}
