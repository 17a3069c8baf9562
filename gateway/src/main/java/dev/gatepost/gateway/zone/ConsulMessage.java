package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.Rdata;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A reply in the making, laid out and cut as Consul's DNS library does it: which names are compressed decides how many
/// answers fit. Of one query.
final class ConsulMessage {
    private static final int PLAIN_UDP = 512;
    private static final int UDP_ANSWERS = 3;
    private static final int TCP_BYTES = 65523;
    private static final int MARGIN = 7;
    private static final int POINTER_REACH = 0x4000;

    record ResourceRecord(DomainName owner, int ttl, Rdata rdata) {
        int type() {
            return rdata.type();
        }
    }

    List<ResourceRecord> answers = new ArrayList<>();
    List<ResourceRecord> authority = new ArrayList<>();
    List<ResourceRecord> additional = new ArrayList<>();
    int rcode;
    boolean authoritative = true;
    boolean recursionAvailable;

    private final byte[] question;
    private byte[] out = new byte[PLAIN_UDP];
    private int at;
    private Map<String, Integer> names = new HashMap<>();
    private boolean compress;

    /// @param question name, type and class as they came
    ConsulMessage(byte[] question) {
        this.question = question;
    }

    /// Cuts to what Consul sends over UDP: three answers to those who know no EDNS, else as many as the client has room
    /// for. What was cut is not told.
    ///
    /// @param edns room that the client offers; 0 without EDNS
    void trimForUdp(int edns) {
        Map<String, ResourceRecord> targets = targets();
        int room = Math.max(PLAIN_UDP, edns);
        boolean compressed = true;
        if (room == PLAIN_UDP && answers.size() > UDP_ANSWERS) {
            compressed = false;
            keep(answers, UDP_ANSWERS, targets);
        }
        trim(room, room - MARGIN, compressed, targets);
    }

    /// Cuts to what one message can hold.
    void trimForTcp(int queryType) {
        Map<String, ResourceRecord> targets = targets();
        int most = queryType == RRType.SRV ? 1024 : 4096;
        if (answers.size() > most) {
            answers = answers.subList(0, most);
        }
        trim(TCP_BYTES, TCP_BYTES, true, targets);
    }

    private void trim(int room, int limit, boolean compressed, Map<String, ResourceRecord> targets) {
        for (int length = length(compressed); answers.size() > 1 && length > limit; length = length(compressed)) {
            keep(answers, length - room > 100 ? fitting(room, compressed, targets) : answers.size() - 1, targets);
        }
    }

    /// Bisects, and stops ten bytes before it is perfect.
    private int fitting(int room, boolean compressed, Map<String, ResourceRecord> targets) {
        List<ResourceRecord> all = answers;
        int from = 0;
        int to = all.size() + 1;
        while (to - from > 1) {
            int middle = from + (to - from) / 2;
            keep(all, Math.min(middle, all.size()), targets);
            int length = length(compressed);
            if (length > room) {
                to = middle;
            } else if (room - length < 10) {
                from = middle;
                break;
            } else {
                from = middle;
            }
        }
        answers = all;
        return from;
    }

    /// The first answers, and of the additional records one for each of their targets.
    private void keep(List<ResourceRecord> all, int count, Map<String, ResourceRecord> targets) {
        answers = all.subList(0, count);
        if (targets.isEmpty()) {
            return;
        }
        additional = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (ResourceRecord each : answers) {
            if (each.rdata() instanceof Rdata.Srv srv) {
                String target = key(srv.target());
                while (seen.add(target) && targets.containsKey(target)) {
                    ResourceRecord found = targets.get(target);
                    additional.add(found);
                    if (found.rdata() instanceof Rdata.Cname(var next)) {
                        target = key(next);
                    }
                }
            }
        }
    }

    private Map<String, ResourceRecord> targets() {
        Map<String, ResourceRecord> targets = new HashMap<>();
        additional.forEach(each -> targets.putIfAbsent(key(each.owner()), each));
        return targets;
    }

    private static String key(DomainName name) {
        return ServiceZone.lower(name.toString());
    }

    private int length(boolean compressed) {
        return encode(compressed, new byte[0]).length;
    }

    /// The message with id 0 and only those flags that it decides itself.
    ///
    /// @param opt the OPT record, or nothing
    byte[] encode(boolean compressed, byte[] opt) {
        compress = compressed;
        names = new HashMap<>();
        at = 0;
        short16(0);
        short16(0x8000 | (authoritative ? 0x0400 : 0) | (recursionAvailable ? 0x0080 : 0) | rcode);
        short16(1);
        short16(answers.size());
        short16(authority.size());
        short16(additional.size() + (opt.length == 0 ? 0 : 1));
        remember(question, at, question.length);
        bytes(question);
        for (List<ResourceRecord> section : List.of(answers, authority, additional)) {
            section.forEach(this::record);
        }
        bytes(opt);
        return Arrays.copyOf(out, at);
    }

    private void record(ResourceRecord record) {
        name(record.owner(), compress);
        short16(record.type());
        short16(1);
        short16(record.ttl() >>> 16);
        short16(record.ttl());
        int lengthAt = at;
        short16(0);
        switch (record.rdata()) {
            case Rdata.Srv srv -> {
                short16(srv.priority());
                short16(srv.weight());
                short16(srv.port());
                name(srv.target(), false);
            }
            case Rdata.Cname(var target) -> name(target, compress);
            case Rdata.Ptr(var target) -> name(target, compress);
            case Rdata.Ns(var target, _) -> name(target, compress);
            case Rdata.Soa soa -> {
                name(soa.server(), compress);
                name(soa.responsible(), compress);
                byte[] encoded = soa.encode();
                bytes(Arrays.copyOfRange(encoded, encoded.length - 20, encoded.length));
            }
            case Rdata.Address _, Rdata.Txt _, Rdata.Svcb _, Rdata.Opaque _ -> bytes(record.rdata().encode());
        }
        int length = at - lengthAt - 2;
        out[lengthAt] = (byte) (length >> 8);
        out[lengthAt + 1] = (byte) length;
    }

    /// Names are pointed at in the very spelling that they were written in.
    private void name(DomainName name, boolean mayPoint) {
        byte[] wire = name.wire();
        int from = 0;
        while (wire[from] != 0 && !(mayPoint && names.containsKey(suffix(wire, from)))) {
            from += 1 + wire[from];
        }
        int start = at;
        bytes(Arrays.copyOf(wire, from));
        if (wire[from] == 0) {
            bytes(new byte[] {0});
        } else {
            short16(0xc000 | names.getOrDefault(suffix(wire, from), 0));
        }
        remember(wire, start, from);
    }

    private void remember(byte[] wire, int start, int to) {
        for (int from = 0; from < to && wire[from] != 0 && start + from < POINTER_REACH; from += 1 + wire[from]) {
            names.putIfAbsent(suffix(wire, from), start + from);
        }
    }

    private static String suffix(byte[] wire, int from) {
        int to = from;
        while (wire[to] != 0) {
            to += 1 + wire[to];
        }
        return new String(wire, from, to - from, java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    private void short16(int value) {
        bytes(new byte[] {(byte) (value >> 8), (byte) value});
    }

    private void bytes(byte[] bytes) {
        if (at + bytes.length > out.length) {
            out = Arrays.copyOf(out, Math.max(out.length * 2, at + bytes.length));
        }
        System.arraycopy(bytes, 0, out, at, bytes.length);
        at += bytes.length;
    }
}
