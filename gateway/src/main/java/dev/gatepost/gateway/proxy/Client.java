package dev.gatepost.gateway.proxy;

import java.net.InetAddress;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// Who sent a request: the socket's peer, or behind trusted proxies the rightmost address in X-Forwarded-For that is none
/// of them. Whatever stands left of that one was not written by anybody we trust.
final class Client {
    private static final byte[] HTTPS = {'h', 't', 't', 'p', 's'};

    final InetAddress address;
    /// In ASCII; empty when it is the peer.
    final byte[] text;

    Client(InetAddress address, String text) {
        this.address = address;
        this.text = text.getBytes(ISO_8859_1);
    }

    /// To be called before [ForwardedFields] rewrites the fields.
    static Client of(RequestHead head, ClientConnection connection, GateSettings settings) {
        if (!connection.trusted) {
            return connection.client;
        }
        FieldSection fields = head.fields;
        Client found = connection.client;
        for (int i = fields.count() - 1; i >= 0; i--) {
            if (fields.id(i) != FieldName.X_FORWARDED_FOR) {
                continue;
            }
            String[] elements = fields.value(i).split(",", -1);
            for (int e = elements.length - 1; e >= 0; e--) {
                InetAddress address;
                try {
                    address = InetAddress.ofLiteral(bare(elements[e].strip()));
                } catch (IllegalArgumentException _) {
                    return found;
                }
                found = new Client(address, address.getHostAddress());
                if (!settings.trusts(address.getAddress())) {
                    return found;
                }
            }
        }
        return found;
    }

    /// Whether the client speaks TLS: to us, or to the trusted proxy that says so.
    static boolean isSecure(RequestHead head, ClientConnection connection) {
        if (!connection.trusted) {
            return connection.secure;
        }
        FieldSection fields = head.fields;
        int proto = fields.find(FieldName.X_FORWARDED_PROTO, 0);
        return proto < 0
                ? connection.secure
                : Syntax.equalsIgnoreCase(fields.bytes, fields.valueFrom(proto), fields.valueTo(proto), HTTPS);
    }

    /// Of its address, the same on every day.
    long hash() {
        byte[] of = text.length > 0 ? text : address.getAddress();
        return Hash.of(of, 0, of.length);
    }

    /// Without the port that some proxies add: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
    private static String bare(String element) {
        if (element.startsWith("[")) {
            int closing = element.indexOf(']');
            return closing < 0 ? element : element.substring(1, closing);
        }
        int colon = element.indexOf(':');
        return colon > 0 && colon == element.lastIndexOf(':') ? element.substring(0, colon) : element;
    }
}
