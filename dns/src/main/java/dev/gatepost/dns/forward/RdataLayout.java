package dev.gatepost.dns.forward;

import dev.gatepost.dns.RRType;

/// Where names lie within the rdata of the types that may hold compressed ones (RFC 1035 section 3.3, RFC 3597 section 4):
/// they are written anew, all other rdata goes through as it is.
final class RdataLayout {
    /// Letters: n a name that may be compressed again, u a name that is written in full, s a character string, a digit so many
    /// bytes, * the rest.
    private static final String OPAQUE = "*";

    private RdataLayout() {}

    private static String of(int type) {
        return switch (type) {
            case RRType.NS, 3, 4, RRType.CNAME, 7, 8, 9, RRType.PTR -> "n";
            case RRType.SOA -> "nn*";
            case 14 -> "nn";
            case RRType.MX -> "2n";
            case 17 -> "uu";
            case 18, 21, 36 -> "2u";
            case 26 -> "2uu";
            case 30 -> "u*";
            case RRType.SRV -> "6u";
            case 35 -> "4sssu";
            case 39 -> "u";
            default -> OPAQUE;
        };
    }

    /// Whether the rdata is what its type says, as far as that is known here.
    static boolean isWhole(byte[] message, int length, int type, int from, int size) {
        if (type == RRType.A || type == RRType.AAAA) {
            return size == (type == RRType.A ? 4 : 16);
        }
        String layout = of(type);
        int end = from + size;
        int at = from;
        for (int i = 0; i < layout.length(); i++) {
            char part = layout.charAt(i);
            at = switch (part) {
                case 'n', 'u' -> Names.end(message, at, end);
                case 's' -> at < end ? at + 1 + (message[at] & 0xff) : -1;
                case '*' -> end;
                default -> at + part - '0';
            };
            if (at < 0 || at > end) {
                return false;
            }
        }
        return at == end && namesExpand(message, length, layout, from);
    }

    private static boolean namesExpand(byte[] message, int length, String layout, int from) {
        byte[] scratch = new byte[255];
        int at = from;
        for (int i = 0; i < layout.length(); i++) {
            char part = layout.charAt(i);
            if (part == 'n' || part == 'u') {
                if (Names.expand(message, at, length, scratch) < 0) {
                    return false;
                }
                at = Names.end(message, at, length);
            } else if (part == 's') {
                at += 1 + (message[at] & 0xff);
            } else if (part != '*') {
                at += part - '0';
            }
        }
        return true;
    }

    /// Copies rdata that [#isWhole].
    static void copy(byte[] message, int length, int type, int from, int size, MessageWriter writer, byte[] scratch) {
        String layout = of(type);
        int end = from + size;
        int at = from;
        for (int i = 0; i < layout.length(); i++) {
            char part = layout.charAt(i);
            if (part == 'n' || part == 'u') {
                writer.name(scratch, Names.expand(message, at, length, scratch), part == 'n');
                at = Names.end(message, at, length);
                continue;
            }
            int bytes = switch (part) {
                case 's' -> 1 + (message[at] & 0xff);
                case '*' -> end - at;
                default -> part - '0';
            };
            writer.bytes(message, at, bytes);
            at += bytes;
        }
    }
}
