package dev.gatepost.gateway.tls;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSslCachingX509KeyManagerFactory;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/// How the gateway speaks TLS to its clients: versions and cipher suites of Mozilla's "intermediate" configuration
/// (5.7, without the DHE suites, which BoringSSL does not have), h2 before http/1.1, resumption by tickets whose
/// keys [Certificates] sets.
public final class ServerTls {
    /// What DNS over TLS is called in ALPN. Contexts serve both listeners, and each refuses what belongs to the other.
    public static final String DNS_OVER_TLS = "dot";

    private static final List<String> CIPHER_SUITES = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    private static final ApplicationProtocolConfig PROTOCOLS = new ApplicationProtocolConfig(
            ApplicationProtocolConfig.Protocol.ALPN,
            ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
            ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
            ApplicationProtocolNames.HTTP_2,
            ApplicationProtocolNames.HTTP_1_1,
            DNS_OVER_TLS);

    /// The hybrid post-quantum group first: clients that have it prefer it, the others take x25519.
    private static final String[] GROUPS = {"X25519MLKEM768", "x25519", "secp256r1", "secp384r1"};

    /// Bounds what a stolen ticket key would disclose. Tickets open for as long, see [TicketKeys].
    private static final Duration SESSION_LIFETIME = Duration.ofHours(4);
    private static final int SESSION_CACHE_SIZE = 10_000;

    /// No client is asked for a certificate. Without this one the JDK's authorities would be read from disk and parsed for nothing.
    private static final TrustManager NOBODY = new X509TrustManager() {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw new CertificateException("client certificates are not accepted");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
            throw new CertificateException("not a client");
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    };

    private ServerTls() {}

    static SslContext context(PrivateKey key, List<X509Certificate> chain) throws CertificateException {
        TlsProvider provider = TlsProvider.current();
        SslContextBuilder builder = SslContextBuilder.forServer(keys(provider, new OneKey.Factory(key, chain)))
                .trustManager(NOBODY)
                .sslProvider(provider.netty())
                .protocols("TLSv1.3", "TLSv1.2")
                .ciphers(CIPHER_SUITES, SupportedCipherSuiteFilter.INSTANCE)
                .applicationProtocolConfig(PROTOCOLS)
                .clientAuth(ClientAuth.NONE)
                .sessionCacheSize(SESSION_CACHE_SIZE)
                .sessionTimeout(SESSION_LIFETIME.toSeconds());
        if (provider == TlsProvider.BORINGSSL) {
            builder.option(OpenSslContextOption.GROUPS, GROUPS);
        }
        try {
            return builder.build();
        } catch (SSLException e) {
            throw new CertificateException(e.getMessage(), e);
        }
    }

    /// BoringSSL's own form of key and chain is made once, not for each handshake.
    private static KeyManagerFactory keys(TlsProvider provider, KeyManagerFactory factory) {
        return switch (provider) {
            case BORINGSSL -> new OpenSslCachingX509KeyManagerFactory(factory);
            case JDK -> factory;
        };
    }
}
