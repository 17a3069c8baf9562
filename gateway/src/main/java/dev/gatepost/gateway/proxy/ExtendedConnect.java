package dev.gatepost.gateway.proxy;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.concurrent.ThreadLocalRandom;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// A WebSocket in HTTP/2, an extended CONNECT (RFC 8441), and the HTTP/1 upgrade that it stands for. The exchange between
/// the two sees an upgrade: a GET with Upgrade, answered by 101.
final class ExtendedConnect {
    private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    private static final byte[] GET = "GET".getBytes(ISO_8859_1);
    private static final String UPGRADE = "Upgrade";
    private static final String KEY = "sec-websocket-key";
    private static final String ACCEPT = "sec-websocket-accept";

    private ExtendedConnect() {}

    /// Makes an upgrade of a CONNECT whose `:protocol` is that: HTTP/2 needs no key, HTTP/1 does (RFC 8441 section 5).
    static void asUpgrade(RequestHead request, String protocol) {
        request.methodFrom = request.fields.end;
        request.fields.append(GET, 0, GET.length);
        request.methodTo = request.fields.end;
        request.upgrade = true;
        request.bodyFollows = false;
        request.fields.add(UPGRADE, protocol);
        if (request.fields.find(KEY) < 0) {
            byte[] key = new byte[16];
            ThreadLocalRandom.current().nextBytes(key);
            request.fields.add("Sec-WebSocket-Key", Base64.getEncoder().encodeToString(key));
        }
    }

    /// Makes 101 of an endpoint's 2xx.
    static void accept(RequestHead request, ResponseHead response) {
        response.status = 101;
        int length = response.fields.find(FieldName.CONTENT_LENGTH, 0);
        if (length >= 0) {
            response.fields.drop(length);
        }
        response.contentLength = -1;
        int offer = request.fields.find(FieldName.UPGRADE, 0);
        response.fields.add(UPGRADE, request.fields.value(offer));
        int key = request.fields.find(KEY);
        if (key >= 0 && response.fields.find(ACCEPT) < 0) {
            response.fields.add("Sec-WebSocket-Accept", acceptOf(request.fields.value(key)));
        }
    }

    /// Makes 200 of 101, for a client that asked by CONNECT.
    static void established(ResponseHead response) {
        response.status = 200;
        int upgrade = response.fields.find(FieldName.UPGRADE, 0);
        if (upgrade >= 0) {
            response.fields.drop(upgrade);
        }
        int accept = response.fields.find(ACCEPT);
        if (accept >= 0) {
            response.fields.drop(accept);
        }
    }

    /// Whether a field of an upgrade has no place in a CONNECT.
    static boolean isOfUpgrade(FieldSection fields, int i) {
        return fields.id(i) == FieldName.UPGRADE || fields.isNamed(i, KEY);
    }

    /// RFC 6455 section 4.2.2.
    static String acceptOf(String key) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-1").digest((key + GUID).getBytes(ISO_8859_1));
            return Base64.getEncoder().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-1", e);
        }
    }
}
