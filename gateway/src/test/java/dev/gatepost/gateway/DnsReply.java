package dev.gatepost.gateway;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.xbill.DNS.Flags;
import org.xbill.DNS.Message;
import org.xbill.DNS.OPTRecord;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.SOARecord;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/// A server's answer, in the parts that two servers' answers are compared by.
final class DnsReply {
    /// What two answers to one question can differ in.
    enum Aspect { SILENCE, RCODE, AUTHORITATIVE, TRUNCATED, RECURSION, OTHER_FLAGS, QUESTION, ANSWER, AUTHORITY, ADDITIONAL, TTL, OPT, SIZE }

    private final Optional<Message> message;
    private final byte[] bytes;

    private DnsReply(Optional<Message> message, byte[] bytes) {
        this.message = message;
        this.bytes = bytes;
    }

    static DnsReply of(Optional<byte[]> bytes) {
        try {
            return new DnsReply(bytes.isPresent() ? Optional.of(new Message(bytes.get())) : Optional.empty(), bytes.orElse(new byte[0]));
        } catch (IOException e) {
            throw new AssertionError("unreadable answer " + java.util.HexFormat.of().formatHex(bytes.orElse(new byte[0])), e);
        }
    }

    boolean silent() {
        return message.isEmpty();
    }

    String rcode() {
        return message.map(m -> Rcode.string(m.getRcode())).orElse("none");
    }

    boolean flag(int flag) {
        return message.map(m -> m.getHeader().getFlag(flag)).orElse(false);
    }

    int size() {
        return bytes.length;
    }

    List<Record> section(int section) {
        return message.map(m -> m.getSection(section).stream().filter(each -> each.getType() != Type.OPT).toList()).orElse(List.of());
    }

    List<Record> answers() {
        return section(Section.ANSWER);
    }

    /// Types of the records of a section.
    Set<String> types(int section) {
        return section(section).stream().map(each -> Type.string(each.getType())).collect(Collectors.toCollection(TreeSet::new));
    }

    /// Who owns the SOA in the authority section.
    Optional<String> soaOwner() {
        return section(Section.AUTHORITY).stream().filter(SOARecord.class::isInstance).map(each -> each.getName().toString()).findFirst();
    }

    /// The records of a section without TTL, equal ones once.
    Set<String> facts(int section) {
        return section(section).stream().map(DnsReply::fact).collect(Collectors.toCollection(TreeSet::new));
    }

    Optional<OPTRecord> opt() {
        return message.map(Message::getOPT);
    }

    static String fact(Record record) {
        String rdata = record instanceof SOARecord soa ? soa.getHost() + " " + soa.getAdmin() : record.rdataToString();
        return record.getName() + " " + Type.string(record.getType()) + " " + rdata;
    }

    /// Of all records.
    Collection<Long> ttls() {
        return ttlByRecord().values();
    }

    private Map<String, Long> ttlByRecord() {
        Map<String, Long> ttls = new HashMap<>();
        for (int section : List.of(Section.ANSWER, Section.AUTHORITY, Section.ADDITIONAL)) {
            section(section).forEach(each -> ttls.put(section + fact(each), each.getTTL()));
        }
        return ttls;
    }

    private int otherFlags() {
        return ((bytes[2] & 0xff) << 8 | (bytes[3] & 0xff)) & ~(1 << (15 - Flags.AA) | 1 << (15 - Flags.TC) | 1 << (15 - Flags.RA) | 15);
    }

    /// What this answer differs in from another's.
    ///
    /// @param sample both may give any part of what they know: then their size and number of records have to agree
    Set<Aspect> differencesTo(DnsReply other, boolean sample) {
        Set<Aspect> differences = EnumSet.noneOf(Aspect.class);
        if (silent() || other.silent()) {
            if (silent() != other.silent()) {
                differences.add(Aspect.SILENCE);
            }
            return differences;
        }
        note(differences, Aspect.RCODE, rcode().equals(other.rcode()));
        note(differences, Aspect.AUTHORITATIVE, flag(Flags.AA) == other.flag(Flags.AA));
        note(differences, Aspect.TRUNCATED, flag(Flags.TC) == other.flag(Flags.TC));
        note(differences, Aspect.RECURSION, flag(Flags.RA) == other.flag(Flags.RA));
        note(differences, Aspect.OTHER_FLAGS, otherFlags() == other.otherFlags());
        note(differences, Aspect.QUESTION, Arrays.equals(question(), other.question()));
        note(differences, Aspect.ANSWER, same(Section.ANSWER, other, sample));
        note(differences, Aspect.AUTHORITY, same(Section.AUTHORITY, other, false));
        note(differences, Aspect.ADDITIONAL, same(Section.ADDITIONAL, other, sample));
        note(differences, Aspect.OPT, opt().map(Objects::toString).equals(other.opt().map(Objects::toString)));
        note(differences, Aspect.SIZE, !sample || Math.abs(size() - other.size()) <= 16);
        Map<String, Long> theirs = other.ttlByRecord();
        note(differences, Aspect.TTL, ttlByRecord().entrySet().stream().allMatch(each -> theirs.getOrDefault(each.getKey(), each.getValue()).equals(each.getValue())));
        return differences;
    }

    private boolean same(int section, DnsReply other, boolean sample) {
        return sample
                ? section(section).size() == other.section(section).size() && types(section).equals(other.types(section))
                : facts(section).equals(other.facts(section));
    }

    private static void note(Collection<Aspect> differences, Aspect aspect, boolean same) {
        if (!same) {
            differences.add(aspect);
        }
    }

    private byte[] question() {
        int at = 12;
        while (at < bytes.length && bytes[at] != 0) {
            at += 1 + bytes[at];
        }
        return bytes.length == 12 ? bytes.clone() : Arrays.copyOfRange(bytes, 12, Math.min(bytes.length, at + 5));
    }

    /// In a few lines, for a message.
    @Override
    public String toString() {
        if (silent()) {
            return "no answer";
        }
        var text = new StringBuilder(rcode()).append(flag(Flags.AA) ? " aa" : "").append(flag(Flags.TC) ? " tc" : "").append(flag(Flags.RA) ? " ra" : "");
        text.append(' ').append(size()).append(" bytes");
        for (int section : List.of(Section.ANSWER, Section.AUTHORITY, Section.ADDITIONAL)) {
            List<Record> records = new ArrayList<>(section(section));
            if (!records.isEmpty()) {
                text.append("; ").append(Section.string(section).toLowerCase(Locale.ROOT)).append(' ').append(records.size()).append(": ");
                text.append(records.stream().limit(6).map(each -> fact(each) + " " + each.getTTL()).collect(Collectors.joining(", ")));
            }
        }
        opt().ifPresent(opt -> text.append("; ").append(opt));
        return text.toString();
    }
}
