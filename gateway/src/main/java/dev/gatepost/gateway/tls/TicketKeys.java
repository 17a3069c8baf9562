package dev.gatepost.gateway.tls;

import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/// What session tickets are sealed with (RFC 5077 section 4, RFC 8446 section 4.6.1): the first key seals, every key opens. All
/// certificates share them, so that a renewed one resumes the sessions of the one before.
///
/// Whoever has a key can read what was said in the sessions that it resumed without a new key exchange; so each is used for a
/// short while and then forgotten.
record TicketKeys(List<byte[]> keys) {
    /// How long a key seals.
    static final int ROTATION_HOURS = 1;
    /// Name, HMAC key and AES key, 16 bytes each.
    private static final int BYTES = 48;
    /// Sessions live for 4 hours: a ticket must open as long as that.
    private static final int MOST_OWN = 1 + 4 / ROTATION_HOURS;

    TicketKeys {
        keys = List.copyOf(keys);
    }

    /// One that nobody else has.
    static TicketKeys own(SecureRandom random) {
        return new TicketKeys(List.of(key(random)));
    }

    /// With a new key in front, without those that no session needs any more.
    TicketKeys rotated(SecureRandom random) {
        List<byte[]> next = new ArrayList<>(List.of(key(random)));
        next.addAll(keys.subList(0, Math.min(keys.size(), MOST_OWN - 1)));
        return new TicketKeys(next);
    }

    private static byte[] key(SecureRandom random) {
        byte[] key = new byte[BYTES];
        random.nextBytes(key);
        return key;
    }

    /// Those that several gateways share: a line of base64 each, as `openssl rand -base64 48` writes it; blank lines and those
    /// that begin with `#` don't count.
    ///
    /// @throws IOException its message says what is wrong, and where
    static TicketKeys read(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        List<byte[]> keys = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            byte[] key;
            try {
                key = Base64.getDecoder().decode(line);
            } catch (IllegalArgumentException e) {
                throw new IOException("line %d is not base64 (expected: 48 bytes of it, as of openssl rand -base64 48)".formatted(i + 1), e);
            }
            if (key.length != BYTES) {
                throw new IOException("line %d holds %d bytes (expected: 48, as of openssl rand -base64 48)".formatted(i + 1, key.length));
            }
            keys.add(key);
        }
        if (keys.isEmpty()) {
            throw new IOException("no key in it (expected: a line of openssl rand -base64 48 each, the one that seals first)");
        }
        return new TicketKeys(keys);
    }

    boolean sameAs(TicketKeys other) {
        return Arrays.deepEquals(keys.toArray(), other.keys.toArray());
    }

    /// Handshakes in progress take them, too. The JDK's provider has keys of its own.
    void applyTo(SslContext context) {
        if (context.sessionContext() instanceof OpenSslSessionContext sessions) {
            sessions.setTicketKeys(keys.stream()
                    .map(key -> new OpenSslSessionTicketKey(
                            Arrays.copyOfRange(key, 0, 16), Arrays.copyOfRange(key, 16, 32), Arrays.copyOfRange(key, 32, BYTES)))
                    .toArray(OpenSslSessionTicketKey[]::new));
        }
    }
}
