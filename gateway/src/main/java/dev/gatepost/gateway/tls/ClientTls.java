package dev.gatepost.gateway.tls;

import dev.gatepost.gateway.config.GatewayConfig;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/// TLS towards Consul, from PEM files: whom to believe, and what to show when Consul asks who we are. HTTP/1.1 goes by the
/// JDK's; HTTP/2, by which changes come, as to upstreams: the native library needs no warming up.
public final class ClientTls implements AutoCloseable {
    private final SSLContext context;
    private final UpstreamTls offering;
    private final boolean verified;

    private ClientTls(SSLContext context, UpstreamTls offering, boolean verified) {
        this.context = context;
        this.offering = offering;
        this.verified = verified;
    }

    /// Empty for a plain address.
    ///
    /// @throws IOException a file can't be read or holds no such thing; the message names it
    public static Optional<ClientTls> of(GatewayConfig.Consul consul) throws IOException {
        if (!consul.address().startsWith("https:")) {
            return Optional.empty();
        }
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keyManagers(consul), consul.verify() ? trustManagers(authorities(consul)) : new TrustManager[] {new Anyone()}, null);
            UpstreamTls offering = UpstreamTls.of(new GatewayConfig.Upstreams(consul.caCertificate(), consul.clientCertificate(), consul.clientKey()));
            offering.prepare(consul.verify(), UpstreamTls.Offer.BOTH);
            offering.watch();
            return Optional.of(new ClientTls(context, offering, consul.verify()));
        } catch (GeneralSecurityException e) {
            throw new IOException("TLS to " + consul.address() + " can't be set up: " + e.getMessage(), e);
        }
    }

    /// For HTTP/1.1.
    public SSLContext context() {
        return context;
    }

    /// For one connection that offers HTTP/2 before HTTP/1.1.
    public SslHandler handler(ByteBufAllocator allocator, String host, int port) {
        return offering.handler(allocator, host, port, verified, UpstreamTls.Offer.BOTH);
    }

    @Override
    public void close() {
        offering.close();
    }

    private static List<X509Certificate> authorities(GatewayConfig.Consul consul) throws GeneralSecurityException, IOException {
        return consul.caCertificate().isPresent() ? certificates(consul.caCertificate().get()) : List.of();
    }

    /// @param authorities empty: the JDK's own
    static TrustManager[] trustManagers(List<X509Certificate> authorities) throws GeneralSecurityException, IOException {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        KeyStore store = null; // the JDK's own
        if (!authorities.isEmpty()) {
            store = emptyStore();
            int n = 0;
            for (X509Certificate authority : authorities) {
                store.setCertificateEntry("ca-" + n++, authority);
            }
        }
        factory.init(store);
        return factory.getTrustManagers();
    }

    private static KeyManager[] keyManagers(GatewayConfig.Consul consul) throws GeneralSecurityException, IOException {
        if (consul.clientCertificate().isEmpty()) {
            return new KeyManager[0];
        }
        Path certificateFile = consul.clientCertificate().get();
        List<X509Certificate> chain = certificates(certificateFile);
        PrivateKey key = privateKey(consul.clientKey().orElse(certificateFile), chain.getFirst());
        KeyStore store = emptyStore();
        store.setKeyEntry("client", key, new char[0], chain.toArray(new Certificate[0]));
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, new char[0]);
        return factory.getKeyManagers();
    }

    static PrivateKey privateKey(Path file, X509Certificate certificate) throws GeneralSecurityException, IOException {
        List<PemFile.Block> keys = PemFile.read(file).privateKeys();
        if (keys.isEmpty()) {
            throw new CertificateException(file + " holds no private key (expected: a PEM file with one)");
        }
        return KeyEncoding.privateKey(keys.getFirst(), certificate.getPublicKey(), file);
    }

    static List<X509Certificate> certificates(Path file) throws GeneralSecurityException, IOException {
        CertificateFactory x509 = CertificateFactory.getInstance("X.509");
        List<X509Certificate> certificates = new ArrayList<>();
        for (PemFile.Block block : PemFile.read(file).certificates()) {
            certificates.add((X509Certificate) x509.generateCertificate(new ByteArrayInputStream(block.der())));
        }
        if (certificates.isEmpty()) {
            throw new CertificateException(file + " holds no certificate (expected: a PEM file with at least one)");
        }
        return certificates;
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    /// `consul.verify: false`: whoever answers is believed. Extended, since the JDK wraps any other kind into its own checks.
    private static final class Anyone extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
