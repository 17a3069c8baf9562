package dev.gatepost.dns;

import java.util.Arrays;

/// A header of the PROXY protocol, version 2 (haproxy's proxy-protocol.txt, section 2.2), in front of a datagram or a
/// connection, read from bytes that may be anything. Reusable scratch of one thread.
final class ProxyHeader {
    /// Bytes before the addresses.
    static final int FIXED = 16;
    /// Longest of all: addresses, and what else proxies tell.
    static final int LONGEST = 2048;

    private static final byte[] SIGNATURE = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};
    private static final byte[] VERSION_1 = {'P', 'R', 'O', 'X', 'Y', ' '};
    /// Version 2, with what the proxy asks for itself, or for a client.
    private static final int LOCAL = 0x20;
    private static final int PROXY = 0x21;
    private static final int IPV4 = 4;
    private static final int IPV6 = 16;

    enum Verdict {
        GOOD,
        /// Good as far as it goes.
        CUT,
        /// The textual form, which we don't read.
        VERSION_1,
        MALFORMED
    }

    private static final byte[] NONE = {};

    private final byte[] ipv4 = new byte[IPV4];
    private final byte[] ipv6 = new byte[IPV6];
    /// Of the whole header, once it is good.
    int length;
    /// The client's, 4 or 16 bytes; empty when the proxy speaks for itself, or of something that is no internet address.
    byte[] address = NONE;
    int port;

    Verdict read(byte[] in, int from, int available) {
        address = NONE;
        if (startsWith(in, from, available, VERSION_1)) {
            return available < VERSION_1.length ? Verdict.CUT : Verdict.VERSION_1;
        }
        if (!startsWith(in, from, available, SIGNATURE)) {
            return Verdict.MALFORMED;
        }
        if (available < FIXED) {
            return Verdict.CUT;
        }
        int command = in[from + 12] & 0xff;
        int family = in[from + 13] >>> 4 & 15;
        int rest = Query.u16(in, from + 14);
        if ((command != LOCAL && command != PROXY) || FIXED + rest > LONGEST) {
            return Verdict.MALFORMED;
        }
        int size = family == 1 ? IPV4 : family == 2 ? IPV6 : 0;
        if (command == PROXY && size > 0 && rest < 2 * size + 4) {
            return Verdict.MALFORMED;
        }
        if (available < FIXED + rest) {
            return Verdict.CUT;
        }
        length = FIXED + rest;
        if (command == PROXY && size > 0) {
            address = size == IPV4 ? ipv4 : ipv6;
            System.arraycopy(in, from + FIXED, address, 0, size);
            port = Query.u16(in, from + FIXED + 2 * size);
        }
        return Verdict.GOOD;
    }

    private static boolean startsWith(byte[] in, int from, int available, byte[] beginning) {
        int compared = Math.min(available, beginning.length);
        return Arrays.equals(in, from, from + compared, beginning, 0, compared);
    }
}
