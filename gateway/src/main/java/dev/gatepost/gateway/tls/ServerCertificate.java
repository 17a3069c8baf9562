package dev.gatepost.gateway.tls;

import io.netty.handler.ssl.SslContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/// A certificate that can be served: the names it speaks for, until when, and the TLS context that presents it.
///
/// @param file     where it came from
/// @param names    lower-case DNS names, `*.example.com` among them; empty when it holds none
/// @param notAfter the leaf's expiry
public record ServerCertificate(
        Path file, List<String> names, Instant notBefore, Instant notAfter, SslContext context) {
    private static final int SAN_DNS_NAME = 2;

    /// Reads the pair that `files` names.
    static ServerCertificate read(CertificateFiles files) throws IOException, CertificateException {
        PemFile pem = PemFile.read(files.certificate());
        return of(pem, files.key().isPresent() ? PemFile.read(files.key().get()) : pem);
    }

    static ServerCertificate read(CertificateText text) throws IOException, CertificateException {
        PemFile pem = text.read();
        return of(pem, pem);
    }

    private static ServerCertificate of(PemFile pem, PemFile keyPem) throws IOException, CertificateException {
        List<X509Certificate> chain = chain(pem);
        List<PemFile.Block> keys = keyPem.privateKeys();
        if (keys.size() != 1) {
            throw new CertificateException(keys.size() + " private keys in " + keyPem.path() + " (expected: 1, there or in a .key file beside it)");
        }
        X509Certificate leaf = chain.getFirst();
        String algorithm = leaf.getPublicKey().getAlgorithm();
        if (!algorithm.equals("RSA") && !algorithm.equals("EC")) {
            throw new CertificateException("its key is " + algorithm + " (expected: RSA or EC)");
        }
        return of(pem.path(), KeyEncoding.privateKey(keys.getFirst(), leaf.getPublicKey(), keyPem.path()), chain);
    }

    static ServerCertificate of(Path file, PrivateKey key, List<X509Certificate> chain) throws CertificateException {
        X509Certificate leaf = chain.getFirst();
        return new ServerCertificate(
                file, names(leaf), leaf.getNotBefore().toInstant(), leaf.getNotAfter().toInstant(), ServerTls.context(key, chain));
    }

    boolean validAt(Instant instant) {
        return !instant.isBefore(notBefore) && instant.isBefore(notAfter);
    }

    private static List<X509Certificate> chain(PemFile pem) throws IOException, CertificateException {
        List<X509Certificate> chain = new ArrayList<>();
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        for (PemFile.Block block : pem.certificates()) {
            try (InputStream in = new ByteArrayInputStream(block.der())) {
                Certificate certificate = factory.generateCertificate(in);
                chain.add((X509Certificate) certificate);
            } catch (CertificateException e) {
                throw new CertificateException("certificate " + (chain.size() + 1) + " in it is not readable: " + e.getMessage(), e);
            }
        }
        if (chain.isEmpty()) {
            throw new CertificateException("no certificate in it (expected: a PEM chain, leaf first)");
        }
        return chain;
    }

    /// The common name counts only where there is no alternative name at all (RFC 6125 section 6.4.4).
    private static List<String> names(X509Certificate leaf) throws CertificateException {
        var alternatives = leaf.getSubjectAlternativeNames();
        if (alternatives == null) {
            return commonName(leaf).stream().map(name -> name.toLowerCase(Locale.ROOT)).toList();
        }
        return alternatives.stream()
                .filter(entry -> entry.get(0).equals(SAN_DNS_NAME))
                .map(entry -> ((String) entry.get(1)).toLowerCase(Locale.ROOT))
                .distinct()
                .toList();
    }

    private static Optional<String> commonName(X509Certificate leaf) throws CertificateException {
        try {
            return new LdapName(leaf.getSubjectX500Principal().getName())
                    .getRdns().stream()
                            .filter(rdn -> rdn.getType().equalsIgnoreCase("CN"))
                            .map(Rdn::getValue)
                            .map(Object::toString)
                            .findFirst();
        } catch (InvalidNameException e) {
            throw new CertificateException("its subject is not readable: " + leaf.getSubjectX500Principal(), e);
        }
    }
}
