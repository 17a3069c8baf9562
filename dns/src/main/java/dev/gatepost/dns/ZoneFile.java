package dev.gatepost.dns;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Master;
import org.xbill.DNS.NSRecord;
import org.xbill.DNS.Name;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.SRVRecord;
import org.xbill.DNS.TextParseException;

/// The records of a zone file (RFC 1035 section 5), `$ORIGIN` and `$TTL` included, read by dnsjava's parser. Names without a
/// dot at their end are below the origin. `$INCLUDE` and `$GENERATE` are refused: a file must not read others, nor be more
/// than it is long.
///
/// @param soa     its start of authority, where it has one
/// @param records the sets of every name, the SOA left out
public record ZoneFile(DomainName origin, Optional<Origin.Authority> soa, Map<DomainName, List<RRset>> records) {
    private static final Pattern LINE = Pattern.compile("^[^:]*:(\\d+): (.*)$", Pattern.DOTALL);

    public ZoneFile {
        records = Map.copyOf(records);
    }

    /// What is wrong with a zone file.
    public static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;
        private final int line;

        Malformed(int line, String reason) {
            super(reason);
            this.line = line;
        }

        /// From 1; 0 where it is the whole.
        public int line() {
            return line;
        }

        public String reason() {
            return String.valueOf(getMessage());
        }
    }

    /// @param ttl of records that have none, where no `$TTL` says otherwise
    /// @throws Malformed with the line of the first thing that is wrong
    public static ZoneFile read(String text, DomainName origin, Duration ttl) throws Malformed {
        Map<DomainName, List<Record>> byName = new LinkedHashMap<>();
        Map<DomainName, Integer> lastLines = new HashMap<>();
        Optional<Origin.Authority> soa = Optional.empty();
        Lines lines = new Lines(text);
        try (Master master = new Master(lines, new Name(origin.toString()), Math.max(0, ttl.toSeconds()))) {
            master.disableIncludes(true);
            master.expandGenerate(false);
            for (Record record = master.nextRecord(); record != null; record = master.nextRecord()) {
                DomainName name = name(record.getName());
                if (record.getDClass() != DClass.IN) {
                    throw new Malformed(lines.line, "%s is of class %s (expected: IN)".formatted(name, DClass.string(record.getDClass())));
                }
                if (!name.isWithin(origin)) {
                    throw new Malformed(lines.line, "%s (expected: a name at or below %s)".formatted(name, origin));
                }
                if (record instanceof SOARecord start) {
                    if (!name.equals(origin) || soa.isPresent()) {
                        throw new Malformed(lines.line, "SOA at %s (expected: one, at %s)".formatted(name, origin));
                    }
                    soa = Optional.of(new Origin.Authority(soa(start), Duration.ofSeconds(start.getTTL())));
                } else {
                    byName.computeIfAbsent(name, _ -> new ArrayList<>()).add(record);
                    lastLines.put(name, lines.line);
                }
            }
            if (master.generators().hasNext()) {
                throw new Malformed(lineOf("$GENERATE", text), "$GENERATE is not supported (expected: the records themselves)");
            }
        } catch (TextParseException e) {
            Matcher place = LINE.matcher(String.valueOf(e.getMessage()));
            String reason = place.matches() ? place.group(2) : String.valueOf(e.getMessage());
            throw new Malformed(place.matches() ? Integer.parseInt(place.group(1)) : lines.line, reason + " (expected: NAME [TTL] TYPE DATA, RFC 1035 section 5)");
        } catch (IOException | IllegalArgumentException e) {
            throw new Malformed(lines.line, String.valueOf(e.getMessage()));
        }
        Map<DomainName, List<RRset>> records = new LinkedHashMap<>();
        for (Map.Entry<DomainName, List<Record>> each : byName.entrySet()) {
            records.put(each.getKey(), sets(each.getKey(), each.getValue(), byName, lastLines.getOrDefault(each.getKey(), 0)));
        }
        if (records.isEmpty() && soa.isEmpty()) {
            throw new Malformed(0, "no record (expected: at least one)");
        }
        return new ZoneFile(origin, soa, records);
    }

    private static int lineOf(String directive, String text) {
        int before = (int) text.lines().takeWhile(line -> !line.stripLeading().toUpperCase(Locale.ROOT).startsWith(directive)).count();
        return before + 1;
    }

    /// Hands out one line at a time, so that it is known in which one the parser is.
    private static final class Lines extends InputStream {
        private final byte[] text;
        private int at;
        private int line;

        Lines(String text) {
            this.text = text.getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int from, int length) {
            if (at == text.length) {
                return -1;
            }
            if (at == 0 || text[at - 1] == '\n') {
                line++;
            }
            int count = 0;
            while (count < length && at < text.length) {
                byte b = text[at++];
                into[from + count++] = b;
                if (b == '\n') {
                    break;
                }
            }
            return count;
        }
    }

    /// A set's records have one TTL, the least that any of them was given (RFC 2181 section 5.2).
    ///
    /// @param line the last one of the name
    private static List<RRset> sets(DomainName name, List<Record> records, Map<DomainName, List<Record>> all, int line) throws Malformed {
        boolean second = records.stream().anyMatch(CNAMERecord.class::isInstance);
        if (second && records.size() > 1) {
            throw new Malformed(line, "%s has a CNAME and %d other records (expected: the CNAME alone, RFC 1034 section 3.6.2)".formatted(name, records.size() - 1));
        }
        Map<Integer, List<Record>> byType = new TreeMap<>();
        records.forEach(record -> byType.computeIfAbsent(record.getType(), _ -> new ArrayList<>()).add(record));
        List<RRset> sets = new ArrayList<>();
        for (List<Record> each : byType.values()) {
            long ttl = each.stream().mapToLong(Record::getTTL).min().orElse(0);
            sets.addAll(RRset.of(Duration.ofSeconds(ttl), each.stream().map(record -> rdata(record, all)).toList()));
        }
        return List.copyOf(sets);
    }

    private static Rdata rdata(Record record, Map<DomainName, List<Record>> all) {
        return switch (record) {
            case ARecord a -> new Rdata.Address(a.getAddress());
            case AAAARecord a -> new Rdata.Address(a.getAddress());
            case CNAMERecord cname -> new Rdata.Cname(name(cname.getTarget()));
            case PTRRecord ptr -> new Rdata.Ptr(name(ptr.getTarget()));
            case NSRecord ns -> new Rdata.Ns(name(ns.getTarget()), addresses(name(ns.getTarget()), all));
            case SRVRecord srv -> {
                DomainName target = name(srv.getTarget());
                yield new Rdata.Srv(srv.getPriority(), srv.getWeight(), srv.getPort(), target, addresses(target, all));
            }
            default -> new Rdata.Opaque(record.getType(), HexFormat.of().formatHex(record.rdataToWireCanonical()));
        };
    }

    private static List<InetAddress> addresses(DomainName name, Map<DomainName, List<Record>> all) {
        List<InetAddress> addresses = new ArrayList<>();
        for (Record record : all.getOrDefault(name, List.of())) {
            switch (record) {
                case ARecord a -> addresses.add(a.getAddress());
                case AAAARecord a -> addresses.add(a.getAddress());
                default -> {}
            }
        }
        return addresses;
    }

    private static Rdata.Soa soa(SOARecord soa) {
        return new Rdata.Soa(
                name(soa.getHost()),
                name(soa.getAdmin()),
                soa.getSerial(),
                Math.toIntExact(soa.getRefresh()),
                Math.toIntExact(soa.getRetry()),
                Math.toIntExact(soa.getExpire()),
                Math.toIntExact(soa.getMinimum()));
    }

    private static DomainName name(Name name) {
        byte[] wire = name.toWire();
        return DomainName.copyOf(wire, 0, wire.length);
    }
}
