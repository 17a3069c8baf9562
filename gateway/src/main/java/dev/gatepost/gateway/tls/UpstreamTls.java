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
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// TLS towards endpoints: whom to believe, what to show those that ask who we are, which protocols to offer. Sessions are
/// kept and resumed by name and port.
///
/// Files that change count for the connections that are opened from then on.
public final class UpstreamTls implements AutoCloseable {
    /// The JDK's authorities, and no certificate of ours.
    public static final UpstreamTls DEFAULT = new UpstreamTls(GatewayConfig.Upstreams.DEFAULT, Papers.NONE);

    private static final Logger LOG = LoggerFactory.getLogger(UpstreamTls.class);
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

    /// What the files hold.
    ///
    /// @param authorities empty: the JDK's
    /// @param identity    empty where we have nothing to show
    private record Papers(List<X509Certificate> authorities, Optional<Identity> identity) {
        static final Papers NONE = new Papers(List.of(), Optional.empty());

        static Papers of(GatewayConfig.Upstreams config) throws IOException {
            try {
                List<X509Certificate> authorities = config.caCertificate().isPresent() ? ClientTls.certificates(config.caCertificate().get()) : List.of();
                if (config.clientCertificate().isEmpty()) {
                    return new Papers(authorities, Optional.empty());
                }
                Path file = config.clientCertificate().get();
                List<X509Certificate> chain = ClientTls.certificates(file);
                PrivateKey key = ClientTls.privateKey(config.clientKey().orElse(file), chain.getFirst());
                return new Papers(authorities, Optional.of(new Identity(key, chain)));
            } catch (GeneralSecurityException e) {
                throw new IOException("TLS to upstreams can't be set up: " + e.getMessage(), e);
            }
        }
    }

    private record Identity(PrivateKey key, List<X509Certificate> chain) {}

    private final GatewayConfig.Upstreams config;
    /// Held while contexts are made, which takes its time: a virtual thread that prepares one, the files' watch, a signal's thread.
    private final Object making = new Object();
    private Papers papers;
    private boolean closed;
    /// Filled while [#making] is held; read by the event loops, which wait for nothing but a look at it.
    private final Map<Kind, SslContext> contexts = new HashMap<>();
    private @Nullable CertificateWatch watch;

    private UpstreamTls(GatewayConfig.Upstreams config, Papers papers) {
        this.config = config;
        this.papers = papers;
    }

    /// @throws IOException a file can't be read or holds no such thing; the message names it
    public static UpstreamTls of(GatewayConfig.Upstreams config) throws IOException {
        return new UpstreamTls(config, Papers.of(config));
    }

    /// Makes what [#handler] needs. May block for a while: the JDK's authorities are many.
    ///
    /// @throws IOException the authorities or the key don't do
    public void prepare(boolean verified, Offer offer) throws IOException {
        synchronized (making) {
            if (!closed && !isPrepared(verified, offer)) {
                SslContext made = context(new Kind(verified, offer), papers);
                synchronized (contexts) {
                    contexts.put(new Kind(verified, offer), made);
                }
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
        synchronized (contexts) {
            SslContext context = contexts.get(new Kind(verified, offer));
            if (context == null) {
                throw new IllegalStateException("TLS is not prepared");
            }
            // Its engine keeps the context by itself.
            return context.newHandler(allocator, name, port);
        }
    }

    private static SslContext context(Kind kind, Papers papers) throws IOException {
        SslContextBuilder builder = SslContextBuilder.forClient()
                .sslProvider(TlsProvider.current().netty())
                .protocols("TLSv1.3", "TLSv1.2")
                .applicationProtocolConfig(kind.offer.protocols)
                .sessionCacheSize(SESSION_CACHE_SIZE);
        papers.identity.ifPresent(identity -> builder.keyManager(identity.key, identity.chain));
        try {
            if (kind.verified) {
                builder.trustManager(ClientTls.trustManagers(papers.authorities)[0]).endpointIdentificationAlgorithm("HTTPS");
            } else {
                builder.trustManager(InsecureTrustManagerFactory.INSTANCE).endpointIdentificationAlgorithm(null);
            }
            return builder.build();
        } catch (GeneralSecurityException | SSLException e) {
            throw new IOException("TLS to upstreams can't be set up: " + e.getMessage(), e);
        }
    }

    // ---- files that change ----

    /// Reads the files again. Connections in progress keep what they have, and what can't be used changes nothing.
    public void reload() {
        synchronized (making) {
            if (closed) {
                return;
            }
            Map<Kind, SslContext> made = new HashMap<>();
            try {
                Papers read = Papers.of(config);
                if (read.equals(papers)) {
                    return;
                }
                for (Kind kind : prepared()) {
                    made.put(kind, context(kind, read));
                }
                papers = read;
            } catch (IOException e) {
                made.values().forEach(ReferenceCountUtil::release);
                LOG.warn("files of upstreams not reread, the previous ones stay: {}", e.getMessage());
                return;
            }
            replace(made);
            LOG.info("authorities and certificate for upstreams reread");
        }
    }

    private List<Kind> prepared() {
        synchronized (contexts) {
            return List.copyOf(contexts.keySet());
        }
    }

    private void replace(Map<Kind, SslContext> made) {
        synchronized (contexts) {
            contexts.values().forEach(ReferenceCountUtil::release);
            contexts.clear();
            contexts.putAll(made);
        }
    }

    /// Follows changes of the files until closed.
    public void watch() {
        List<Path> files = Stream.of(config.caCertificate(), config.clientCertificate(), config.clientKey()).flatMap(Optional::stream).toList();
        if (!files.isEmpty()) {
            watch = CertificateWatch.start(files, this::reload);
        }
    }

    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
        synchronized (making) {
            closed = true;
            replace(Map.of());
        }
    }
}
