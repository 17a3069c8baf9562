package dev.gatepost.gateway.zone;

import dev.gatepost.dns.DomainName;
import dev.gatepost.dns.RRType;
import dev.gatepost.dns.RRset;
import dev.gatepost.dns.Rdata;
import dev.gatepost.gateway.catalog.Instance;
import dev.gatepost.gateway.catalog.Node;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// The names of one service or one node, and the records at each: pure functions of what the catalog says of it.
record ServiceRecords(ZoneSettings settings, Names names) {
    ServiceRecords(ZoneSettings settings) {
        this(settings, new Names(settings.domain(), settings.alternativeDomain()));
    }

    /// Every name of a service. A name whose instances are all unhealthy is there, without records: it exists, so the answer
    /// is NODATA, which nobody takes for the end of the service.
    ///
    /// @param service   one label, in any spelling
    /// @param instances of all services of that name, whatever their case
    Map<DomainName, List<RRset>> ofService(String service, List<Instance> instances) {
        Map<DomainName, List<RRset>> records = new LinkedHashMap<>();
        addService(records, service, "", instances);
        for (String datacenter : datacenters(instances.stream().map(Instance::node))) {
            addService(records, service, datacenter, instances.stream().filter(i -> i.node().datacenter().equalsIgnoreCase(datacenter)).toList());
        }
        return records;
    }

    private void addService(Map<DomainName, List<RRset>> records, String service, String datacenter, List<Instance> instances) {
        Duration ttl = settings.ttls().ofService(service);
        DomainName plain = names.under("service", datacenter).child(service);
        List<RRset> all = records(ttl, instances);
        records.put(plain, all);
        addRfc2782(records, service, "_tcp", datacenter, all);
        for (String tag : tags(instances)) {
            List<RRset> tagged = records(ttl, instances.stream().filter(hasTag(tag)).toList());
            if (tag.length() + plain.length() + 2 > DomainName.MAX_LENGTH) {
                continue;
            }
            records.put(plain.prependLabels(tag), tagged);
            if (!tag.equals("tcp") && tag.length() < DomainName.MAX_LABEL && Names.isLabel(tag)) {
                addRfc2782(records, service, "_" + tag, datacenter, tagged);
            }
        }
    }

    /// `_web._tcp.service.consul` answers as `web.service.consul` does, `_web._tcp.consul` to SRV alone (RFC 2782).
    private void addRfc2782(Map<DomainName, List<RRset>> records, String service, String protocol, String datacenter, List<RRset> sets) {
        if (service.length() == DomainName.MAX_LABEL) {
            return;
        }
        records.put(names.under("service", datacenter).child(protocol).child("_" + service), sets);
        records.put(names.within(datacenter).child(protocol).child("_" + service), sets.stream().filter(set -> set.type() == RRType.SRV).toList());
    }

    /// A, AAAA and SRV of the healthy ones. One without an address counts only when none has one: then the first host name
    /// is the CNAME of all.
    private List<RRset> records(Duration ttl, List<Instance> instances) {
        var addresses = new ArrayList<RRset.Weighted>();
        var services = new ArrayList<RRset.Weighted>();
        Optional<RRset.Weighted> alias = Optional.empty();
        for (Instance each : instances) {
            if (!settings.health().admits(each.health())) {
                continue;
            }
            int weight = each.weight();
            switch (Locator.of(each, names)) {
                case Locator.Addresses(var ips, var target, var glue) -> {
                    ips.forEach(ip -> addresses.add(new RRset.Weighted(new Rdata.Address(ip), weight)));
                    services.add(new RRset.Weighted(new Rdata.Srv(1, weight, each.port(), target, glue), weight));
                }
                case Locator.HostName(var name) -> {
                    services.add(new RRset.Weighted(new Rdata.Srv(1, weight, each.port(), name, List.of()), weight));
                    alias = alias.or(() -> Optional.of(new RRset.Weighted(new Rdata.Cname(name), weight)));
                }
                case Locator.Nowhere _ -> {}
            }
        }
        // A CNAME comes last: SRV answers in its own right, everything else follows the alias.
        Stream<RRset.Weighted> last = addresses.isEmpty() ? alias.stream() : Stream.of();
        return RRset.weighted(ttl, Stream.of(addresses.stream(), services.stream(), last).flatMap(records -> records).toList());
    }

    /// A node's names: health is no matter, as a machine is where it is.
    Map<DomainName, List<RRset>> ofNode(Node node) {
        Map<DomainName, List<RRset>> records = new LinkedHashMap<>();
        if (!Names.isHostName(node.name())) {
            return records;
        }
        var rdata = new ArrayList<Rdata>();
        switch (Locator.of(node, names)) {
            case Locator.Addresses(var ips, _, _) -> ips.forEach(ip -> rdata.add(new Rdata.Address(ip)));
            case Locator.HostName(var name) -> rdata.add(new Rdata.Cname(name));
            case Locator.Nowhere _ -> {}
        }
        node.meta().entrySet().stream().sorted(Map.Entry.comparingByKey()).map(ServiceRecords::text).forEach(rdata::add);
        List<RRset> sets = RRset.of(settings.ttls().node(), rdata);
        records.put(names.under("node", "").prependLabels(node.name()), sets);
        if (Names.isLabel(node.datacenter())) {
            records.put(names.ofNode(node), sets);
        }
        if (Names.isLabel(node.id())) {
            records.put(names.under("node", "").child(node.id()), sets);
        }
        return records;
    }

    /// `key=value` with the key quoted (RFC 1464); the value alone where the key says that it is one for DNS.
    static Rdata text(Map.Entry<String, String> meta) {
        String key = meta.getKey();
        return new Rdata.Txt(key.startsWith("rfc1035-") ? meta.getValue() : key.replace("`", "``").replace("=", "`=") + "=" + meta.getValue());
    }

    /// Tags that can be asked for, in the order of first appearance; they compare without case.
    static Set<String> tags(List<Instance> instances) {
        var tags = new LinkedHashSet<String>();
        for (Instance instance : instances) {
            for (String tag : instance.tags()) {
                if (Names.isHostName(tag) && !tag.startsWith("_") && !tag.endsWith(".")) {
                    tags.add(tag.toLowerCase(Locale.ROOT));
                }
            }
        }
        return tags;
    }

    static Predicate<Instance> hasTag(String tag) {
        return instance -> instance.tags().stream().anyMatch(tag::equalsIgnoreCase);
    }

    /// Those with a name of one label, in lower case.
    static Set<String> datacenters(Stream<Node> nodes) {
        var datacenters = new LinkedHashSet<String>();
        nodes.map(Node::datacenter).filter(Names::isLabel).forEach(each -> datacenters.add(each.toLowerCase(Locale.ROOT)));
        return datacenters;
    }
}
