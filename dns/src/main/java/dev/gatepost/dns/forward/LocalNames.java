package dev.gatepost.dns.forward;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.ErrorInfo;
import dev.gatepost.dns.QueryRecord;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.Rcode;
import dev.gatepost.dns.Relay;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Names that files decide on instead of upstreams: addresses as in `/etc/hosts`, and names that are not to be found.
/// Immutable.
public final class LocalNames {
    public static final LocalNames NONE = new LocalNames(Map.of(), Map.of(), Set.of(), List.of());

    private static final int TTL = 60;
    private static final byte[] BLOCKED = "on a block list".getBytes(StandardCharsets.US_ASCII);
    /// SOA rdata: `. . 1 3600 600 86400 60`.
    private static final byte[] SOA = {0, 0, 0, 0, 0, 1, 0, 0, 0x0e, 0x10, 0, 0, 0x02, 0x58, 0, 1, 0x51, (byte) 0x80, 0, 0, 0, TTL};
    /// Addresses that lists of names to block are written with.
    private static final Set<String> NOWHERE = Set.of("0.0.0.0", "127.0.0.1", "::", "::1");

    private final Map<DomainName, List<InetAddress>> addresses;
    private final Map<DomainName, DomainName> pointers;
    private final Set<DomainName> blocked;
    private final List<String> rejected;

    private LocalNames(Map<DomainName, List<InetAddress>> addresses, Map<DomainName, DomainName> pointers, Set<DomainName> blocked, List<String> rejected) {
        this.addresses = addresses;
        this.pointers = pointers;
        this.blocked = blocked;
        this.rejected = List.copyOf(rejected);
    }

    /// Reads files whose lines are independent of each other: one that makes no sense is left out, and listed.
    ///
    /// @param hosts  `ADDRESS NAME...` a line
    /// @param blocks `NAME` a line, which blocks the name and all below it; or as in a hosts file
    /// @throws IOException when a file can't be read
    public static LocalNames read(List<Path> hosts, List<Path> blocks) throws IOException {
        Map<DomainName, List<InetAddress>> addresses = new HashMap<>();
        Map<DomainName, DomainName> pointers = new HashMap<>();
        Set<DomainName> blocked = new HashSet<>();
        List<String> rejected = new ArrayList<>();
        for (Path file : hosts) {
            eachLine(file, rejected, words -> {
                if (words.length < 2) {
                    throw new IllegalArgumentException("ADDRESS NAME...");
                }
                InetAddress address = InetAddress.ofLiteral(words[0]);
                for (int i = 1; i < words.length; i++) {
                    addresses.computeIfAbsent(name(words[i]), _ -> new ArrayList<>()).add(address);
                }
                pointers.putIfAbsent(DomainName.reverse(address), name(words[1]));
            });
        }
        for (Path file : blocks) {
            eachLine(file, rejected, words -> {
                boolean asHosts = NOWHERE.contains(words[0]);
                for (int i = asHosts ? 1 : 0; i < words.length; i++) {
                    if (!asHosts || !words[i].startsWith("localhost")) {
                        blocked.add(name(words[i].startsWith("*.") ? words[i].substring(2) : words[i]));
                    }
                }
            });
        }
        return new LocalNames(addresses, pointers, blocked, rejected);
    }

    private interface Line {
        void read(String[] words);
    }

    private static void eachLine(Path file, List<String> rejected, Line line) throws IOException {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (MalformedInputException e) {
            throw new IOException(file + ": not a text file (expected: UTF-8)", e);
        }
        for (int i = 0; i < lines.size(); i++) {
            String text = lines.get(i).replaceFirst("#.*", "").strip();
            if (text.isEmpty()) {
                continue;
            }
            try {
                line.read(text.split("\\s+"));
            } catch (IllegalArgumentException e) {
                rejected.add("%s:%d: %s (expected: ADDRESS NAME..., or a NAME to block)".formatted(file, i + 1, text.length() > 80 ? text.substring(0, 80) : text));
            }
        }
    }

    private static DomainName name(String text) {
        DomainName name = DomainName.of(text);
        if (name.isRoot() || text.chars().anyMatch(c -> c <= ' ' || c == '/' || c == ':' || c == '|' || c == '^')) {
            throw new IllegalArgumentException(text);
        }
        return name;
    }

    /// Lines that made no sense, with file, line and what was expected.
    public List<String> rejected() {
        return rejected;
    }

    public boolean isEmpty() {
        return addresses.isEmpty() && blocked.isEmpty();
    }

    /// Names with addresses, and names that are blocked.
    public int size() {
        return addresses.size() + blocked.size();
    }

    boolean decidesOn(DomainName name) {
        return addresses.containsKey(name) || pointers.containsKey(name) || isBlocked(name);
    }

    private boolean isBlocked(DomainName name) {
        for (DomainName each = name; !blocked.isEmpty() && !each.isRoot(); each = each.parent()) {
            if (blocked.contains(each)) {
                return true;
            }
        }
        return false;
    }

    /// What is said about a name in words; empty when the files don't decide on it.
    public Optional<String> about(DomainName name) {
        if (addresses.containsKey(name) || pointers.containsKey(name)) {
            return Optional.of("a hosts file has the name");
        }
        return isBlocked(name) ? Optional.of("a block list has the name or one above it") : Optional.empty();
    }

    /// Answers in place of an upstream.
    ///
    /// @return false when the files don't decide on the name
    boolean answer(DomainName name, int type, byte[] out, int from, int to, Relay relay) {
        List<InetAddress> known = addresses.get(name);
        DomainName pointer = pointers.get(name);
        boolean here = known != null || pointer != null;
        if (!here && !isBlocked(name)) {
            return false;
        }
        relay.source = QueryRecord.Source.ZONE;
        relay.end = from;
        if (!here) {
            relay.rcode = Rcode.NXDOMAIN;
            relay.errorInfo = ErrorInfo.BLOCKED;
            relay.errorText = BLOCKED;
        }
        for (InetAddress each : known == null ? List.<InetAddress>of() : known) {
            byte[] bytes = each.getAddress();
            if (type == (bytes.length == 4 ? RRType.A : RRType.AAAA) || type == RRType.ANY) {
                relay.answers += record(bytes.length == 4 ? RRType.A : RRType.AAAA, bytes, out, to, relay);
            }
        }
        if (pointer != null && (type == RRType.PTR || type == RRType.ANY)) {
            relay.answers += record(RRType.PTR, pointer.wire(), out, to, relay);
        }
        if (relay.answers == 0 && !relay.truncated) {
            relay.authority += record(RRType.SOA, SOA, out, to, relay);
        }
        return true;
    }

    private static int record(int type, byte[] rdata, byte[] out, int to, Relay relay) {
        int at = relay.end;
        if (12 + rdata.length > to - at) {
            relay.truncated = true;
            return 0;
        }
        Arrays.fill(out, at, at + 12, (byte) 0);
        out[at] = (byte) 0xc0;
        out[at + 1] = 12;
        out[at + 3] = (byte) type;
        out[at + 5] = 1;
        out[at + 9] = TTL;
        out[at + 11] = (byte) rdata.length;
        System.arraycopy(rdata, 0, out, at + 12, rdata.length);
        relay.end = at + 12 + rdata.length;
        return 1;
    }
}
