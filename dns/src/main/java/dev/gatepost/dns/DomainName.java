package dev.gatepost.dns;

import java.io.ByteArrayOutputStream;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// An absolute domain name in wire format (RFC 1035 section 3.1), in the spelling it was made with; names compare
/// without regard to ASCII case.
public final class DomainName implements Comparable<DomainName> {
    public static final int MAX_LENGTH = 255;
    public static final int MAX_LABEL = 63;
    public static final DomainName ROOT = new DomainName(new byte[] {0});

    private final byte[] wire;

    private DomainName(byte[] wire) {
        this.wire = wire;
    }

    /// Reads text such as `web.service.consul`, with or without the last dot, `\.` and `\032` escapes included.
    ///
    /// @throws IllegalArgumentException when a label is empty or too long, or the name is
    public static DomainName of(String text) {
        if (text.equals(".") || text.isEmpty()) {
            return ROOT;
        }
        DomainName name = ROOT;
        String rest = text.endsWith(".") && !text.endsWith("\\.") ? text.substring(0, text.length() - 1) : text;
        byte[] bytes = rest.getBytes(StandardCharsets.UTF_8);
        var labels = new java.util.ArrayDeque<byte[]>();
        var label = new ByteArrayOutputStream();
        for (int i = 0; i < bytes.length; i++) {
            byte b = bytes[i];
            if (b == '.') {
                labels.push(label.toByteArray());
                label.reset();
            } else if (b == '\\' && i + 1 < bytes.length) {
                if (i + 3 < bytes.length && isDigit(bytes[i + 1]) && isDigit(bytes[i + 2]) && isDigit(bytes[i + 3])) {
                    label.write((bytes[i + 1] - '0') * 100 + (bytes[i + 2] - '0') * 10 + (bytes[i + 3] - '0'));
                    i += 3;
                } else {
                    label.write(bytes[++i]);
                }
            } else {
                label.write(b);
            }
        }
        labels.push(label.toByteArray());
        for (byte[] each : labels) {
            name = name.child(each, text);
        }
        return name;
    }

    /// The name under which the pointer record of an address is found: `1.0.0.127.in-addr.arpa.` (RFC 1035 section 3.5),
    /// or the 32 nibbles under `ip6.arpa.` (RFC 3596 section 2.5).
    public static DomainName reverse(InetAddress address) {
        byte[] bytes = address.getAddress();
        var text = new StringBuilder(80);
        for (int i = bytes.length - 1; i >= 0; i--) {
            int b = bytes[i] & 0xff;
            if (address instanceof Inet4Address) {
                text.append(b).append('.');
            } else {
                text.append(Character.forDigit(b & 15, 16)).append('.').append(Character.forDigit(b >> 4, 16)).append('.');
            }
        }
        return of(text.append(address instanceof Inet4Address ? "in-addr.arpa." : "ip6.arpa.").toString());
    }

    /// A copy of the uncompressed name at an offset that the caller has checked.
    public static DomainName copyOf(byte[] bytes, int from, int to) {
        return new DomainName(Arrays.copyOfRange(bytes, from, to));
    }

    /// This name with one more label in front; dots in the label belong to it.
    public DomainName child(String label) {
        return child(label.getBytes(StandardCharsets.UTF_8), label);
    }

    private DomainName child(byte[] label, String text) {
        if (label.length == 0) {
            throw new IllegalArgumentException("'" + text + "': empty label (expected: 1 to " + MAX_LABEL + " bytes)");
        }
        if (label.length > MAX_LABEL) {
            throw new IllegalArgumentException("'" + text + "': label of " + label.length + " bytes (expected: at most " + MAX_LABEL + ")");
        }
        int length = 1 + label.length + wire.length;
        if (length > MAX_LENGTH) {
            throw new IllegalArgumentException("'" + text + "': name of " + length + " bytes (expected: at most " + MAX_LENGTH + ")");
        }
        byte[] child = new byte[length];
        child[0] = (byte) label.length;
        System.arraycopy(label, 0, child, 1, label.length);
        System.arraycopy(wire, 0, child, 1 + label.length, wire.length);
        return new DomainName(child);
    }

    /// Labels, with dots between, in front of this name: `DomainName.of("consul").prependLabels("web.service")`.
    public DomainName prependLabels(String relative) {
        return of(relative).append(this);
    }

    /// This name's labels in front of another's.
    public DomainName append(DomainName suffix) {
        int length = wire.length - 1 + suffix.wire.length;
        if (length > MAX_LENGTH) {
            throw new IllegalArgumentException("'" + this + "' under '" + suffix + "': " + length + " bytes (expected: at most " + MAX_LENGTH + ")");
        }
        byte[] joined = Arrays.copyOf(wire, length);
        System.arraycopy(suffix.wire, 0, joined, wire.length - 1, suffix.wire.length);
        return new DomainName(joined);
    }

    /// The name without its first label; the root's parent is the root.
    public DomainName parent() {
        return isRoot() ? this : copyOf(wire, 1 + wire[0], wire.length);
    }

    /// Whether its first label is `*` alone (RFC 4592 section 2.1.1).
    public boolean isWildcard() {
        return wire[0] == 1 && wire[1] == '*';
    }

    public boolean isRoot() {
        return wire.length == 1;
    }

    /// Whether this is the other name or lies below it.
    public boolean isWithin(DomainName other) {
        for (DomainName name = this; name.wire.length >= other.wire.length; name = name.parent()) {
            if (name.equals(other)) {
                return true;
            }
            if (name.isRoot()) {
                break;
            }
        }
        return false;
    }

    /// Length in wire format.
    public int length() {
        return wire.length;
    }

    /// The wire format itself: not to be written to.
    public byte[] wire() {
        return wire;
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof DomainName that) || that.wire.length != wire.length) {
            return false;
        }
        for (int i = 0; i < wire.length; i++) {
            if (lower(wire[i]) != lower(that.wire[i])) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        int hash = 1;
        for (byte b : wire) {
            hash = 31 * hash + lower(b);
        }
        return hash;
    }

    /// Some total order, the same for names that are equal.
    @Override
    public int compareTo(DomainName other) {
        int common = Math.min(wire.length, other.wire.length);
        for (int i = 0; i < common; i++) {
            int difference = lower(wire[i]) - lower(other.wire[i]);
            if (difference != 0) {
                return difference;
            }
        }
        return wire.length - other.wire.length;
    }

    /// Presentation format with the last dot (RFC 1035 section 5.1, RFC 4343 section 2.1).
    @Override
    public String toString() {
        if (isRoot()) {
            return ".";
        }
        var text = new StringBuilder(wire.length + 8);
        for (int at = 0; wire[at] != 0; at += 1 + wire[at]) {
            for (int i = at + 1; i <= at + wire[at]; i++) {
                int b = wire[i] & 0xff;
                if (b == '.' || b == '\\') {
                    text.append('\\').append((char) b);
                } else if (b <= ' ' || b >= 0x7f) {
                    text.append('\\').append((char) ('0' + b / 100)).append((char) ('0' + b / 10 % 10)).append((char) ('0' + b % 10));
                } else {
                    text.append((char) b);
                }
            }
            text.append('.');
        }
        return text.toString();
    }

    /// Length bytes are below 64, so folding a whole name byte by byte leaves them alone.
    static int lower(byte b) {
        return b >= 'A' && b <= 'Z' ? b + 32 : b;
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }
}
