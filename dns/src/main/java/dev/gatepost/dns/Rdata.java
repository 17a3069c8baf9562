package dev.gatepost.dns;

import java.io.ByteArrayOutputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/// What one record says, before it is encoded.
public sealed interface Rdata {

    /// An A or AAAA record, by the address's family.
    record Address(InetAddress address) implements Rdata {}

    /// @param glue addresses of the target, sent along in the additional section
    record Srv(int priority, int weight, int port, DomainName target, List<InetAddress> glue) implements Rdata {
        public Srv {
            glue = List.copyOf(glue);
        }
    }

    record Ns(DomainName target, List<InetAddress> glue) implements Rdata {
        public Ns {
            glue = List.copyOf(glue);
        }
    }

    record Ptr(DomainName target) implements Rdata {}

    record Cname(DomainName target) implements Rdata {}

    /// One text, split into character-strings of 255 bytes (RFC 1035 section 3.3) where it is longer.
    record Txt(String text) implements Rdata {}

    /// The start of authority of a zone.
    record Soa(DomainName server, DomainName responsible, long serial, int refresh, int retry, int expire, int minimum) implements Rdata {}

    /// How a service is reached (RFC 9460): HTTPS, or SVCB for any other scheme.
    ///
    /// @param target the root for the record's own name
    /// @param alpn   protocols, the preferred first; `http/1.1` is one for HTTPS anyway
    /// @param port   0 for the scheme's own
    /// @param hints  addresses, with which a client may begin before it has asked for any
    record Svcb(int number, int priority, DomainName target, List<String> alpn, int port, List<InetAddress> hints) implements Rdata {
        public Svcb {
            alpn = List.copyOf(alpn);
            hints = List.copyOf(hints);
        }

        private static final int ALPN = 1;
        private static final int PORT = 3;
        private static final int IPV4_HINT = 4;
        private static final int IPV6_HINT = 6;

        /// HTTPS at the name itself.
        public static Svcb https(List<String> alpn, int port, List<InetAddress> hints) {
            return new Svcb(RRType.HTTPS, 1, DomainName.ROOT, alpn, port, hints);
        }

        /// The same service, for whoever asks by another name.
        public Svcb at(DomainName other) {
            return new Svcb(number, priority, other, alpn, port, hints);
        }

        private List<InetAddress> hints(boolean v4) {
            return hints.stream().filter(each -> each instanceof Inet4Address == v4).toList();
        }

        /// Parameters come in the order of their numbers (section 2.2).
        private byte[] wire() {
            var out = new ByteArrayOutputStream();
            put16(out, priority);
            out.writeBytes(target.wire());
            if (!alpn.isEmpty()) {
                var ids = new ByteArrayOutputStream();
                for (String each : alpn) {
                    byte[] id = each.getBytes(StandardCharsets.US_ASCII);
                    ids.write(id.length);
                    ids.writeBytes(id);
                }
                parameter(out, ALPN, ids.toByteArray());
            }
            if (port != 0) {
                parameter(out, PORT, new byte[] {(byte) (port >> 8), (byte) port});
            }
            addresses(out, IPV4_HINT, hints(true));
            addresses(out, IPV6_HINT, hints(false));
            return out.toByteArray();
        }

        private static void addresses(ByteArrayOutputStream out, int key, List<InetAddress> addresses) {
            if (!addresses.isEmpty()) {
                var value = new ByteArrayOutputStream();
                addresses.forEach(each -> value.writeBytes(each.getAddress()));
                parameter(out, key, value.toByteArray());
            }
        }

        private static void parameter(ByteArrayOutputStream out, int key, byte[] value) {
            put16(out, key);
            put16(out, value.length);
            out.writeBytes(value);
        }

        private static void put16(ByteArrayOutputStream out, int value) {
            out.write(value >> 8);
            out.write(value);
        }

        private String shown() {
            var text = new StringBuilder(priority + " " + target);
            if (!alpn.isEmpty()) {
                text.append(" alpn=").append(String.join(",", alpn));
            }
            if (port != 0) {
                text.append(" port=").append(port);
            }
            show(text, " ipv4hint=", hints(true));
            show(text, " ipv6hint=", hints(false));
            return text.toString();
        }

        private static void show(StringBuilder text, String key, List<InetAddress> addresses) {
            if (!addresses.isEmpty()) {
                text.append(addresses.stream().map(InetAddress::getHostAddress).collect(Collectors.joining(",", key, "")));
            }
        }
    }

    /// A record of any other type, as its bytes in hexadecimal; names in it are not compressed (RFC 3597 section 4).
    record Opaque(int number, String hex) implements Rdata {}

    default int type() {
        return switch (this) {
            case Address(Inet4Address _) -> RRType.A;
            case Address _ -> RRType.AAAA;
            case Srv _ -> RRType.SRV;
            case Ns _ -> RRType.NS;
            case Ptr _ -> RRType.PTR;
            case Cname _ -> RRType.CNAME;
            case Txt _ -> RRType.TXT;
            case Soa _ -> RRType.SOA;
            case Svcb svcb -> svcb.number;
            case Opaque(int number, _) -> number;
        };
    }

    /// Wire format. Names are left uncompressed: RFC 3597 section 4 forbids more than the well-known types, RFC 2782 forbids SRV.
    default byte[] encode() {
        return switch (this) {
            case Address(var address) -> address.getAddress();
            case Srv srv ->
                ByteBuffer.allocate(6 + srv.target.length())
                        .putShort((short) srv.priority)
                        .putShort((short) srv.weight)
                        .putShort((short) srv.port)
                        .put(srv.target.wire())
                        .array();
            case Ns(var target, _) -> target.wire();
            case Ptr(var target) -> target.wire();
            case Cname(var target) -> target.wire();
            case Txt(var text) -> characterStrings(text.getBytes(StandardCharsets.UTF_8));
            case Soa soa ->
                ByteBuffer.allocate(soa.server.length() + soa.responsible.length() + 20)
                        .put(soa.server.wire())
                        .put(soa.responsible.wire())
                        .putInt((int) soa.serial)
                        .putInt(soa.refresh)
                        .putInt(soa.retry)
                        .putInt(soa.expire)
                        .putInt(soa.minimum)
                        .array();
            case Svcb svcb -> svcb.wire();
            case Opaque(_, String hex) -> HexFormat.of().parseHex(hex);
        };
    }

    /// Presentation format, for people.
    default String text() {
        return switch (this) {
            case Address(var address) -> address.getHostAddress();
            case Srv srv -> srv.priority + " " + srv.weight + " " + srv.port + " " + srv.target;
            case Ns(var target, _) -> target.toString();
            case Ptr(var target) -> target.toString();
            case Cname(var target) -> target.toString();
            case Txt(var text) ->
                text.chars().mapToObj(c -> c == '"' || c == '\\' ? "\\" + (char) c : String.valueOf((char) c)).collect(Collectors.joining("", "\"", "\""));
            case Soa soa ->
                soa.server + " " + soa.responsible + " " + soa.serial + " " + soa.refresh + " " + soa.retry + " " + soa.expire + " " + soa.minimum;
            case Svcb svcb -> svcb.shown();
            case Opaque(_, String hex) -> "\\# " + hex.length() / 2 + (hex.isEmpty() ? "" : " " + hex); // RFC 3597 section 5
        };
    }

    private static byte[] characterStrings(byte[] text) {
        var out = ByteBuffer.allocate(text.length + 1 + text.length / 255);
        int from = 0;
        do {
            int length = Math.min(255, text.length - from);
            out.put((byte) length).put(text, from, length);
            from += length;
        } while (from < text.length);
        return Arrays.copyOf(out.array(), out.position());
    }
}
