package dev.gatepost.gateway.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/// What an upstream is told of the client: `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `X-Request-Id`. What a trusted
/// proxy sent is kept and continued; what anybody else sent is replaced, since software behind us believes it.
final class ForwardedFields {
    private static final byte[] FOR = line("X-Forwarded-For");
    private static final byte[] PROTO = line("X-Forwarded-Proto");
    private static final byte[] HOST = line("X-Forwarded-Host");
    private static final byte[] PORT = line("X-Forwarded-Port");
    private static final byte[] PREFIX = line("X-Forwarded-Prefix");
    static final byte[] REQUEST_ID = line("X-Request-Id");
    private static final byte[] HTTP = "http".getBytes(ISO_8859_1);
    private static final byte[] HTTPS = "https".getBytes(ISO_8859_1);
    private static final byte[] PORT_80 = "80".getBytes(ISO_8859_1);
    private static final byte[] PORT_443 = "443".getBytes(ISO_8859_1);
    private static final int LONGEST_REQUEST_ID = 128;

    private ForwardedFields() {}

    private static byte[] line(String name) {
        return (name + ": ").getBytes(ISO_8859_1);
    }

    /// Drops and adds fields so that the request says the right thing. To be called once per request.
    ///
    /// @param stripped what the route strips from the path; empty for nothing
    static void apply(RequestHead head, ClientConnection client, byte[] stripped, RequestIds ids) {
        FieldSection fields = head.fields;
        boolean trusted = client.trusted;
        boolean proto = false;
        boolean host = false;
        boolean port = false;
        boolean requestId = false;
        int before = fields.count();
        for (int i = 0; i < before; i++) {
            switch (fields.id(i)) {
                case FieldName.X_FORWARDED_FOR -> fields.drop(i);
                case FieldName.X_FORWARDED_PROTO -> proto |= keep(fields, i, trusted);
                case FieldName.X_FORWARDED_HOST -> host |= keep(fields, i, trusted);
                case FieldName.X_FORWARDED_PORT -> port |= keep(fields, i, trusted);
                case FieldName.X_REQUEST_ID -> {
                    boolean usable = fields.valueTo(i) > fields.valueFrom(i)
                            && fields.valueTo(i) - fields.valueFrom(i) <= LONGEST_REQUEST_ID;
                    requestId |= keep(fields, i, trusted && usable && !requestId);
                }
                case FieldName.FORWARDED,
                        FieldName.X_REAL_IP,
                        FieldName.X_FORWARDED_PREFIX,
                        FieldName.X_FORWARDED_SERVER -> keep(fields, i, trusted);
                default -> {}
            }
        }
        addFor(fields, client, before);
        if (!proto) {
            byte[] scheme = client.secure ? HTTPS : HTTP;
            fields.add(FieldName.X_FORWARDED_PROTO, PROTO, scheme, 0, scheme.length);
        }
        if (!host && head.authorityFrom < head.authorityTo) {
            fields.add(FieldName.X_FORWARDED_HOST, HOST, fields.bytes, head.authorityFrom, head.authorityTo);
        }
        if (!port) {
            addPort(head, client);
        }
        if (stripped.length > 0) {
            fields.add(FieldName.X_FORWARDED_PREFIX, PREFIX, stripped, 0, stripped.length);
        }
        if (!requestId) {
            ids.addTo(fields);
        }
    }

    private static boolean keep(FieldSection fields, int i, boolean keep) {
        if (!keep) {
            fields.drop(i);
        }
        return keep;
    }

    /// One line with all there is, whoever sends it in several: not everybody behind us reads more than one.
    private static void addFor(FieldSection fields, ClientConnection client, int before) {
        if (!client.trusted || fields.find(FieldName.X_FORWARDED_FOR, 0) < 0) {
            fields.add(FieldName.X_FORWARDED_FOR, FOR, client.peerText, 0, client.peerText.length);
            return;
        }
        Scratch list = new Scratch();
        for (int i = 0; i < before; i++) {
            if (fields.id(i) == FieldName.X_FORWARDED_FOR && fields.valueFrom(i) < fields.valueTo(i)) {
                list.append(fields.bytes, fields.valueFrom(i), fields.valueTo(i));
                list.append(',');
                list.append(' ');
            }
        }
        list.append(client.peerText);
        fields.add(FieldName.X_FORWARDED_FOR, FOR, list.bytes, 0, list.end);
    }

    private static void addPort(RequestHead head, ClientConnection client) {
        if (head.port != 0) {
            head.fields.add(FieldName.X_FORWARDED_PORT, PORT, head.fields.bytes, head.hostTo + 1, head.authorityTo);
        } else {
            byte[] port = client.secure ? PORT_443 : PORT_80;
            head.fields.add(FieldName.X_FORWARDED_PORT, PORT, port, 0, port.length);
        }
    }
}
