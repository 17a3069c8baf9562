package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.Mimic;
import dev.gatepost.dns.Rdata;
import dev.gatepost.gateway.zone.ConsulMessage.ResourceRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.CNAMERecord;
import org.xbill.DNS.Message;
import org.xbill.DNS.Name;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;

/// What Consul's recursors say about the host names that services and nodes have for addresses. Of one query.
final class ConsulRecursion {
    private final Mimic.Recursion recursion;
    private boolean waiting;

    ConsulRecursion(Mimic.Recursion recursion) {
        this.recursion = recursion;
    }

    boolean isAvailable() {
        return recursion.isAvailable();
    }

    /// Whether something that was asked for isn't there yet.
    boolean isWaiting() {
        return waiting;
    }

    /// The aliases that a name leads through and the addresses at their end: for A alone, whatever the client asked for, as
    /// Consul does. Nothing where nobody says anything.
    List<ResourceRecord> addresses(DomainName name) {
        if (!recursion.isAvailable()) {
            return List.of();
        }
        Optional<byte[]> answer = recursion.addresses(name);
        waiting |= answer.isEmpty();
        return answer.filter(message -> message.length > 0).map(ConsulRecursion::records).orElse(List.of());
    }

    private static List<ResourceRecord> records(byte[] message) {
        List<ResourceRecord> records = new ArrayList<>();
        try {
            for (Record each : new Message(message).getSection(Section.ANSWER)) {
                rdata(each).ifPresent(rdata -> records.add(new ResourceRecord(name(each.getName()), Math.toIntExact(each.getTTL()), rdata)));
            }
        } catch (IOException e) {
            throw new IllegalStateException("our own message is unreadable", e);
        }
        return records;
    }

    private static Optional<Rdata> rdata(Record record) {
        return switch (record) {
            case CNAMERecord alias -> Optional.of(new Rdata.Cname(name(alias.getTarget())));
            case ARecord address -> Optional.of(new Rdata.Address(address.getAddress()));
            case AAAARecord address -> Optional.of(new Rdata.Address(address.getAddress()));
            default -> Optional.empty();
        };
    }

    private static DomainName name(Name name) {
        byte[] wire = name.toWire();
        return DomainName.copyOf(wire, 0, wire.length);
    }
}
