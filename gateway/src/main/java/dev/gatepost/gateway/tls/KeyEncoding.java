package dev.gatepost.gateway.tls;

import io.netty.internal.tcnative.Buffer;
import io.netty.internal.tcnative.SSL;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Private keys as operators have them: PKCS#8, and the older PKCS#1 (RSA) and SEC1 (EC) that OpenSSL used to write.
/// The JDK reads PKCS#8 alone, so the older two are wrapped into it (RFC 5958 section 2).
final class KeyEncoding {
    private static final Logger LOG = LoggerFactory.getLogger(KeyEncoding.class);

    private static final int SEQUENCE = 0x30;
    private static final int OCTET_STRING = 0x04;
    private static final byte PUBLIC_KEY = (byte) 0xa1;
    private static final byte[] VERSION_0 = {0x02, 0x01, 0x00};

    private KeyEncoding() {}

    /// The private key of `block`, proven to belong to `publicKey`.
    static PrivateKey privateKey(PemFile.Block block, PublicKey publicKey, Path file) throws CertificateException {
        byte[] pkcs8 = switch (block.label()) {
            case "PRIVATE KEY" -> block.der();
            case "RSA PRIVATE KEY", "EC PRIVATE KEY" -> wrap(block, publicKey);
            case "ENCRYPTED PRIVATE KEY" -> throw new CertificateException(
                    "the private key in " + file + " is encrypted (expected: one without a passphrase, readable by the gateway alone)");
            default -> throw new CertificateException(
                    "the private key in " + file + " is a " + block.label() + " (expected: PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY)");
        };
        PrivateKey key;
        try {
            key = KeyFactory.getInstance(publicKey.getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        } catch (GeneralSecurityException e) {
            throw new CertificateException(
                    "the private key in " + file + " is not a readable " + publicKey.getAlgorithm() + " key, which the certificate's is", e);
        }
        if (!belongTogether(key, publicKey)) {
            throw new CertificateException("the private key in " + file + " is not the certificate's (expected: the key it was issued for)");
        }
        return key;
    }

    /// Both older encodings lack the algorithm identifier; the certificate's public key has it.
    private static byte[] wrap(PemFile.Block block, PublicKey publicKey) throws CertificateException {
        byte[] key = block.der();
        String algorithm = block.label().startsWith("RSA") ? "RSA" : "EC";
        if (!algorithm.equals(publicKey.getAlgorithm())) {
            throw new CertificateException("an " + algorithm + " private key with a certificate for " + publicKey.getAlgorithm());
        }
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        content.writeBytes(VERSION_0);
        content.writeBytes(algorithmIdentifier(publicKey.getEncoded()));
        element(content, OCTET_STRING, key);
        ByteArrayOutputStream pkcs8 = new ByteArrayOutputStream();
        element(pkcs8, SEQUENCE, content.toByteArray());
        return pkcs8.toByteArray();
    }

    /// The first element of a SubjectPublicKeyInfo (RFC 5280 section 4.1), which the JDK has encoded: no need to distrust it.
    private static byte[] algorithmIdentifier(byte[] publicKeyInfo) {
        int start = 2 + lengthBytes(publicKeyInfo[1]);
        int length = 2 + publicKeyInfo[start + 1];
        byte[] identifier = new byte[length];
        System.arraycopy(publicKeyInfo, start, identifier, 0, length);
        return identifier;
    }

    private static int lengthBytes(byte first) {
        return first >= 0 ? 0 : first & 0x7f;
    }

    private static void element(ByteArrayOutputStream out, int tag, byte[] content) {
        out.write(tag);
        int length = content.length;
        if (length < 0x80) {
            out.write(length);
        } else if (length < 0x100) {
            out.write(0x81);
            out.write(length);
        } else {
            out.write(0x82);
            out.write(length >> 8);
            out.write(length);
        }
        out.writeBytes(content);
    }

    /// A signature by cold code would be a tenth of the gateway's start: where the private key's own encoding holds the certificate's
    /// public key, it is enough that BoringSSL finds the two halves of it to agree.
    private static boolean belongTogether(PrivateKey key, PublicKey publicKey) {
        return (TlsProvider.current() == TlsProvider.BORINGSSL && namesPublicKey(key, publicKey)) ? isWhole(key) : signsFor(key, publicKey);
    }

    /// Whether the private key's own encoding holds the public one, as OpenSSL and the JDK write it.
    private static boolean namesPublicKey(PrivateKey key, PublicKey publicKey) {
        if (key instanceof RSAPrivateCrtKey mine && publicKey instanceof RSAPublicKey theirs) {
            return mine.getModulus().equals(theirs.getModulus()) && mine.getPublicExponent().equals(theirs.getPublicExponent());
        }
        // ECPrivateKey (RFC 5915 section 3) ends with the public key as [1] BIT STRING, with which SubjectPublicKeyInfo ends too.
        byte[] info = publicKey.getEncoded();
        byte[] mine = key.getEncoded();
        int point = info[1] >= 0 ? pastAlgorithm(info) : -1;
        int length = info.length - point;
        int at = mine.length - length;
        return point > 0 && at >= 2 && mine[at - 2] == PUBLIC_KEY && mine[at - 1] == length
                && Arrays.equals(mine, at, mine.length, info, point, info.length);
    }

    /// Whether BoringSSL reads it: it takes no key whose public half does not follow from the private one.
    private static boolean isWhole(PrivateKey key) {
        String pem = "-----BEGIN PRIVATE KEY-----\n" + Base64.getMimeEncoder().encodeToString(key.getEncoded()) + "\n-----END PRIVATE KEY-----\n";
        ByteBuffer text = ByteBuffer.allocateDirect(pem.length()).put(pem.getBytes(StandardCharsets.US_ASCII));
        long bio = 0;
        try {
            bio = SSL.newMemBIO();
            if (SSL.bioWrite(bio, Buffer.address(text), text.capacity()) != text.capacity()) {
                return false;
            }
            SSL.freePrivateKey(SSL.parsePrivateKey(bio, null));
            return true;
        } catch (Exception e) { // that is what it declares
            LOG.debug("BoringSSL does not take the private key: {}", e.getMessage());
            return false;
        } finally {
            if (bio != 0) {
                SSL.freeBIO(bio);
            }
            text.clear().put(new byte[text.capacity()]);
        }
    }

    private static int pastAlgorithm(byte[] publicKeyInfo) {
        return 2 + algorithmIdentifier(publicKeyInfo).length;
    }

    private static boolean signsFor(PrivateKey key, PublicKey publicKey) {
        byte[] probe = {1, 2, 3, 4};
        try {
            Signature signature = Signature.getInstance(key.getAlgorithm().equals("EC") ? "SHA256withECDSA" : "SHA256withRSA");
            signature.initSign(key);
            signature.update(probe);
            byte[] signed = signature.sign();
            signature.initVerify(publicKey);
            signature.update(probe);
            return signature.verify(signed);
        } catch (GeneralSecurityException _) {
            return false;
        }
    }
}
